"""What does a forked child do before it becomes the service's program?

Straight-line code between fork and exec: everything it needs is in the task that was prepared before the fork; no logging, no
imports; it ends in exec or in `_exit`. What fails is written to the errors pipe, which closes by itself at exec.
The order matters: what needs privileges comes before they are given up, the working directory is entered as the service's
user, and signals are let through as soon as none of them can run a handler of ours.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple, NoReturn

from supervisor.kernel.libc import call
from supervisor.kernel.signals import CATCHABLE
from supervisor.kernel.terminal import bring_to_front
from supervisor.model.process import SpawnFailure

__all__ = ["Task", "become", "interpreter_of", "read_report"]

_FAILED: Final = 127  # what shells return for a command that cannot be found; nobody looks at it
_REPORT_MAX = 4096  # PIPE_BUF: written at once or not at all
_ERRORS: Final = 3  # where the errors pipe lies while the program is looked for
_SYS_CLOSE_RANGE: Final = 436  # the same on every architecture; os.closerange may be built to try two billion numbers
_MAX_FD: Final = (1 << 32) - 1
_SHEBANG_MAX = 256  # BINPRM_BUF_SIZE
_OURS = frozenset((errno.ENOMEM, errno.ENFILE, errno.EMFILE))
_GO_ON = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EACCES))


class Task(NamedTuple):
    """A SpawnOrder with everything decided that can be decided before the fork."""

    errors: int
    """Write end of the errors pipe, above 2."""
    candidates: tuple[str, ...]
    """Paths to execute: the first that is there."""
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_dir: str
    stdin: str
    """Path to open, or "" to keep fd 0."""
    stdout: int
    stderr: int
    umask: int
    limits: tuple[tuple[str, int, tuple[int, int]], ...]
    """Name, number, (soft, hard)."""
    cgroup: str
    """Path of the cgroup.procs to write to, or ""."""
    groups: tuple[int, ...] | None
    keep_groups: bool
    """Our own groups will do when we may not change them."""
    gid: int
    """-1: leave it."""
    uid: int
    """-1: leave it."""
    terminal: int = -1
    """Of our session, which it does not leave; -1: it gets a session of its own."""
    ahead: bool = False
    """It is its turn at the terminal."""


def become(task: Task) -> NoReturn:
    """Turn this freshly forked process into the task's program. Called with every signal held back."""
    stage, subject, errors = "session", "", task.errors
    try:
        if task.terminal < 0:
            os.setsid()
        else:
            os.setpgid(0, 0)
            if task.ahead:  # before it can read from there, and while SIGTTOU is held back
                bring_to_front(task.terminal, os.getpid())
        stage = "signals"
        for number in CATCHABLE:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        stage = "stdout"
        os.dup2(task.stdout, 1)
        os.set_inheritable(1, True)  # dup2 of a descriptor onto itself does not
        stage = "stderr"
        os.dup2(task.stderr, 2)
        os.set_inheritable(2, True)
        # before anything that may wait for ever: what others read from must not stay open here
        errors = os.dup2(task.errors, _ERRORS, inheritable=False)
        _close_above(_ERRORS)
        if task.cgroup:
            stage, subject = "cgroup", task.cgroup
            fd = os.open(task.cgroup, os.O_WRONLY | os.O_CLOEXEC)
            os.write(fd, b"0")
            os.close(fd)
        stage, subject = "stdin", task.stdin
        if task.stdin:
            fd = os.open(task.stdin, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
            os.dup2(fd, 0)
            os.close(fd)
        os.set_inheritable(0, True)
        stage = "limits"
        for subject, limit, pair in task.limits:  # noqa: B007 – the subject is what the report names
            resource.prlimit(0, limit, pair)  # whose errors, other than setrlimit's, tell EPERM from EINVAL
        stage, subject = "umask", ""
        os.umask(task.umask)
        if task.groups is not None:
            stage, subject = "groups", ""
            try:
                os.setgroups(task.groups)
            except PermissionError:
                if not task.keep_groups:
                    raise
        if task.gid >= 0:
            stage, subject = "group", str(task.gid)
            os.setresgid(task.gid, task.gid, task.gid)
        if task.uid >= 0:
            stage, subject = "user", str(task.uid)
            os.setresuid(task.uid, task.uid, task.uid)
        if task.working_dir:
            stage, subject = "working_dir", task.working_dir
            os.chdir(task.working_dir)
        stage, subject = "exec", task.argv[0]
        _report(errors, *_execute(task))
    except OSError as error:
        _report(errors, stage, error.errno or errno.EINVAL, subject)
    except MemoryError:
        _report(errors, stage, errno.ENOMEM, subject)
    except BaseException:  # a value that Python refuses: a NUL in an argument, a limit beyond all bounds
        _report(errors, stage, errno.EINVAL, subject)
    finally:
        os._exit(_FAILED)


def _execute(task: Task) -> tuple[str, int, str]:
    """Execute the first candidate that is there; returns stage, errno and subject when none could be. As execvp(3), but a
    file that the kernel cannot execute is an error and no shell script, and a script without its interpreter ends the search."""
    alone = len(task.candidates) == 1
    failure = "exec", errno.ENOENT, task.argv[0]
    for path in task.candidates:
        try:
            os.execve(path, task.argv, task.environment)
        except OSError as error:
            number = error.errno or errno.EINVAL
        if number == errno.ENOENT and (interpreter := interpreter_of(path)):
            return "interpreter", number, interpreter
        if number not in _GO_ON:
            return "exec", number, path
        if alone or (number == errno.EACCES and os.path.exists(path)):  # a folder that is closed to us proves nothing
            failure = "exec", number, path
    return failure


def _close_above(last: int) -> None:
    """Close every descriptor above this one (close_range(2), Linux 5.9)."""
    try:
        call("syscall", _SYS_CLOSE_RANGE, last + 1, _MAX_FD, 0)
    except OSError:
        for name in os.listdir("/proc/self/fd"):
            if int(name) > last:
                with suppress(OSError):  # the listing's own
                    os.close(int(name))


def interpreter_of(path: str) -> str:
    """What a script that is there names in its first line; a program of another kind that is there: its own path, for then its
    dynamic linker is missing. "" when it is not there: then itself is what was not found (execve(2))."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        head = os.read(fd, _SHEBANG_MAX)
        os.close(fd)
    except OSError:
        return ""
    words = head.split(b"\n", 1)[0][2:].split(None, 1) if head.startswith(b"#!") else ()
    return os.fsdecode(words[0]) if words else path


def _report(errors: int, stage: str, number: int, subject: str) -> None:
    os.write(errors, os.fsencode(f"{stage}\0{number}\0{subject}")[:_REPORT_MAX])


def read_report(errors: int) -> SpawnFailure | None:
    """What the child has written before it gave up; None when it was executed. Raises BlockingIOError while it is on its way."""
    report = os.read(errors, _REPORT_MAX)
    if not report:
        return None
    stage, number, subject = os.fsdecode(report).split("\0", 2)
    return SpawnFailure(stage, int(number), subject, ours=int(number) in _OURS)
