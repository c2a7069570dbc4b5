"""What has PID 1 said, and what shall it hear? The logger's end of their socket.

Rule: nothing here waits. What PID 1 cannot take now is kept in order until it can.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from itertools import islice

from supervisor.kernel.letters import AT_ONCE, receive
from supervisor.wire.logmessages import LONGEST, Downward, Upward, encode, join, unpack

__all__ = ["Desk", "Letter"]

_AT_ONCE = 64  # messages heard in one turn
_TOGETHER = 64  # messages in one datagram; ours are short

Letter = tuple[Downward, list[int]]
"""A message and the descriptor beside it, which is not there when we had no room for it."""


class Desk:
    def __init__(self, sock: socket.socket) -> None:
        self.closed = False
        """PID 1 is gone."""
        self._socket = sock
        self._unsent: deque[bytes] = deque()

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def waiting(self) -> bool:
        """Something is to be sent when there is room for it."""
        return bool(self._unsent)

    def hear(self) -> list[Letter]:
        """What has come; the descriptors are the caller's."""
        letters: list[Letter] = []
        while len(letters) < _AT_ONCE:
            try:
                data, fds = receive(self._socket, LONGEST)
            except BlockingIOError:
                break
            except ConnectionResetError:
                continue  # PID 1 went without reading our last message; what it had sent before is still to be read
            except OSError:
                self.closed = True
                break
            if not data:
                self.closed = True
                break
            told, nobodys = unpack(data, fds)
            letters += told  # type: ignore[arg-type]  # PID 1 sends only these
            for fd in nobodys:
                os.close(fd)
        return letters

    def send(self, message: Upward) -> None:
        """To be sent by the next `flush`, together with what else there is."""
        self._unsent.append(encode(message))

    def send_now(self, message: Upward, fd: int) -> bool:
        """Send a message with a descriptor beside it; False when that is not possible at once."""
        self.flush()
        if self._unsent:
            return False
        try:
            socket.send_fds(self._socket, [encode(message)], [fd], AT_ONCE)
        except OSError:
            return False
        return True

    def flush(self) -> None:
        """Send what is waiting, as far as there is room."""
        while self._unsent:
            bundle = list(islice(self._unsent, _TOGETHER))
            try:
                self._socket.send(join(bundle), AT_ONCE)
            except BlockingIOError:
                return
            except OSError:
                self.closed = True
                self._unsent.clear()
                return
            for _ in bundle:
                self._unsent.popleft()
