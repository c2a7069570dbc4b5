"""Who has ended? The only module in the program that waits for children.

Rules: an exit is peeked at first and reaped later, so that between the two its number, its pidfd and its traces in /proc are
still its own. Stops and continues are no news to us, but for the one child that has our terminal.
"""

from __future__ import annotations

import os

from supervisor.kernel.port import Zombie
from supervisor.model.process import Exit

__all__ = ["peek", "reap", "stopped_by"]

_PEEK = os.WEXITED | os.WNOHANG | os.WNOWAIT
_REAP = os.WEXITED | os.WNOHANG


def peek() -> Zombie | None:
    """A child that has ended, left as it is: the same one again until it is reaped. None when there is none (waitid(2))."""
    try:
        found = os.waitid(os.P_ALL, 0, _PEEK)
    except ChildProcessError:
        return None
    if found is None:
        return None
    if found.si_code == os.CLD_EXITED:
        return Zombie(found.si_pid, Exit(code=found.si_status))
    return Zombie(found.si_pid, Exit(signal=found.si_status, core=found.si_code == os.CLD_DUMPED))


def reap(pid: int, pidfd: int = -1) -> None:
    """Free the number of a zombie that `peek` has shown. Nothing happens to a process that still runs or is no child of ours."""
    if pidfd >= 0:
        try:
            os.waitid(os.P_PIDFD, pidfd, _REAP)
        except ChildProcessError:
            return
        except OSError:
            pass  # Linux 5.3 has pidfds, but P_PIDFD came with 5.4
        else:
            return
    try:
        os.waitid(os.P_PID, pid, _REAP)
    except ChildProcessError:
        return


def stopped_by(pid: int) -> int:
    """The signal that has stopped this child since we asked last; 0 when none has, or it is no child of ours (waitid(2))."""
    try:
        found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG)
    except ChildProcessError:
        return 0
    return 0 if found is None else found.si_status
