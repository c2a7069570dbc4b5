"""What a loader's last words mean; the loader itself is run in tests/linux/test_loader.py."""

from __future__ import annotations

import errno
import json
import signal

import pytest

from supervisor.model.plan import Plan
from supervisor.model.process import Exit
from supervisor.programs import loading
from supervisor.wire.diagnostics import Diagnostic, to_plain
from supervisor.wire.state import load, wrap

_FOUND = Diagnostic("unknown-key", "unknown key `x`", "a.yaml", 1, 2, "hint", "x: y\n^")


def _document(**parts: object) -> bytes:
    return json.dumps(parts).encode()


def test_a_document_with_a_plan_is_a_plan_with_its_warnings() -> None:
    said = loading.read_result(_document(ok=True, plan=wrap(Plan()), warnings=[to_plain(_FOUND)]), Exit(code=0))
    assert said.ok
    assert load(Plan, said.plan) == Plan()
    assert (said.warnings, said.errors) == ((_FOUND,), ())


def test_a_document_with_errors_has_its_errors() -> None:
    said = loading.read_result(_document(ok=False, errors=[to_plain(_FOUND)], warnings=[]), Exit(code=7))
    assert (said.ok, said.errors, said.plan) == (False, (_FOUND,), b"")


@pytest.mark.parametrize(
    ("exit", "code", "words"),
    [
        (Exit(signal=signal.SIGXCPU), "config-too-large", "processor"),
        (Exit(signal=signal.SIGALRM), "config-too-large", "too long"),
        (Exit(signal=signal.SIGKILL), "config-too-large", "memory"),
        (Exit(signal=signal.SIGSEGV, core=True), "loader-failed", "SIGSEGV"),
        (Exit(signal=signal.SIGABRT), "config-too-large", "memory"),
        (Exit(code=1), "loader-failed", "status 1"),
        (Exit(code=0), "loader-failed", "status 0"),
        (Exit(), "loader-failed", "result"),
    ],
)
@pytest.mark.parametrize("data", [b"", b'{"ok": true, "plan"'])
def test_a_loader_that_ended_before_its_document_is_an_error(exit: Exit, code: str, words: str, data: bytes) -> None:
    said = loading.read_result(data, exit)
    assert (said.ok, [error.code for error in said.errors]) == (False, [code])
    assert words in said.errors[0].message


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        _document(ok=True),
        _document(ok=False),
        _document(ok=False, errors=3),
        _document(ok=False, errors=[3]),
        _document(ok=False, errors=[{"code": 3}]),
        _document(ok=True, plan={}, warnings=[{}]),
        _document(ok=True, plan={}, warnings=3),
        _document(ok=False, errors=[{**to_plain(_FOUND), "line": "3"}], warnings=[]),
    ],
)
def test_a_document_that_is_none_is_an_error_and_no_exception(data: bytes) -> None:
    assert [error.code for error in loading.read_result(data, Exit(code=0)).errors] == ["loader-failed"]


def test_a_loader_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        loading.start_loader([])
    said = loading.load([])
    assert (said.ok, said.judged, [error.code for error in said.errors]) == (False, False, ["loader-failed"])
    assert "/nowhere/python" in said.errors[0].message


def test_what_kept_the_loader_from_starting_is_told() -> None:
    no_room = BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    assert "Resource temporarily unavailable" in loading.not_started(no_room).errors[0].message
    assert loading.not_started(OSError("strange")).errors[0].message.endswith("strange")
