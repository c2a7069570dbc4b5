"""In which of its forms was a value written? Rewrites what may be written short to the one shape that is validated.

One pass over what was written, guided by model/spec: a key without a value is as if not written, variables are expanded, a
lone text stands for a list or a mapping where the spec says so. A shape that fits nothing is left for the validator to refuse.
Only after this can a service and its defaults be laid over each other (`merged`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

from supervisor.config.findings import Findings
from supervisor.config.nodes import Map, Node, Seq, Text
from supervisor.config.variables import Variables
from supervisor.model.record import Record, fields_of, kinds_of
from supervisor.model.spec import DependencySpec, Kind, ReadySpec, Short

__all__ = ["merged", "shaped"]

_PROBES = frozenset(fields_of(ReadySpec)) - {"interval"}


class _Rule:
    """What one key's value may look like."""

    __slots__ = ("record", "short", "word")

    def __init__(self, annotation: Any) -> None:
        marks = getattr(annotation, "__metadata__", ())
        self.word = next((mark.word for mark in marks if isinstance(mark, Kind)), "")
        self.short = next((mark.key for mark in marks if isinstance(mark, Short)), "")
        self.record: type[Record] | None = None
        while get_origin(annotation) is Annotated:
            annotation = annotation.__origin__
        for kind in get_args(annotation) or (annotation,):
            if isinstance(kind, type) and issubclass(kind, Record):
                self.record = kind
        if not self.word and get_origin(annotation) is tuple:
            self.word = "texts"


_rules: dict[type[Record], Mapping[str, _Rule]] = {}


def _rules_of(kind: type[Record]) -> Mapping[str, _Rule]:
    found = _rules.get(kind)
    if found is None:
        found = _rules[kind] = {name: _Rule(annotation) for name, annotation in kinds_of(kind).items()}
    return found


def shaped(kind: type[Record], written: Map, variables: Variables, findings: Findings) -> Map:
    """The mapping of a record in its full form."""
    rules = _rules_of(kind)
    result = written.like()
    for key, node in written.items():
        rule = rules.get(key)
        if rule is None:
            result[key] = node
        elif not isinstance(node, Text):
            result[key] = _FORMS.get(rule.word, _nested)(node, rule, variables, findings)
        elif not node.empty:
            result[key] = _lone(variables.expand(node), rule, variables, findings)
    return result


def _nested(node: Map | Seq, rule: _Rule, variables: Variables, findings: Findings) -> Node:
    if rule.record is not None and isinstance(node, Map):
        return shaped(rule.record, node, variables, findings)
    return _expanded(node, variables, findings)


def _expanded(node: Node, variables: Variables, findings: Findings) -> Node:
    """The same with its variables put in, whatever it is: what the schema does not know deeper is bounded by the file."""
    if isinstance(node, Text):
        return variables.expand(node)
    if isinstance(node, Seq):
        made = _seq(node)
        for item in node:
            if isinstance(item, Text) and item.empty:
                findings.error(item, "empty-item", text=item)
                findings.spoil(item)
            made.append(_expanded(item, variables, findings))
        return made
    mapping = node.like()
    mapping.update((key, _expanded(value, variables, findings)) for key, value in node.items())
    return mapping


def _seq(like: Node, *items: Node) -> Seq:
    made = Seq(items)
    made.file, made.mark = like.file, like.mark
    return made


def _map(like: Node) -> Map:
    made = Map()
    made.file, made.mark = like.file, like.mark
    return made


def _key(word: str, like: Node) -> Text:
    return Text(word, like.file, like.mark)


# ---- short forms ----


def _lone(text: Text, rule: _Rule, variables: Variables, findings: Findings) -> Node:
    """A text where more may stand."""
    if rule.word == "texts":
        return _seq(text, Text("*", text.file, text.mark) if rule.short == text else text)
    if rule.word == "dependencies":
        return _dependencies(_seq(text, text), rule, variables, findings)
    if rule.short and rule.record is not None:
        mapping = _map(text)
        mapping[_key(rule.short, text)] = text
        return mapping
    return text


