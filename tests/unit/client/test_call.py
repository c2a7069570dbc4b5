"""Does a client get its answer whole, wait no longer than it wants, and survive whatever answers?"""

from __future__ import annotations

import _socket
import array
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.client.call import Caller
from supervisor.client.stream import read_lines
from supervisor.client.trouble import Trouble


@pytest.fixture
def ends() -> Iterator[tuple[_socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield _socket.socket(fileno=ours.detach()), theirs
    theirs.close()


def _send(peer: socket.socket, *messages: dict[str, Any]) -> None:
    peer.sendall(b"".join(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n" for message in messages))


def test_an_answer_comes_after_its_notifications(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    note = {"method": "progress", "params": {"id": 1, "to": "running"}}
    _send(theirs, note, {"id": 99, "result": {"of": "another"}}, note, {"id": 1, "result": {"ok": True}})
    notes: list[Any] = []
    assert Caller(ours).ask_long("start", {"names": ["web"]}, notes.append) == {"ok": True}
    assert notes == [note["params"]] * 2
    assert json.loads(theirs.recv(1000)) == {"jsonrpc": "2.0", "id": 1, "method": "start", "params": {"names": ["web"]}}


def test_two_requests_have_two_answers(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    _send(theirs, {"id": 1, "result": {"n": 1}}, {"id": 2, "result": {"n": 2}})
    caller = Caller(ours)
    assert [caller.ask("version")["n"], caller.ask("version")["n"]] == [1, 2]


def test_an_error_is_raised_with_everything_it_says(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    data = {"code": "unknown-service", "hint": "look", "unknown": [["wbe", "web"]]}
    _send(theirs, {"id": 1, "error": {"code": -32000, "message": "no", "data": data}})
    with pytest.raises(Trouble) as trouble:
        Caller(ours).ask("status")
    raised = trouble.value
    assert (raised.code, raised.message, raised.hint) == ("unknown-service", "no", "look")
    assert raised.more == {"unknown": [["wbe", "web"]]}


def test_a_refusal_is_heard_although_nobody_read_the_request(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    _send(theirs, {"id": None, "error": {"code": -32000, "message": "no", "data": {"code": "refused"}}})
    theirs.close()
    with pytest.raises(Trouble) as trouble:
        Caller(ours).ask("status")
    assert trouble.value.code == "refused"


@pytest.mark.parametrize("long", [True, False])
def test_a_timeout_is_kept(ends: tuple[_socket.socket, socket.socket], long: bool) -> None:
    caller = Caller(ends[0], timeout=0.03)
    with pytest.raises(Trouble) as trouble:
        caller.ask_long("wait", {}) if long else caller.ask("status")
    assert trouble.value.code == "timeout"


def test_the_end_in_the_middle_of_an_answer_is_told(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b'{"jsonrpc":')
    theirs.close()
    with pytest.raises(Trouble) as trouble:
        Caller(ours).ask("status")
    assert trouble.value.code == "gone"


def test_more_words_than_a_line_has_room_for_are_not_sent(ends: tuple[_socket.socket, socket.socket]) -> None:
    with pytest.raises(Trouble) as trouble:
        Caller(ends[0]).ask("status", names=["x" * 70_000])
    assert trouble.value.code == "usage"


def test_a_file_descriptor_comes_with_an_answer_and_is_ours_alone(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    inbox, outbox = os.pipe()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [inbox]).tobytes())]
    theirs.sendmsg([b'{"jsonrpc":"2.0","id":1,"result":{}}\n'], rights)
    caller = Caller(ours)
    caller.ask("logs")
    fd = caller.take_fd()
    assert not os.get_inheritable(fd)
    os.write(outbox, b"one\ntwo\nthr")
    os.close(outbox)
    os.close(inbox)
    assert [line for lines in read_lines(fd) for line in lines] == [b"one", b"two", b"thr"]
    with pytest.raises(Trouble):
        caller.take_fd()


def test_a_stream_that_says_nothing_is_not_waited_for_longer_than_wanted() -> None:
    inbox, outbox = os.pipe()
    os.write(outbox, b"one\n")
    lines = read_lines(inbox, 0.03)
    assert next(lines) == [b"one"]
    with pytest.raises(Trouble) as trouble:
        next(lines)
    assert trouble.value.code == "timeout"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(inbox)
    os.close(outbox)


def test_waiting_for_the_end_is_over_at_the_end(ends: tuple[_socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"last words\n")
    theirs.close()
    Caller(ours).wait_for_end()
