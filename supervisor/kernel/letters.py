"""How does a datagram come with file descriptors beside it?"""

from __future__ import annotations

import array
import socket

__all__ = ["AT_ONCE", "MOST_FDS", "receive"]

AT_ONCE = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
"""Flags for sending: what would wait is refused, nobody there is an error and no signal."""

MOST_FDS = 64  # beside one datagram; the kernel takes 253 (SCM_MAX_FD, unix(7))

_WORD = array.array("i").itemsize
_FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)  # an IntFlag costs a microsecond per `|`
_SPACE = socket.CMSG_SPACE(_WORD * MOST_FDS)


def receive(sock: socket.socket, limit: int) -> tuple[bytes, list[int]]:
    """The next datagram and its descriptors, close-on-exec, of which the last are missing where we have no room for them
    (unix(7)). Raises BlockingIOError when there is none. (`socket.recv_fds` forgets its flags, and would wait.)"""
    data, beside, _, _ = sock.recvmsg(limit, _SPACE, _FLAGS)
    fds = array.array("i")
    for level, kind, content in beside:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) // _WORD * _WORD])
    return data, list(fds)
