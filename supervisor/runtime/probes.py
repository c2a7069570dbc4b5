"""Does somebody answer there? One attempt to reach an address of our own machine, without ever waiting.

Rules: only numeric addresses and `localhost`, so that no name is looked up; one fixed GET, of its answer the status line only,
at most 4 KiB, no redirect followed. An attempt can be looked at at any time: what has happened already is seen at once.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Literal, NamedTuple

import trio

from supervisor.model.spec import ReadySpec

__all__ = ["Attempt", "Target", "target_of"]

_ANSWER_MAX = 4096  # bytes; SERVICES §4
_LOOPBACK = ("127.0.0.1", "::1")
_ON_THE_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EINTR)


class Target(NamedTuple):
    """Where to knock, and what to say."""

    hosts: tuple[str, ...]
    """Numeric; the first that answers will do."""
    port: int
    request: bytes = b""
    """Empty: that somebody listens is enough."""


def target_of(ready: ReadySpec) -> Target | None:
    """What a tcp or http probe knocks at; None for the other kinds."""
    if ready.tcp is not None:
        host, port = _split(ready.tcp, 0)
        return Target(_numeric(host), port)
    if ready.http is not None:
        authority, slash, path = ready.http.removeprefix("http://").partition("/")
        host, port = _split(authority, 80)
        lines = (f"GET {slash}{path} HTTP/1.1" if slash else "GET / HTTP/1.1", f"Host: {authority}")
        text = "\r\n".join((*lines, "User-Agent: pidone", "Accept: */*", "Connection: close", "", ""))
        return Target(_numeric(host), port, text.encode())
    return None


def _split(address: str, default: int) -> tuple[str, int]:
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, int(rest.removeprefix(":") or default)
    host, _, port = address.partition(":")
    return host, int(port or default)


def _numeric(host: str) -> tuple[str, ...]:
    return _LOOPBACK if host == "localhost" else (host,)


class Attempt:
    """One connection, driven by looking at it."""

    def __init__(self, target: Target, host: str) -> None:
        """Raises OSError when not even a socket is to be had, or such addresses do not exist here."""
        self._request = target.request
        self._answer = b""
        self._state: Literal["connecting", "asking", "listening"] = "connecting"
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._where = (host, target.port)

    def look(self) -> bool | None:
        """Whether it succeeded; None while that is open."""
        try:
            return self._advance()
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return False

    async def wait(self) -> None:
        """Until another look may tell more."""
        if self._state == "listening":
            await trio.lowlevel.wait_readable(self._socket.fileno())
        else:
            await trio.lowlevel.wait_writable(self._socket.fileno())

    def close(self) -> None:
        self._socket.close()

    def _advance(self) -> bool | None:
        if self._state == "connecting":
            problem = self._socket.connect_ex(self._where)
            if problem in _ON_THE_WAY:
                return None
            if problem not in (0, errno.EISCONN):
                raise OSError(problem, os.strerror(problem))
            # where nobody listens, a connection to a port of the ephemeral range may meet itself
            if self._socket.getsockname() == self._socket.getpeername():
                return False
            self._state = "asking"
        if self._state == "asking":
            if not self._request:
                return True
            self._request = self._request[self._socket.send(self._request) :]
            if self._request:
                return None
            self._state = "listening"
        return self._listen()

    def _listen(self) -> bool | None:
        while b"\n" not in self._answer:
            piece = self._socket.recv(_ANSWER_MAX - len(self._answer))
            if not piece:
                return False
            self._answer += piece
        words = self._answer.split(b"\n", 1)[0].split()
        return (
            len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1][:1] in (b"2", b"3") and len(words[1]) == 3
        )
