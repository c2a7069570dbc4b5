"""Who is left below us, and how does a signal reach all of them without ever hitting a stranger?

As PID 1 that is everybody in our namespace (kill(2), pid -1). As a child subreaper (PR_SET_CHILD_SUBREAPER(2const)) it is our
descendants: every orphan of theirs becomes our child, so "we have no child" proves "nobody is left". Each is held by a
pidfd before it is looked at, so that a number that changes hands is never signalled.

Kept small for the minimal init: `os` and the C half of `signal`, whose Python half loads `enum` (docs/decisions/tini.md).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Iterator
else:
    import _signal

__all__ = [
    "can_look",
    "has_children",
    "is_namespace_init",
    "signal_everybody",
    "somebody_else_lives",
]

_LOOKS = 10  # whoever loses its parent while we look turns up in the next one; a fork bomb must not keep us looking


def is_namespace_init() -> bool:
    return os.getpid() == 1


def can_look() -> bool:
    """Whether our descendants can be found: there is a /proc and it is ours (FACTS: `nsenter -p` leaves a stale one)."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def has_children() -> bool:
    """Whether any child is left, a zombie included (waitid(2): ECHILD)."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def somebody_else_lives() -> bool:
    """As PID 1: whether any other process is in our namespace, also one that entered it from outside."""
    return _kill_all(0)


def signal_everybody(*numbers: int) -> None:
    """Send these signals once to everybody who is left. Who is born while we look may be missed."""
    if is_namespace_init():
        for number in numbers:
            _kill_all(number)
        return
    told: set[tuple[int, int]] = set()
    for _ in range(_LOOKS):
        before = len(told)
        for pidfd in _descendants(told):
            for number in numbers:
                _send(pidfd, number)
        if len(told) == before:
            return


def _kill_all(number: int) -> bool:
    """kill(-1): False when there was nobody. Only ever as the init of a namespace, where -1 means exactly that namespace."""
    if os.getpid() != 1:
        raise AssertionError("kill(-1) outside of PID 1 would hit the whole machine")
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _send(pidfd: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib is one of those that cost
        _signal.pidfd_send_signal(pidfd, number)
    except OSError:
        pass  # it has ended, or runs as somebody we may not signal


def _descendants(told: set[tuple[int, int]]) -> Iterator[int]:
    """A pidfd of every process below us that is not in `told`, parents first, each closed when the walk goes on.

    The caller may kill what it is given: children are listed before, and are ours under either parent.
    """
    us = os.getpid()
    path = [(us, -1, _children(us))]
    try:
        while path:
            parent, parent_fd, todo = path[-1]
            if not todo:
                path.pop()
                if parent_fd >= 0:
                    os.close(parent_fd)
                continue
            pid = todo.pop()
            try:
                pidfd = os.pidfd_open(pid)
            except OSError:
                continue  # it has ended; or no fd is to be had: it is found later, nearer to us, when its parent is gone
            ppid, start = _birth(pid)
            # The number may have changed hands before the pidfd pinned it. It is ours if its parent is us, or one of ours
            # whose own number cannot have changed hands (test_a_number_that_changed_hands_is_not_signalled).
            if ppid == us or (ppid == parent and _is_unreaped(parent_fd)):
                path.append((pid, pidfd, _children(pid)))
                if (pid, start) not in told:
                    told.add((pid, start))
                    yield pidfd
            else:
                os.close(pidfd)
    finally:
        for _, pidfd, _ in path[1:]:
            os.close(pidfd)


def _children(pid: int) -> list[int]:
    """The numbers of its children, whichever thread forked them (proc_pid_task(5)); [] when it has ended."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += [int(word) for word in _read(f"/proc/{pid}/task/{thread}/children").split()]
    except OSError:
        pass
    return found


def _birth(pid: int) -> tuple[int, int]:
    """Its parent's number and its start in clock ticks; (0, 0) when it has ended (proc_pid_stat(5))."""
    try:
        # after the name, which may hold blanks and parentheses: state is the 3rd field, ppid the 4th, starttime the 22nd
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        return int(fields[1]), int(fields[19])
    except (OSError, IndexError):
        return 0, 0


def _is_unreaped(pidfd: int) -> bool:
    """Whether its number is still its own: it lives or is a zombie."""
    try:
        _signal.pidfd_send_signal(pidfd, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        chunks = []
        while chunk := os.read(fd, 65536):
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        os.close(fd)
