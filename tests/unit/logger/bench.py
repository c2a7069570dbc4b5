"""What do tests of the logger's parts stand on? Rings in memory, filled by hand."""

from __future__ import annotations

import contextlib
import os

from supervisor.logger.reader import Lines, Reader
from supervisor.logger.ring import Ring
from supervisor.model.words import ServiceName
from supervisor.wire.logring import FRESH, Record

__all__ = ["again", "clear", "listen", "put", "ring", "texts"]

_made: list[Ring] = []


def ring(service: str = "web") -> Ring:
    _made.append(Ring.make(ServiceName(service)))
    return _made[-1]


def again(old: Ring) -> Ring:
    """The same file in the hands of a successor."""
    _made.append(Ring(old.service, os.dup(old.fd)))
    return _made[-1]


def clear() -> None:
    """Close all that were made."""
    for each in _made:
        with contextlib.suppress(OSError):  # a test may have closed it
            each.close()
    _made.clear()


def put(
    into: Ring, text: bytes, *, channel: int = 1, stream: int = 0, run: int = 1, flags: int = FRESH, wall: int = 0
) -> None:
    """One read's worth; tells the readers."""
    into.put(Record(stream, flags, run, channel, 0, wall), text)
    into.trim()
    into.tell()


def listen(to: Ring, place: int | None = None, **choice: object) -> Reader:
    at = to.oldest if place is None else place
    return Reader(to, at, lambda reader: None, **choice)  # type: ignore[arg-type]


def texts(reader: Reader) -> list[bytes]:
    """All lines that follow, without their newlines."""
    blocks: list[Lines] = []
    while reader.behind:
        blocks += reader.next()
    return b"".join(block.text for block in blocks).splitlines()
