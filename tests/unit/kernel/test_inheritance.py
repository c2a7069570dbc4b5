"""Do we know what we were given, before Python added to it?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.kernel.inheritance import inherited_environment


def test_what_is_in_the_environment_but_was_not_given_is_python_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    given = [entry.partition(b"=")[0] for entry in Path("/proc/self/environ").read_bytes().split(b"\0")]
    assert (b"LC_CTYPE" in inherited_environment()) is (b"LC_CTYPE" in given)


def test_all_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LC_CTYPE", raising=False)
    monkeypatch.setitem(os.environb, b"ODD", b"\xff")
    assert inherited_environment() == dict(os.environb)
