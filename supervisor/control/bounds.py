"""How much may one peer, and all of them, take of us? Numbers, each with its reason."""

from __future__ import annotations

from supervisor.model.record import Record
from supervisor.wire.jsonrpc import MAX_LINE

__all__ = ["ORDINARY", "Bounds"]


class Bounds(Record):
    connections: int = 64
    """At once, all peers together; one more is told `busy` and closed."""
    readers: int = 32
    """Of those, how many peers with `read` access may hold: whoever may only look cannot lock the administrator out."""
    requests: int = 16
    """In flight on one connection."""
    line: int = MAX_LINE
    """Bytes of a request."""
    first_byte: float = 10.0
    """Seconds a new connection may say nothing."""
    line_time: float = 10.0
    """Seconds from a line's first byte to its newline."""
    unsent: int = 256 * 1024
    """Bytes of answers waiting for a slow reader before the next answer is computed."""
    notes: int = 256
    """Notifications waiting for a slow reader; further ones are counted and dropped."""
    stalled: float = 30.0
    """Seconds without a byte read, while there is something to read, before the peer is given up."""
    accept_pause: float = 0.1
    """Seconds between two attempts when no file descriptor is to be had: long enough not to spin, short for a person."""


ORDINARY = Bounds()
