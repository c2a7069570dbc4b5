"""How does a test start `pidone init -- CMD`, as PID 1 of a namespace and as somebody's child, and hear what CMD says?

Only for bodies that run in a world of their own (`tests.isolation`): nothing here cleans up.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import supervisor.__main__
from supervisor.kernel.libc import call
from tests.outside.world import PIDONE

__all__ = ["WAYS", "Started", "call_it", "python", "start", "state_of"]

WAYS = ("as pid 1", "as a child", "called as pid 1", "called as a child")
"""The installed command, and the program's function in a forked child of the test (which is where coverage can see it)."""

_PATIENCE = 20.0  # seconds


def python(code: str) -> tuple[str, ...]:
    """A command that runs these statements, in an interpreter that starts fast."""
    return (sys.executable, "-I", "-S", "-c", code)


class Started:
    """One running `pidone init`."""

    def __init__(self, pid: int, said: int) -> None:
        self.pid = pid
        self._said = said
        self._text = b""

    def line(self) -> str:
        """The next whole line that it or CMD has written to stdout or stderr."""
        while b"\n" not in self._text:
            if not self._more():
                raise AssertionError(f"no line, but the end: {self._text!r}")
        line, _, self._text = self._text.partition(b"\n")
        return line.decode()

    def rest(self) -> str:
        """Everything it says until nobody is left who could say anything."""
        while self._more():
            pass
        text, self._text = self._text.decode(), b""
        return text

    def _more(self) -> bool:
        if not select.select([self._said], [], [], _PATIENCE)[0]:
            raise AssertionError(f"silent for {_PATIENCE} s after {self._text!r}")
        chunk = os.read(self._said, 65536)
        self._text += chunk
        return bool(chunk)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def ends(self) -> int:
        """Its exit status, or minus the signal that killed it."""
        pidfd = os.pidfd_open(self.pid)
        ended, _, _ = select.select([pidfd], [], [], _PATIENCE)
        os.close(pidfd)
        assert ended, f"it still runs after {_PATIENCE} s: {self._text!r}"
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def start(
    *words: str,
    way: str = "as a child",
    stdio: Sequence[int] | None = None,
    prepare: Callable[[], Any] = lambda: None,
    environment: dict[str, str] | None = None,
) -> Started:
    """Start `pidone init WORDS`. `stdio` are its fds 0-2, by default /dev/null and a pipe; `prepare` runs in the new process.

    As PID 1 only once per world: this process forks into the new namespace from then on.
    """
    read_end, write_end = os.pipe()
    if "pid 1" in way:
        call("unshare", 0x20000000)  # CLONE_NEWPID
    pid = os.fork()
    if pid:
        os.close(write_end)
        return Started(pid, read_end)
    try:
        _become(words, way, stdio or (os.open("/dev/null", os.O_RDWR), write_end, write_end), prepare, environment)
    except BaseException as failure:
        os.write(2, f"{failure!r}\n".encode())
    finally:
        os._exit(99)


def _become(
    words: Sequence[str],
    way: str,
    stdio: Sequence[int],
    prepare: Callable[[], Any],
    environment: dict[str, str] | None,
) -> NoReturn:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for fd, given in enumerate(stdio):
        os.dup2(given, fd)
    if "pid 1" in way:
        call("unshare", 0x00020000)  # CLONE_NEWNS
        call("mount", b"proc", b"/proc", b"proc", 0, None)
    prepare()
    if not way.startswith("called"):
        os.execve(PIDONE, ["pidone", "init", *words], dict(os.environ) if environment is None else environment)
    if environment is not None:
        os.environ.clear()
        os.environ.update(environment)
    call_it(*words)


def call_it(*words: str) -> NoReturn:
    """Be `pidone init WORDS` without executing anything: in this interpreter, where coverage sees it."""
    stays: Any = supervisor.__main__
    stays._again = lambda *arguments: None
    sys.argv = ["pidone", "init", *words]
    supervisor.__main__.main()
    raise AssertionError("it came back")


def state_of(pid: int) -> str:
    """The state's letter: S sleeps, T is stopped, Z is a zombie; "" for who is not there (proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
