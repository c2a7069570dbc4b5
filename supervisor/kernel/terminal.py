"""Whose turn is it at the terminal? The controlling terminal and its foreground process group (tty(4), setpgid(2)).

Rule: who is not in the foreground may only call `bring_to_front` with SIGTTOU blocked, else it is stopped (tcsetpgrp(3)).
"""

from __future__ import annotations

import os

__all__ = ["bring_to_front", "controlling_terminal", "foreground_group", "retake", "tell_group"]


def controlling_terminal() -> int | None:
    """A new fd of our session's terminal, closed on exec; None when the session has none.

    /dev/tty first: stdin may be a pipe while the terminal is what the user types at.
    """
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        pass  # no terminal, or a /dev without that file: then one of the standard fds may still lead to it
    for fd in (0, 1, 2):
        try:
            os.tcgetpgrp(fd)  # ENOTTY unless it is our controlling terminal
            return os.dup(fd)
        except OSError:
            continue
    return None


def foreground_group(terminal: int) -> int:
    """The process group whose turn it is; 0 when there is none or the terminal has hung up (tcgetpgrp(3))."""
    try:
        return max(os.tcgetpgrp(terminal), 0)
    except OSError:
        return 0


def bring_to_front(terminal: int, group: int) -> bool:
    """Make this group of our session the one whose turn it is; False when the terminal refused (it hung up, the group is gone)."""
    try:
        os.tcsetpgrp(terminal, group)
    except OSError:
        return False
    return True


def retake(terminal: int, ours: int, lent: int) -> None:
    """Give the terminal's foreground, which was lent to a group, back to ours; not when others have it by now, who live. What
    comes after us, a script's next line, would else be stopped at its first read."""
    ahead = foreground_group(terminal)
    if ahead not in (0, ours) and (ahead == lent or not _is_a_group(ahead)):
        bring_to_front(terminal, ours)


def tell_group(group: int, signal: int) -> None:
    """Send a signal to a process group whose leader is our child and not reaped: so its number is its own (kill(2))."""
    try:  # noqa: SIM105 - contextlib costs the minimal init 1 ms
        os.kill(-group, signal)
    except OSError:
        pass  # nobody is in it, or nobody whom we may signal


def _is_a_group(number: int) -> bool:
    try:
        os.kill(-number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
