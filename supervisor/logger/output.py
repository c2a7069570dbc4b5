"""How does one write to our stdout without ever waiting for whoever reads it?

Rules: O_NONBLOCK is never set on what we share with the user's shell. A pipe and a terminal are opened anew; where that is
refused, at most PIPE_BUF bytes are written when poll says that they fit. A socket is asked per call. A regular file takes
what it is given: there alone a write may take as long as the disk does.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
from collections.abc import Callable

from supervisor.kernel.streams import reopen

__all__ = ["Output"]

_PIPE_BUF = 4096  # pipe(7): a pipe that poll calls writable has room for this much


class Output:
    """The file behind one of our standard descriptors, which stays open; what else was opened is ours."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        """What to ask epoll about."""
        mode = os.fstat(fd).st_mode
        self.waits = not stat.S_ISREG(mode)
        """Whether it can be full for a while and then take more: epoll knows no regular files."""
        self._socket: socket.socket | None = None
        self._write: Callable[[memoryview], int]
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(fd))
            self._write = self._send
        elif not self.waits:
            self._write = self._write_file
        else:
            try:
                self.fd = reopen(fd)
                self._write = self._write_file
            except OSError:  # no /proc, or a terminal or pipe that belongs to another user
                self._write = self._write_if_there_is_room
        self._given = fd

    def write(self, data: memoryview) -> int:
        """How many bytes it took. Raises BlockingIOError when there is no room, another OSError when there will be none."""
        return self._write(data)

    def _write_file(self, data: memoryview) -> int:
        return os.write(self.fd, data)

    def _write_if_there_is_room(self, data: memoryview) -> int:
        asked = select.poll()
        asked.register(self.fd, select.POLLOUT)
        if not asked.poll(0):
            raise BlockingIOError
        return os.write(self.fd, data[:_PIPE_BUF])

    def _send(self, data: memoryview) -> int:
        assert self._socket is not None
        return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def close(self) -> None:
        """Close what was opened beside the descriptor given."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.close()
            if self.fd != self._given:
                os.close(self.fd)
