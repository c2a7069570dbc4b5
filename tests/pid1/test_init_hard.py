"""Does init stand what happens seldom: shortages, numbers that are used again, and its own mistakes?"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import trio

from supervisor.model.plan import Launch, Plan, PlannedService
from supervisor.model.record import replace
from supervisor.model.spec import ReadySpec, RestartSpec, ServiceSpec, StopSpec
from supervisor.model.words import Seconds, ServiceName
from tests.eventually import eventually
from tests.isolation import isolated
from tests.pid1.inits import NEVER_AGAIN, actor, descendants_of, plan_of, start_init
from tests.pid1.numbers import few_numbers

AT_ONCE = RestartSpec(delay=Seconds(0.0), jitter=0.0)

# Forks for ever, and so do its children.
BOMB = """
import os, _signal
_signal.signal(_signal.SIGTERM, _signal.SIG_IGN)
print("armed", flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
"""

# Ends, and sees to it that the next process of the namespace gets its number.
AGAIN = """
import os
with open("/proc/sys/kernel/ns_last_pid", "w") as last:
    last.write(str(os.getpid() - 1))
os._exit(int(os.environ["STATUS"]))
"""


def _python(name: str, code: str, *words: str, **spec: object) -> PlannedService:
    command = (sys.executable, "-IS", "-c", code, *words)
    return PlannedService(
        ServiceName(name),
        ServiceSpec(command=(command,), **spec),  # type: ignore[arg-type]
        launch=Launch("fast", (sys.executable,)),
    )


@isolated
def test_a_fork_bomb_is_stopped_with_its_service(tmp_path: Path) -> None:
    bomb = _python("bomb", BOMB, restart=NEVER_AGAIN, stop=StopSpec(timeout=Seconds(0.5)))
    init = start_init(plan_of(bomb, actor("web", "sleep")), tmp_path, prepare=few_numbers)
    init.until_line("armed")
    eventually(lambda: len(descendants_of(init.pid)) > 200, timeout=20)
    assert init.ask("stop", names=["bomb"])["verdict"] == "done"
    eventually(lambda: len(descendants_of(init.pid)) == 2, timeout=20)
    assert init.service("web")["phase"] == "running"


@isolated
def test_a_fork_bomb_cannot_keep_the_world_from_ending(tmp_path: Path) -> None:
    bomb = _python("bomb", BOMB, restart=NEVER_AGAIN)
    init = start_init(plan_of(bomb, shutdown=2.0), tmp_path, prepare=few_numbers)
    init.until_line("armed")
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


@isolated
def test_a_number_that_is_used_again_is_the_new_runs(tmp_path: Path) -> None:
    """Every run of it gets the number of the one before: an exit is still seen once, and by the right one."""
    again = replace(_python("again", AGAIN, environment={"STATUS": "7"}, restart=AT_ONCE))
    init = start_init(plan_of(again), tmp_path)
    numbers: set[int] = set()
    eventually(lambda: init.service("again")["run"] > 20, timeout=20)
    eventually(lambda: numbers.add(init.service("again")["pid"] or 0) or len(numbers - {0}) > 0, timeout=20)
    seen = init.service("again")
    assert seen["last_exit"]["code"] == 7
    assert seen["restarts"] in (seen["run"] - 1, seen["run"])


@isolated
def test_without_descriptors_services_wait_and_the_dead_are_reaped(tmp_path: Path) -> None:
    """No descriptor for another pipe: that is a shortage of ours, which passes."""
    services = [actor(f"s{number}", "sleep") for number in range(40)]

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

    init = start_init(plan_of(*services), tmp_path, prepare=few)
    eventually(lambda: any(one["reason"]["code"] == "no-resources" for one in init.services()), timeout=20)
    running = [one for one in init.services() if one["phase"] == "running"]
    assert running
    assert init.ask("stop", names=[one["name"] for one in running])["verdict"] == "done"
    before = {one["name"] for one in running}
    eventually(
        lambda: any(one["phase"] == "running" and one["name"] not in before for one in init.services()), timeout=20
    )
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


def _with_a_loop_that_falls(plan: Plan, socket: Path) -> Callable[[], None]:
    """Be an init whose loop falls when all services run."""

    def broken() -> None:
        from supervisor.programs import init
        from supervisor.runtime.assembly import Runtime
        from supervisor.wire import state

        whole = Runtime.run

        async def falls(self: Runtime, *args: object) -> object:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(whole, self, *args)
                while not all(service.state.phase == "running" for service in self.loop.world.services.values()):
                    await trio.sleep(0.01)
                raise MemoryError

        Runtime.run = falls  # type: ignore[method-assign, assignment]
        fd = os.memfd_create("plan")
        os.write(fd, state.dump(plan))
        os.lseek(fd, 0, os.SEEK_SET)
        os._exit(init.run(init.InitOptions(plan_fd=fd, name="test", socket=str(socket))))

    return broken


@isolated
def test_when_the_loop_itself_falls_nobody_is_left_and_the_status_is_70(tmp_path: Path) -> None:
    plan = plan_of(actor("web", "daemon:sleep ignore:TERM print:up sleep", ready=ReadySpec(log="up")))
    broken = _with_a_loop_that_falls(plan, tmp_path / "c.sock")
    for pid1 in (False, True):
        world = start_init(plan, tmp_path, pid1=pid1, prepare=broken)
        world.until_line("web | up")
        said = world.rest()
        assert world.ends() == 70
        assert "the loop has fallen" in said
        assert "MemoryError" in said  # in the log, where every line is pidone's own
        assert "Traceback" not in said
        assert all(" pidone | " in line or " web | " in line for line in said.splitlines())
        assert {int(name) for name in os.listdir("/proc") if name.isdigit()} == {1, os.getpid()}


@isolated
def test_when_the_loop_itself_falls_the_last_lines_are_not_lost(tmp_path: Path) -> None:
    """Those who are asked to end do so at once, with many words: their logger has to read them after they are gone."""
    talk = "n=0; while [ $n -lt 5000 ]; do n=$((n + 1)); echo line-$n; done; exit 0"
    wordy = ("sh", "-c", f"trap '{talk}' TERM; echo up; while :; do sleep 1000 & wait; done")
    spec = ServiceSpec(command=(wordy,), ready=ReadySpec(log="up"))
    plan = plan_of(PlannedService(ServiceName("web"), spec))
    for pid1 in (False, True):
        world = start_init(plan, tmp_path, pid1=pid1, prepare=_with_a_loop_that_falls(plan, tmp_path / "c.sock"))
        world.until_line("web | up")
        said = world.rest()
        assert world.ends() == 70
        assert "the loop has fallen" in said
        assert "MemoryError" in said
        assert [line.rpartition("-")[2] for line in said.splitlines() if "line-" in line] == [
            str(number) for number in range(1, 5001)
        ]


@isolated
def test_who_was_stopped_himself_does_not_blame_the_services(tmp_path: Path) -> None:
    """SIGSTOP from outside, longer than a service may take to start."""
    slow = actor(
        "web", "after:5 print:up sleep", ready=ReadySpec(log="up"), start_timeout=Seconds(2.5), restart=NEVER_AGAIN
    )
    init = start_init(plan_of(slow), tmp_path)
    init.until_phase("web", "starting")
    init.signal(signal.SIGSTOP)
    select.select([], [], [], 4.0)  # the absence is what this test is about
    init.signal(signal.SIGCONT)
    init.until_phase("web", "running")
