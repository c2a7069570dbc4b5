"""What have the services written? Their pipes, one read after the other, into their rings.

Rules: each pipe gets one read per turn; a pipe whose ring has no room is left alone until there is some; whoever still has a
pipe of a run that is over may go on writing to it. Nothing is read here but as it is put away.
"""

from __future__ import annotations

import os
import select
import time
from collections import deque
from typing import Protocol

from supervisor.kernel.streams import waiting
from supervisor.logger.ring import CHUNK, Ring
from supervisor.model.words import RunId, ServiceName
from supervisor.wire.logring import ENDED, FRESH, Record

__all__ = ["Intake", "Shelf"]

_EVENTS = 128  # pipes read in one turn
_MUCH = CHUNK // 2  # bytes
_WORTH = 4096  # bytes: with less room than this a read waits for more
_DRAIN = 32  # chunks: more than the largest pipe holds (pipe-max-size); who writes faster than that is no leftover
_CROWD = 32  # pipes of ended runs kept per service; more, and the oldest is emptied or closed


class Shelf(Protocol):
    """Where the intake puts what it takes."""

    def ring_for(self, service: ServiceName) -> Ring:
        """The service's ring, made when it is first needed; raises OSError."""

    def ring_of(self, service: ServiceName) -> Ring | None:
        """The service's ring, if there is one."""

    def drained(self, channel: int, closed: bool) -> None: ...


class _Source:
    """One pipe."""

    __slots__ = ("channel", "drained", "ended", "fd", "fresh", "open", "run", "stream")

    def __init__(self, channel: int, run: RunId, stream: int, fd: int, fresh: bool) -> None:
        self.channel = channel
        self.run = run
        self.stream = stream
        self.fd = fd
        self.fresh = fresh
        """The next byte begins a line, as far as is known."""
        self.ended = False
        """Its run is over."""
        self.drained = False
        """That it has been emptied since was told."""
        self.open = True


