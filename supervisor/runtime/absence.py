"""Were we away? Whoever is stopped (SIGSTOP), or sleeps with its machine, comes back later than it meant to.

Between two turns trio waits, and says for how long at most. A wait that took a second more was not ours. When in it the
absence began nobody can know: services get the benefit of the doubt. Who waits for nothing is not woken for this, and misses
nothing by not being there.
"""

from __future__ import annotations

from collections.abc import Callable

from trio.abc import Instrument

from supervisor.model.words import Monotonic, Seconds

__all__ = ["OVERSLEPT", "Absence"]

OVERSLEPT = Seconds(1.0)  # SERVICES §4: away for longer than this, and services are not blamed for it


class Absence(Instrument):
    """Calls `away` with the length of each absence: at least by how much we were late, at most twice that or the whole wait."""

    def __init__(self, now: Callable[[], Monotonic], away: Callable[[Seconds], None]) -> None:
        self._now = now
        self._away = away
        self._left = now()

    def before_io_wait(self, timeout: float) -> None:
        self._left = self._now()

    def after_io_wait(self, timeout: float) -> None:
        taken = self._now() - self._left
        late = taken - timeout
        if late > OVERSLEPT:
            self._away(Seconds(min(2 * late, taken)))
