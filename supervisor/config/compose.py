"""What does the text of a file say, as nodes with their places? YAML 1.1 without its surprises.

Every scalar stays text. Refused: duplicate keys, several documents, tags, keys that are no text, an alias inside its own
anchor. Bounded: nodes after expansion, nesting. We compose from the parser's events ourselves, because each of these needs
the place, and because yaml.compose is recursive and takes twice the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from supervisor.config.budget import DEPTH, Budget
from supervisor.config.findings import Findings, Refused
from supervisor.config.nodes import Map, Mark, Node, Place, Seq, Text, key_of, place_of

__all__ = ["Composed", "compose"]

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # Any: both have get_event; libyaml's is optional

# What YAML does not allow in a text (PyYAML's Reader.NON_PRINTABLE).
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_SOMETHING = "alias"
"""Stands for what an alias was to mean: not for nothing, or its key would seem to be missing too."""


class Composed(NamedTuple):
    root: Node | None
    """None for a file without a value."""
    whole: bool
    """False when the text was not read to its end."""


class _Known(NamedTuple):
    """A node that an alias may name."""

    node: Node
    size: int
    height: int


class _Frame:
    """A collection that is not at its end yet."""

    __slots__ = ("anchor", "height", "key", "merges", "node", "size")

    def __init__(self, node: Map | Seq, anchor: str | None) -> None:
        self.node, self.anchor = node, anchor
        self.key: Text | None = None
        self.size, self.height = 1, 1
        self.merges: list[Node] = []


def compose(text: str, file: str, budget: Budget, findings: Findings) -> Composed:
    """The file's one document. Mistakes go to `findings`."""
    composer = _Composer(file, budget, findings)
    try:
        return Composed(composer.read(_events(text)), composer.documents < 2)
    except yaml.MarkedYAMLError as error:
        _tell_syntax(error, text, file, findings)
    except yaml.reader.ReaderError:
        _tell_control(text, file, findings)
    except Refused as refusal:
        findings.refused(refusal, Place(file))
    return Composed(None, False)


def _events(text: str) -> Iterator[Any]:
    parser = _Parser(text)
    try:
        while True:
            event = parser.get_event()
            yield event
            if type(event) is yaml.StreamEndEvent:
                return
    finally:
        parser.dispose()


class _Composer:
    def __init__(self, file: str, budget: Budget, findings: Findings) -> None:
        self._file, self._budget, self._findings = file, budget, findings
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Known | None] = {}  # None: its node is not at its end yet
        self._root: Node | None = None
        self.documents = 0

    def read(self, events: Iterator[Any]) -> Node | None:
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._begin(Map(), event)
            elif kind is yaml.SequenceStartEvent:
                self._begin(Seq(), event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.documents += 1
                if self.documents > 1:
                    self._findings.error(self._place(event.start_mark), "several-documents")
                    break
        return self._root

    def _place(self, mark: Mark) -> Place:
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
            self._findings.error(self._place(event.start_mark), "tag", tag=tag)

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        text = Text(event.value, self._file, event.start_mark, not event.style)
        if "\0" in text:
            self._findings.error(text, "nul")
        self._budget.take_nodes(1, text)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Known(text, 1, 0)
        self._add(text, 1, 0)

    def _begin(self, node: Map | Seq, event: Any) -> None:
        self._refuse_tag(event)
        above = self._stack[-1] if self._stack else None
        node.file = self._file
        node.mark = event.start_mark if event.flow_style or above is None or above.key is None else above.key.mark
        self._budget.take_nodes(1, node)
        if len(self._stack) >= DEPTH:
            raise Refused("config-too-large", node, what=f"nested deeper than {DEPTH}")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(node, event.anchor))

    def _end(self) -> None:
        frame = self._stack.pop()
        if frame.merges and isinstance(frame.node, Map):
            self._merge(frame.node, frame.merges)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Known(frame.node, frame.size, frame.height)
        self._add(frame.node, frame.size, frame.height)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            code = "recursive-alias" if event.anchor in self._anchors else "unknown-alias"
            at = Text(_SOMETHING, self._file, event.start_mark, plain=False)
            self._findings.error(at, code, name=event.anchor)
            self._findings.spoil(at)
            self._add(at, 1, 0)
            return
        self._budget.take_nodes(known.size, Text("", self._file, event.start_mark))
        if len(self._stack) + known.height > DEPTH:
            at = Text("", self._file, event.start_mark)
            raise Refused("config-too-large", at, what=f"nested deeper than {DEPTH}")
        self._add(known.node, known.size, known.height)

    def _add(self, node: Node, size: int, height: int) -> None:
        """Put a node that is complete where it belongs."""
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.size += size
        if height >= frame.height:
            frame.height = height + 1
        if isinstance(frame.node, Seq):
            frame.node.append(node)
        elif frame.key is None:
            if not isinstance(node, Text):
                self._findings.error(node, "key-shape")
                node = Text("", node.file, node.mark, plain=False)
            frame.key = node
        else:
            self._put(frame, frame.key, node)
            frame.key = None

    def _put(self, frame: _Frame, key: Text, node: Node) -> None:
        mapping = frame.node
        assert isinstance(mapping, Map)
        if key == "<<" and key.plain:
            frame.merges.append(node)
        elif key in mapping:
            first = key if self._findings.full else key_of(mapping, key)
            self._findings.error(key, "duplicate-key", key=key[:60], line=place_of(first).line)
        else:
            mapping[key] = node

    def _merge(self, mapping: Map, merges: list[Node]) -> None:
        """What the mapping does not say itself it takes from the merged ones, from the first that has it."""
        for merge in merges:
            for source in merge if isinstance(merge, Seq) else [merge]:
                if isinstance(source, Map):
                    for key, node in source.items():
                        mapping.setdefault(key, node)
                else:
                    self._findings.error(source, "merge-shape")


_SYNTAX_CODES = (
    ("mapping values are not allowed", "yaml-colon"),
    ("could not find expected ':'", "yaml-no-colon"),
    ("that cannot start any token", "yaml-start"),
    ("while scanning a quoted scalar", "yaml-quote"),
    ("while parsing a flow", "yaml-flow"),
    ("did not find expected key", "yaml-indent"),
    ("did not find expected '-' indicator", "yaml-indent"),
    ("expected <block end>", "yaml-indent"),  # the same two, in the words of the parser that is in Python
)


def _tell_syntax(error: yaml.MarkedYAMLError, text: str, file: str, findings: Findings) -> None:
    words = ", ".join(part for part in (error.context, error.problem) if part)
    code = next((code for part, code in _SYNTAX_CODES if part in words), "yaml-syntax")
    lines = text.splitlines()
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    if context is not None and (code == "yaml-quote" or mark is None or mark.line >= len(lines)):
        mark = context  # the end of the file helps nobody: where did it begin?
    assert mark is not None  # the parser always knows where it is
    if code == "yaml-start" and "\t" in "".join(lines[mark.line : mark.line + 1])[: mark.column + 1]:
        code = "yaml-tab"
    findings.error(Place(file, mark.line + 1, mark.column + 1), code, problem=words)


def _tell_control(text: str, file: str, findings: Findings) -> None:
    found = _CONTROL.search(text)
    start = found.start() if found else 0
    line = text.count("\n", 0, start) + 1
    place = Place(file, line, start - (text.rfind("\n", 0, start) + 1) + 1)
    findings.error(place, "yaml-control", character=f"U+{ord(text[start]):04X}")
