"""How does one write to our stdout without ever waiting for whoever reads it, and without saying anything twice?

What is to be written goes into a pipe of our own first, whose ends PID 1 holds too, and from there to its goal by one call: a
logger killed at any moment leaves its successor exactly what has not arrived. Where the goal cannot be reached that way – a
socket, a file opened for appending, a terminal of another user – it is written to directly.

Rules: O_NONBLOCK is never set on what we share with the user's shell. A terminal is opened anew; where that is refused, at
most PIPE_BUF bytes are written when poll says that they fit. A regular file takes what it is given: there alone a write may
take as long as the disk does.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import socket
import stat

from supervisor.kernel.letters import AT_ONCE
from supervisor.kernel.streams import capacity, forward, reopen, waiting

__all__ = ["Output"]

_SMALL = 4096  # PIPE_BUF: a pipe or terminal that poll calls writable takes this much (pipe(7))
_DIRECT = 1 << 20  # bytes in hand at most where nothing limits it


class Output:
    """The file behind one of our standard descriptors, which is only lent, and the pipe before it."""

    def __init__(self, fd: int, stage: tuple[int, int]) -> None:
        """`stage` are the ends of the pipe of our own."""
        self.fd = fd
        """What to ask epoll about."""
        self._lent = fd
        self._read, self._write = stage
        self._capacity = capacity(self._write)
        self._held = memoryview(b"")
        self._socket: socket.socket | None = None
        self._by_poll = False
        mode = os.fstat(fd).st_mode
        self.durable = True
        """What was put in will be written even if we are killed."""
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(fd))
        elif stat.S_ISREG(mode):
            self.durable = not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND
        elif not stat.S_ISFIFO(mode):
            try:
                self.fd = reopen(fd)
            except OSError:  # no /proc, or a terminal that belongs to another user
                self._by_poll = True
        self.inherited = waiting(self._read)
        """Bytes that a predecessor left."""
        self.left = self.inherited
        """Bytes put in and not yet written."""
        if self._socket is not None or self._by_poll:
            self._write_directly()

    @property
    def room(self) -> int:
        """How much may be put in now: nothing while something is left."""
        if self.left:
            return 0
        return self._capacity if self.durable else _DIRECT

    def put(self, data: memoryview) -> None:
        """Take as much as there was room for."""
        if self.durable:
            os.write(self._write, data)
        else:
            self._held = data
        self.left += len(data)

    def push(self) -> int:
        """Write what was put in; how many bytes were taken. Raises BlockingIOError when there is no room, another OSError when
        there will be none."""
        count = self._forward() if self.durable else self._write_some(self._held)
        if not self.durable:
            self._held = self._held[count:]
        self.left -= count
        return count

    def _forward(self) -> int:
        try:
            return forward(self._read, self.fd, self.left)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
        self._write_directly()
        return self._write_some(self._held)

    def _write_directly(self) -> None:
        """The goal cannot be reached through a pipe: go on with what is in it by hand."""
        if self.left:
            self._held = memoryview(os.read(self._read, self.left))
        self.durable = False

    def _write_some(self, data: memoryview) -> int:
        if self._socket is not None:
            return self._socket.send(data, AT_ONCE)
        if self._by_poll:
            asked = select.poll()
            asked.register(self.fd, select.POLLOUT)
            if not asked.poll(0):
                raise BlockingIOError
            data = data[:_SMALL]
        return os.write(self.fd, data)

    def drop(self) -> bytes:
        """Throw away what is left; answers it."""
        data = os.read(self._read, self.left) if self.durable and self.left else self._held.tobytes()
        self._held = memoryview(b"")
        self.left = 0
        return data

    def close(self) -> None:
        """Close what was opened beside the descriptors that were lent."""
        if self._socket is not None:
            self._socket.close()
        if self.fd != self._lent:
            os.close(self.fd)
