"""A served world for the command line: a process of its own, because the command line waits for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from supervisor.cli.main import main

__all__ = ["Said", "Typist", "told"]

_ROOT = Path(__file__).parents[3]


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Typist:
    """Types commands, with the socket of one world in the environment."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *words: str) -> Said:
        self._capfd.readouterr()
        code = main(words)
        sys.stdout.flush()
        return Said(code, *self._capfd.readouterr())


@contextmanager
def told(path: Path, *services: Mapping[str, Any], **more: Any) -> Iterator[int]:
    """Serve these until the end of the block; gives the server's pid."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.backend", str(path)],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TZ": "UTC"},
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(json.dumps({"services": services, **more}).encode())
        server.stdin.close()
        assert server.stdout.read() == b""  # its end says that the socket is there
        yield server.pid
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def ago(seconds: float) -> str:
    """A moment in RFC 3339, so many seconds in the past."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def lines(said: Said) -> Sequence[str]:
    return said.out.splitlines()
