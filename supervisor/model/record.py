"""What is a value? The base of every record that crosses a room or a process.

Rules: a record is immutable, compares by type and content, has one slot per annotated field and no methods that do
anything. It costs about 0.03 ms per class, a tenth of what `dataclasses` asks (docs/decisions/records.md).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Record", "defaults_of", "fields_of", "kinds_of", "replace"]

_MISSING: Any = object()  # a default of its own: None is a legitimate one
_assign = object.__setattr__

_R = TypeVar("_R", bound="Record")


class _RecordType(type):
    """Turns the annotations of a class body into slots, positional order and defaults."""

    def __new__(mcls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> _RecordType:
        inherited: tuple[str, ...] = getattr(bases[0], "__match_args__", ()) if bases else ()
        annotations = body.get("__annotations__", {})
        own = tuple(field for field, kind in annotations.items() if not str(kind).startswith("ClassVar"))
        defaults: dict[str, Any] = dict(getattr(bases[0], "_defaults", {})) if bases else {}
        defaults.update({field: body.pop(field) for field in own if field in body})
        body["__slots__"] = own
        body["__match_args__"] = inherited + own
        body["_defaults"] = defaults
        return super().__new__(mcls, name, bases, body)


@dataclass_transform(frozen_default=True)
class Record(metaclass=_RecordType):
    """An immutable value: declare fields as annotations, defaults as assignments.

    Defaults are shared between instances and so must be immutable themselves.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: the type checker sees the declared fields instead
        names = self.__match_args__
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} fields, got {len(args)}")
        for name, value in zip(names, args):
            _assign(self, name, value)
        defaults = self._defaults
        for name in names[len(args) :]:
            value = kwargs.pop(name, _MISSING)
            if value is _MISSING:
                value = defaults.get(name, _MISSING)
                if value is _MISSING:
                    raise TypeError(f"{type(self).__name__} needs {name}")
            _assign(self, name, value)
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(kwargs)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.__match_args__)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


def replace(record: _R, **changes: Any) -> _R:  # Any: the caller's types are checked where the value is used
    """The same record with some fields changed; raises TypeError for a field it does not have."""
    kind = type(record)
    after = kind.__new__(kind)
    for name in kind.__match_args__:
        _assign(after, name, changes.pop(name) if name in changes else getattr(record, name))
    if changes:
        raise TypeError(f"{kind.__name__} has no field {', '.join(changes)}")
    return after


def fields_of(kind: type[Record]) -> tuple[str, ...]:
    """The names of a record type's fields, in declaration order."""
    return kind.__match_args__


def defaults_of(kind: type[Record]) -> Mapping[str, Any]:  # Any: each field has a type of its own
    """The defaults of those fields that have one."""
    return kind._defaults


def kinds_of(kind: type) -> dict[str, Any]:  # Any: annotations are values of no common type
    """The annotation of each field of a Record or NamedTuple, evaluated in its module; `typing.get_type_hints` without its
    price and without the ClassVars."""
    names: tuple[str, ...] = kind.__match_args__ if issubclass(kind, Record) else getattr(kind, "_fields", ())
    found: dict[str, Any] = {}
    for owner in reversed(kind.__mro__):
        scope = vars(sys.modules[owner.__module__])
        for name, annotation in vars(owner).get("__annotations__", {}).items():
            if name in names:
                source = getattr(annotation, "__forward_arg__", annotation)  # NamedTuple wraps it in a ForwardRef
                found[name] = eval(source, scope) if isinstance(source, str) else source
    return {name: found[name] for name in names}
