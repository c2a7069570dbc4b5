"""How do lines look on our stdout? With a short local time and colours on a terminal, with a full one in UTC elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Literal, TypeAlias

from supervisor.wire.logline import prefix_for, prefixed, visible

__all__ = ["Colour", "Style", "iso", "style_for"]

Colour: TypeAlias = Literal["auto", "always", "never"]

_WIDEST = 16  # columns kept for names on a terminal; a longer one pushes its own lines to the right
_SECOND, _MILLI = 1_000_000_000, 1_000_000  # nanoseconds

_at: tuple[int, str] = (-1, "")


def iso(wall: int) -> str:
    """RFC 3339 in UTC with milliseconds; `wall` is nanoseconds since 1970."""
    global _at
    second, rest = divmod(wall, _SECOND)
    if second != _at[0]:
        _at = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    return f"{_at[1]}.{rest // _MILLI:03d}Z"


class Style:
    """How one output shows lines."""

    def __init__(self, terminal: bool = False, colour: bool = False) -> None:
        self._terminal = terminal
        self._colour = colour
        self._width = 0
        self._second = -1
        self._clock = ""

    def widen(self, service: str) -> None:
        """Make room for this name."""
        self._width = max(self._width, min(len(service), _WIDEST))

    def show(self, lines: bytes, service: str, stream: int, wall: int) -> bytes:
        """Complete lines of one service as they are written out."""
        if not self._terminal:
            return prefixed(lines, prefix_for(iso(wall), service, 0, self._colour, stream == 1))
        prefix = prefix_for(self._local(wall), service, self._width, self._colour, stream == 1)
        return prefixed(visible(lines), prefix)

    def _local(self, wall: int) -> str:
        second, rest = divmod(wall, _SECOND)
        if second != self._second:
            self._second, self._clock = second, time.strftime("%H:%M:%S", time.localtime(second))
        return f"{self._clock}.{rest // _MILLI:03d}"


def style_for(fd: int, colour: Colour = "auto", environment: Mapping[str, str] = os.environ) -> Style:
    """What suits the output: `colour`, then FORCE_COLOR, NO_COLOR, a terminal that is not dumb (CLI.md, Habits)."""
    terminal = os.isatty(fd)
    if colour == "auto":
        wanted = terminal and environment.get("TERM") != "dumb"
        if environment.get("NO_COLOR"):
            wanted = False
        if environment.get("FORCE_COLOR"):
            wanted = True
    else:
        wanted = colour == "always"
    return Style(terminal, wanted)