class Intake:
    """All pipes. The file descriptors are its own."""

    def __init__(self, shelf: Shelf) -> None:
        self.hurried = False
        """Nobody waits for room any more."""
        self.starved = False
        """Some pipes wait because no ring could be made for them."""
        self._shelf = shelf
        self._poll = select.epoll()
        self._by_channel: dict[int, _Source] = {}
        self._by_fd: dict[int, _Source] = {}
        self._by_run: dict[RunId, list[_Source]] = {}
        self._held: dict[ServiceName, list[_Source]] = {}
        self._starving: list[_Source] = []
        self._over: dict[ServiceName, deque[_Source]] = {}

    def fileno(self) -> int:
        return self._poll.fileno()

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to take from runs that are over, and no others."""
        return all(source.drained for source in self._by_channel.values())

    def knows(self, channel: int) -> bool:
        return channel in self._by_channel

    def add(self, channel: int, run: RunId, stream: int, fd: int) -> None:
        """Read this pipe from now on."""
        ring = self._shelf.ring_of(run.service)
        source = _Source(channel, run, stream, fd, ring is None or channel not in ring.unfinished)
        self._by_channel[channel] = self._by_fd[fd] = source
        self._by_run.setdefault(run, []).append(source)
        self._poll.register(fd, select.EPOLLIN)

    def turn(self) -> tuple[int, bool]:
        """Read what is there, once from each pipe. Answers the most that one had, and whether it is worth to look again now:
        a writer that fills its pipe should not have to wait."""
        events = self._poll.poll(0, _EVENTS)
        most = 0
        for fd, mask in events:
            source = self._by_fd.get(fd)
            if source is not None:  # one of an earlier event's doing may be gone
                most = max(most, self._read(source, mask))
        return most, most >= _MUCH or len(events) == _EVENTS

    def _read(self, source: _Source, mask: int) -> int:
        count = self._take(source)
        if count == 0 and mask & (select.EPOLLHUP | select.EPOLLERR):
            self._close(source)
        return count

    def _take(self, source: _Source, forced: bool = False) -> int:
        """Take up to a chunk; how many bytes that were, or -1 when it is not to be had now: then the pipe is left alone."""
        count = waiting(source.fd)
        if not count:
            return 0
        forced |= self.hurried
        try:
            ring = self._shelf.ring_for(source.run.service)
            room = CHUNK if forced else ring.room
            if room < min(count, _WORTH):
                self._hold(source)
                return -1
            flags = FRESH if source.fresh else 0
            record = Record(
                source.stream, flags, source.run.number, source.channel, min(count, room, CHUNK), time.time_ns()
            )
            taken = ring.take(record, source.fd)
        except OSError:
            self._leave_alone(source)
            self._starving.append(source)
            self.starved = True
            return -1
        if taken:
            source.fresh = ring.newest_byte() == b"\n"
            ring.trim(forced)
            ring.tell()
        return taken

    # --- pipes that wait

    def _hold(self, source: _Source) -> None:
        self._leave_alone(source)
        self._held.setdefault(source.run.service, []).append(source)

    def _leave_alone(self, source: _Source) -> None:
        if source.fd in self._by_fd:
            del self._by_fd[source.fd]
            self._poll.unregister(source.fd)

    def room_made(self, ring: Ring) -> None:
        """Go on with the pipes that waited for it."""
        if self._held and (self.hurried or ring.room >= CHUNK):
            self._go_on(self._held.pop(ring.service, []))

    def hurry(self) -> None:
        """Let nobody wait any more."""
        self.hurried = True
        for service in list(self._held):
            self._go_on(self._held.pop(service))

    def feed_the_starved(self) -> None:
        """Try again where no ring could be made."""
        self.starved = False
        starving, self._starving = self._starving, []
        self._go_on(starving)

    def _go_on(self, sources: list[_Source]) -> None:
        for source in sources:
            if source.open:
                self._by_fd[source.fd] = source
                self._poll.register(source.fd, select.EPOLLIN)
                if source.ended and not source.drained:
                    self._drain(source)

    # --- runs that end

    def end(self, run: RunId) -> None:
        """The run is over: empty its pipes, end its lines."""
        for source in list(self._by_run.get(run, ())):
            if not source.ended:
                source.ended = True
                over = self._over.setdefault(run.service, deque())
                over.append(source)
                if source.fd in self._by_fd:
                    self._drain(source)
                if len(over) > _CROWD:
                    self._give_up(over[0])

    def end_all(self) -> None:
        for run in list(self._by_run):
            self.end(run)

    def _drain(self, source: _Source, forced: bool = False) -> None:
        for _ in range(_DRAIN):
            count = self._take(source, forced)
            if count < 0:
                return
            if not count:
                break
        asked = select.poll()
        asked.register(source.fd, select.POLLIN)
        if any(mask & select.POLLHUP and not mask & select.POLLIN for _, mask in asked.poll(0)):
            self._close(source)
        else:
            self._finish_line(source)
            source.drained = True
            self._shelf.drained(source.channel, False)

    def _give_up(self, source: _Source) -> None:
        """The oldest of too many: what it holds goes before newer lines do, and then it goes."""
        if not source.drained:
            self._drain(source, forced=True)
        if source.open:
            self._close(source)

    def _close(self, source: _Source) -> None:
        self._leave_alone(source)
        self._finish_line(source)
        source.open = False
        os.close(source.fd)
        del self._by_channel[source.channel]
        siblings = self._by_run[source.run]
        siblings.remove(source)
        if not siblings:
            del self._by_run[source.run]
        if source.ended:
            over = self._over[source.run.service]
            over.remove(source)
            if not over:
                del self._over[source.run.service]
        self._shelf.drained(source.channel, True)

    def _finish_line(self, source: _Source) -> None:
        ring = self._shelf.ring_of(source.run.service)
        if ring is None:
            return
        try:
            ring.put(Record(source.stream, ENDED, source.run.number, source.channel, 0, time.time_ns()))
        except OSError:
            return  # no memory for a mark of 24 bytes: the line stays unfinished
        source.fresh = True
        ring.tell()
