"""Where does a probe knock, and what does it say there?"""

from __future__ import annotations

import socket

import pytest

from supervisor.model.spec import ReadySpec
from supervisor.runtime.probes import Attempt, Target, target_of
from tests.eventually import eventually


@pytest.mark.parametrize(
    ("ready", "hosts", "port"),
    [
        (ReadySpec(tcp="127.0.0.1:80"), ("127.0.0.1",), 80),
        (ReadySpec(tcp="localhost:5432"), ("127.0.0.1", "::1"), 5432),
        (ReadySpec(tcp="[::1]:6379"), ("::1",), 6379),
        (ReadySpec(http="http://127.0.0.1"), ("127.0.0.1",), 80),
        (ReadySpec(http="http://localhost:8080/x"), ("127.0.0.1", "::1"), 8080),
        (ReadySpec(http="http://[fe80::1]:81/"), ("fe80::1",), 81),
    ],
)
def test_where(ready: ReadySpec, hosts: tuple[str, ...], port: int) -> None:
    target = target_of(ready)
    assert target is not None
    assert (target.hosts, target.port) == (hosts, port)


@pytest.mark.parametrize("ready", [ReadySpec(exec=("x",)), ReadySpec(unix="/s"), ReadySpec(log="x")])
def test_the_other_kinds_do_not_knock(ready: ReadySpec) -> None:
    assert target_of(ready) is None


def test_what_is_asked() -> None:
    target = target_of(ReadySpec(http="http://127.0.0.1:8080/health?deep=1"))
    assert target is not None
    head, *fields = target.request.decode().split("\r\n")
    assert head == "GET /health?deep=1 HTTP/1.1"
    assert "Host: 127.0.0.1:8080" in fields
    assert target.request.endswith(b"\r\n\r\n")
    assert b"GET / HTTP/1.1" in target_of(ReadySpec(http="http://127.0.0.1:8080")).request  # type: ignore[union-attr]


def _answer(attempt: Attempt) -> bool:
    """What it comes to. (A connection to ourselves is complete before connect returns, but only the next look is told.)"""
    return eventually(lambda: (answer := attempt.look()) is not None and (answer,))[0]


def test_nobody_there_is_known_at_once() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound, not listening
        attempt = Attempt(Target(("127.0.0.1",), silent.getsockname()[1]), "127.0.0.1")
        assert _answer(attempt) is False
        attempt.close()


def test_an_answer_that_never_ends_is_not_read_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        attempt = Attempt(Target(("127.0.0.1",), server.getsockname()[1], b"GET"), "127.0.0.1")
        attempt.look()
        assert attempt.look() is None  # connected, asked, waiting
        peer, _ = server.accept()
        peer.sendall(b"x" * 100_000)
        assert _answer(attempt) is False
        peer.close()
        attempt.close()


def test_a_connection_that_would_meet_itself_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens, a port of the ephemeral range may become our own end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        attempt = Attempt(Target(("127.0.0.1",), server.getsockname()[1]), "127.0.0.1")
        peer = attempt._socket

        class _Same:
            def __getattr__(self, name: str) -> object:
                return peer.getpeername if name == "getsockname" else getattr(peer, name)

        monkeypatch.setattr(attempt, "_socket", _Same())
        assert _answer(attempt) is False
        peer.close()
