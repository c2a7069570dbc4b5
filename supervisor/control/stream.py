"""How is a socket read and written without waiting for it? A plain non-blocking socket, and trio to say when it is ready.

trio's own socket module does this too, and brings name resolution, threads and TLS along: a third of what PID 1 would weigh.
Rules: every call is a checkpoint, and one that is cancelled has neither read nor sent anything.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import trio

__all__ = ["Stream"]


class Stream:
    """Owns the socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock

    def fileno(self) -> int:
        return self.socket.fileno()

    async def accept(self) -> Stream:
        """The next connection; raises OSError."""
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return Stream(self.socket.accept()[0])
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self.socket.fileno())

    async def receive(self, most: int) -> bytes:
        """What has come, at most so many bytes; nothing at the end. Raises OSError."""
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return self.socket.recv(most)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self.socket.fileno())

    async def send(self, data: memoryview, rights: Sequence[tuple[int, int, bytes]] = ()) -> int:
        """Send a piece of it, with these ancillary data; how many bytes that were. Raises OSError."""
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return self.socket.sendmsg([data], rights, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self.socket.fileno())

    def close(self) -> None:
        self.socket.close()
