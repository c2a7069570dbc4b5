"""When is that? RFC 3339 as pidone writes it, and what people write behind --since."""

from __future__ import annotations

import time

from supervisor.wire.durations import duration

__all__ = ["epoch", "since"]


def epoch(text: str) -> float:
    """Seconds since 1970 of `2026-01-31T14:30:00.5+01:00` or `…Z`; raises ValueError for anything else.

    By hand: importing datetime costs a client 3 ms.
    """
    date, clock, offset = text[:10], text[11:19], text[19:]
    fraction = ""
    if offset.startswith("."):
        digits = len(offset) - len(offset[1:].lstrip("0123456789"))
        fraction, offset = offset[:digits], offset[digits:]
    year, month, day = (int(field) for field in date.split("-"))
    hour, minute, second = (int(field) for field in clock.split(":"))
    days = _days(year, month, day)
    return days * 86400 + hour * 3600 + minute * 60 + second + float(fraction or 0) - _offset(offset)


def since(text: str, now: float) -> float:
    """Seconds since 1970 of `10m` (ago), `14:30` (today), `2026-01-31`, or date and time; ValueError else.

    In local time, unless it ends in an offset: what pidone prints (`epoch`) can be copied.
    """
    if ":" not in text and "-" not in text:
        return now - duration(text)
    date, _, clock = text.strip().replace("T", " ").rpartition(" ")
    if not date and "-" in clock:
        date, clock = clock, ""
    offset = clock[-1:] if clock[-1:] in ("Z", "z") else clock[-6:] if clock[-6:-5] in ("+", "-") else ""
    clock, _, fraction = clock.removesuffix(offset).partition(".")
    today = time.localtime(now)
    year, month, day = (int(field) for field in date.split("-")) if date else today[:3]
    hour, minute, second = ((*(int(field) for field in clock.split(":")), 0, 0)[:3]) if clock else (0, 0, 0)
    if not (1970 <= year < 10000 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        raise ValueError(f"{text} is no time; write 10m, 14:30, 2026-01-31, or date and time")
    part = int(fraction) / 10 ** len(fraction) if fraction else 0.0
    if offset:
        return _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second + part - _offset(offset)
    return time.mktime((year, month, day, hour, minute, second, 0, 0, -1)) + part


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March."""
    shifted = year - (month <= 2)
    leaps = shifted // 4 - shifted // 100 + shifted // 400
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + leaps + in_year - 719468


def _offset(text: str) -> int:
    if text in ("Z", "z"):
        return 0
    sign, hours, minutes = text[:1], text[1:3], text[4:6]
    seconds = int(hours) * 3600 + int(minutes) * 60
    return -seconds if sign == "-" else seconds
