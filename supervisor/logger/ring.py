"""Where are the newest lines of a service kept? In a file in memory that PID 1 holds too, so that they outlive the logger.

Rules: what a pipe has given goes straight into the file, by one call, and was never anywhere else; a reader that holds is
never overtaken unless the world is in a hurry, any other one is told what it missed. Format: `wire/logring`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from supervisor.kernel.streams import PAGE, memory_file, move, punch
from supervisor.model.words import ServiceName
from supervisor.wire.logring import (
    ENDED,
    OLDEST,
    PROGRESS,
    RECORD,
    START,
    Progress,
    Record,
    pack_header,
    pack_offset,
    pack_progress,
    pack_record,
    unpack_header,
    unpack_record,
)

if TYPE_CHECKING:
    from supervisor.logger.reader import Reader

__all__ = ["CHUNK", "KEEP", "Ring"]

KEEP = 262144  # bytes of the newest records that are always there (SERVICES §7, ring)
CHUNK = 65536  # bytes taken from a pipe at a time: what a pipe holds unless somebody asked for more (pipe(7))
_FAR = 2 * KEEP  # bytes; for the beginning of an unfinished line no more than this is kept
_SLACK = 65536  # bytes more before the oldest are given back: once per so many, not once per line


class Ring:
    """One service's ring. The file descriptor is the ring's own until `close`."""

    __slots__ = ("_end", "fd", "oldest", "progress", "readers", "service", "unfinished")

    def __init__(self, service: ServiceName, fd: int) -> None:
        """Go on with the ring in this file: a new one is empty. Raises OSError, ValueError for what is no ring."""
        self.service = service
        self.fd = fd
        self.readers: set[Reader] = set()
        size = os.fstat(fd).st_size
        if size == 0:
            begin = Progress(START)
            os.pwrite(fd, pack_header(START, begin, begin).ljust(START, b"\0"), 0)
            self.oldest, self.progress, size = START, [begin, begin], START
        else:
            self.oldest, self.progress = unpack_header(os.pread(fd, START, 0))
        self.unfinished: set[int] = set()
        """Channels that a predecessor has left in the middle of a line."""
        self._end = self._mend(size)

    @classmethod
    def make(cls, service: ServiceName) -> Ring:
        """A ring of its own for this service; raises OSError when no descriptor or memory is to be had."""
        fd = memory_file(f"log:{service}")
        try:
            return cls(service, fd)
        except OSError:
            os.close(fd)
            raise

    @property
    def end(self) -> int:
        """Where the next record will begin."""
        return self._end

    @property
    def room(self) -> int:
        """How much may be taken before a reader that holds would be overtaken."""
        return KEEP - RECORD - (self._end - min((reader.held for reader in self.readers), default=self._end))

    def take(self, record: Record, pipe: int) -> int:
        """Move up to `record.length` bytes from the pipe to the end; returns how many. Raises OSError for a lack of memory:
        then they are still in the pipe."""
        start = self._end + RECORD
        os.pwrite(self.fd, pack_record(record), self._end)
        try:
            moved = move(pipe, self.fd, start, record.length)
        except BlockingIOError:
            moved = 0  # somebody else read it: a service may open its own stdout
        except OSError:
            os.ftruncate(self.fd, self._end)
            raise
        if moved == 0:
            os.ftruncate(self.fd, self._end)
            return 0
        if moved < record.length:
            os.pwrite(self.fd, pack_record(record._replace(length=moved)), self._end)
        self._end = start + moved
        return moved

    def put(self, record: Record, data: bytes = b"") -> None:
        """Add a record with these bytes; raises OSError."""
        record = record._replace(length=len(data))
        try:
            os.pwrite(self.fd, pack_record(record) + data, self._end)
        except OSError:
            os.ftruncate(self.fd, self._end)
            raise
        self._end += RECORD + len(data)

    def tell(self) -> None:
        """Tell its readers that something new is there."""
        for reader in self.readers:
            reader.notice()

    def read(self, start: int, limit: int) -> bytes:
        """Whole records from `start` on, as many as there are in `limit` bytes, at least one; then a part of the next."""
        data = os.pread(self.fd, min(limit, self._end - start), start)
        first = unpack_record(data)
        if first is not None and RECORD + first.length > len(data):
            data = os.pread(self.fd, RECORD + first.length, start)
        return data

    def newest_byte(self) -> bytes:
        return os.pread(self.fd, 1, self._end - 1)

    def note(self, console: int, progress: Progress) -> None:
        """A console has got this far."""
        self.progress[console] = progress
        os.pwrite(self.fd, pack_progress(progress), PROGRESS[console])

    def trim(self, hurried: bool = False) -> None:
        """Give back what is older than must be kept. Readers that lag are told first, and with `hurried` those that hold."""
        if self._end - self.oldest <= KEEP + _SLACK:
            return
        target = self._end - KEEP
        if not hurried:
            far = self._end - _FAR
            target = min([target, *(min(reader.held, max(reader.needed, far)) for reader in self.readers)])
        oldest = self._next_record(target)
        for reader in self.readers:
            reader.overtake(oldest)
        before, self.oldest = self.oldest, oldest
        os.pwrite(self.fd, pack_offset(oldest), OLDEST)  # before the bytes go: a successor must not begin in a hole
        first, end = before // PAGE or 1, oldest // PAGE  # whole pages, and never the header's
        if first < end:
            punch(self.fd, first * PAGE, end * PAGE)

    def _next_record(self, target: int) -> int:
        """The first record boundary at or after `target`."""
        place = self.oldest
        window, data = place, b""
        while place < target:
            record = unpack_record(data, place - window)
            if record is None:
                window, data = place, os.pread(self.fd, CHUNK, place)
                record = unpack_record(data)
                if record is None:
                    break
            place += RECORD + record.length
        return place

    def _mend(self, size: int) -> int:
        """Where the records really end: whoever wrote them may have been killed over the last one."""
        place = self.oldest
        window, data = place, b""
        while place < size:
            record = unpack_record(data, place - window)
            if record is None:
                window, data = place, os.pread(self.fd, CHUNK, place)
                record = unpack_record(data)
            if record is None:  # its measure is not all there, so none of its bytes is
                os.ftruncate(self.fd, place)
                return place
            length = min(record.length, size - place - RECORD)
            if length < record.length:
                os.pwrite(self.fd, pack_record(record._replace(length=length)), place)
            place += RECORD + length
            if record.flags & ENDED or (length and os.pread(self.fd, 1, place - 1) == b"\n"):
                self.unfinished.discard(record.channel)
            elif length:
                self.unfinished.add(record.channel)
        return place

    def close(self) -> None:
        os.close(self.fd)
