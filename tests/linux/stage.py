"""On what do tests of the real kernel stand? A `Linux`, actors as real processes, and one pipe for what they print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from supervisor.kernel.cgroups import Tree
from supervisor.kernel.linux import Linux
from supervisor.kernel.port import Born, SpawnOrder
from supervisor.kernel.prctl import set_child_subreaper
from supervisor.model.process import SpawnFailure
from tests.eventually import eventually

__all__ = ["ACTOR", "RealStage", "failed", "fill_descriptors"]

ACTOR = str(Path(__file__).parent.parent / "actor.py")
_T = TypeVar("_T")


def fill_descriptors() -> list[int]:
    """Open files until there are no descriptors left; close them before the body ends, its reporters need some."""
    filled = []
    while True:
        try:
            filled.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return filled


class RealStage:
    """To be made inside an isolated body, once."""

    def __init__(self, *, tree: Tree | None = None, nofile: int | None = None) -> None:
        if os.getpid() != 1:
            set_child_subreaper()
        self.kernel = Linux(tree=tree, nofile=nofile)
        self._inbox, self.stdout = os.pipe()
        os.set_blocking(self._inbox, False)
        self._printed = b""

    def actor(self, *words: str) -> tuple[tuple[str, ...], str]:
        return (sys.executable, "-IS", ACTOR, *words), sys.executable

    def until(self, predicate: Callable[[], _T]) -> _T:
        return eventually(predicate)

    def printed(self) -> str:
        try:
            while piece := os.read(self._inbox, 65536):
                self._printed += piece
        except BlockingIOError:
            pass
        return self._printed.decode()

    def order(self, argv: tuple[str, ...], executable: str | None = None, **fields: object) -> SpawnOrder:
        """An order for any program."""
        wanted: dict[str, object] = {
            "argv": argv,
            "executable": argv[0] if executable is None else executable,
            "environment": {"PATH": "/usr/bin:/bin"},
            "working_dir": "/",
            "stdout": self.stdout,
            "stderr": self.stdout,
        }
        return SpawnOrder(**{**wanted, **fields})  # type: ignore[arg-type]

    def python(self, code: str, **fields: object) -> SpawnOrder:
        return self.order((sys.executable, "-IS", "-c", code), None, **fields)

    def run(self, order: SpawnOrder) -> str:
        """What a program prints until it has ended well."""
        failure = self.attempt(order)
        assert failure is None, failure
        return self.printed()

    def attempt(self, order: SpawnOrder) -> SpawnFailure | None:
        """Run a program to its end; why it could not be started, or None."""
        born = self.kernel.spawn(order)
        if isinstance(born, SpawnFailure):
            return born
        failure = self.outcome(born)
        zombie = eventually(self.kernel.peek)
        assert zombie is not None
        assert zombie.pid == born.pid
        self.kernel.reap(born.pid, born.pidfd)
        assert failure is not None or zombie.exit.code == 0, (zombie, self.printed())
        return failure

    def outcome(self, born: Born) -> SpawnFailure | None:
        """Why the born one could not be executed, or None; waits until that is known."""
        if born.errors < 0:
            return None

        def look() -> tuple[SpawnFailure | None] | None:
            try:
                return (self.kernel.spawn_error(born.errors),)
            except BlockingIOError:
                return None

        found = eventually(look)
        assert found is not None
        return found[0]


def failed(stage: str, number: int, subject: str = "", *, ours: bool = False) -> SpawnFailure:
    """What is said when this step fails with this errno."""
    return SpawnFailure(stage, number, subject, ours, os.strerror(number))
