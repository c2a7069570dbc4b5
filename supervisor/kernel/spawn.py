"""How is a new process made? Two ways with one result.

`fast` is posix_spawn (a vfork: its price does not depend on our size, but we sleep until the program is executed); umask,
working directory and limits are set in ourselves around it and always put back. `safe` is fork and the straight-line code of
`child.py`: for whatever fast cannot do, and for paths on file systems that could hang. Either way the program gets a session of
its own (but for the command in our terminal's foreground), an empty signal mask, default dispositions, exactly the descriptors
0–2 and its own tag.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from supervisor.kernel.child import Task, become, interpreter_of
from supervisor.kernel.libc import load
from supervisor.kernel.limits import NUMBERS
from supervisor.kernel.pidfd import open_pidfd
from supervisor.kernel.port import Born, SpawnOrder
from supervisor.kernel.signals import CATCHABLE, held
from supervisor.kernel.terminal import controlling_terminal, foreground_group
from supervisor.model.plan import Identity
from supervisor.model.process import SpawnFailure

__all__ = ["Spawner"]

_NULL = "/dev/null"
_SHORTAGE = frozenset((errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
_SIGPENDING, _NOFILE = NUMBERS["sigpending"], NUMBERS["nofile"]


class Spawner:
    """Makes processes. Holds one descriptor: the directory to come back to."""

    def __init__(self, nofile: int) -> None:
        """`nofile` is the soft limit of open files for programs whose order names none."""
        self._nofile = nofile
        self._home = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def spawn(self, order: SpawnOrder) -> Born | SpawnFailure:
        """Make the process; never raises for what the order or the machine can bring about."""
        lifted: list[int] = []
        try:
            stdout = _lift(order.stdout, 1, lifted)
            stderr = _lift(order.stderr, 2, lifted)
            if _fast_can(order):
                return self._fast(order, stdout, stderr)
            return self._safe(order, stdout, stderr)
        except OSError as error:  # descriptors to begin with, or the fork
            return SpawnFailure("fork", error.errno or errno.EINVAL, ours=True)
        finally:
            for fd in lifted:
                os.close(fd)

    def _fast(self, order: SpawnOrder, stdout: int, stderr: int) -> Born | SpawnFailure:
        stdin = (
            (os.POSIX_SPAWN_DUP2, 0, 0) if order.stdin == "inherit" else (os.POSIX_SPAWN_OPEN, 0, _NULL, os.O_RDONLY, 0)
        )
        umask = os.umask(order.umask)
        try:
            if order.working_dir:
                try:
                    os.chdir(order.working_dir)
                except OSError as error:
                    return SpawnFailure("working_dir", error.errno or errno.EINVAL, order.working_dir)
            with _soft(_NOFILE, self._files()[0]), _soft(_SIGPENDING, order.tag):
                pid = os.posix_spawn(
                    order.executable,
                    order.argv,
                    order.environment,
                    file_actions=(stdin, (os.POSIX_SPAWN_DUP2, stdout, 1), (os.POSIX_SPAWN_DUP2, stderr, 2)),
                    setsid=True,
                    setsigmask=(),
                    # glibc leaves its own two, 32 and 33, ignored in the child; who uses them sets them
                    setsigdef=CATCHABLE,
                )
        except OSError as error:
            return _not_executed(order.executable, error.errno or errno.EINVAL)
        except ValueError:  # a NUL in an argument, an = in the name of a variable
            return SpawnFailure("exec", errno.EINVAL, order.executable)
        finally:
            if order.working_dir:
                os.fchdir(self._home)
            os.umask(umask)
        return Born(pid, open_pidfd(pid))

    def _safe(self, order: SpawnOrder, stdout: int, stderr: int) -> Born:
        if order.identity is not None:
            _give(stdout, order.identity.uid)
            _give(stderr, order.identity.uid)
        load()  # the child must not have to
        inbox, errors = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        terminal = controlling_terminal() if order.foreground else None
        try:
            task = self._task(order, stdout, stderr, errors)
            if terminal is not None:
                task = task._replace(terminal=terminal, ahead=foreground_group(terminal) == os.getpgrp())
            with held():
                pid = os.fork()
                if pid == 0:
                    become(task)
        except BaseException:
            os.close(inbox)
            raise
        finally:
            os.close(errors)
            if terminal is not None:
                os.close(terminal)
        return Born(pid, open_pidfd(pid), inbox)

    def _task(self, order: SpawnOrder, stdout: int, stderr: int, errors: int) -> Task:
        who = order.identity
        groups, keep_groups = (None, False) if who is None else _groups(who)
        return Task(
            errors=errors,
            candidates=_candidates(order),
            argv=order.argv,
            environment=order.environment,
            working_dir=order.working_dir,
            stdin=_stdin(order),
            stdout=stdout,
            stderr=stderr,
            umask=order.umask,
            limits=self._limits(order),
            cgroup=f"{order.cgroup}/cgroup.procs" if order.cgroup else "",
            groups=groups,
            keep_groups=keep_groups,
            gid=-1 if who is None or os.getresgid() == (who.gid,) * 3 else who.gid,
            uid=-1 if who is None or os.getresuid() == (who.uid,) * 3 else who.uid,
        )

    def _files(self) -> tuple[int, int]:
        hard = resource.getrlimit(_NOFILE)[1]
        return min(self._nofile, hard), hard

    def _limits(self, order: SpawnOrder) -> tuple[tuple[str, int, tuple[int, int]], ...]:
        pairs = dict(order.limits)
        if "nofile" not in pairs:
            pairs["nofile"] = self._files()
        if order.tag:
            pairs["sigpending"] = (order.tag, resource.getrlimit(_SIGPENDING)[1])
        return tuple((name, NUMBERS[name], pair) for name, pair in pairs.items())


def _fast_can(order: SpawnOrder) -> bool:
    return (
        order.way == "fast"
        and order.executable != ""
        and order.identity is None
        and order.stdin in ("null", "inherit")
        and not order.limits
        and not order.cgroup
        and not order.foreground
    )


def _lift(fd: int, place: int, lifted: list[int]) -> int:
    """A copy above 2 of a descriptor that would be overwritten before its turn comes."""
    if fd > 2 or fd == place:
        return fd
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    lifted.append(copy)
    return copy


@contextmanager
def _soft(number: int, value: int) -> Iterator[None]:
    """Our own soft limit is another one inside; with 0 as it is."""
    if not value:
        yield
        return
    soft, hard = resource.getrlimit(number)
    resource.setrlimit(number, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(number, (soft, hard))


def _not_executed(path: str, number: int) -> SpawnFailure:
    """posix_spawn does not say which step failed: a shortage is the fork's, everything else the program's."""
    if number in _SHORTAGE:
        return SpawnFailure("fork", number, ours=True)
    if number == errno.ENOENT and (interpreter := interpreter_of(path)):
        return SpawnFailure("interpreter", number, interpreter)
    return SpawnFailure("exec", number, path)


def _give(fd: int, uid: int) -> None:
    """A pipe belongs to who made it, and only its owner may reopen it as /dev/stdout: give it to the service's user."""
    with suppress(OSError):  # without privileges it stays ours, and so does the service
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.fchown(fd, uid, -1)


def _groups(who: Identity) -> tuple[tuple[int, ...] | None, bool]:
    """The supplementary groups to set, None when we have just these; and whether ours will do where they may not be set:
    the same user with no group more than we have (a user namespace with setgroups denied)."""
    ours, wanted = {*os.getgroups(), os.getegid()}, {*who.groups, who.gid}
    ourselves = os.getresuid() == (who.uid,) * 3 and os.getresgid() == (who.gid,) * 3
    if ourselves and ours == wanted:
        return None, False
    return who.groups, ourselves and wanted <= ours


def _stdin(order: SpawnOrder) -> str:
    if order.stdin == "inherit":
        return ""
    return _NULL if order.stdin == "null" else os.path.join(order.working_dir, order.stdin)


def _candidates(order: SpawnOrder) -> tuple[str, ...]:
    """Where the program may be, as execvp(3) looks for it."""
    if order.executable:
        return (order.executable,)
    name = order.argv[0]
    if "/" in name:
        return (name,)
    path = order.environment.get("PATH", os.defpath)
    return tuple(os.path.join(directory, name) for directory in path.split(os.pathsep))
