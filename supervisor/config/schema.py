"""Is every value what model/spec says its key takes? The validators, derived from the declarations.

A record becomes a mapping that forbids what it does not know, a marker the function that reads its kind of scalar. It is
pydantic's core that runs them: all mistakes of a service come out at once, each with the path that leads to it. (The classes
of pydantic itself would cost as much as everything else the loader does, see docs/decisions/configuration.md.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, NewType, Union, get_args, get_origin

from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, ValidationError, core_schema

from supervisor.config import addresses, commands, scalars
from supervisor.config.findings import Findings, Refused
from supervisor.config.foreign import ALIASES, foreign_key, foreign_value
from supervisor.config.nearest import nearest
from supervisor.config.nodes import Map, Node, Seq, Text, key_of
from supervisor.model.record import Record, defaults_of, fields_of, kinds_of
from supervisor.model.spec import Kind, RestartSpec, ServiceSpec, StopSpec

__all__ = ["OFF", "RANGES", "Validated", "validate"]

_Reader = Callable[[Any], Any]  # Any: from a node to a value

OFF: frozenset[tuple[type[Record], str]] = frozenset(
    {(ServiceSpec, "start_timeout"), (ServiceSpec, "ready"), (RestartSpec, "limit"), (StopSpec, "command")}
)
"""The keys that `none` switches off. (In `ready: {file: none}` it is a name.)"""

RANGES: Mapping[tuple[str, str], tuple[float, float]] = {
    ("ReadySpec", "interval"): (0.01, 3600),
    ("RestartLimitSpec", "count"): (1, 1_000_000),
    ("RestartLimitSpec", "within"): (0.001, 1e9),
    ("RestartSpec", "factor"): (1, 1000),
    ("RestartSpec", "jitter"): (0, 1),
    ("ServiceSpec", "start_timeout"): (0.001, 1e9),
}


_BY_NAME = frozenset((ServiceSpec, name) for name in ("depends_on", "after", "before"))
"""Keys that name other services: what is wrong about one of them says nothing against the others, nor against its name."""


class Validated(NamedTuple):
    """What came of one mapping: the values of its keys, and which keys were wrong, so that they are as if not written.
    (Of those that name services only what is wrong itself.)"""

    values: Mapping[str, Any]
    broken: frozenset[str] = frozenset()


def validate(kind: type[Record], mapping: Map, findings: Findings, *, partial: bool = False) -> Validated:
    """The fields of a record that this mapping gives. All mistakes in it go to `findings`; a required key whose lack is one
    of them has no value. With `partial` (`defaults`) no key is required."""
    try:
        return Validated(_validator(kind, partial).validate_python(mapping))
    except ValidationError as error:
        broken = _tell(error, kind, mapping, findings)
        wrong = {
            mistake["loc"] for mistake in error.errors(include_url=False, include_context=False, include_input=False)
        }
    rest = mapping.like()
    for key, node in mapping.items():
        if key not in broken:
            rest[key] = node
        elif (kind, key) in _BY_NAME and (names := _named(node, key, wrong)):
            rest[key] = names
    return Validated(_validator(kind, True).validate_python(rest), broken)


def _named(node: Node, key: str, wrong: set[tuple[int | str, ...]]) -> Map | Seq | None:
    """The services that are named there all the same; how they are meant, where that was wrong, is left out."""
    if isinstance(node, Map) and key == "depends_on":
        names = node.like()
        for name, edge in node.items():
            if (key, name, "[key]") in wrong:
                continue
            broken = any(path[:2] == (key, name) for path in wrong)
            names[name] = names.like() if broken else edge
        return names
    if isinstance(node, Seq) and key != "depends_on":
        items = Seq(item for item in node if isinstance(item, Text) and item)
        items.file, items.mark = node.file, node.mark
        return items
    return None


# ---- mistakes ----


def _tell(error: ValidationError, kind: type[Record], mapping: Map, findings: Findings) -> frozenset[str]:
    """Remember every mistake with its place; answers which keys of the mapping are wrong."""
    broken: set[str] = set()
    meant: set[tuple[Any, ...]] = set()  # paths of required keys that a misspelled one stood for
    missing: list[tuple[tuple[Any, ...], Any]] = []
    for mistake in error.errors(include_url=False):
        path = mistake["loc"]
        broken.add(str(path[0]))
        if findings.full:
            findings.beyond += mistake["type"] != "missing"  # a misspelled key is missing too
            continue
        match mistake["type"]:
            case "missing":
                missing.append((path, mistake["input"]))
            case "extra_forbidden":
                better = (*path[:-1], _tell_unknown(kind, mapping, path, findings))
                meant.add(better)
                broken.add(str(better[0]))
            case "dict_type" | "list_type" as wanted:
                node = mistake["input"]
                shape, keys = ("a mapping", _keys_at(kind, path)) if wanted == "dict_type" else ("a list", "")
                findings.error(node, "wrong-shape", wanted=shape, found=scalars.shape_of(node), keys=keys)
            case _:
                findings.refused(mistake["ctx"]["refusal"], mistake["ctx"]["at"])
    for path, parent in missing:
        if path not in meant:
            findings.error(parent, "missing-key", key=path[-1], inside=_inside(path))
    return frozenset(broken)


def _tell_unknown(kind: type[Record], root: Map, path: tuple[Any, ...], findings: Findings) -> str:
    """Remember an unknown key; answers the one that was meant, or ""."""
    parent: Any = root
    annotation: Any = kind
    for part in path[:-1]:
        parent, annotation = parent[part], _below(annotation, part)
    owner, key = _bare(annotation), key_of(parent, path[-1])
    foreign = foreign_key(owner.__name__, str(key))
    if foreign is not None:
        findings.error(key, foreign.code, key=key[:60], ours=foreign.ours)
        return foreign.meant
    names = fields_of(owner)
    near = nearest(key, names)
    findings.error(key, "unknown-key", key=key[:60], inside=_inside(path), near=near, known=", ".join(names))
    return near


def _keys_at(kind: type[Record], path: tuple[Any, ...]) -> str:
    """What may stand in the mapping that was wanted there; "" for one with the user's own keys."""
    annotation: Any = kind
    for part in path:
        annotation = _below(annotation, part)
    record = _bare(annotation)
    names = fields_of(record) if isinstance(record, type) and issubclass(record, Record) else ()
    return f"a mapping with one or more of {', '.join(names)}" if names else ""


