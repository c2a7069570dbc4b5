"""How is a message of the control socket written? JSON-RPC 2.0, one message per line, ASCII only.

Both ends use it, so it imports next to nothing: what a client loads is what `pidone status` costs. The server's stricter
reading of requests is in `wire/jsonrequest`.
"""

from __future__ import annotations

from supervisor.wire import plainjson

TYPE_CHECKING = False  # importing typing would cost a client 2.7 ms; type checkers know this name
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = [
    "APPLICATION",
    "INTERNAL",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "MAX_LINE",
    "PARSE_ERROR",
    "SCHEMA",
    "UNKNOWN_METHOD",
    "Lines",
    "call",
    "decode",
    "failure",
    "notification",
    "result",
]

SCHEMA = "pidone/v1"

MAX_LINE = 64 * 1024
"""Bytes of a request, its newline not counted (CLI.md). Answers have no such bound: they grow with the number of services."""

# https://www.jsonrpc.org/specification, section 5.1
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
UNKNOWN_METHOD = -32601
INVALID_PARAMS = -32602
INTERNAL = -32603
APPLICATION = -32000
"""Everything that is about services and not about JSON-RPC; `data.code` says what, in a word that stays."""


def call(request_id: int, method: str, params: Mapping[str, Any]) -> bytes:
    return _line({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})


def result(request_id: str | int, value: Mapping[str, Any]) -> bytes:
    return _line({"jsonrpc": "2.0", "id": request_id, "result": value})


def failure(request_id: str | int | None, number: int, message: str, data: Mapping[str, Any]) -> bytes:
    """An error object; `data.code` is the stable word for it."""
    return _line({"jsonrpc": "2.0", "id": request_id, "error": {"code": number, "message": message, "data": data}})


def notification(request_id: str | int, method: str, params: Mapping[str, Any]) -> bytes:
    """A piece of a stream: it belongs to the request whose id its parameters carry."""
    return _line({"jsonrpc": "2.0", "method": method, "params": {"id": request_id, **params}})


def decode(line: bytes) -> dict[str, Any]:
    """What the other end of a client wrote. Raises ValueError when that is no JSON object."""
    message = plainjson.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


class Lines:
    """Cuts a stream into lines. Between two calls it never holds more than `limit` bytes and what the last one brought."""

    __slots__ = ("_limit", "_rest", "_searched", "overlong")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._searched = 0
        self.overlong = False
        """A line was longer than the limit. It and everything after it is lost."""

    @property
    def pending(self) -> int:
        """Bytes of a line that has no end yet."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines."""
        lines: list[bytes] = []
        if self.overlong:
            return lines
        rest = self._rest
        rest += data
        while (end := rest.find(b"\n", self._searched)) >= 0:
            if end > self._limit:
                break
            lines.append(bytes(rest[:end]))
            del rest[: end + 1]
            self._searched = 0
        self._searched = len(rest) if end < 0 else 0
        if len(rest) > self._limit:
            self.overlong = True
            rest.clear()
        return lines


def _line(message: Mapping[str, Any]) -> bytes:
    # ASCII: a lone surrogate of a file name passes, and no byte of it can be mistaken for the end of the line
    return plainjson.dumps(message).encode("ascii") + b"\n"
