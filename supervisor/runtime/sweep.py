"""How does nobody stay behind? The last thing before the world ends: everybody but us and our logger is asked, then killed.

Rules: as PID 1 that is everybody in the namespace, as subreaper our descendants and no process else. Each is reached by a pidfd
that was checked to be its own; nothing is ever sent to everybody at once. What forks faster than it is found is stopped first.
Who cannot be killed is named and left to the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import trio

from supervisor.kernel.port import Kernel, Person
from supervisor.model.effect import Sweep
from supervisor.model.event import Event, Swept
from supervisor.model.signals import SIGCONT, SIGKILL, SIGTERM, signal_number
from supervisor.model.words import Instant, Monotonic, Seconds
from supervisor.runtime.reach import below, families, strike_person
from supervisor.runtime.reaper import Reaper

__all__ = ["Sweeper"]

_SIGSTOP = signal_number("SIGSTOP")
_ROUNDS = 20
_LOOK_EVERY = Seconds(
    0.05
)  # for those whose end nobody tells us: who entered the namespace from outside is not our child
_TOGETHER = Seconds(0.005)  # those who end together are looked for together
_LAST_PATIENCE = Seconds(1.0)  # after SIGKILL; who still stands sleeps in the kernel


class Sweeper:
    """Performs the sweep."""

    def __init__(
        self,
        kernel: Kernel,
        reaper: Reaper,
        everybody: bool,
        spared: Callable[[], Collection[int]],
        feed: Callable[[Event], None],
        now: Callable[[], Instant],
        say: Callable[[str], None],
    ) -> None:
        """`everybody`: we are PID 1 of a namespace of our own. `spared`: our own helpers that must live on."""
        self._kernel = kernel
        self._reaper = reaper
        self._everybody = everybody
        self._spared = spared
        self._feed = feed
        self._now = now
        self._say = say
        self._order: Sweep | None = None
        self._bell = trio.Event()

    def order(self, sweep: Sweep) -> None:
        self._order = sweep
        self._bell.set()

    async def run(self) -> None:
        """Wait for the order, perform it once."""
        await self._bell.wait()
        assert self._order is not None
        await self._sweep(self._order.until)
        self._feed(Swept())

    async def _sweep(self, until: Monotonic) -> None:
        left = self.left()
        if not left:
            return
        self._strike(left, (SIGTERM, SIGCONT))
        if await self._gone_within(Seconds(until - self._now().mono)):
            return
        names = ", ".join(f"{person.comm} ({person.pid})" for person in self.left()[:10])
        self._say(f"shutdown: killed at the end: {names}")
        self._kill()
        if not await self._gone_within(_LAST_PATIENCE):
            names = ", ".join(f"{person.comm} ({person.pid}, state {person.state})" for person in self.left()[:10])
            self._say(f"shutdown: does not die of SIGKILL: {names}")

    async def _gone_within(self, patience: Seconds) -> bool:
        """Whether everybody left has ended before this time was over."""
        with trio.move_on_after(max(0.0, patience)):
            while self.left():
                with trio.move_on_after(_LOOK_EVERY):
                    await self._reaper.ended.park()
                    await trio.sleep(_TOGETHER)
            return True
        return not self.left()

    def left(self) -> list[Person]:
        """Who is to be swept out: alive, and none of our own helpers."""
        self._reaper.reap_all()
        people = self._kernel.everybody() if self._everybody else self._kernel.descendants()
        spared = set(self._spared())
        ours = {person.pid for person in below(spared, families(people))} | spared
        return [person for person in people if person.pid not in ours and person.state not in "ZX"]

    def _kill(self) -> None:
        struck: set[tuple[int, int]] = set()
        signal = SIGKILL
        for _ in range(_ROUNDS):
            fresh = [person for person in self.left() if (person.pid, person.start) not in struck]
            if not fresh:
                break
            self._strike(fresh, (signal,))
            struck.update((person.pid, person.start) for person in fresh)
            signal = _SIGSTOP  # who turns up now was born meanwhile: stop those first, or this does not end
        self._strike(self.left(), (SIGKILL,))

    def _strike(self, people: list[Person], signals: tuple[int, ...]) -> None:
        for person in people:
            strike_person(self._kernel, person, signals)
