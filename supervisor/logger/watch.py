"""Which run has said the line that means it is ready? (`ready: {log: …}`)

Rules: the first 4 KiB of a line, a bounded time per line, one short turn at a time: a pattern that takes for ever costs the
services around it nothing they could notice. What a watch has not looked at yet is not given up.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from supervisor.logger.guard import MATCH_TIME, TooSlow, within
from supervisor.logger.reader import Reader
from supervisor.logger.ring import Ring
from supervisor.model.words import RunId

__all__ = ["Watch"]

_LOOK_AT = 4096  # bytes of a line (SERVICES §7)


class Watch:
    """One run's wait for its line."""

    def __init__(self, run: RunId, pattern: re.Pattern[str], wake: Callable[[Watch], None]) -> None:
        """`wake` is called when there is something to look at."""
        self.run = run
        self.scheduled = False
        """The owner has it on its list."""
        self.matched = False
        self.slow = 0
        """Lines that were given up because matching took too long."""
        self.told = False
        """Somebody has been told of that."""
        self._pattern = pattern
        self._wake: Callable[[Watch], None] | None = wake
        self._reader: Reader | None = None
        self._lines: deque[str] = deque()

    def attach(self, ring: Ring) -> None:
        """Look at all that the run has written and will write."""
        self._reader = Reader(ring, ring.oldest, self._notice, held=ring.oldest, run=self.run.number)
        if self._reader.behind:
            self._notice(self._reader)

    def _notice(self, reader: Reader) -> None:
        if self._wake is not None:
            self._wake(self)

    @property
    def ring(self) -> Ring | None:
        return self._reader.ring if self._reader else None

    @property
    def busy(self) -> bool:
        return not self.matched and (bool(self._lines) or (self._reader is not None and self._reader.behind))

    def turn(self) -> None:
        """Look at some lines, for no longer than one match may take."""
        if not self._lines and self._reader is not None:
            for block in self._reader.next():
                for line in block.text[:-1].split(b"\n"):
                    self._lines.append(line[:_LOOK_AT].decode(errors="replace"))
            self._reader.hold()
        waiting = len(self._lines)
        try:
            within(MATCH_TIME, self._look)
        except TooSlow:
            if len(self._lines) == waiting:  # the time was all its own
                self._lines.popleft()
                self.slow += 1

    def _look(self) -> None:
        lines, search = self._lines, self._pattern.search
        while lines:
            if search(lines[0]):
                self.matched = True
                lines.clear()
                return
            lines.popleft()

    def leave(self) -> None:
        if self._reader is not None:
            self._reader.leave()
        self._reader = self._wake = None
