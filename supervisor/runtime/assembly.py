"""How do the parts of the runtime hang together? One object that owns them, performs what the loop orders, and runs until the end.

Rules: every task is owned here. One that fails is reported, leads to an ordered stop and is started anew, so that the stop can
be performed; when that fails again and again the loop itself has fallen, and whoever runs it must clear up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import Protocol, assert_never

import trio

from supervisor.core.reasons import exit_text, failure_text
from supervisor.core.step import empty_world
from supervisor.kernel.port import Kernel
from supervisor.model.effect import (
    Answer,
    Edge,
    Effect,
    ExitWorld,
    Release,
    Signal,
    Spawn,
    StartProbe,
    StopProbe,
    Sweep,
)
from supervisor.model.event import Broke, Event, Exited, SpawnFailed
from supervisor.model.process import Exit
from supervisor.model.words import Instant, RunId
from supervisor.runtime.absence import Absence
from supervisor.runtime.errands import Errands
from supervisor.runtime.history import History
from supervisor.runtime.launch import Launcher, Surroundings
from supervisor.runtime.loop import Loop
from supervisor.runtime.mistakes import trace
from supervisor.runtime.probes import Attempt, Target
from supervisor.runtime.processes import Process, Processes
from supervisor.runtime.reach import Reach
from supervisor.runtime.readiness import Readiness
from supervisor.runtime.reaper import Reaper
from supervisor.runtime.report import Report
from supervisor.runtime.sweep import Sweeper

__all__ = ["LogsPort", "Runtime"]

_TRIES = 3  # starts of a task that keeps failing
_LAST_TURNS = 10  # of the loop, for answers on their way to clients when the world ends

Task = Callable[[], Awaitable[None]]


class LogsPort(Protocol):
    """What the runtime asks of the logs (`Logs`; in stories a fake)."""

    def open(self, run: RunId, uid: int | None = None) -> tuple[int, int]:
        """The run's stdout and stderr, to write to; the same at every call until `end`. Raises OSError."""

    def end(self, run: RunId) -> None:
        """No process of the run is left."""

    def watch(self, run: RunId, pattern: str, found: Callable[[], None]) -> Callable[[], None]: ...

    def drain(self) -> None:
        """Act on what the logger has said already."""

    def say(self, text: str) -> None: ...

    def hurry(self) -> None:
        """The shutdown has begun: nobody may be held up by what our stdout does not take."""

    def pids(self) -> Collection[int]: ...


