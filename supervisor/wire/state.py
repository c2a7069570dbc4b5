"""How is a record written in bytes, and read again by another process or a later pidone?

JSON by the records' own annotations: a field equal to its default is left out, a record that stands for one of several is
tagged with its class name, an infinite number is a text. What does not fit is a StateError that names the place; nothing is
guessed. The encoder and decoder of a type are made once, when it is first met.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

from supervisor.model.record import Record, defaults_of, kinds_of

__all__ = ["STATE_VERSION", "StateError", "decode", "dump", "encode", "load", "unwrap", "wrap"]

STATE_VERSION = 1
"""Raised when something that was written before can no longer be read, or would mean something else."""

_TAG = "is"  # a keyword: no field can have this name
_MISSING: Any = object()
_T = TypeVar("_T")

_Encoder = Callable[[Any], Any]  # Any: from a value to plain data
_Decoder = Callable[[Any], Any]  # Any: from plain data to a value


class StateError(ValueError):
    """Data that is no value of the wanted type. `place` leads to it: `services[3].spec.command`."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem, place)
        self.problem, self.place = problem, place

    def __str__(self) -> str:
        return f"{self.place.lstrip('.')}: {self.problem}" if self.place else self.problem

    def inside(self, step: str) -> StateError:
        return StateError(self.problem, step + self.place)


def encode(value: object) -> Any:  # Any: JSON
    """Plain data for a Record or a NamedTuple; raises StateError for a value that its annotations do not allow."""
    return _codec(type(value))[0](value)


def decode(kind: type[_T], data: object) -> _T:
    """The value of this type that `data` was made from; raises StateError when it was made from none."""
    value: _T = _codec(kind)[1](data)
    return value


def wrap(record: Record) -> dict[str, Any]:  # Any: JSON
    """Plain data that says its version and type."""
    return {"version": STATE_VERSION, "kind": type(record).__name__, "value": encode(record)}


def unwrap(kind: type[_T], data: object) -> _T:
    """The record in a wrapping; raises StateError for one of another version or type."""
    if not isinstance(data, dict) or data.keys() != {"version", "kind", "value"}:
        raise StateError("this is no wrapped state")
    if data["version"] != STATE_VERSION:
        raise StateError(f"written in version {data['version']!r} of the format, this pidone reads {STATE_VERSION}")
    if data["kind"] != kind.__name__:
        raise StateError(f"this is a {data['kind']}, a {kind.__name__} was wanted")
    return decode(kind, data["value"])


def dump(record: Record) -> bytes:
    """The record as one line of ASCII JSON, wrapped."""
    return json.dumps(wrap(record), separators=(",", ":"), allow_nan=False).encode("ascii")


def load(kind: type[_T], data: bytes | bytearray | memoryview) -> _T:
    """What `dump` wrote; raises StateError for anything else."""
    try:
        plain = _json.decode(str(data, "utf-8"))
    except (ValueError, RecursionError) as error:
        raise StateError(f"not JSON: {error}") from None
    return unwrap(kind, plain)


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


_json = json.JSONDecoder(parse_constant=_no_constant)


# ---- one encoder and decoder per type ----

_codecs: dict[Any, tuple[_Encoder, _Decoder]] = {}  # Any: annotations are values of no common type


def _codec(kind: Any) -> tuple[_Encoder, _Decoder]:
    found = _codecs.get(kind)
    if found is None:
        found = _codecs[kind] = _compile(kind)
    return found


def _compile(kind: Any) -> tuple[_Encoder, _Decoder]:
    origin = get_origin(kind)
    if origin is Annotated:
        return _codec(kind.__origin__)
    if isinstance(kind, NewType):
        return _codec(kind.__supertype__)
    if origin is Literal:
        return _literal(frozenset(get_args(kind)))
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin in (Union, UnionType):
        return _union(get_args(kind))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(kind))
    if isinstance(kind, type):
        if kind in _SCALARS:
            return _SCALARS[kind]
        if issubclass(kind, Record):
            return _record(kind)
        if issubclass(kind, tuple):
            return _named_tuple(kind)
        if issubclass(kind, Mapping):
            return _own_mapping(kind)
    raise TypeError(f"no state of the type {kind!r} can be written")


