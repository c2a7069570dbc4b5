"""On what do tests of the real logger stand? `Logs` with a real logger, our stdout and stderr in the test's hands, and writers.

To be made inside an isolated body, once: it takes the process' fds 1 and 2. It does what the runtime does – hear the logger,
reap it – whenever it looks at something.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from supervisor.model.process import Exit
from supervisor.model.words import RunId, ServiceName
from supervisor.programs.logger import fork
from supervisor.runtime.logs import Logs
from tests.eventually import eventually

__all__ = ["Answers", "LogStage", "Sink", "run_of"]

_T = TypeVar("_T")
_PREFIX = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\S+) \| ")


def run_of(service: str, number: int = 1) -> RunId:
    return RunId(ServiceName(service), number)


class Sink:
    """A pipe whose write end can be our stdout; it is read only when the test looks."""

    def __init__(self) -> None:
        self.out, self.end = os.pipe()
        os.set_blocking(self.out, False)
        self.size = 0
        """Bytes so far."""
        self._begun = b""
        self._lines: dict[str, list[bytes]] = {}

    def read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.out, 1 << 20):
                self.size += len(piece)
                *lines, self._begun = (self._begun + piece).split(b"\n")
                for line in lines:
                    begin = _PREFIX.match(line)
                    assert begin, line
                    self._lines.setdefault(begin[1].decode(), []).append(line[begin.end() :])

    def lines(self, service: str) -> list[bytes]:
        """The complete lines of this service so far, without prefixes."""
        self.read()
        return self._lines.get(service, [])

    def forget(self) -> None:
        """Begin anew with the next line."""
        self._lines.clear()


class Answers:
    """What `pidone logs` would get."""

    def __init__(self, stage: LogStage, fd: int) -> None:
        os.set_blocking(fd, False)
        self._stage = stage
        self._fd = fd
        self._begun = b""
        self._records: list[dict[str, Any]] = []
        self.over = False

    @property
    def records(self) -> list[dict[str, Any]]:
        """All so far."""
        self._stage.turn()
        with contextlib.suppress(BlockingIOError):
            while not self.over:
                piece = os.read(self._fd, 1 << 20)
                self.over = not piece
                *lines, self._begun = (self._begun + piece).split(b"\n")
                self._records += map(json.loads, lines)
        return self._records

    @property
    def lines(self) -> list[str]:
        return [record["line"] for record in self.records if "line" in record]

    def whole(self) -> list[str]:
        """The lines of an answer that ends."""
        eventually(lambda: self.records is not None and self.over)
        return self.lines

    def close(self) -> None:
        os.close(self._fd)


class LogStage:
    def __init__(self, stdout: int | None = None, stderr: int | None = None) -> None:
        """Our stdout and stderr become these, else `out` and `err`."""
        self.out, self.err = Sink(), Sink()
        os.dup2(self.out.end if stdout is None else stdout, 1)
        os.dup2(self.err.end if stderr is None else stderr, 2)
        self.logs = Logs(fork)
        self.loggers: list[int] = []
        self.reading = True
        """Somebody reads our stdout and stderr."""
        self.logs.on_fork = self.loggers.append
        self.logs.start()

    def turn(self) -> None:
        """Do what the runtime would do now, and what the reader of our output would."""
        if self.reading:
            self.out.read()
            self.err.read()
        self.logs.drain()
        if not self.logs.logger_pid:
            self.logs.revive()
            return
        with contextlib.suppress(ChildProcessError):
            ended = os.waitid(os.P_PID, self.logs.logger_pid, os.WEXITED | os.WNOHANG)
            if ended is not None:
                killed = ended.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
                self.logs.logger_died(Exit(signal=ended.si_status) if killed else Exit(code=ended.si_status))

    def until(self, predicate: Callable[[], _T], timeout: float = 20) -> _T:
        def look() -> _T:
            self.turn()
            return predicate()

        return eventually(look, timeout)

    def ask(self, **parameters: Any) -> Answers:
        return Answers(self, self.logs.stream(parameters))

    def kill(self) -> None:
        """SIGKILL to the logger, and a successor for it."""
        victim = self.logs.logger_pid
        os.kill(victim, signal.SIGKILL)
        self.until(lambda: self.logs.logger_pid not in (0, victim))

    def open(self, run: RunId) -> tuple[int, int]:
        """The run's pipes, of which the logger has been told."""
        pipes = self.logs.open(run)
        self.logs.drain()
        return pipes

    def write(self, run: RunId, text: bytes, stream: int = 0) -> None:
        """Write as a process of the run would, while there is room."""
        left = memoryview(text)
        fd = self.open(run)[stream]
        while left:
            left = left[os.write(fd, left) :]

    def python(self, run: RunId, code: str, *words: str) -> int:
        """Start a process of the run; its number."""
        stdout, stderr = self.open(run)
        actions = [(os.POSIX_SPAWN_DUP2, stdout, 1), (os.POSIX_SPAWN_DUP2, stderr, 2)]
        argv = (sys.executable, "-IS", "-c", code, *words)
        return os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions)

    def ended(self, pid: int) -> int:
        """Wait until it has; its status."""

        def look() -> tuple[int] | None:
            gone, status = os.waitpid(pid, os.WNOHANG)
            return (os.waitstatus_to_exitcode(status),) if gone else None

        found = self.until(look)
        assert found is not None
        return found[0]
