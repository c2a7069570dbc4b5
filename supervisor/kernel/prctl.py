"""Which attributes of ourselves does prctl(2) set?"""

from __future__ import annotations

from supervisor.kernel.libc import call

__all__ = ["set_child_subreaper", "set_dumpable", "set_name", "set_parent_death_signal"]

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36


def set_child_subreaper(on: bool = True) -> None:
    """Become the one who adopts our orphaned descendants. Kept over exec, not inherited by fork (PR_SET_CHILD_SUBREAPER)."""
    call("prctl", _PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def set_parent_death_signal(signal: int) -> None:
    """Get this signal when the *thread* that forked us ends; 0 for none. Cleared by fork and by executing a set-user-ID
    program. A parent that ended before the call is not noticed: compare getppid afterwards (PR_SET_PDEATHSIG)."""
    call("prctl", _PR_SET_PDEATHSIG, signal, 0, 0, 0)


def set_name(name: str) -> None:
    """What ps(1) shows as comm; cut to 15 bytes by the kernel (PR_SET_NAME)."""
    call("prctl", _PR_SET_NAME, name.encode(errors="replace"), 0, 0, 0)


def set_dumpable(on: bool) -> None:
    """Whether others of our user may trace us and read our memory (PR_SET_DUMPABLE)."""
    call("prctl", _PR_SET_DUMPABLE, int(on), 0, 0, 0)