def _wrong(wanted: str, data: object) -> StateError:
    return StateError(f"{wanted} was expected, found {data!r:.60}")


def _text(value: Any) -> Any:
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str(value)
    raise _wrong("a text", value)


def _whole(value: Any) -> Any:
    if type(value) is int:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)  # signal.SIGTERM and its like
    raise _wrong("a whole number", value)


def _flag(value: Any) -> Any:
    if type(value) is bool:
        return value
    raise _wrong("true or false", value)


def _encode_number(value: Any) -> Any:
    if type(value) is not float:
        return _whole(value)
    if value - value == 0.0:
        return value
    if value != value:
        raise _wrong("a number", value)  # NaN is not even equal to itself
    return str(value)


def _decode_number(data: Any) -> Any:
    if type(data) is float:
        return data
    if type(data) is int:
        try:
            return float(data)
        except OverflowError:
            raise _wrong("a number", data) from None
    if data in ("inf", "-inf"):
        return float(data)
    raise _wrong("a number", data)


_SCALARS: dict[type, tuple[_Encoder, _Decoder]] = {
    str: (_text, _text),
    int: (_whole, _whole),
    bool: (_flag, _flag),
    float: (_encode_number, _decode_number),
}


def _literal(allowed: frozenset[Any]) -> tuple[_Encoder, _Decoder]:
    wanted = "one of " + ", ".join(sorted(map(str, allowed)))

    def check(value: Any) -> Any:
        try:
            if value in allowed:
                return value
        except TypeError:  # a list or mapping: unhashable
            pass
        raise _wrong(wanted, value)

    return check, check


def _each(change: Callable[[Any], Any], values: Any) -> list[Any]:
    done: list[Any] = []
    try:
        for value in values:
            done.append(change(value))
    except StateError as error:
        raise error.inside(f"[{len(done)}]") from None
    return done


def _tuple(kinds: tuple[Any, ...]) -> tuple[_Encoder, _Decoder]:
    if len(kinds) != 2 or kinds[1] is not Ellipsis:
        return _fixed(kinds, tuple)
    encode_item, decode_item = _codec(kinds[0])

    def encode_all(value: Any) -> Any:
        if not isinstance(value, tuple):
            raise _wrong("a tuple", value)
        return _each(encode_item, value)

    def decode_all(data: Any) -> Any:
        if type(data) is not list:
            raise _wrong("a list", data)
        return tuple(_each(decode_item, data))

    return encode_all, decode_all


