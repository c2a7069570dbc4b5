"""How does a ring keep what the services wrote? A file that only grows at its end and is emptied at its beginning.

It opens with a header: where the oldest record begins, and how far each console has got. Records follow, each the bytes of
one read from one pipe (its channel) behind their measure. Rules: a record's measure is written before its bytes, and the
bytes are counted by the file's own size, so that a writer killed at any moment leaves nothing unreadable (docs/decisions/
logger.md). A line may span records of its channel; FRESH says that one begins with the record, ENDED that no more comes there.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = [
    "ENDED",
    "FRESH",
    "MAGIC",
    "OLDEST",
    "PROGRESS",
    "RECORD",
    "START",
    "Progress",
    "Record",
    "pack_header",
    "pack_offset",
    "pack_progress",
    "pack_record",
    "records",
    "unpack_header",
    "unpack_record",
]

MAGIC = b"pidone\x00\x01"
START = 128
"""Where the first record of all begins; the header's page is never given back."""
OLDEST = len(MAGIC)
"""Where in the header the offset of the oldest record stands."""
PROGRESS = (OLDEST + 8, OLDEST + 32)
"""Where in the header the progress of our stdout and of our stderr stands."""

FRESH = 1
ENDED = 2

_HEADER = struct.Struct("<8sQQQQQQQ")
_OFFSET = struct.Struct("<Q")
_PROGRESS = struct.Struct("<QQQ")
_RECORD = struct.Struct("<HBBIIIQ")
_MARK = 0x5EED  # begins every record: offsets gone wrong are found out

RECORD = _RECORD.size
"""Bytes before the data of a record."""


class Record(NamedTuple):
    """The measure of a record."""

    stream: int
    """0 stdout, 1 stderr."""
    flags: int
    run: int
    channel: int
    length: int
    wall: int
    """Nanoseconds since 1970."""


class Progress(NamedTuple):
    """How far a console has got in a ring."""

    place: int
    """Everything before it has been handed to the output."""
    more: int = 0
    """Bytes handed over of what is made of the records from there on."""
    part: int = 0
    """Bytes after those that may or may not have been handed over: the output's own pipe tells."""


def pack_header(oldest: int, stdout: Progress, stderr: Progress) -> bytes:
    return _HEADER.pack(MAGIC, oldest, *stdout, *stderr)


def unpack_header(data: bytes) -> tuple[int, list[Progress]]:
    """Where the oldest record begins, and the consoles' progress; raises ValueError for what is no ring."""
    if len(data) < _HEADER.size:
        raise ValueError("too short for a ring")
    magic, oldest, *progress = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ValueError("not a ring")
    return oldest, [Progress(*progress[:3]), Progress(*progress[3:])]


def pack_progress(progress: Progress) -> bytes:
    return _PROGRESS.pack(*progress)


def pack_offset(offset: int) -> bytes:
    return _OFFSET.pack(offset)


def pack_record(record: Record) -> bytes:
    return _RECORD.pack(_MARK, *record)


def unpack_record(data: bytes, at: int = 0) -> Record | None:
    """The measure that begins at `at`; None when it is not all there. Raises ValueError for what is no record."""
    if len(data) - at < RECORD:
        return None
    mark, *fields = _RECORD.unpack_from(data, at)
    if mark != _MARK:
        raise ValueError("no record begins here")
    return Record(*fields)


def records(data: bytes) -> tuple[list[tuple[Record, int, int]], int]:
    """The records that are whole in `data`, each with begin and end of its bytes, and the length of all of them."""
    found = []
    at, size = 0, len(data)
    unpack = _RECORD.unpack_from
    while size - at >= RECORD:
        mark, stream, flags, run, channel, length, wall = unpack(data, at)
        if mark != _MARK:
            raise ValueError("no record begins here")
        begin = at + RECORD
        if begin + length > size:
            break
        at = begin + length
        found.append((Record(stream, flags, run, channel, length, wall), begin, at))
    return found, at
