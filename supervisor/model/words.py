"""Which words do all rooms share? Names, numbers with units, and points in time."""

from __future__ import annotations

from typing import NamedTuple, NewType

__all__ = ["NEVER", "Instant", "Monotonic", "RunId", "Seconds", "ServiceName", "TicketId", "Wall"]

ServiceName = NewType("ServiceName", str)
Seconds = NewType("Seconds", float)
"""A duration."""
Monotonic = NewType("Monotonic", float)
"""Seconds on the clock that never jumps; its zero has no meaning outside one boot."""
Wall = NewType("Wall", float)
"""Seconds since 1970 UTC: for people and calendars only."""
TicketId = NewType("TicketId", int)

NEVER = Monotonic(float("inf"))


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
