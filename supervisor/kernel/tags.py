"""By what is a process known that has left its session, its parents, its environment and its name behind?

By its soft RLIMIT_SIGPENDING: it survives fork, setsid and exec, a zombie still has it, and any user may read it in
/proc/PID/limits. Each live run gets a number of its own, high enough never to be felt (setrlimit(2)).
"""

from __future__ import annotations

import os
import resource

from supervisor.kernel.limits import UNLIMITED

__all__ = ["Tags"]

_UNLIMITED_TOP = 1 << 20  # where tags end when the hard limit is infinite
_ENOUGH = 1024  # below this a tag could be felt, and there would be few of them


class Tags:
    """Hands tags out and takes them back."""

    def __init__(self, limit: tuple[int, int] | None = None, start: int | None = None) -> None:
        """`limit` is our own (soft, hard) RLIMIT_SIGPENDING, `start` the first to be tried; drawn when not given, so that a pidone
        below another one has other tags."""
        own, hard = limit if limit is not None else resource.getrlimit(resource.RLIMIT_SIGPENDING)
        top = _UNLIMITED_TOP if hard == UNLIMITED else hard
        self._own = own
        self._bottom = top // 2
        self._count = top - self._bottom if top >= _ENOUGH else 0
        self._taken: set[int] = set()
        self._next = (int.from_bytes(os.urandom(4), "little") if start is None else start) % max(self._count, 1)

    def new(self) -> int:
        """A tag that nobody has; 0 when there is none to be had."""
        for _ in range(self._count):
            tag = self._bottom + self._next
            self._next = (self._next + 1) % self._count
            if tag != self._own and tag not in self._taken:
                self._taken.add(tag)
                return tag
        return 0

    def free(self, tag: int) -> None:
        """Nobody has it any more."""
        self._taken.discard(tag)
