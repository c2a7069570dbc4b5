"""How does it look? Colours, symbols, durations, sizes and columns; and nothing that was read from elsewhere reaches a
terminal unescaped.

What is piped is stable: no colours, no clipping, no terminal's width.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

__all__ = [
    "Look",
    "columns",
    "escape",
    "human_duration",
    "human_size",
    "look_of",
    "say_json",
    "speaks_utf8",
    "wants_colour",
]

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "dim": "2", "bold": "1"}  # SGR (ECMA-48)
_ASCII = {
    "●": "*",
    "◐": "o",
    "○": "-",
    "✗": "x",
    "↻": "r",
    "✓": "+",
    "→": "->",
    "←": "<-",
    "·": "-",
    "…": "...",
    "├─": "|-",
    "└─": "`-",
    "│": "|",
}

# What can move a cursor, reverse text or end a line: C0 and C1 controls, line separators, marks of bidirectional text
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CONTROLS}


class Look:
    """What the place we print to can show."""

    __slots__ = ("colour", "terminal", "utf8", "width")

    def __init__(self, colour: bool = False, utf8: bool = True, width: int = 0, terminal: bool = False) -> None:
        self.terminal = terminal
        self.colour = colour
        self.utf8 = utf8
        self.width = width
        """Columns of the terminal; 0 when it is none, or does not say."""

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour and colour and text else text

    def sign(self, symbol: str) -> str:
        return symbol if self.utf8 else _ASCII[symbol]


def look_of(stream: TextIO, color: str, environ: Mapping[str, str]) -> Look:
    """The look of what is written to this stream; `color` is what --color said, or ""."""
    terminal = stream.isatty()
    width = 0
    if terminal:
        try:  # noqa: SIM105 - contextlib is one module more for every command
            width = os.get_terminal_size(stream.fileno()).columns
        except OSError:
            pass
    return Look(wants_colour(color, terminal, environ), speaks_utf8(_inherited(environ)), width, terminal)


def wants_colour(color: str, terminal: bool, environ: Mapping[str, str]) -> bool:
    """--color, then FORCE_COLOR, then NO_COLOR (no-color.org), then whether it is a terminal that is not dumb."""
    if color in ("always", "never"):
        return color == "always"
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    if environ.get("NO_COLOR"):
        return False
    return terminal and environ.get("TERM") != "dumb"


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale that was asked for is a UTF-8 one: the first that is set counts (locale(7))."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if environ.get(name):
            return environ[name].lower().replace("-", "").endswith("utf8")
    return False


def _inherited(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment as it was before the interpreter wrote LC_CTYPE=C.UTF-8 into it (PEP 538)."""
    if environ.get("LC_CTYPE") != "C.UTF-8":
        return environ
    try:
        with open("/proc/self/environ", "rb") as file:
            given = b"\0LC_CTYPE=" in b"\0" + file.read()
    except OSError:
        return environ
    return environ if given else {name: value for name, value in environ.items() if name != "LC_CTYPE"}


def escape(text: object) -> str:
    """The text with its control characters spelled out, on one line."""
    return str(text).translate(_ESCAPES)


def human_duration(seconds: float) -> str:
    """`41s`, `2h 11m`, `3d 4h`: the two largest units that matter."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d {hours % 24}h"
    if hours:
        return f"{hours}h {minutes % 60}m"
    return f"{minutes}m {whole % 60}s" if minutes else f"{whole}s"


def human_size(count: float) -> str:
    """`512K`, `61M`, `1.5G` (1024)."""
    for unit in ("B", "K", "M", "G"):
        if count < 1000:
            return f"{count:.0f}{unit}" if count >= 10 or unit == "B" else f"{count:.1f}{unit}"
        count /= 1024
    return f"{count:.1f}T"


def columns(rows: Sequence[Sequence[str]], right: frozenset[int], look: Look, taken: int = 0) -> list[str]:
    """Lines of aligned columns, two spaces between them; those in `right` end together. Clipped to the terminal, of whose
    width `taken` is in use."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append(_clip("  ".join(cells).rstrip(), look, taken))
    return lines


def say_json(document: Mapping[str, Any]) -> None:  # Any: JSON
    """One line on stdout, in ASCII: safe for any terminal, stable for any program."""
    from supervisor.wire.plainjson import dumps

    sys.stdout.write(dumps(document) + "\n")


def _clip(line: str, look: Look, taken: int) -> str:
    room = look.width - taken
    if not look.width or len(line) <= room:
        return line
    mark = look.sign("…")
    return line[: room - len(mark)] + mark
