"""How is a process held by the hand, whatever becomes of its number? By a pidfd (pidfd_open(2), Linux 5.3)."""

from __future__ import annotations

import os
import signal as _signal

from supervisor.kernel.fds import even_when_full
from supervisor.kernel.port import Person
from supervisor.kernel.procfs import identify

__all__ = ["open_person", "open_pidfd", "send"]


def open_pidfd(pid: int) -> int:
    """A pidfd, close-on-exec, of a living process or a zombie; -1 when there is none such, no fd to be had, or no support.

    The number must be known to be this process' own: a child of ours that nobody has reaped.
    """
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):  # AttributeError: a Python built against headers older than Linux 5.3
        return -1


def open_person(person: Person) -> int:
    """A pidfd of exactly this process, which need not be our child; -1 when it is gone or its number is another's by now.

    Whoever has the number is held first and looked at afterwards: while the one who is held is unreaped, what is seen is him.
    """
    try:
        fd = even_when_full(os.pidfd_open)(person.pid)
    except (OSError, AttributeError):
        return -1
    seen = identify(person.pid)
    if seen is not None and _same(seen, person) and send(person.pid, fd, 0):
        return fd
    os.close(fd)
    return -1


def _same(seen: Person, known: Person) -> bool:
    """The start time alone is not unique: a number that is used again can have the same tick. A parent changes only to us."""
    return seen.start == known.start and seen.tag == known.tag and seen.ppid in (known.ppid, os.getpid())


def send(pid: int, pidfd: int, signal: int) -> bool:
    """Send a signal through the pidfd, or with -1 to the number; 0 only asks. False when the process has been reaped.

    True for one that we may not signal: it is there, and refuses (pidfd_send_signal(2), kill(2)).
    """
    if pid <= 1 and pidfd < 0:
        return False  # never a group, never everybody (test_no_signal_goes_to_more_than_one_process)
    try:
        if pidfd >= 0:
            _signal.pidfd_send_signal(pidfd, signal)
        else:
            os.kill(pid, signal)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
