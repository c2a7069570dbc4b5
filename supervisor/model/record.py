"""What is a value? The base of every record that crosses a room or a process.

Rules: a record is immutable, compares by type and content, has one slot per annotated field and no methods that do
anything. It costs about 0.03 ms per class, a tenth of what `dataclasses` asks (docs/decisions/records.md).
"""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        made = super().__new__(mcls, name, bases, body)
        # the slots themselves, so that no name is looked up twice: a step of core makes dozens of records
        made._put = tuple(vars(owner)[field].__set__ for owner in reversed(made.__mro__) for field in _own_slots(owner))
        made._take = _all_of(body["__match_args__"])
        return made

    if TYPE_CHECKING:
        _put: tuple[Callable[[Any, Any], None], ...]
        """What fills each field, in order."""
        _take: Callable[[Any], tuple[Any, ...]]
        """The values of all fields, in order."""


def _own_slots(owner: type) -> tuple[str, ...]:
    return vars(owner).get("__slots__", ()) if isinstance(owner, _RecordType) else ()


def _all_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """One call for all of them, whatever their number."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


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
        put = type(self)._put
        for fill, value in zip(put, args):
            fill(self, value)
        if len(args) == len(names) and not kwargs:
            return
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
        take = type(self)._take
        same: bool = take(self) == take(other)
        return same

    def __hash__(self) -> int:
        return hash((type(self), *type(self)._take(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


def replace(record: _R, **changes: Any) -> _R:  # Any: the caller's types are checked where the value is used
    """The same record with some fields changed; raises TypeError for a field it does not have."""
    kind = type(record)
    after = kind.__new__(kind)
    for fill, value in zip(kind._put, kind._take(record)):
        fill(after, value)
    for name, value in changes.items():
        if name not in kind.__match_args__:
            raise TypeError(f"{kind.__name__} has no field {name}")
        _assign(after, name, value)
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
