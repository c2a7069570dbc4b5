"""How is a place in a file shown? The line, and below it a caret."""

from __future__ import annotations

__all__ = ["excerpt"]

_WIDTH = 110  # columns; a longer line is cut around the place


def excerpt(line: str, column: int) -> str:
    """Two lines: the text, and a caret under the given column (from 1)."""
    index = min(max(column - 1, 0), len(line))
    start = 0
    if len(line) > _WIDTH:
        start = max(0, min(index - _WIDTH // 2, len(line) - _WIDTH))
    shown = line[start : start + _WIDTH].rstrip()
    before = line[start:index]
    return ("…" if start else "") + shown + "\n" + (" " if start else "") + _blank(before) + "^"


def _blank(text: str) -> str:
    """Spaces as wide as the text on a terminal."""
    if text.isascii():
        return "".join("\t" if one == "\t" else " " for one in text)
    from unicodedata import combining, east_asian_width

    return "".join("" if combining(one) else "  " if east_asian_width(one) in "WF" else " " for one in text)
