"""Which lines has somebody asked for with `pidone logs`? First the old ones, merged by time; then, if he stays, the new ones.

Rules: an answer is given in short turns, so that however much was asked for nobody else waits; no more is formatted than the
reader's socket takes; a reader too slow for the ring is told how many lines it missed.
"""

from __future__ import annotations

import heapq
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from supervisor.kernel.letters import AT_ONCE
from supervisor.logger.guard import MATCH_TIME, TooSlow, compiled, within
from supervisor.logger.reader import Lines, Reader
from supervisor.logger.ring import Ring
from supervisor.logger.style import iso
from supervisor.wire.logline import json_error, json_head, json_line, json_loss

__all__ = ["Answer", "BadQuery", "Query", "read_query"]

_TURN = 0.005  # seconds at a time
_WINDOW = 8192  # bytes of each ring in hand while many are merged
_PIECE = 64  # lines between two looks at the clock
_MANY = 100_000  # lines: who asks for more gets all there are, without our keeping them meanwhile
_STREAM_NAMES = ("stdout", "stderr")
_SECOND = 1_000_000_000  # nanoseconds


class BadQuery(ValueError):
    """What is wrong, in words."""


class Query(NamedTuple):
    services: frozenset[str]
    """None named means all."""
    lines: int | None
    follow: bool
    since: int
    """Nanoseconds since 1970."""
    grep: re.Pattern[str] | None

    def wants(self, service: str) -> bool:
        return not self.services or service in self.services


def read_query(parameters: Mapping[str, Any]) -> Query:  # Any: whatever JSON holds
    """The query in these parameters: {services, lines, follow, since, grep}, each of which may be missing or null. Raises
    BadQuery."""
    services, lines = parameters.get("services") or (), parameters.get("lines")
    since, grep = parameters.get("since"), parameters.get("grep")
    if not isinstance(services, (list, tuple)) or not all(isinstance(name, str) for name in services):
        raise BadQuery("services must be a list of names")
    if lines is not None and (not isinstance(lines, int) or lines < 0):
        raise BadQuery("lines must be a number of lines")
    if since is not None and not (isinstance(since, (int, float)) and 0 <= since < 1 << 33):
        raise BadQuery("since must be seconds since 1970")
    pattern = None
    if grep is not None:
        try:
            pattern = compiled(str(grep))
        except (re.error, OverflowError, RecursionError) as mistake:
            raise BadQuery(f"grep is no regular expression: {mistake}") from None
        except TooSlow:
            raise BadQuery("grep takes too long to be understood") from None
    few = None if lines is None or lines > _MANY else lines
    return Query(frozenset(services), few, bool(parameters.get("follow")), int((since or 0) * _SECOND), pattern)


class _Line(NamedTuple):
    wall: int
    service: str
    run: int
    stream: int
    text: bytes
    partial: bool


