"""Does a text match a pattern that somebody else wrote? Within a bounded time, whatever the pattern is.

Rule: the clock is our own processor time (ITIMER_VIRTUAL), so that a busy machine makes no match fail. Python's `re` looks at
pending signals while it backtracks, and the handler raises (docs/decisions/logger.md).
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

__all__ = ["MATCH_TIME", "TooSlow", "install", "within"]

MATCH_TIME = 0.05  # seconds of processor time (SERVICES §7)

_T = TypeVar("_T")
_armed = False


class TooSlow(Exception):
    """The time was over before the answer was there."""


def install() -> None:
    """Take SIGVTALRM; once per process."""
    signal.signal(signal.SIGVTALRM, _over)


def _over(number: int, frame: FrameType | None) -> None:
    if _armed:
        raise TooSlow


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """What `work` answers; raises TooSlow after so much processor time."""
    global _armed
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    _armed = True
    try:
        return work()
    finally:
        _armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled within the time of a match; raises TooSlow, re.error."""
    return within(MATCH_TIME, lambda: re.compile(pattern))
