"""Which lines come next? A place in a ring, and the unfinished lines before it.

Everybody who wants lines has a reader of his own: each console, each `pidone logs`, each wait for a line that means ready.
Rules: a line has the time of its first byte; the unfinished end of one channel never mixes with another's; every line is
either handed out or counted as lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from supervisor.logger.ring import CHUNK, Ring
from supervisor.wire.logline import MAX_LINE, split
from supervisor.wire.logring import ENDED, FRESH, RECORD, Record, records

__all__ = ["FREE", "STREAMS", "Lines", "Reader"]

FREE = 1 << 62
"""The place held by a reader that holds nothing."""
STREAMS = frozenset((0, 1))
_WINDOW = CHUNK + RECORD


class Lines(NamedTuple):
    """Complete lines, one after the other, each with its newline."""

    run: int
    stream: int
    wall: int
    """Nanoseconds since 1970."""
    text: bytes


class _Begun(NamedTuple):
    """A line that has not ended, or "" between two lines."""

    run: int
    stream: int
    wall: int
    text: bytes
    place: int
    """Where the record begins in which it does."""


class Reader:
    """What it holds is up to its owner: nothing from `held` on is given back while the world is not in a hurry."""

    __slots__ = (
        "_begun",
        "_run",
        "_skipped",
        "_torn",
        "_wake",
        "held",
        "lost",
        "needed",
        "place",
        "queued",
        "ring",
        "streams",
    )

    def __init__(
        self,
        ring: Ring,
        place: int,
        wake: Callable[[Reader], None],
        *,
        held: int = FREE,
        streams: frozenset[int] = STREAMS,
        run: int | None = None,
    ) -> None:
        """Read from `place` on, where a record begins; only these streams, and only this run if one is given. `wake` is called
        whenever something new is there."""
        self.ring = ring
        self.place = place
        self.held = held
        self.needed = held
        """From where on a successor must read to be in the state in which `held` was reached."""
        self.streams = streams
        self.lost = 0
        """Lines that went unread since the owner last looked."""
        self.queued = False
        """The owner has it on its list."""
        self._wake: Callable[[Reader], None] | None = wake
        self._run = run
        self._torn = False  # it was overtaken
        self._skipped: dict[int, int] = {}  # by channel: bytes of a line whose beginning is not there any more
        self._begun: dict[int, _Begun] = {}  # by channel
        ring.readers.add(self)

    @property
    def behind(self) -> bool:
        return self.place < self.ring.end

    def hold(self) -> None:
        """Everything so far has been dealt with: hold what comes from here on, and the beginnings of what is unfinished here."""
        self.held = self.place
        self.needed = min([self.held, *(begun.place for begun in self._begun.values() if begun.text)])

    def notice(self) -> None:
        """Something new is in the ring."""
        if self._wake is not None:
            self._wake(self)

    def next(self, window: int = _WINDOW, until: int = FREE) -> list[Lines]:
        """The lines in the next few records, before `until`; an empty list does not mean that nothing follows."""
        data = self.ring.read(self.place, min(window, until - self.place))
        found, length = records(data)
        lines: list[Lines] = []
        for record, begin, end in found:
            if self._wants(record):
                self._add(record, data[begin:end], self.place + begin - RECORD, lines)
        self.place += length
        return lines

    def _wants(self, record: Record) -> bool:
        return record.stream in self.streams and (self._run is None or record.run == self._run)

    def _add(self, record: Record, text: bytes, place: int, lines: list[Lines]) -> None:
        stream, flags, run, channel, _, wall = record
        before = self._begun.pop(channel, None)
        if before is None and text and not flags & FRESH:
            newline = text.find(b"\n") + 1  # a line whose beginning is not there any more
            skipped = self._skipped.pop(channel, 0) + len(text)
            if not newline and skipped <= MAX_LINE:
                self._skipped[channel] = skipped
                return
            if newline:  # else it is longer than lines are: it is cut somewhere, so here
                self.lost += self._torn  # not for who begins to read here: nobody promised him the older ones
                text = text[newline:]
        carry = before.text if before else b""
        whole, rest = split(carry, text)
        if flags & ENDED and rest:
            whole, rest = whole + rest + b"\n", b""
        if before and carry and not whole:
            wall, place = before.wall, before.place
        if not flags & ENDED and (before or text):
            self._begun[channel] = _Begun(run, stream, wall, rest, place)
        if whole and before and carry:
            newline = whole.find(b"\n") + 1
            lines.append(Lines(run, stream, before.wall, whole[:newline]))
            whole = whole[newline:]
        if whole:
            lines.append(Lines(run, stream, wall, whole))

    def unfinished(self) -> list[Lines]:
        """What has begun and not ended, as if it had."""
        return [Lines(*begun[:3], begun.text + b"\n") for begun in self._begun.values() if begun.text]

    def overtake(self, place: int) -> None:
        """Everything before `place` is about to go: count what has not been read of it."""
        while self.place < place:
            self._torn = True
            data = self.ring.read(self.place, min(_WINDOW, place - self.place))
            found, length = records(data)
            for record, begin, end in found:
                if self._wants(record):
                    self.lost += data.count(b"\n", begin, end)
                    self._begun.pop(record.channel, None)  # the next record of the channel says whether a line begins
            self.place += length
        self.held = max(self.held, place)
        self.needed = max(self.needed, place)

    def leave(self) -> None:
        """Read nothing and hold nothing any more."""
        self.ring.readers.discard(self)
        self._wake = None
        self.place = FREE  # the ring may be closed now, and its number another file's