def _environment(node: Map | Seq, rule: _Rule, variables: Variables, findings: Findings) -> Node:
    mapping = _map(node)
    if isinstance(node, Map):
        for key, value in node.items():
            if isinstance(value, Text):
                value = _nothing(value) if value.empty else variables.expand(value)
            mapping[key] = value
        return mapping
    for item in node:
        if not isinstance(item, Text) or "=" not in item:
            findings.error(item, "environment-item", text=item[:40] if isinstance(item, Text) else "a list or mapping")
            continue
        name, _, rest = item.partition("=")
        _put(mapping, _key(name, item), variables.expand(Text(rest, item.file, item.mark, plain=False)), findings)
    return mapping


def _nothing(like: Text) -> Text:
    return Text("", like.file, like.mark, plain=False)


def _dependencies(node: Map | Seq, rule: _Rule, variables: Variables, findings: Findings) -> Node:
    mapping = _map(node)
    if isinstance(node, Map):
        for key, value in node.items():
            mapping[key] = _dependency(value, variables, findings)
        return mapping
    for item in node:
        if isinstance(item, Text) and not item.empty:
            name = variables.expand(item)
            _put(mapping, name, _map(item), findings)
        else:
            findings.error(item, "dependency-item")
    return mapping


def _dependency(value: Node, variables: Variables, findings: Findings) -> Node:
    if isinstance(value, Map):
        return shaped(DependencySpec, value, variables, findings)
    if isinstance(value, Seq):
        return value
    mapping = _map(value)
    if not value.empty:
        mapping[_key("condition", value)] = variables.expand(value)
    return mapping


def _limits(node: Map | Seq, rule: _Rule, variables: Variables, findings: Findings) -> Node:
    if not isinstance(node, Map):
        return node
    mapping = node.like()
    for key, value in node.items():
        if not isinstance(value, Text) or not value.empty:
            mapping[key] = _expanded(value, variables, findings)
    return mapping


def _put(mapping: Map, key: Text, value: Node, findings: Findings) -> None:
    if key in mapping:
        findings.error(key, "duplicate-item", text=key[:60])
    else:
        mapping[key] = value


_FORMS: Mapping[str, Callable[[Map | Seq, _Rule, Variables, Findings], Node]] = {
    "env": _environment,
    "dependencies": _dependencies,
    "limit": _limits,
}


# ---- layers ----


def merged(kind: type[Record], below: Map, above: Map) -> Map:
    """What `above` says, and below it what only `below` says: mappings of the spec are merged key by key, everything else,
    lists and commands too, is replaced as a whole. Both are shaped already."""
    rules = _rules_of(kind)
    result = above.like()
    for key, node in below.items():
        if key not in above:
            result[key] = node
    for key, node in above.items():
        under, rule = below.get(key), rules.get(key)
        result[key] = _laid(under, node, rule) if rule and isinstance(under, Map) and isinstance(node, Map) else node
    return result


def _laid(below: Map, above: Map, rule: _Rule) -> Node:
    if rule.word in ("env", "limit"):
        both = above.like()
        both.update((key, node) for key, node in below.items() if key not in above)
        both.update(above)
        return both
    if rule.word == "dependencies":
        both = above.like()
        both.update((key, node) for key, node in below.items() if key not in above)
        for key, node in above.items():
            under = below.get(key)
            both[key] = (
                merged(DependencySpec, under, node) if isinstance(under, Map) and isinstance(node, Map) else node
            )
        return both
    if rule.record is None:
        return above
    if rule.record is ReadySpec and not _PROBES.isdisjoint(above):  # two probes of one service would be a mistake
        kept = below.like()
        kept.update((key, node) for key, node in below.items() if key not in _PROBES)
        below = kept
    return merged(rule.record, below, above)
