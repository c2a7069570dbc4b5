"""Which pipes do the runs write to? Both ends of each, by run and by the channel number under which the logger knows them.

Rules: the write ends are ours until the run is over, so that every process of it gets the same; the read ends until the logger
has seen that nobody can write any more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from supervisor.model.words import RunId
from supervisor.wire.logmessages import End, Open

__all__ = ["Pipes", "RunPipes"]


class RunPipes:
    """What is open for one run."""

    __slots__ = ("ended", "found", "on_drained", "pattern", "read", "undrained", "write")

    def __init__(self, write: tuple[int, int]) -> None:
        self.write: tuple[int, int] | None = write
        """stdout and stderr; None when the run is over."""
        self.read: dict[int, tuple[int, int]] = {}
        """Stream and read end by channel, until the logger has seen the pipe's end."""
        self.undrained: set[int] = set()
        """Channels that may still hold something."""
        self.on_drained: Callable[[], None] | None = None
        self.pattern = ""
        self.found: Callable[[], None] | None = None
        """Called when a line matches `pattern`; None when nobody waits for that."""

    def close_write(self) -> None:
        for fd in self.write or ():
            os.close(fd)
        self.write = None

    def tell_drained(self) -> None:
        """Tell whoever waits for the last line, once."""
        tell, self.on_drained = self.on_drained, None
        if tell is not None:
            tell()


class Pipes:
    """The table of all that are open."""

    def __init__(self) -> None:
        self._runs: dict[RunId, RunPipes] = {}
        self._by_channel: dict[int, RunId] = {}
        self._newest = 0

    def __iter__(self) -> Iterator[tuple[RunId, RunPipes]]:
        return iter(self._runs.items())

    def of(self, run: RunId) -> RunPipes | None:
        return self._runs.get(run)

    def make(self, run: RunId) -> RunPipes:
        """Two new pipes; raises OSError."""
        out = os.pipe2(os.O_CLOEXEC)
        try:
            err = os.pipe2(os.O_CLOEXEC)
        except OSError:
            for fd in out:
                os.close(fd)
            raise
        entry = self._runs[run] = RunPipes((out[1], err[1]))
        for stream, (read, _) in enumerate((out, err)):
            self._newest += 1
            entry.read[self._newest] = (stream, read)
            self._by_channel[self._newest] = run
        entry.undrained = set(entry.read)
        return entry

    def drained(self, channel: int, closed: bool) -> None:
        """The logger has emptied it, and if `closed` seen its end."""
        run = self._by_channel.get(channel)
        if run is None:
            return
        entry = self._runs[run]
        entry.undrained.discard(channel)
        if closed:
            _, fd = entry.read.pop(channel)
            os.close(fd)
            del self._by_channel[channel]
        if not entry.read and entry.write is None:
            del self._runs[run]
        if entry.write is None and not entry.undrained:
            entry.tell_drained()

    def letters(self, run: RunId, channel: int = 0) -> list[tuple[Open | End, tuple[int, ...]]]:
        """What the logger must be told of this run, or only of one of its channels."""
        entry = self._runs[run]
        letters: list[tuple[Open | End, tuple[int, ...]]] = [
            (Open(run, number, stream), (fd,)) for number, (stream, fd) in entry.read.items() if channel in (0, number)
        ]
        if entry.write is None:
            letters.append((End(run), ()))
        return letters

    def run_of(self, channel: int) -> RunId | None:
        return self._by_channel.get(channel)
