"""How does a test wait for a fact? It looks again and again, for a bounded time, without threads and without sleeping."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["eventually"]

_T = TypeVar("_T")
_LOOK_EVERY = 0.01  # seconds; short beside a fork, long beside a look


def eventually(predicate: Callable[[], _T], timeout: float = 10) -> _T:
    """The first true answer of `predicate`; fails the test when `timeout` seconds pass without one."""
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            name = getattr(predicate, "__qualname__", repr(predicate))
            raise AssertionError(f"not within {timeout} s: {name} still says {answer!r}")
        select.select([], [], [], _LOOK_EVERY)
    return answer
