"""What stands in a configuration file, and where exactly? YAML as texts, mappings and lists that remember their place.

They are a `str`, a `dict` and a `list`, so that everything that reads plain data reads them too. They are never changed once
they are made: anchors and defaults make the same node stand in many places.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias

__all__ = ["NOWHERE", "Map", "Mark", "Node", "Place", "Seq", "Text", "key_of", "place_of"]


class Mark(Protocol):
    """Where the parser saw it; both counted from 0 (yaml.Mark)."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Place(NamedTuple):
    """Where a person finds it; line and column count from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0


NOWHERE = Place("")


class Text(str):
    """A scalar. `plain` says that it was written without quotes: only then can it be a flag, a number or nothing."""

    __slots__ = ("file", "mark", "plain")
    file: str
    mark: Mark | None
    plain: bool

    def __new__(cls, value: str, file: str = "", mark: Mark | None = None, plain: bool = True) -> Text:
        made = str.__new__(cls, value)
        made.file, made.mark, made.plain = file, mark, plain
        return made

    @property
    def empty(self) -> bool:
        """Nothing was written: an empty value, `~` or `null`."""
        return self.plain and (not self or self in ("~", "null", "Null", "NULL"))


class Map(dict[Text, "Node"]):
    """A mapping. Its place is its key's when it stands in a block below one."""

    __slots__ = ("file", "mark")
    file: str
    mark: Mark | None

    def like(self) -> Map:
        """An empty mapping at the same place."""
        made = Map()
        made.file, made.mark = self.file, self.mark
        return made


class Seq(list["Node"]):
    """A list. Its place is its key's when it stands in a block below one."""

    __slots__ = ("file", "mark")
    file: str
    mark: Mark | None


Node: TypeAlias = Text | Map | Seq


def place_of(node: Node) -> Place:
    """Where this node stands."""
    if node.mark is None:
        return Place(node.file)
    return Place(node.file, node.mark.line + 1, node.mark.column + 1)


def key_of(mapping: Map, name: str) -> Text:
    """A key that is there, as it was written."""
    return next(key for key in mapping if key == name)