def _inside(path: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in path[:-1])


def _bare(annotation: Any) -> Any:
    """The type without its markers and without None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = annotation.__origin__
        elif origin in (Union, UnionType):
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        else:
            return annotation


def _below(annotation: Any, part: str) -> Any:
    """What stands under a key of this type."""
    kind = _bare(annotation)
    if isinstance(kind, type) and issubclass(kind, Record):
        return kinds_of(kind)[part]
    return get_args(kind)[1]


# ---- one validator per record ----

_validators: dict[tuple[type[Record], bool], SchemaValidator] = {}


def _validator(kind: type[Record], partial: bool) -> SchemaValidator:
    found = _validators.get((kind, partial))
    if found is None:
        found = _validators[kind, partial] = SchemaValidator(_fields_schema(kind, partial))
    return found


def _fields_schema(kind: type[Record], partial: bool) -> CoreSchema:
    required = set(fields_of(kind)) - set(defaults_of(kind)) if not partial else set()
    fields = {
        name: core_schema.typed_dict_field(_field_schema(kind, name, annotation), required=name in required)
        for name, annotation in kinds_of(kind).items()
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid")


def _record_schema(kind: type[Record]) -> CoreSchema:
    return core_schema.no_info_after_validator_function(lambda values: kind(**values), _fields_schema(kind, False))


def _field_schema(kind: type[Record], name: str, annotation: Any) -> CoreSchema:
    low_high = RANGES.get((kind.__name__, name))
    schema = _schema(annotation, low_high)
    if (kind, name) in OFF:
        return core_schema.no_info_wrap_validator_function(_or_none, schema)
    return schema


def _or_none(node: Node, read: _Reader) -> Any:
    return None if isinstance(node, Text) and node.plain and node == "none" else read(node)


def _schema(annotation: Any, low_high: tuple[float, float] | None = None) -> CoreSchema:
    marks = getattr(annotation, "__metadata__", ())
    word = next((mark.word for mark in marks if isinstance(mark, Kind)), "")
    kind = _bare(annotation)
    if not marks and get_origin(annotation) in (Union, UnionType):
        return _schema(next(one for one in get_args(annotation) if one is not type(None)), low_high)
    if word == "dependencies":
        return _mapping_of(scalars.name, _schema(get_args(kind)[1]))
    if word == "env":
        return _mapping_of(_variable_name, _plain(scalars.text))
    if word == "limit":
        return _mapping_of(scalars.limit_name, _plain(scalars.limit))
    if word:
        return _plain(_READERS[word], low_high)
    if get_origin(kind) is Literal:
        return _plain(_chooser(get_args(kind)))
    if get_origin(kind) is tuple:
        items = core_schema.list_schema(_schema(get_args(kind)[0]))
        return core_schema.no_info_after_validator_function(tuple, items)
    if issubclass(kind, Record):
        return _record_schema(kind)
    return _plain(scalars.text)


def _mapping_of(read_key: _Reader, values: CoreSchema) -> CoreSchema:
    mapping = core_schema.dict_schema(_plain(read_key), values)
    return core_schema.no_info_after_validator_function(MappingProxyType, mapping)


def _plain(read: _Reader, low_high: tuple[float, float] | None = None) -> CoreSchema:
    def judge(node: Node) -> Any:
        try:
            value = read(node)
            if low_high is not None and not low_high[0] <= value <= low_high[1]:
                raise Refused("out-of-range", low=f"{low_high[0]:g}", high=f"{low_high[1]:.0f}")
            return value
        except Refused as refusal:
            raise PydanticCustomError("refused", "refused", {"refusal": refusal, "at": node}) from None

    return core_schema.no_info_plain_validator_function(judge)


def _chooser(choices: tuple[str, ...]) -> _Reader:
    def choose(node: Node) -> str:
        word = scalars.text(node)
        if word in choices:
            return word
        if word in ALIASES and ALIASES[word] in choices:
            return ALIASES[word]
        near = foreign_value(word, choices) or nearest(word, choices)
        raise Refused("no-choice", text=word[:40], choices=", ".join(choices), near=near)

    return choose


def _variable_name(node: Node) -> str:
    word = scalars.filled(node)
    if "=" in word or not word.isprintable() or " " in word:
        raise Refused("no-variable-name", text=word[:40])
    return word


def _texts(node: Node) -> tuple[str, ...]:
    if not isinstance(node, Seq):
        raise Refused("wrong-shape", wanted="a list", found=scalars.shape_of(node))
    return tuple(_item(item) for item in node)


def _item(node: Node) -> str:
    try:
        return scalars.filled(node)
    except Refused as refusal:
        refusal.at = node
        raise


_READERS: Mapping[str, _Reader] = {
    "duration": scalars.duration,
    "size": scalars.size,
    "whole": scalars.whole,
    "number": scalars.number,
    "flag": scalars.flag,
    "signal": scalars.signal,
    "exit-status": scalars.exit_status,
    "command": commands.argv,
    "commands": commands.commands,
    "texts": _texts,
    "name": scalars.name,
    "path": scalars.path,
    "address": addresses.address,
    "url": addresses.url,
    "regex": addresses.regex,
    "mode": scalars.mode,
}
