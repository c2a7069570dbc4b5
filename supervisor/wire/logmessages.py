"""What do PID 1 and its logger tell each other? Messages, a line each, several to a datagram; a file descriptor beside some.

Rules: PID 1's messages say what shall be, in order; what the logger does not know it ignores, so that a successor can be
told everything anew. The logger's messages say what has happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from supervisor.model.record import Record
from supervisor.model.words import RunId, ServiceName

__all__ = [
    "LONGEST",
    "Ask",
    "Begin",
    "Downward",
    "Drained",
    "End",
    "Failed",
    "Finish",
    "Forget",
    "Hurry",
    "Made",
    "Matched",
    "Open",
    "Reopen",
    "Ring",
    "Say",
    "Unwatch",
    "Upward",
    "Want",
    "Watch",
    "carries_fd",
    "decode",
    "encode",
    "join",
    "unpack",
]

LONGEST = 131072  # bytes of a datagram; the texts in one are shorter than 16 KiB, a query than 64 KiB


class Begin(Record):
    """You have been told everything: the rings there are, and what is open."""


class Open(Record):
    """Read this pipe (fd) of the run, under this number."""

    run: RunId
    channel: int
    stream: int
    """0 stdout, 1 stderr."""


class End(Record):
    """The run is over: take what is still in its pipes, end the unfinished lines, answer Drained for each channel."""

    run: RunId


class Ring(Record):
    """Go on with this service's ring (fd)."""

    service: ServiceName


class Say(Record):
    """A message of pidone itself."""

    wall: int
    text: str


class Watch(Record):
    """Answer Matched when a line of the run matches."""

    run: RunId
    pattern: str


class Unwatch(Record):
    run: RunId


class Ask(Record):
    """Answer on the stream socket (fd)."""

    parameters: Mapping[str, Any]  # Any: whatever JSON holds; read with care


class Forget(Record):
    """The service is gone: its ring is not needed any more."""

    service: ServiceName


class Reopen(Record):
    """Try outputs again that have failed."""


class Hurry(Record):
    """From now on no pipe may hold anybody up: what our stdout does not take in time is lost and counted."""


class Finish(Record):
    """Take what is in the pipes, write what there is to write, and exit within so many seconds."""

    within: float


class Made(Record):
    """The service's ring (fd) has been made."""

    service: ServiceName


class Drained(Record):
    """Everything that was in the channel is in the ring; `closed` when nobody can write to it any more."""

    channel: int
    closed: bool


class Matched(Record):
    run: RunId


class Want(Record):
    """The file descriptor of this channel's Open was lost on the way: send it again."""

    channel: int


class Failed(Record):
    """The logger is about to end by a mistake of its own."""

    text: str


Downward: TypeAlias = Begin | Open | End | Ring | Say | Watch | Unwatch | Ask | Forget | Reopen | Hurry | Finish
Upward: TypeAlias = Made | Drained | Matched | Want | Failed

_KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            *(Begin, Open, End, Ring, Say, Watch, Unwatch, Ask, Forget, Reopen, Hurry, Finish),
            *(Made, Drained, Matched, Want, Failed),
        )
    }
)
_write = json.JSONEncoder(separators=(",", ":")).encode


def encode(message: Downward | Upward) -> bytes:
    return _write([type(message).__name__, *(getattr(message, name) for name in message.__match_args__)]).encode()


def carries_fd(message: Downward | Upward) -> bool:
    """Whether a descriptor goes along."""
    return isinstance(message, Open | Ring | Ask | Made)


def join(encoded: Iterable[bytes]) -> bytes:
    """One datagram of several messages: as JSON they have no line ends."""
    return b"\n".join(encoded)


def unpack(data: bytes, fds: Sequence[int]) -> tuple[list[tuple[Downward | Upward, list[int]]], list[int]]:
    """The messages of a datagram, each with its descriptor, which is missing where there was no room for it (the first ones
    get theirs, unix(7)); and the descriptors that belong to none. What is no message is skipped."""
    left = list(fds)
    letters = []
    for line in data.split(b"\n"):
        try:
            message = decode(line)
        except ValueError:
            continue
        letters.append((message, [left.pop(0)] if left and carries_fd(message) else []))
    return letters, left


def decode(data: bytes) -> Downward | Upward:
    """The message; raises ValueError for what is none."""
    try:
        name, *fields = json.loads(data)
        kind = _KINDS[name]
        if kind.__match_args__[:1] == ("run",):
            fields[0] = RunId(*fields[0])
        if len(fields) != len(kind.__match_args__):
            raise ValueError("fields are missing")
        message: Downward | Upward = kind(*fields)  # type: ignore[assignment]  # the table holds just these
    except (LookupError, TypeError, ValueError) as mistake:
        raise ValueError(f"not a message: {data[:80]!r}") from mistake
    return message