class Runtime:
    """Everything between the kernel and the decisions, put together."""

    def __init__(
        self,
        kernel: Kernel,
        logs: LogsPort,
        clock: Callable[[], Instant],
        surroundings: Surroundings,
        *,
        seed: int,
        everybody: bool,
        null: int,
        readable: Callable[[int], Awaitable[None]] = trio.lowlevel.wait_readable,
        knock: Callable[[Target, str], Attempt] = Attempt,
    ) -> None:
        """`everybody`: we are PID 1 of a namespace of our own. `null`: /dev/null, open for writing."""
        self._logs = logs
        self._exit: ExitWorld | None = None
        self.history = History(clock)
        self._over = trio.Event()
        loop = self.loop = Loop(empty_world(seed), clock, self.report)
        table = self.table = Processes(kernel)
        reach = self._reach = Reach(kernel, table)
        launcher = self._launcher = Launcher(
            kernel, table, logs.open, surroundings, lambda: loop.world, self._heed, clock, readable
        )
        errands = Errands(kernel, table, reach, surroundings, clock, null)
        self._readiness = Readiness(table, errands, logs.watch, logs.drain, lambda: loop.world, loop.feed, knock)
        self.reaper = Reaper(
            kernel, table, reach, self._heed, launcher.settle, self._readiness.drain, self._run_over, self._orphan_ended
        )
        launcher.concluded = self.reaper.conclude
        self._sweeper = Sweeper(kernel, self.reaper, everybody, logs.pids, loop.feed, clock, logs.say)
        self.report_of_the_end = Report(lambda: loop.world)
        self.answered: Callable[[Answer], None] = lambda answer: None
        loop.attach(self)
        loop.listen(self.history.edge)
        loop.listen(self._tell_edge)
        loop.listen(self.report_of_the_end.heard)

    async def run(self, child_ended: Task, others: Sequence[tuple[str, Task]] = ()) -> ExitWorld:
        """Until the world has ended. `child_ended` returns whenever SIGCHLD has come; `others` are run beside."""
        trio.lowlevel.add_instrument(Absence(lambda: self.loop.now().mono, self.loop.away))
        async with trio.open_nursery() as nursery:
            for what, task in (
                ("keep time", self.loop.keep_time),
                ("reap", lambda: self.reaper.run(child_ended)),
                ("look for orphans", self.reaper.keep_looking),
                ("spawn", self._launcher.run),
                ("look for readiness", self._readiness.run),
                ("sweep", self._sweeper.run),
                *others,
            ):
                nursery.start_soon(self._keep, what, task)
            await self._over.wait()
            for _ in range(_LAST_TURNS):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        assert self._exit is not None
        return self._exit

    async def _keep(self, what: str, task: Task) -> None:
        """Run this task; when it fails, end the world in order, for which it is needed again."""
        for _ in range(_TRIES):
            try:
                await task()
                return
            except Exception as mistake:
                self.loop.faults += 1
                self.report(f"failed to {what}", mistake)
                self.loop.feed(Broke(f"{what}: {type(mistake).__name__}"))
                await trio.lowlevel.checkpoint()
        raise RuntimeError(f"failed to {what} {_TRIES} times")

    def _heed(self, fact: Event) -> None:
        """Feed what has become of a process. That a stop command went wrong stops nothing, and shows nowhere but in the log."""
        match fact:
            case Exited(run, "stop", exit) if exit.code != 0:
                self._logs.say(f"{run.service}: stop.command: {exit_text(exit)}")
            case SpawnFailed(run, "stop", failure) if not failure.cancelled:
                self._logs.say(f"{run.service}: stop.command: {failure_text(failure)}")
            case _:
                pass
        self.loop.feed(fact)

    # --- what the loop orders

    def perform(self, effect: Effect) -> None:
        match effect:
            case Spawn():
                self._launcher.order(effect)
            case Signal():
                self._reach.order(effect)
            case StartProbe():
                self._readiness.start(effect.run)
            case StopProbe():
                self._readiness.stop(effect.run)
            case Release():
                self.table.release(effect.run)
                self._logs.end(effect.run)
            case Answer():
                self.answered(effect)
            case Sweep():
                self._sweeper.order(effect)
            case ExitWorld():
                self._exit = effect
                self._over.set()
            case _:
                assert_never(effect)

    def flush(self) -> None:
        self._reach.flush()
        if self.loop.world.shutdown is not None:
            self._logs.hurry()

    async def before_deadlines(self) -> None:
        await self.reaper.catch_up()
        self._readiness.drain_all()

    # --- what is told

    def report(self, what: str, mistake: BaseException) -> None:
        """A mistake of pidone itself: its traceback is for the log only."""
        self._logs.say(f"internal error: {what}")
        for line in trace(mistake):
            self._logs.say(f"  {line}")

    def _tell_edge(self, edge: Edge) -> None:
        origin = f"{edge.origin} → " if edge.origin is not None and edge.origin != edge.to else ""
        self._logs.say(f"{edge.service}: {origin}{edge.to}: {edge.reason.text}")

    def _run_over(self, run: RunId) -> None:
        if run.number > 0:
            self._logs.end(run)

    def _orphan_ended(self, process: Process, exit: Exit) -> None:
        service = None if process.run is None else process.run.service
        self.history.orphan(process.pid, process.comm, service, process.rule, exit)

    def dump(self) -> Iterator[str]:
        """What is true now, for the log."""
        self.reaper.look()
        world, table = self.loop.world, self.table
        yield f"world: {len(world.services)} services, {self.loop.faults} internal errors, shutdown: {world.shutdown}"
        for name, service in world.services.items():
            entry = table.of(RunId(name, service.run))
            pids = " ".join(f"{process.kind} {process.pid}" for process in entry.everyone()) if entry else "no process"
            yield f"{name}: {service.state} want={service.want} run={service.run} restarts={service.restarts}: {pids}"
        yield f"orphans: {table.adopted} adopted, {table.reaped} reaped, {table.alive} alive"
        for orphan in self.history.orphans():
            whose = f"of {orphan.service} (by {orphan.rule})" if orphan.service is not None else "of nobody"
            yield f"orphan that ended: {orphan.comm or 'somebody'} ({orphan.pid}) {whose}: {exit_text(orphan.exit)}"
