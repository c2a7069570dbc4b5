"""A typist, and no world that happens to be in the environment."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.cli.told import Typist


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PIDONE_SOCKET", "FORCE_COLOR", "NO_COLOR", "LC_ALL", "LC_CTYPE", "PIDONE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def type_in(capfd: pytest.CaptureFixture[str]) -> Typist:
    return Typist(capfd)
