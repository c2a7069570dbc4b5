"""How does a test sit at a terminal? It is the shell: the leader of a session whose terminal is the slave of a pseudo-terminal
(pty(7)), and it types at the master.

Only for bodies that run in a world of their own (`tests.isolation`).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios
from collections.abc import Callable, Sequence
from typing import Any

from tests.eventually import eventually

__all__ = ["INTERRUPT", "SUSPEND", "TALKER", "Shell", "child_of"]

INTERRUPT, SUSPEND = b"\x03", b"\x1a"
_PATIENCE = 20.0  # seconds

TALKER = """
import os, select, _signal
def note(number, frame):
    os.write(1, b"interrupted\\n")
inbox, outbox = os.pipe()
os.set_blocking(outbox, False)
_signal.set_wakeup_fd(outbox)  # a signal that comes just before we wait does not wait with us
_signal.signal(_signal.SIGINT, note)
os.write(1, b"talking\\n")
line = b""
while line != b"\\n":
    if inbox in select.select([0, inbox], [], [])[0]:
        os.read(inbox, 100)
    elif (line := os.read(0, 100)) != b"\\n":
        os.write(1, b"heard " + line)
"""
"""A program for tests.minimal.python: counts Ctrl-C, echoes lines, ends at an empty one."""


class Shell:
    """This process, as a shell with job control would be. Its terminal neither echoes nor changes newlines."""

    def __init__(self) -> None:
        os.setsid()
        self.keys, self.terminal = os.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSCTTY, 0)
        mode = termios.tcgetattr(self.terminal)
        mode[1] &= ~termios.OPOST
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(self.terminal, termios.TCSANOW, mode)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        self.seen = b""

    def run(
        self,
        *words: str,
        ahead: bool = True,
        stdio: Sequence[int] = (),
        become: Callable[..., Any] = lambda *words: os.execv(words[0], words),
    ) -> int:
        """Start a job, on the terminal or with these fds 0-2; its process group, which is its first process."""
        job = os.fork()
        if job == 0:
            try:
                os.setpgid(0, 0)
                if ahead:
                    os.tcsetpgrp(self.terminal, os.getpid())
                for fd, given in enumerate(stdio or (self.terminal,) * 3):
                    os.dup2(given, fd)
                signal.pthread_sigmask(signal.SIG_SETMASK, [])
                signal.setitimer(signal.ITIMER_REAL, 0)
                become(*words)
            finally:
                os._exit(99)
        return job

    def type(self, keys: bytes) -> None:
        os.write(self.keys, keys)

    def line(self) -> str:
        """The next line on the terminal."""
        while b"\n" not in self.seen:
            assert select.select([self.keys], [], [], _PATIENCE)[0], f"nothing more than {self.seen!r}"
            self.seen += os.read(self.keys, 65536)
        first, _, self.seen = self.seen.partition(b"\n")
        return first.decode()

    def reads(self, line: str) -> None:
        """The next line on the terminal is this one."""
        assert self.line() == line

    def reads_on_to(self, text: str) -> str:
        """The first line from here on that contains this."""
        skipped = []
        try:
            while text not in (line := self.line()):
                skipped.append(line)
        except BaseException as failure:
            failure.add_note(f"waiting for {text!r} after {skipped}")
            raise
        return line

    def sees_stopped(self, job: int) -> int:
        """The signal that stopped the job, as a shell learns it."""
        found = eventually(lambda: os.waitid(os.P_PID, job, os.WSTOPPED | os.WEXITED | os.WNOHANG))
        assert found is not None
        assert found.si_code == os.CLD_STOPPED
        return found.si_status

    def sees_ended(self, job: int) -> int:
        found = eventually(lambda: os.waitid(os.P_PID, job, os.WEXITED | os.WNOHANG))
        assert found is not None
        assert found.si_code == os.CLD_EXITED
        return found.si_status

    def bring_back(self, job: int) -> None:
        """What `fg` does."""
        os.tcsetpgrp(self.terminal, job)
        os.kill(-job, signal.SIGCONT)

    def whose_turn(self) -> int:
        return os.tcgetpgrp(self.terminal)


def child_of(pid: int) -> int:
    def look() -> int:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return int((file.read().split() or ["0"])[0])

    return eventually(look)