def _fixed(kinds: tuple[Any, ...], make: Callable[[list[Any]], Any]) -> tuple[_Encoder, _Decoder]:
    codecs = [_codec(kind) for kind in kinds]
    wanted = f"a list of {len(kinds)}"

    def encode_all(value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != len(codecs):
            raise _wrong(wanted, value)
        return [codec[0](item) for codec, item in zip(codecs, value)]

    def decode_all(data: Any) -> Any:
        if type(data) is not list or len(data) != len(codecs):
            raise _wrong(wanted, data)
        return make([codec[1](item) for codec, item in zip(codecs, data)])

    return encode_all, decode_all


def _named_tuple(kind: type) -> tuple[_Encoder, _Decoder]:
    return _fixed(tuple(kinds_of(kind).values()), lambda values: kind(*values))


def _mapping(kinds: tuple[Any, ...]) -> tuple[_Encoder, _Decoder]:
    encode_key, decode_key = _codec(kinds[0])
    encode_item, decode_item = _codec(kinds[1])

    def both(change_key: _Encoder, change: _Encoder, items: Mapping[Any, Any]) -> dict[Any, Any]:
        done: dict[Any, Any] = {}
        for key, item in items.items():
            try:
                done[change_key(key)] = change(item)
            except StateError as error:
                raise error.inside(f".{key}") from None
        return done

    def encode_all(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _wrong("a mapping", value)
        return both(encode_key, encode_item, value)

    def decode_all(data: Any) -> Any:
        if type(data) is not dict:
            raise _wrong("a mapping", data)
        return MappingProxyType(both(decode_key, decode_item, data))

    return encode_all, decode_all


def _own_mapping(kind: type) -> tuple[_Encoder, _Decoder]:
    """A mapping class of ours: its values know their keys, and it is made from them (Roster)."""
    item = next(get_args(base)[1] for base in getattr(kind, "__orig_bases__", ()) if len(get_args(base)) == 2)
    _, decode_items = _tuple((item, Ellipsis))
    encode_item = _codec(item)[0]

    def encode_all(value: Any) -> Any:
        if not isinstance(value, kind):
            raise _wrong(f"a {kind.__name__}", value)
        return _each(encode_item, value.values())  # type: ignore[attr-defined]  # it is a Mapping

    def decode_all(data: Any) -> Any:
        return kind(decode_items(data))

    return encode_all, decode_all


def _union(kinds: tuple[Any, ...]) -> tuple[_Encoder, _Decoder]:
    others = tuple(kind for kind in kinds if kind is not type(None))
    if len(others) == 1:
        encode_it, decode_it = _codec(others[0])
    else:
        encode_it, decode_it = _tagged(others)
    if len(others) == len(kinds):
        return encode_it, decode_it
    return (
        lambda value: None if value is None else encode_it(value),
        lambda data: None if data is None else decode_it(data),
    )


def _tagged(kinds: tuple[Any, ...]) -> tuple[_Encoder, _Decoder]:
    if not all(isinstance(kind, type) and issubclass(kind, Record) for kind in kinds):
        raise TypeError(f"only records can stand for each other, not {kinds!r}")
    codecs = {kind.__name__: _codec(kind) for kind in kinds}
    wanted = "one of " + ", ".join(codecs)

    def encode_one(value: Any) -> Any:
        tag = type(value).__name__
        if tag not in codecs:
            raise _wrong(wanted, value)
        return {_TAG: tag, **codecs[tag][0](value)}

    def decode_one(data: Any) -> Any:
        tag = data.get(_TAG) if type(data) is dict else None
        if type(tag) is not str or tag not in codecs:
            raise _wrong(wanted, data)
        fields = dict(data)
        del fields[_TAG]
        return codecs[tag][1](fields)

    return encode_one, decode_one


def _record(kind: type[Record]) -> tuple[_Encoder, _Decoder]:
    defaults = defaults_of(kind)
    fields = [
        (name, *_codec(annotation), getattr(kind, name).__set__, defaults.get(name, _MISSING))
        for name, annotation in kinds_of(kind).items()
    ]
    new = kind.__new__

    def encode_fields(value: Any) -> Any:
        if type(value) is not kind:
            raise _wrong(f"a {kind.__name__}", value)
        done = {}
        for name, encode_field, _, _, default in fields:
            field = getattr(value, name)
            if field is default or field == default:
                continue
            try:
                done[name] = encode_field(field)
            except StateError as error:
                raise error.inside(f".{name}") from None
        return done

    def decode_fields(data: Any) -> Any:
        if type(data) is not dict:
            raise _wrong(f"a mapping ({kind.__name__})", data)
        record = new(kind)
        found = 0
        for name, _, decode_field, put, default in fields:
            if name in data:
                found += 1
                try:
                    put(record, decode_field(data[name]))
                except StateError as error:
                    raise error.inside(f".{name}") from None
            elif default is _MISSING:
                raise StateError(f"{kind.__name__} needs {name}")
            else:
                put(record, default)
        if found != len(data):
            unknown = ", ".join(sorted(data.keys() - {field[0] for field in fields}))
            raise StateError(f"{kind.__name__} has no field {unknown}")
        return record

    return encode_fields, decode_fields
