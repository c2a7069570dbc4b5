"""How is a running pidone asked? One request after the other on one connection, with one deadline for all of them."""

from __future__ import annotations

import _socket  # see client/find
import os
import sys
import time

from supervisor.client.trouble import Trouble
from supervisor.wire import jsonrpc

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["Caller"]

_CHUNK = 256 * 1024  # bytes per read
_ANSWER_MAX = 256 * 1024 * 1024  # bytes: far more than any world has to say
_ENOUGH = 30.0  # seconds for what pidone answers at once
_NO_FD = -1
_CREDENTIALS = 12  # bytes of struct ucred: pid, uid, gid


class Caller:
    """A connection to pidone. `timeout` is in seconds for everything asked here; None: as long as it takes for what
    takes long, and 30 s for what does not."""

    def __init__(self, peer: _socket.socket, timeout: float | None = None) -> None:
        self._peer = peer
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._lines = jsonrpc.Lines(_ANSWER_MAX)
        self._arrived: list[bytes] = []
        self._fd = _NO_FD
        self._count = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:  # Any: JSON
        """The result of what is answered at once. Raises Trouble: the server's own, gone, timeout."""
        return self._ask(method, params, _ENOUGH, None)

    def ask_long(
        self, method: str, params: Mapping[str, Any], on_note: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """The result of what may take its time; `on_note` is told of each notification until then."""
        return self._ask(method, params, None, on_note)

    def take_fd(self) -> int:
        """The file descriptor that came with an answer: the caller's from now on. Raises Trouble when none came."""
        fd, self._fd = self._fd, _NO_FD
        if fd == _NO_FD:
            raise Trouble("protocol", "pidone answered without the file descriptor it promised")
        return fd

    def peer_pid(self) -> int:
        """Our number for the process that listens; 0 when we cannot see it (SO_PEERCRED, unix(7))."""
        credentials = self._peer.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)
        return int.from_bytes(credentials[: _CREDENTIALS // 3], sys.byteorder)

    def wait_for_end(self) -> None:
        """Return when the other side is gone. Raises Trouble: timeout."""
        while self._receive(self._deadline):
            pass

    def close(self) -> None:
        self._peer.close()

    def _ask(
        self,
        method: str,
        params: Mapping[str, Any],
        enough: float | None,
        on_note: Callable[[dict[str, Any]], None] | None,
    ) -> dict[str, Any]:
        self._count += 1
        line = jsonrpc.call(self._count, method, params)
        if len(line) > jsonrpc.MAX_LINE:
            raise Trouble("usage", "more names than one request has room for", "use a @group or --all")
        deadline = self._deadline
        if deadline is None and enough is not None:
            deadline = time.monotonic() + enough
        self._send(line, deadline)
        while True:
            message = self._next(deadline)
            if "method" in message:
                if on_note is not None:
                    on_note(message.get("params", {}))
            elif message.get("id") in (self._count, None):
                return _result(message)

    def _send(self, line: bytes, deadline: float | None) -> None:
        self._peer.settimeout(_left(deadline))
        try:
            self._peer.sendall(line)
        except TimeoutError:
            raise _too_late() from None
        except OSError:
            pass  # it hung up: why, it may have said before

    def _next(self, deadline: float | None) -> dict[str, Any]:
        while not self._arrived:
            if not self._receive(deadline):
                raise Trouble("gone", "pidone went away before it answered", "pidone worlds lists those that run")
        try:
            return jsonrpc.decode(self._arrived.pop(0))
        except ValueError:
            raise Trouble("protocol", "what answered is not pidone: it does not speak JSON-RPC") from None

    def _receive(self, deadline: float | None) -> bool:
        """Whether something came; False at the end."""
        self._peer.settimeout(_left(deadline))
        try:
            data, rights, _, _ = self._peer.recvmsg(_CHUNK, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
        except TimeoutError:
            raise _too_late() from None
        except OSError:
            return False
        for level, kind, content in rights:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                if self._fd != _NO_FD:
                    os.close(self._fd)
                self._fd = int.from_bytes(content[:4], sys.byteorder)
        self._arrived += self._lines.feed(data)
        return bool(data)


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise _too_late()
    return left


def _too_late() -> Trouble:
    return Trouble("timeout", "timed out; what was asked for goes on", "pidone status shows how far it is")


def _result(message: dict[str, Any]) -> dict[str, Any]:
    error = message.get("error")
    if error is None:
        result: dict[str, Any] = message.get("result", {})
        return result
    data = dict(error.get("data") or {})
    raise Trouble(
        str(data.pop("code", "failed")), str(error.get("message", "it failed")), str(data.pop("hint", "")), data
    )
