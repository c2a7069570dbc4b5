"""Is every message written as JSON-RPC 2.0 wants it, and does nothing that comes in do harm?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.wire import jsonrpc
from supervisor.wire.jsonrequest import MAX_ID, Malformed, Request, parse


def _line(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "status", **members}).encode()


def test_a_request_is_read_with_its_id_method_and_parameters() -> None:
    assert parse(_line(params={"names": ["web"]})) == Request(1, "status", {"names": ["web"]})
    assert parse(_line(id="a")) == Request("a", "status", {})


def test_what_a_client_writes_a_server_reads() -> None:
    assert parse(jsonrpc.call(7, "stop", {"names": ["wéb"]})[:-1]) == Request(7, "stop", {"names": ["wéb"]})


@pytest.mark.parametrize(
    ("line", "number", "position"),
    [
        (b"", jsonrpc.PARSE_ERROR, 0),
        (b'{"id": 1;}', jsonrpc.PARSE_ERROR, 8),
        ('{"ä": x}'.encode(), jsonrpc.PARSE_ERROR, 7),  # bytes, not characters
        (b'{"a": "\xff"}', jsonrpc.PARSE_ERROR, 7),
        (b"[" * 60_000, jsonrpc.PARSE_ERROR, 0),
        (b'{"a": NaN}', jsonrpc.PARSE_ERROR, 0),
        (b'{"a": ' + b"9" * 5000 + b"}", jsonrpc.PARSE_ERROR, 0),
        (b'{"id": 1, "id": 2}', jsonrpc.PARSE_ERROR, 0),
        (b"x" * (jsonrpc.MAX_LINE + 1), jsonrpc.PARSE_ERROR, jsonrpc.MAX_LINE),
        (b"[]", jsonrpc.INVALID_REQUEST, None),
        (b"7", jsonrpc.INVALID_REQUEST, None),
    ],
)
def test_what_is_no_json_gets_an_error_with_its_place(line: bytes, number: int, position: int | None) -> None:
    found = parse(line)
    assert isinstance(found, Malformed)
    assert (found.number, found.position, found.id) == (number, position, None)
    assert found.message


@pytest.mark.parametrize(
    "members",
    [
        {"jsonrpc": "1.0"},
        {"method": 5},
        {"method": None},
        {"params": ["web"]},
        {"params": None},
        {"extra": 1},
    ],
)
def test_json_that_is_no_request_gets_an_error_with_its_id(members: dict[str, Any]) -> None:
    found = parse(_line(**members))
    assert isinstance(found, Malformed)
    assert (found.number, found.id) == (jsonrpc.INVALID_REQUEST, 1)


@pytest.mark.parametrize("request_id", [None, True, 1.5, {}, [], "x" * (MAX_ID + 1), 10**MAX_ID])
def test_an_id_is_a_short_text_or_a_whole_number(request_id: Any) -> None:
    found = parse(_line(id=request_id))
    assert isinstance(found, Malformed)
    assert found.id is None


@given(st.binary(max_size=300))
def test_whatever_bytes_come_there_is_an_answer(line: bytes) -> None:
    assert isinstance(parse(line), Request | Malformed)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_whatever_json_comes_there_is_an_answer(value: Any) -> None:
    assert isinstance(parse(_line(params=value, method=value)), Malformed)


def test_messages_are_one_line_of_ascii() -> None:
    for line in (
        jsonrpc.result(1, {"text": "a\nb\u2028ä\udc80"}),
        jsonrpc.failure(None, jsonrpc.APPLICATION, "no\nway", {"code": "x"}),
        jsonrpc.notification("a", "progress", {"to": "running"}),
    ):
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert line.isascii()
        assert json.loads(line)["jsonrpc"] == "2.0"


def test_a_notification_carries_the_id_of_its_request() -> None:
    message = json.loads(jsonrpc.notification(3, "progress", {"to": "running"}))
    assert message == {"jsonrpc": "2.0", "method": "progress", "params": {"id": 3, "to": "running"}}


def test_a_client_refuses_what_is_no_object() -> None:
    for line in (b"[]", b"x", b"", b"\xff"):
        with pytest.raises(ValueError):  # noqa: PT011 - ValueError is what it promises
            jsonrpc.decode(line)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.data())
def test_lines_are_the_same_however_the_bytes_arrive(lines: list[bytes], data: st.DataObject) -> None:
    rest = b"".join(line + b"\n" for line in lines)
    cutter, found = jsonrpc.Lines(20), []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += cutter.feed(rest[:size])
        rest = rest[size:]
    assert found == lines
    assert cutter.pending == 0
    assert not cutter.overlong


@pytest.mark.parametrize("chunks", [[b"a" * 11], [b"a" * 6, b"a" * 6], [b"a" * 11 + b"\n"], [b"b\n" + b"a" * 11]])
def test_a_line_that_is_too_long_is_dropped_and_told(chunks: list[bytes]) -> None:
    cutter = jsonrpc.Lines(10)
    found = [line for chunk in chunks for line in cutter.feed(chunk)]
    assert cutter.overlong
    assert cutter.pending == 0
    assert b"a" * 11 not in found
    assert cutter.feed(b"c\n") == []


def test_a_line_may_be_as_long_as_the_limit() -> None:
    cutter = jsonrpc.Lines(10)
    assert cutter.feed(b"a" * 10) == []
    assert cutter.feed(b"\n") == [b"a" * 10]