class Answer:
    """One reader's answer. The socket is its own until `close`."""

    def __init__(
        self, query: Query, sock: socket.socket, rings: Iterable[Ring], wake: Callable[[Answer], None]
    ) -> None:
        """`wake` is called when there is something to say."""
        sock.setblocking(False)
        self.scheduled = False
        """The owner has it on its list."""
        self._wake: Callable[[Answer], None] | None = wake
        self.socket = sock
        self.query = query
        self.full = False
        """It waits until its reader takes more."""
        self.over = False
        """Everything has been said, or nobody listens any more."""
        self._readers: dict[Ring, Reader] = {}
        self._queue: deque[Reader] = deque()
        self._out = memoryview(b"")
        for ring in rings:
            self._join(ring)
        self._old: Iterator[bytes] | None = self._tell_old(
            [(reader, reader.ring.end) for reader in self._readers.values()]
        )

    def attach(self, ring: Ring) -> None:
        """A ring has been made since."""
        if self.query.follow:
            self._join(ring)
            if ring in self._readers:
                self._touch(self._readers[ring])

    def _join(self, ring: Ring) -> None:
        if self.query.wants(ring.service):
            self._readers[ring] = Reader(ring, ring.oldest, self._touch)

    def _touch(self, reader: Reader) -> None:
        if not reader.queued:
            reader.queued = True
            self._queue.append(reader)
            if self._wake is not None:
                self._wake(self)

    def detach(self, ring: Ring) -> None:
        """The ring is about to be closed."""
        reader = self._readers.pop(ring, None)
        if reader is not None:
            reader.leave()
            if reader.queued:
                self._queue.remove(reader)

    @property
    def busy(self) -> bool:
        return not self.full and not self.over and (bool(self._out) or self._old is not None or bool(self._queue))

    def turn(self) -> None:
        """Say some more."""
        self.full = False
        end = time.monotonic() + _TURN
        try:
            while self.busy and time.monotonic() < end:
                if not self._out:
                    self._out = memoryview(self._more())
                if self._out:
                    self._out = self._out[self.socket.send(self._out, AT_ONCE) :]
        except BlockingIOError:
            self.full = True
        except TooSlow:
            self._out = memoryview(json_error("grep-too-slow", "grep takes too long; a simpler expression would help"))
            self._old, self.query = iter(()), self.query._replace(follow=False)
        except OSError:
            self.over = True

    def _more(self) -> bytes:
        if self._old is not None:
            data = next(self._old, None)
            if data is not None:
                return data
            self._old = None
            if not self.query.follow:
                self.over = True
                return b""
        if not self._queue:
            return b""
        reader = self._queue.popleft()
        reader.queued = False
        blocks = reader.next(_WINDOW)
        if reader.behind:
            self._touch(reader)
        service = reader.ring.service
        lines = (line for block in blocks for line in _lines_of(block, service))
        return b"".join((*self._loss(reader), *(_record(line) for line in self._chosen(lines))))

    def _loss(self, reader: Reader) -> tuple[bytes, ...]:
        lost, reader.lost = reader.lost, 0
        return (json_loss(iso(time.time_ns()), reader.ring.service, lost),) if lost else ()

    def _chosen(self, lines: Iterator[_Line]) -> list[_Line]:
        new = [line for line in lines if line.wall >= self.query.since]
        grep = self.query.grep
        if grep is None or not new:
            return new
        search = grep.search
        return within(MATCH_TIME, lambda: [line for line in new if search(line.text.decode(errors="replace"))])

    # --- the old lines

    def _tell_old(self, sources: list[tuple[Reader, int]]) -> Iterator[bytes]:
        """Records of the lines before the places given, in pieces; b"" when it is others' turn."""
        merged = heapq.merge(*(self._read(reader, end) for reader, end in sources), key=_time)
        count = self.query.lines
        if count is None:
            yield from self._pieces(merged)
        else:
            newest: deque[_Line] = deque(maxlen=count)
            for number, line in enumerate(merged):
                if not number % _PIECE:
                    yield b""
                newest.append(line)
            yield from self._pieces(iter(newest))
        for reader, _ in sources:
            yield from self._loss(reader)

    def _read(self, reader: Reader, end: int) -> Iterator[_Line]:
        service = reader.ring.service
        while reader.place < end:
            blocks = reader.next(_WINDOW, end)
            yield from self._chosen(line for block in blocks for line in _lines_of(block, service))
        if not self.query.follow:
            unfinished = (line for block in reader.unfinished() for line in _lines_of(block, service))
            yield from self._chosen(line._replace(partial=True) for line in unfinished)
        elif reader.behind:
            self._touch(reader)

    def _pieces(self, lines: Iterator[_Line]) -> Iterator[bytes]:
        piece: list[bytes] = []
        for line in lines:
            piece.append(_record(line))
            if len(piece) == _PIECE:
                yield b"".join(piece)
                piece.clear()
        yield b"".join(piece)

    def close(self) -> None:
        for reader in self._readers.values():
            reader.leave()
        self._readers.clear()
        self._old = self._wake = None
        self.socket.close()


def _time(line: _Line) -> int:
    return line.wall


def _lines_of(block: Lines, service: str) -> Iterator[_Line]:
    run, stream, wall, text = block
    for line in text[:-1].split(b"\n"):
        yield _Line(wall, service, run, stream, line, False)


def _record(line: _Line) -> bytes:
    head = json_head(iso(line.wall), line.service, line.run, _STREAM_NAMES[line.stream])
    return json_line(head, line.text, line.partial)
