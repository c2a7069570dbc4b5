"""What did somebody ask on the control socket? One line of bytes to a request, or to an error with its place.

It evaluates nothing and trusts nothing: depth, numbers, names and duplicates are bounded by the line's length and checked
here, so that the rooms above see plain values only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from supervisor.model.record import Record
from supervisor.wire.jsonrpc import INVALID_REQUEST, MAX_LINE, PARSE_ERROR

__all__ = ["MAX_ID", "Malformed", "Request", "RequestId", "parse"]

RequestId: TypeAlias = str | int

MAX_ID = 128
"""Characters of a request's id, which comes back in every message about it."""

_MEMBERS = frozenset({"jsonrpc", "id", "method", "params"})


class Request(Record):
    id: RequestId
    method: str
    params: Mapping[str, Any]  # Any: JSON


class Malformed(Record):
    """A line that is no request. Its id is None where none could be read."""

    number: int
    message: str
    position: int | None = None
    """The byte of the line where reading stopped, from 0; None when the line is JSON and the mistake is in what it says."""
    id: RequestId | None = None


def parse(line: bytes) -> Request | Malformed:
    """Reads one line without its newline (JSON-RPC 2.0, section 4). Never raises."""
    if len(line) > MAX_LINE:
        return Malformed(PARSE_ERROR, f"line longer than {MAX_LINE} bytes", MAX_LINE)
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Malformed(PARSE_ERROR, "not UTF-8", error.start)
    try:
        message = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return Malformed(PARSE_ERROR, f"not JSON: {error.msg}", len(text[: error.pos].encode()))
    except RecursionError:
        return Malformed(PARSE_ERROR, "nested too deep", 0)
    except ValueError as error:  # a name twice, NaN, a number of thousands of digits
        return Malformed(PARSE_ERROR, f"not acceptable: {str(error)[:200]}", 0)
    return _request(message)


def _request(message: object) -> Request | Malformed:
    if isinstance(message, list):
        return Malformed(INVALID_REQUEST, "one message per line, no batches")
    if not isinstance(message, dict):
        return Malformed(INVALID_REQUEST, "a request is a JSON object")
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int):
        return Malformed(INVALID_REQUEST, "id must be a text or a whole number: every request is answered")
    if len(str(request_id)) > MAX_ID:
        return Malformed(INVALID_REQUEST, f"id longer than {MAX_ID} characters")

    def wrong(what: str) -> Malformed:
        return Malformed(INVALID_REQUEST, what, None, request_id)

    if message.get("jsonrpc") != "2.0":
        return wrong('jsonrpc must be "2.0"')
    method = message.get("method")
    if not isinstance(method, str):
        return wrong("method must be a text")
    params = message.get("params", {})
    if not isinstance(params, dict):
        return wrong("params must be an object: parameters have names")
    if extra := sorted(message.keys() - _MEMBERS):
        return wrong(f"unknown member {extra[0][:80]!r}")
    return Request(request_id, method, params)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
