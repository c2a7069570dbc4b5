"""What are logs without a logger? Descriptors that are numbers, lines in a list, and matches that are told late, as by another
process."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from supervisor.model.words import RunId
from tests.fakes.kernel import FakeKernel

__all__ = ["FakeLogs"]


class FakeLogs:
    """Keeps what is said, hands out descriptors, matches lines."""

    def __init__(self, kernel: FakeKernel | None = None) -> None:
        self.said: list[str] = []
        self.ended: list[RunId] = []
        self.refuse: OSError | None = None
        """What the next call for pipes fails with."""
        self.lines: list[str] = []
        self._printed_before: list[tuple[int, str]] = []
        self._channels: dict[RunId, tuple[int, int]] = {}
        self._watches: dict[RunId, tuple[re.Pattern[str], Callable[[], None]]] = {}
        self._matched: list[Callable[[], None]] = []
        if kernel is not None:
            kernel.printed = self._printed

    def open(self, run: RunId, uid: int | None = None) -> tuple[int, int]:
        if self.refuse is not None:
            refusal, self.refuse = self.refuse, None
            raise refusal
        if run not in self._channels:
            first = 3 + 2 * len(self._channels)
            self._channels[run] = (first, first + 1)
        return self._channels[run]

    def end(self, run: RunId) -> None:
        self.ended.append(run)

    def watch(self, run: RunId, pattern: str, found: Callable[[], None]) -> Callable[[], None]:
        expression = re.compile(pattern)
        self._watches[run] = (expression, found)
        if any(expression.search(line) for fd, line in self._printed_before if fd in self._channels[run]):
            self._matched.append(found)

        def leave() -> None:
            self._watches.pop(run, None)

        return leave

    def drain(self) -> None:
        matched, self._matched = self._matched, []
        for found in matched:
            found()

    def say(self, text: str) -> None:
        self.said.append(text)

    def stream(self, parameters: Mapping[str, Any]) -> int:
        raise OSError("there is no logger")

    def hurry(self) -> None:
        self.hurried = True

    def pids(self) -> Collection[int]:
        return ()

    def lines_of(self, run: RunId) -> tuple[int, int]:
        return self._channels[run]

    def _printed(self, fd: int, line: str) -> None:
        self.lines.append(line)
        self._printed_before.append((fd, line))
        for run, (pattern, found) in tuple(self._watches.items()):
            if fd in self._channels.get(run, ()) and pattern.search(line):
                self._matched.append(found)
