"""Which file descriptors do we hold, and what happens when there are no more?

Rules: 0–2 are always open; nothing that was inherited by accident is handed on; a few descriptors are kept back so that at
EMFILE we can still look at /proc.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import resource
from collections.abc import Callable, Collection, Iterator
from typing import ParamSpec, TypeVar

__all__ = ["even_when_full", "open_standard", "raise_limit", "seal_strays"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_RESERVE = 16  # descriptors between our own soft limit and the hard one: two are needed at once, to list a directory
_NULL = "/dev/null"


def open_standard() -> None:
    """See to it that 0, 1 and 2 are open, on /dev/null where nobody gave us any: else the next file opened becomes our stdout."""
    while (fd := os.open(_NULL, os.O_RDWR | os.O_CLOEXEC)) < 3:
        os.set_inheritable(fd, True)
    os.close(fd)


def seal_strays(keep: Collection[int] = ()) -> tuple[int, ...]:
    """Mark every descriptor from 3 on close-on-exec, but those in `keep`; returns those that were not marked before."""
    strays = []
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd < 3 or fd in keep:
            continue
        with contextlib.suppress(OSError):  # the listing's own descriptor is closed by now
            if os.get_inheritable(fd):
                os.set_inheritable(fd, False)
                strays.append(fd)
    return tuple(strays)


def raise_limit() -> int:
    """Raise our own soft limit of open files to the hard one, less the reserve; returns the soft limit that we were started
    with, which is what services get (a high one makes some of them close a million descriptors, a low one kills them)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard > 4 * _RESERVE:
        with contextlib.suppress(OSError):  # fs.nr_open was lowered below the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard - _RESERVE, hard))
    return soft


@contextlib.contextmanager
def _reserve() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft + _RESERVE, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def even_when_full(look: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a function that only opens and closes again work at EMFILE, from the reserve: it is called a second time."""

    @functools.wraps(look)
    def looking(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return look(*args, **kwargs)
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
        with _reserve():
            return look(*args, **kwargs)

    return looking
