"""Is it ready yet? Looks for a run's readiness as its `ready` says, and tells the loop once.

Rules: addresses are knocked at from here, everything that needs a path or a program is looked at in a child, lines are matched
by the logger. One attempt at a time per run, with a pause between two. What an attempt or the logger knows already is told
before an exit of that run (`drain`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import trio

from supervisor.model.event import BecameReady, Event
from supervisor.model.plan import PlannedService
from supervisor.model.process import Exit
from supervisor.model.spec import ReadySpec
from supervisor.model.words import RunId, Seconds
from supervisor.model.world import World
from supervisor.runtime.errands import Errands, watcher
from supervisor.runtime.probes import Attempt, Target, target_of
from supervisor.runtime.processes import Processes

__all__ = ["Readiness", "Watch"]

_KNOCK_TIMEOUT = Seconds(3.0)  # what healthcheck.timeout defaults to
_EXEC_TIMEOUT = Seconds(10.0)  # a probe of a loaded machine may be slow, one that hangs must not stay

Watch = Callable[[RunId, str, Callable[[], None]], Callable[[], None]]
"""Call back when a line of the run matches; answers what ends the watch."""


class _Probe:
    """What is going on for one run."""

    def __init__(self, run: RunId) -> None:
        self.run = run
        self.scope = trio.CancelScope()
        self.attempt: Attempt | None = None
        self.unwatch: Callable[[], None] | None = None


class Readiness:
    """All probes that are going on."""

    def __init__(
        self,
        table: Processes,
        errands: Errands,
        watch: Watch,
        drain_lines: Callable[[], None],
        world: Callable[[], World],
        feed: Callable[[Event], None],
        knock: Callable[[Target, str], Attempt] = Attempt,
    ) -> None:
        self._table = table
        self._errands = errands
        self._watch_lines = watch
        self._drain_lines = drain_lines
        self._world = world
        self._feed = feed
        self._knock = knock
        self._probes: dict[RunId, _Probe] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        async with trio.open_nursery() as self._nursery:
            await trio.sleep_forever()

    def start(self, run: RunId) -> None:
        """Look for this run's readiness from now on."""
        planned = self._world().services[run.service].plan
        ready = planned.spec.ready
        assert ready is not None
        assert self._nursery is not None
        probe = self._probes[run] = _Probe(run)
        if ready.log is not None:
            probe.unwatch = self._watch_lines(run, ready.log, lambda: self._found(run))
        elif (target := target_of(ready)) is not None:
            self._nursery.start_soon(self._keep_knocking, probe, target, ready.interval)
        else:
            self._nursery.start_soon(self._keep_sending, probe, planned, ready)

    def stop(self, run: RunId) -> None:
        """Nobody wants to know any more."""
        probe = self._probes.pop(run, None)
        if probe is not None:
            probe.scope.cancel()
            if probe.unwatch is not None:
                probe.unwatch()
            self._errands.call_back(run)

    def drain(self, runs: Iterable[RunId]) -> None:
        """Tell what is known of these already."""
        for run in runs:
            probe = self._probes.get(run)
            if probe is not None and probe.attempt is not None and probe.attempt.look():
                self._found(run)
        if self._probes:
            self._drain_lines()

    def drain_all(self) -> None:
        """Tell what is known of everybody already."""
        self.drain(tuple(self._probes))

    def _found(self, run: RunId) -> None:
        if run in self._probes:
            self._feed(BecameReady(run))

    # --- knocking

    async def _keep_knocking(self, probe: _Probe, target: Target, pause: Seconds) -> None:
        with probe.scope:
            while not await self._knock_once(probe, target):
                await trio.sleep(pause)
            self._found(probe.run)

    async def _knock_once(self, probe: _Probe, target: Target) -> bool:
        for host in target.hosts:
            try:
                attempt = probe.attempt = self._knock(target, host)
            except OSError:
                continue
            try:
                with trio.move_on_after(_KNOCK_TIMEOUT):
                    while (answer := attempt.look()) is None:
                        await attempt.wait()
                    if answer:
                        return True
            finally:
                probe.attempt = None
                attempt.close()
        return False

    # --- sending somebody

    async def _keep_sending(self, probe: _Probe, planned: PlannedService, ready: ReadySpec) -> None:
        with probe.scope:
            while True:
                if not self._errands.busy(probe.run):
                    await self._send(probe, planned, ready)
                await trio.sleep(ready.interval)

    async def _send(self, probe: _Probe, planned: PlannedService, ready: ReadySpec) -> None:
        back = trio.Event()

        def ended(exit: Exit) -> None:
            back.set()
            if exit.code == 0:
                self._found(probe.run)

        if ready.exec is not None:
            if self._errands.start(probe.run, planned, ready.exec, ended):
                with trio.move_on_after(_EXEC_TIMEOUT):
                    await back.wait()
                    return
                self._errands.call_back(probe.run)
            return
        kind, path = ("file", ready.file) if ready.file is not None else ("unix", ready.unix)
        assert path is not None
        entry = self._table.of(probe.run)
        if entry is None:
            return
        argv = watcher(kind, path, entry.began, ready.interval, planned.identity)
        if self._errands.start(probe.run, planned, argv, ended, as_us=True):
            await back.wait()
