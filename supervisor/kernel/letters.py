"""How does a datagram come with a file descriptor beside it?"""

from __future__ import annotations

import array
import socket

__all__ = ["receive"]

_WORD = array.array("i").itemsize


def receive(sock: socket.socket, limit: int) -> tuple[bytes, list[int]]:
    """The next datagram and its descriptor, close-on-exec, which is missing where we have no room for it (unix(7)). Raises
    BlockingIOError when there is none. (`socket.recv_fds` forgets its flags, and would wait.)"""
    data, beside, _, _ = sock.recvmsg(limit, socket.CMSG_SPACE(_WORD), socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, content in beside:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) // _WORD * _WORD])
    return data, list(fds)
