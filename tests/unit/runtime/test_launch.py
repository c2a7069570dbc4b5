"""Does every ordered process lead to exactly one answer, whoever learns first how it went?"""

from __future__ import annotations

import trio
import trio.testing

from supervisor.core.step import empty_world, step
from supervisor.kernel.port import Kernel
from supervisor.model.effect import Spawn
from supervisor.model.event import Event, PlanAccepted, Spawned, SpawnFailed
from supervisor.model.plan import Launch, Plan, PlannedService
from supervisor.model.spec import ServiceSpec
from supervisor.model.words import Instant, Monotonic, RunId, Seconds, ServiceName, Wall
from supervisor.runtime.launch import Launcher, Surroundings
from supervisor.runtime.processes import Processes
from tests.fakes.kernel import ACTOR, FakeKernel

_NOW = Instant(Monotonic(1.0), Wall(1.0))


def _service(name: str, executable: str, way: str) -> PlannedService:
    command = (ACTOR, "sleep")
    launch = Launch("fast" if way == "fast" else "safe", (executable,))
    return PlannedService(ServiceName(name), ServiceSpec(command=(command,)), launch=launch)


def test_a_child_that_ended_before_anybody_waited_for_its_exec_is_settled_once() -> None:
    """The reaper may be quicker than the first turn of the task that would wait for the errno pipe."""
    plan = Plan((_service("missing", "/nowhere", "safe"), _service("other", ACTOR, "fast")))
    begun = step(empty_world(1), PlanAccepted(plan, Seconds(5)), _NOW)
    told: list[Event] = []

    async def play() -> None:
        kernel: Kernel = FakeKernel(trio.current_time)
        table = Processes(kernel)
        missing = RunId(ServiceName("missing"), 1)

        def feed(event: Event) -> None:
            told.append(event)
            if isinstance(event, Spawned):  # of the other one, in the same slice
                entry = table.of(missing)
                assert entry is not None
                launcher.settle(entry.own["main"])

        around = Surroundings({}, "/", "/run/test.sock")
        launcher = Launcher(
            kernel, table, lambda run, uid: (1, 2), around, lambda: begun.world, feed, lambda: _NOW, _there
        )
        for effect in begun.effects:
            if isinstance(effect, Spawn):
                launcher.order(effect)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(launcher.run)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    trio.run(play)
    assert [type(event) for event in told] == [Spawned, SpawnFailed]


async def _there(errors: int) -> None:
    assert errors >= 0, "nobody may wait for a descriptor that has been closed"
    await trio.sleep_forever()
