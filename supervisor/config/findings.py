"""What has been found wrong so far? Collects every mistake with its place, so that all of them can be told at once."""

from __future__ import annotations

from supervisor.config.nodes import NOWHERE, Map, Node, Place, Seq, Text, place_of
from supervisor.model.record import Record

__all__ = ["MOST", "Finding", "Findings", "Refused"]

MOST = 500
"""So many errors are told; a person reads no more, and a broken file could have a hundred thousand."""


class Finding(Record):
    """One mistake: `messages` has the words for `code`, into which the texts are put."""

    place: Place
    code: str
    texts: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """A value that does not fit: raised by those who judge one value, told by those who know where they are."""

    def __init__(self, code: str, at: Node | None = None, **texts: object) -> None:
        super().__init__(code)
        self.code, self.at, self.texts = code, at, {name: str(text) for name, text in texts.items()}


class Findings:
    """The errors and warnings of one reading of the configuration."""

    def __init__(self) -> None:
        self._errors: dict[tuple[Place, str, str], Finding] = {}
        self._warnings: dict[tuple[Place, str, str], Finding] = {}
        self._spoiled: set[Place] = set()
        self.beyond = 0
        """How many errors were not kept."""

    def error(self, at: Node | Place, code: str, /, **texts: object) -> None:
        """Remember a mistake. The same one at the same place is one, however many services inherit it."""
        finding = _finding(at, code, texts)
        if finding.place in self._spoiled:
            return
        key = (finding.place, code, "" if finding.place.line else str(finding.texts))
        if len(self._errors) >= MOST and key not in self._errors:
            self.beyond += 1
            return
        self._errors.setdefault(key, finding)

    def warning(self, at: Node | Place, code: str, /, **texts: object) -> None:
        finding = _finding(at, code, texts)
        if len(self._warnings) < MOST and finding.place not in self._spoiled:
            self._warnings.setdefault((finding.place, code, str(finding.texts)), finding)

    def judge(self, certain: bool, at: Node, code: str, /, **texts: object) -> None:
        """An error, or only a warning where it depends on what nobody knows yet."""
        (self.error if certain else self.warning)(at, code, **texts)

    def refused(self, refusal: Refused, otherwise: Node | Place) -> None:
        """Remember a refusal, at its own place or else at this one."""
        self.error(otherwise if refusal.at is None else refusal.at, refusal.code, **refusal.texts)

    @property
    def full(self) -> bool:
        """Another error is only counted: there is no use in finding words for it."""
        return len(self._errors) >= MOST

    def spoil(self, at: Node) -> None:
        """What stands there is known to be wrong: whatever else is wrong with it comes of that."""
        self._spoiled.add(place_of(at))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Sorted by file and line, as a person goes through them."""
        return _sorted(self._errors)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return _sorted(self._warnings)


def _finding(at: Node | Place, code: str, texts: dict[str, object]) -> Finding:
    place = place_of(at) if isinstance(at, Text | Map | Seq) else at or NOWHERE
    return Finding(place, code, tuple((name, str(text)) for name, text in texts.items()))


def _sorted(found: dict[tuple[Place, str, str], Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found.values(), key=lambda finding: finding.place))
