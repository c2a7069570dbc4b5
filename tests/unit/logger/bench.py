"""What do tests of the logger's parts stand on? Rings in memory, filled by hand."""

from __future__ import annotations

import os

from supervisor.logger.reader import Lines, Reader
from supervisor.logger.ring import Ring
from supervisor.model.words import ServiceName
from supervisor.wire.logring import FRESH, Record

__all__ = ["again", "listen", "put", "ring", "texts"]


def ring(service: str = "web") -> Ring:
    return Ring.make(ServiceName(service))


def again(old: Ring) -> Ring:
    """The same file in the hands of a successor."""
    return Ring(old.service, os.dup(old.fd))


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
