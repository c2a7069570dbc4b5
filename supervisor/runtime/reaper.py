"""Who has ended? Every child is seen once, identified before it is reaped, and attributed to where it came from.

Rules: this is the one caller of wait. Reaping needs no new fd. After each batch everybody else is served; in a storm the
wake-ups are gathered for a few milliseconds. Order is correctness: whatever had happened before an exit, and only waits
to be read, is fed before it. A run is over when its own processes are reaped and two looks in a row show nobody else of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import trio

from supervisor.kernel.port import Kernel
from supervisor.model.event import Emptied, Event, Exited
from supervisor.model.process import Exit
from supervisor.model.signals import SIGKILL
from supervisor.model.words import RunId
from supervisor.runtime.processes import Process, Processes
from supervisor.runtime.reach import Reach

__all__ = ["BATCH", "Reaper"]

BATCH = 64  # reaped between two checkpoints: about 2 ms
_TURNS = 16  # that everybody else gets between two batches, 3 µs each; an answer to a new connection takes 9
_STORM_PAUSE = 0.005  # seconds: with one wake-up per 5 ms a storm costs 17 µs per process instead of 82 (FACTS)
_STORM_WINDOW = 0.05  # seconds: a batch in this time is a storm
_LOOK_EVERY = 0.05  # seconds between two looks that nobody waits for
_LOOK_SHARE = 20  # looks take at most the twentieth part of the time: in a storm one takes 100 ms
_PUT_OFF = 10  # looks in a row that a storm may put off
_ADOPT = 256  # strangers taken into the table per look, about 10 ms


class Reaper:
    """Reaps, attributes, and tells the loop."""

    # `settle` learns whether a process that was forked has executed its program, `drain` what else is known of runs that is
    # older than their exits; `over` hears of runs that are over, `orphan` of adopted processes that have ended.
    def __init__(
        self,
        kernel: Kernel,
        table: Processes,
        reach: Reach,
        feed: Callable[[Event], None],
        settle: Callable[[Process], None],
        drain: Callable[[Iterable[RunId]], None],
        over: Callable[[RunId], None],
        orphan: Callable[[Process, Exit], None],
    ) -> None:
        self._kernel = kernel
        self._table = table
        self._reach = reach
        self._feed = feed
        self._settle = settle
        self._drain = drain
        self._over = over
        self._orphan = orphan
        self._wanted = trio.Event()
        """Somebody has ended whose children may have come to us, or a run may be over that could not be proven so."""
        self._unproven: dict[RunId, None] = {}
        self._next_look = 0.0
        self._storm_since = 0.0
        self._storm_count = 0
        self._catching_up = trio.Lock()
        self.ended = trio.lowlevel.ParkingLot()
        """Unparked whenever somebody has been reaped."""

    async def run(self, child_ended: Callable[[], Awaitable[None]]) -> None:
        """Reap whenever a child has ended (SIGCHLD). In a storm nobody listens for a while."""
        while True:
            await child_ended()
            while not await self.catch_up():
                pass  # who waits for us to have done that, a timer, goes first
            if self._is_storm():
                await trio.sleep(_STORM_PAUSE)

    async def keep_looking(self) -> None:
        """Do the looks that had to wait for their turn. Who has nothing to look for does not wake up."""
        while True:
            await self._wanted.wait()
            await self._be_quiet()
            self._wanted = trio.Event()
            self._look_again()

    async def _be_quiet(self) -> None:
        """Wait for the look's turn, and in a storm longer: the list of children is full of the dead then, and while it is read
        nobody can fork or be reaped."""
        for _ in range(_PUT_OFF):
            await trio.sleep(max(0.0, self._next_look - trio.current_time()))
            if not self._catching_up.locked() and not self._is_storm():
                return
            self._next_look = trio.current_time() + _LOOK_EVERY

    def _is_storm(self) -> bool:
        now = trio.current_time()
        if now - self._storm_since > _STORM_WINDOW:
            self._storm_since, self._storm_count = now, 0
        return self._storm_count >= BATCH

    async def catch_up(self) -> bool:
        """Reap who has ended by now; answers whether that is everybody, or there is no end to them. Between two batches
        everybody else is served: what was asked for while one was reaped is answered before the next one."""
        async with self._catching_up:
            for _ in range(BATCH):
                if self.reap() < BATCH:
                    return True
                for _ in range(_TURNS):
                    await trio.lowlevel.checkpoint()
        return False

    def reap_all(self) -> None:
        """For who looks and cannot wait: reap who has ended by now. In a storm there is no such moment, and the dead have
        their turn soon."""
        if not self._catching_up.locked():
            self.reap()

    def reap(self) -> int:
        """Reap one batch and feed what follows; answers how many there were."""
        ended: list[tuple[Process, Exit]] = []
        runs: dict[RunId, None] = {}
        while len(ended) < BATCH and (zombie := self._kernel.peek()) is not None:
            process = self._table.find(zombie.pid) or self._table.adopt_dead(zombie.pid)
            if process.errors >= 0:
                self._settle(process)
            if process.run is not None:
                runs[process.run] = None
            self._kernel.reap(process.pid, process.pidfd)
            self._table.gone(process)  # at once: its number may be another's before the next look
            ended.append((process, zombie.exit))
        if ended:
            self._storm_count += len(ended)
            self._tell(ended, runs)
            self.ended.unpark_all()
        return len(ended)

    # --- what follows from an end

    def _tell(self, ended: list[tuple[Process, Exit]], runs: Iterable[RunId]) -> None:
        own: list[tuple[Process, Exit]] = []
        for process, exit in ended:
            if process.on_exit is not None:
                process.on_exit(exit)  # a probe's success came before any exit that is seen beside it
            elif process.kind in ("main", "stop"):
                own.append((process, exit))
            elif process.kind != "helper":
                self._wanted.set()
                self._orphan(process, exit)
        proven = True
        if own or any(self._is_vacant(run) for run in runs):
            proven = self._look_twice()
        if own:
            own.sort(key=lambda pair: pair[0].kind == "main")  # who outlived the main process is told before it
            self._drain({process.run: None for process, _ in own if process.run is not None})
            last = {process.run: process for process, _ in own}
            for process, exit in own:
                self._tell_own(process, exit, proven and last[process.run] is process)
        for run in runs:
            self.conclude(run, proven)

    def _tell_own(self, process: Process, exit: Exit, could_be_alone: bool) -> None:
        run, role = process.run, process.kind
        if run is None or (role != "main" and role != "stop"):
            return  # released meanwhile
        entry = self._table.of(run)
        alone = could_be_alone and entry is not None and entry.vacant
        if entry is not None:
            entry.owed = not alone
        self._feed(Exited(run, role, exit, alone))

    def _is_vacant(self, run: RunId) -> bool:
        entry = self._table.of(run)
        return entry is not None and entry.vacant

    def conclude(self, run: RunId, proven: bool = True) -> None:
        """If nothing of this run is left, say so where that is owed, and forget it."""
        entry = self._table.of(run)
        if entry is None or not entry.vacant:
            return
        if not proven:
            self._unproven[run] = None
            self._wanted.set()
            return
        if entry.owed:
            entry.owed = False
            self._feed(Emptied(run))
        if entry.vacant and self._table.of(run) is entry:
            self._table.forget(entry)
            self._over(run)

    # --- looking for those who came without an event

    def look(self) -> bool:
        """Find the children who came to us unheard. Answers whether all could be looked at."""
        begun = trio.current_time()
        found, complete = self._table.scan(_ADOPT)
        ended = trio.current_time()
        self._next_look = ended + max(_LOOK_EVERY, _LOOK_SHARE * (ended - begun))
        for process in found:
            entry = None if process.run is None else self._table.of(process.run)
            if entry is not None and entry.doomed:
                self._reach.strike(process, SIGKILL)
        if not complete:
            self._wanted.set()
        return complete

    def _look_twice(self) -> bool:
        return self.look() and self.look()

    def _look_again(self) -> None:
        self._reach.retry()
        runs, self._unproven = self._unproven, {}
        proven = self._look_twice()
        for run in runs:
            self.conclude(run, proven)
        if self._reach.unsettled:
            self._wanted.set()
