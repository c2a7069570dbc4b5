"""On what does a story of the whole runtime stand? On the fake kernel with a virtual clock, or on the real one with real time.

A story is told once and played on both where it can: it speaks to a Stage alone, and its actors speak the words of
tests/actor.py. Times in stories are short, so that the real ones are too.
"""

from __future__ import annotations

import contextlib
import os
import pkgutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import trio
import trio.testing

from supervisor.kernel.linux import Linux
from supervisor.kernel.port import Kernel
from supervisor.kernel.prctl import set_child_subreaper
from supervisor.kernel.signalfd import open_signalfd, read_signals
from supervisor.model.effect import Edge, ExitWorld
from supervisor.model.event import PlanAccepted, StopAsked
from supervisor.model.plan import Launch, Plan, PlannedService
from supervisor.model.record import replace
from supervisor.model.service import Service
from supervisor.model.spec import RestartSpec, ServiceSpec
from supervisor.model.words import Instant, Monotonic, RunId, Seconds, ServiceName, Wall
from supervisor.runtime import loop
from supervisor.runtime.assembly import Runtime
from supervisor.runtime.launch import Surroundings
from supervisor.runtime.operator import Operator
from tests.fakes.kernel import ACTOR, FakeKernel
from tests.fakes.logs import FakeLogs
from tests.fakes.pipes import PipeLogs
from tests.linux.stage import ACTOR as REAL_ACTOR

__all__ = [
    "FAKE_ONLY",
    "NEVER_AGAIN",
    "STORIES",
    "Stage",
    "Story",
    "fake_story",
    "play_on_fake",
    "play_on_real",
    "story",
]

_T = TypeVar("_T")
_SUNDAY = 1_795_334_400.0  # 2026-11-22, so that wall time is no monotonic time
_SURROUNDINGS = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_LOOK_EVERY = 0.01

NEVER_AGAIN = RestartSpec(policy="never")

Story = Callable[["Stage"], Awaitable[None]]
STORIES: list[Story] = []
FAKE_ONLY: list[Story] = []


def story(told: Story) -> Story:
    """To be played on both kernels."""
    STORIES.append(told)
    return told


def fake_story(told: Story) -> Story:
    """To be played on the fake kernel only: Linux does not do such things when it is asked to."""
    FAKE_ONLY.append(told)
    return told


