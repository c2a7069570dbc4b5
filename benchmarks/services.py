"""What do the services do that everybody has to run, and how do we hear of them? One program per kind, and a FIFO that it opens."""

from __future__ import annotations

import fcntl
import os
import select
import shlex
import sys
import time
from pathlib import Path

__all__ = ["Inbox", "crashing", "idle", "is_service", "storm"]

_SLEEP = "987654321"
"""What an idle service sleeps: no other process of a family has this argument."""
_PROGRAM = "bench-service"
_STORM = "orphans.py"
_F_SETPIPE_SZ = 1031  # fcntl(2); fcntl.F_SETPIPE_SZ
_ROOM = 1 << 20  # bytes: what anybody may ask for (pipe(7)), and more than a crash loop writes in one look


def _program(folder: Path, text: str) -> Path:
    path = folder / _PROGRAM
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def idle(folder: Path, inbox: Path) -> Path:
    """Says its number, and sleeps; the FIFO stays open as long as it lives."""
    return _program(folder, f"exec 3>{shlex.quote(str(inbox))}; echo $$ >&3; exec sleep {_SLEEP}")


def crashing(folder: Path, inbox: Path) -> Path:
    """Writes one byte and fails at once."""
    return _program(folder, f"echo >{shlex.quote(str(inbox))}; exit 1")


def storm(folder: Path, inbox: Path, go: Path, orphans: int) -> Path:
    """Leaves orphans behind when it is told to; see orphans.py for what it says."""
    words = (sys.executable, "-ISE", str(Path(__file__).parent / _STORM), str(inbox), str(go), str(orphans), _SLEEP)
    return _program(folder, f"exec {shlex.join(words)}")


def is_service(arguments: list[bytes]) -> bool:
    if arguments[0] == b"sleep":
        return arguments[1:2] == [_SLEEP.encode()]
    return arguments[0] == b"/bin/sh" or any(word.endswith(b"/" + _STORM.encode()) for word in arguments)


class Inbox:
    """A FIFO in which all services of a contender can be heard."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # also a writer: who opens it for writing never waits
        fcntl.fcntl(self._fd, _F_SETPIPE_SZ, _ROOM)
        self._read = b""

    def lines(self, number: int, patience: float) -> list[str]:
        """The next so many lines. Raises TimeoutError."""
        deadline = time.monotonic() + patience
        while self._read.count(b"\n") < number:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                raise TimeoutError(f"{self._read.count(10)} of {number} services were heard of in {patience:.0f} s")
            self._read += os.read(self._fd, _ROOM)
        *found, self._read = self._read.split(b"\n", number)
        return [line.decode() for line in found]

    def forget(self) -> int:
        """How many lines have come; they are gone then."""
        while select.select([self._fd], [], [], 0)[0]:
            self._read += os.read(self._fd, _ROOM)
        count = self._read.count(b"\n")
        self._read = b""
        return count

    def say(self) -> None:
        """Something to read for the one who waits at the other end."""
        os.write(self._fd, b".")

    def listen_only(self) -> None:
        """We are a writer no more: from now on `silence` can come."""
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        os.close(self._fd)
        self._fd = reader

    def silence(self, patience: float) -> None:
        """Waits until no service has it open any more: until they all have ended. Raises TimeoutError."""
        poll = select.poll()
        poll.register(self._fd, 0)  # POLLHUP only; it is always reported
        if not poll.poll(patience * 1e3):
            raise TimeoutError(f"services were left {patience:.0f} s after the stop signal")

    def close(self) -> None:
        os.close(self._fd)
