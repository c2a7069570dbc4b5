"""Which services does an operator's word mean? Names, @groups, or all of them; with a suggestion for a word that means none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from supervisor.model.record import Record
from supervisor.model.words import ServiceName
from supervisor.model.world import World

__all__ = ["Selection", "Unknown", "select", "suggestion"]

_MOST_EDITS = 3  # more than that is no slip of the fingers
_SUGGESTED = 1  # unknown words for which a near one is looked for: PID 1 does that, and a request may name thousands


class Unknown(Record):
    word: str
    suggestion: str
    """The nearest word that exists, or "". Only the first unknown word of a request gets one."""


class Selection(Record):
    names: tuple[ServiceName, ...]
    """In the order of the words, each once."""
    unknown: tuple[Unknown, ...] = ()


def select(world: World, words: Sequence[str], everything: bool = False) -> Selection:
    """The services that the words name; `everything` adds all of them."""
    groups: dict[str, list[ServiceName]] = {}
    for name, service in world.services.items():
        for group in service.plan.spec.groups:
            groups.setdefault(f"@{group}", []).append(name)
    chosen: dict[ServiceName, None] = dict.fromkeys(world.services) if everything else {}
    unknown: list[Unknown] = []
    for word in words:
        if word in groups:
            chosen.update(dict.fromkeys(groups[word]))
        elif word in world.services:
            chosen[ServiceName(word)] = None
        else:
            near = suggestion(word, (*world.services, *groups)) if len(unknown) < _SUGGESTED else ""
            unknown.append(Unknown(word, near))
    return Selection(tuple(chosen), tuple(unknown))


def suggestion(word: str, candidates: Iterable[str]) -> str:
    """The candidate with the fewest edits, if they are few beside the word's length; "" when none is near."""
    best, distance = "", min(max(1, len(word) // 3), _MOST_EDITS) + 1
    letters = set(word)
    for candidate in candidates:
        if len(letters.symmetric_difference(candidate)) < 2 * distance:  # an edit changes two of them at most
            edits = _edits(word, candidate, distance)
            if edits < distance:
                best, distance = candidate, edits
    return best


def _edits(left: str, right: str, enough: int) -> int:
    """Insertions, deletions, replacements and swaps of neighbours from one to the other; stops counting at `enough`."""
    if abs(len(left) - len(right)) >= enough:
        return enough
    before: list[int] = []
    row = [min(j, enough) for j in range(len(right) + 1)]
    for i, a in enumerate(left, 1):
        following = [enough] * len(row)
        following[0] = min(i, enough)
        for j in range(
            max(1, i - enough), min(len(right), i + enough) + 1
        ):  # farther off it takes more edits than that
            b = right[j - 1]
            cost = min(row[j] + 1, following[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            following[j] = cost
        before, row = row, following
        if min(before) >= enough and min(row) >= enough:
            return enough
    return row[-1]