class Stage:
    """The runtime and its world, to be driven and looked at."""

    def __init__(self, runtime: Runtime, kernel: Kernel, logs: FakeLogs | PipeLogs, program: tuple[str, ...]) -> None:
        self.runtime = runtime
        self.kernel = kernel
        self.logs = logs
        self.edges: list[Edge] = []
        self.exit: ExitWorld | None = None
        self._program = program
        runtime.loop.listen(self.edges.append)
        self.operator = Operator(
            runtime.loop,
            kernel,
            runtime.table,
            runtime.reaper,
            logs.stream,
            "test",
            "0",
            pid_ns=1,
            history=runtime.history,
        )
        runtime.answered = self.operator.answer

    @property
    def fake(self) -> FakeKernel:
        assert isinstance(self.kernel, FakeKernel)
        return self.kernel

    # --- to write a plan with

    def command(self, *words: str) -> tuple[str, ...]:
        return (*self._program, *words)

    def service(self, name: str, *commands: str, way: str = "fast", **spec: Any) -> PlannedService:
        """A service whose commands are written as an actor's words with blanks between."""
        lines = tuple(self.command(*words.split()) for words in commands)
        executables = tuple(line[0] for line in lines)
        return PlannedService(
            ServiceName(name),
            ServiceSpec(command=lines, **spec),
            launch=Launch("fast" if way == "fast" else "safe", executables),
        )

    def missing(self, name: str, way: str) -> PlannedService:
        """A service whose program is not there, which the loader had not seen."""
        planned = self.service(name, "sleep", way=way, restart=NEVER_AGAIN)
        return replace(planned, launch=replace(planned.launch, executables=("/nowhere/at/all",)))

    def begin(self, *services: PlannedService, shutdown: float = 5.0, wanted: Sequence[str] | None = None) -> None:
        names = None if wanted is None else tuple(map(ServiceName, wanted))
        self.runtime.loop.feed(PlanAccepted(Plan(services), Seconds(shutdown), names))

    # --- to look at the world with

    def __getitem__(self, name: str) -> Service:
        return self.runtime.loop.world.services[ServiceName(name)]

    def phase(self, name: str) -> str:
        return self[name].state.phase

    def main_pid(self, name: str) -> int:
        entry = self.runtime.table.of(RunId(ServiceName(name), self[name].run))
        assert entry is not None
        return entry.own["main"].pid

    def pids(self) -> list[int]:
        """Everybody alive but us."""
        look = self.kernel.everybody if isinstance(self.kernel, FakeKernel) else self.kernel.descendants
        return sorted(person.pid for person in look() if person.state not in "ZX")

    def passed(self, name: str) -> list[str]:
        """The phases that a service went through."""
        return [edge.to for edge in self.edges if edge.service == name]

    def printed(self) -> list[str]:
        self.logs.drain()
        return list(self.logs.lines)

    async def until(self, predicate: Callable[[], _T], timeout: float = 10.0) -> _T:
        """Let time pass until this is true."""
        deadline = trio.current_time() + timeout
        while not (answer := predicate()):
            assert trio.current_time() < deadline, f"not within {timeout} s; {self.story_so_far()}"
            await trio.sleep(_LOOK_EVERY)
            self.logs.drain()
        return answer

    async def until_phase(self, name: str, phase: str) -> None:
        await self.until(lambda: self.phase(name) == phase)

    async def let_pass(self, seconds: float) -> None:
        await trio.sleep(seconds)

    def sleep_through(self, seconds: float) -> None:
        """Time passes, and we are not there (SIGSTOP, a suspended machine)."""
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, trio.testing.MockClock)
        clock.jump(seconds)

    @contextlib.contextmanager
    def mistake(self, where: str, times: int = -1) -> Iterator[None]:
        """A bug in this function of ours: it raises, so many times (always)."""
        path, _, name = where.rpartition(".")
        owner = pkgutil.resolve_name(path)
        right = getattr(owner, name)
        left = times

        def wrong(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left == 0:
                return right(*args, **kwargs)
            left -= 1
            raise ZeroDivisionError("a bug")

        setattr(owner, name, wrong)
        try:
            yield
        finally:
            setattr(owner, name, right)

    @contextlib.contextmanager
    def no_orders(self) -> Iterator[None]:
        """Core decides, and orders nothing."""
        decide = loop.step
        loop.step = lambda *facts: decide(*facts)._replace(effects=())
        try:
            yield
        finally:
            loop.step = decide

    async def shut_down(self) -> ExitWorld:
        """Ask the world to end, and see that it does."""
        self.runtime.loop.feed(StopAsked("SIGTERM"))
        return await self.until_end()

    async def until_end(self) -> ExitWorld:
        await self.until(lambda: self.exit is not None)
        assert self.exit is not None
        return self.exit

    def story_so_far(self) -> str:
        return (
            "; ".join(f"{edge.service} {edge.to} ({edge.reason.text})" for edge in self.edges) + f"; {self.logs.said}"
        )


async def _perform(
    told: Story,
    stage: Stage,
    child_ended: Callable[[], Awaitable[None]],
    beside: Sequence[Callable[[], Awaitable[None]]],
) -> None:
    """Run the runtime until the story is over and the world has ended."""

    async def live() -> None:
        stage.exit = await stage.runtime.run(child_ended)

    async with trio.open_nursery() as nursery:
        for task in beside:
            nursery.start_soon(task)
        nursery.start_soon(live)
        await trio.testing.wait_all_tasks_blocked()
        await told(stage)
        if stage.exit is None:
            await stage.shut_down()
        nursery.cancel_scope.cancel()
    assert stage.pids() == []
    assert not stage.runtime.loop.faults or "internal error" in " ".join(stage.logs.said)


def play_on_fake(told: Story) -> None:
    """The story in no time."""

    async def play() -> None:
        kernel = FakeKernel(trio.current_time)
        rung, due = _Bell(), _Bell()
        kernel.child_ended, kernel.timer_set = rung.ring, due.ring
        logs = FakeLogs(kernel)

        async def known(errors: int) -> None:
            while not kernel.is_known(errors):
                await trio.sleep(_LOOK_EVERY)

        async def time_passes() -> None:
            while True:
                with trio.CancelScope() as scope:
                    if (next_due := kernel.next_due()) is not None:
                        scope.deadline = next_due
                    await due.wait()
                kernel.play_until(trio.current_time())

        def now() -> Instant:
            return Instant(Monotonic(trio.current_time()), Wall(_SUNDAY + trio.current_time()))

        runtime = Runtime(
            kernel,
            logs,
            now,
            Surroundings(_SURROUNDINGS, "/", "/run/test.sock"),
            seed=7,
            everybody=True,
            null=2,
            readable=known,
        )
        stage = Stage(runtime, kernel, logs, (ACTOR,))
        await _perform(told, stage, rung.wait, [time_passes])
        assert kernel.open_fds() == 0
        assert runtime.table.runs() == ()

    trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0))


def play_on_real(told: Story) -> None:
    """The story as it really happens. To be called inside an isolated body."""

    async def play() -> None:
        if os.getpid() != 1:
            set_child_subreaper()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        children = open_signalfd([signal.SIGCHLD])
        kernel, logs = Linux(), PipeLogs()

        async def child_ended() -> None:
            await trio.lowlevel.wait_readable(children)
            read_signals(children)

        def now() -> Instant:
            return Instant(Monotonic(time.monotonic()), Wall(time.time()))

        runtime = Runtime(
            kernel,
            logs,
            now,
            Surroundings(_SURROUNDINGS, "/", "/run/test.sock"),
            seed=7,
            everybody=os.getpid() == 1,
            null=os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC),
        )
        before = set(os.listdir("/proc/self/fd"))
        with _looked_at(runtime):
            stage = Stage(runtime, kernel, logs, (sys.executable, "-IS", REAL_ACTOR))
            await _perform(told, stage, child_ended, [])
        assert set(os.listdir("/proc/self/fd")) == before
        assert runtime.table.runs() == ()

    trio.run(play)


@contextlib.contextmanager
def _looked_at(runtime: Runtime) -> Iterator[None]:
    """Nobody but our reaper waits for children."""
    yield
    with contextlib.suppress(ChildProcessError):
        raise AssertionError(f"a child was left: {os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)}")


class _Bell:
    """Remembers that it rang until somebody has heard it."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
        self._event = trio.Event()
