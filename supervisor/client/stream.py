"""What comes through a file descriptor that pidone handed over? Lines, as they arrive, until its end or a deadline."""

from __future__ import annotations

import os
import select
import time

from supervisor.client.trouble import Trouble

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_lines"]

_CHUNK = 64 * 1024  # bytes per read


def read_lines(take_fd: int, timeout: float | None = None) -> Iterator[list[bytes]]:
    """The lines without their newlines, as many at a time as have come. Closes the fd. Raises Trouble: timeout."""
    deadline = None if timeout is None else time.monotonic() + timeout
    arrival = select.poll()
    arrival.register(take_fd, select.POLLIN)
    rest = b""
    try:
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not arrival.poll(left):
                raise Trouble("timeout", "timed out; there may be more")
            try:
                data = os.read(take_fd, _CHUNK)
            except ConnectionResetError:
                data = b""
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            if lines:
                yield lines
        if rest:
            yield [rest]
    finally:
        os.close(take_fd)
