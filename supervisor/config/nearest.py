"""Which of the known words was meant?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

__all__ = ["nearest"]

_ALIKE = 0.6  # difflib's ratio: "comand" and "command" have 0.92, "wbe" and "web" 0.67
_LONGEST = 64
_MOST = 2000  # candidates; each costs up to 20 µs


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "" when none is like it."""
    from difflib import get_close_matches  # only who makes a mistake pays for it

    near = get_close_matches(word[:_LONGEST].lower(), list(islice(known, _MOST)), n=1, cutoff=_ALIKE)
    return near[0] if near else ""
