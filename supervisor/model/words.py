"""Which words do all rooms share? Names, numbers with units, and points in time."""

from __future__ import annotations

from typing import NamedTuple, NewType

__all__ = ["NEVER", "Instant", "Monotonic", "RunId", "Seconds", "ServiceName", "TicketId", "Wall", "is_host_name"]

ServiceName = NewType("ServiceName", str)
Seconds = NewType("Seconds", float)
"""A duration."""
Monotonic = NewType("Monotonic", float)
"""Seconds on the clock that never jumps; its zero has no meaning outside one boot."""
Wall = NewType("Wall", float)
"""Seconds since 1970 UTC: for people and calendars only."""
TicketId = NewType("TicketId", int)

NEVER = Monotonic(float("inf"))

_HOST_NAME_MAX = 64  # gethostname(2)
_HOST_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


def is_host_name(text: str) -> bool:
    """Whether a world may be called so by the kernel (hostname(7)); "" is none."""
    return len(text) <= _HOST_NAME_MAX and _HOST_NAME.issuperset(text)


class Instant(NamedTuple):
    """Now, on both clocks. Deadlines compare `mono`; what people read shows `wall`."""

    mono: Monotonic
    wall: Wall


class RunId(NamedTuple):
    """One life of one service: `number` is 1 for its first run and 0 for none. Never reused."""

    service: ServiceName
    number: int

    def __str__(self) -> str:
        return f"{self.service}#{self.number}"
