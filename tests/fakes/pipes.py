"""What are logs with real pipes and no logger? For stories on the real kernel: lines are read whenever somebody looks."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from supervisor.model.words import RunId

__all__ = ["PipeLogs"]


class PipeLogs:
    """One pipe per run for both streams; read by `drain`."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.ended: list[RunId] = []
        self.lines: list[str] = []
        self._pipes: dict[RunId, tuple[int, int]] = {}
        self._watches: dict[RunId, tuple[re.Pattern[str], Callable[[], None]]] = {}

    def open(self, run: RunId, uid: int | None = None) -> tuple[int, int]:
        if run not in self._pipes:
            self._pipes[run] = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            os.set_blocking(self._pipes[run][1], True)
        return (self._pipes[run][1],) * 2

    def end(self, run: RunId) -> None:
        self.drain()
        self.ended.append(run)
        for fd in self._pipes.pop(run, ()):
            os.close(fd)

    def watch(self, run: RunId, pattern: str, found: Callable[[], None]) -> Callable[[], None]:
        self._watches[run] = (re.compile(pattern), found)

        def leave() -> None:
            self._watches.pop(run, None)

        return leave

    def drain(self) -> None:
        for run, (inbox, _) in tuple(self._pipes.items()):
            with contextlib.suppress(BlockingIOError):
                while data := os.read(inbox, 65536):
                    self._heard(run, data.decode().splitlines())

    def _heard(self, run: RunId, lines: list[str]) -> None:
        self.lines += lines
        for line in lines:
            if run in self._watches and self._watches[run][0].search(line):
                self._watches[run][1]()

    def say(self, text: str) -> None:
        self.said.append(text)

    def stream(self, parameters: Mapping[str, Any]) -> int:
        raise OSError("there is no logger")

    def hurry(self) -> None:
        self.hurried = True

    def pids(self) -> Collection[int]:
        return ()
