"""How is a duration written? `250ms`, `10s`, `1m30s`, `2h`; a plain number is seconds."""

from __future__ import annotations

__all__ = ["duration"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # seconds
_DIGITS = frozenset("0123456789.")
_LONGEST = 1e9  # seconds, 31 years: more is a slip of the finger, and no clock call overflows below it


def duration(text: str) -> float:
    """The seconds this text means, as a plain number; raises ValueError when it means none.

    Units stand from large to small, each at most once. No `re` and no `typing` here: a minimal init that loads them takes
    twice the time to start (docs/decisions/tini.md).
    """
    rest = text.strip()
    if not rest:
        raise ValueError("a duration is missing")
    total, smallest = 0.0, _LONGEST
    while rest:
        number = _leading(rest, _DIGITS)
        rest = rest[len(number) :]
        unit = _leading(rest, frozenset("msdh"))
        rest = rest[len(unit) :]
        if not unit and not rest and smallest == _LONGEST:
            unit = "s"
        if number.count(".") > 1 or not number.strip(".") or _UNITS.get(unit, _LONGEST) >= smallest:
            raise ValueError(f"{text} is no duration; write 250ms, 10s, 1m30s, 2h, or a number of seconds")
        smallest = _UNITS[unit]
        total += float(number) * smallest
    if total >= _LONGEST:
        raise ValueError(f"{text} is longer than 31 years")
    return total


def _leading(text: str, letters: frozenset[str]) -> str:
    end = 0
    while end < len(text) and text[end] in letters:
        end += 1
    return text[:end]
