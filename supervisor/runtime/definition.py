"""What is a service defined to be? Every key with the value that counts, for scripts and in words; never a secret.

The keys are those of `model/spec`. Of variables only the names are told: what they hold may be a password, and who may look at
services need not know it. (A command's words are no secret: every process list shows them.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from supervisor.core.reasons import duration_text
from supervisor.model.plan import PlannedService
from supervisor.model.record import Record, defaults_of, kinds_of
from supervisor.model.service import Service
from supervisor.model.spec import UNLIMITED, DependencySpec, Kind, LimitPair, ServiceSpec

__all__ = ["counters_view", "definition_view", "identity_view"]

_SECRET = frozenset({"environment"})
"""Keys of which only the names are told."""


def definition_view(planned: PlannedService) -> list[dict[str, Any]]:
    """One entry per key, in the order of the reference: key (`restart.delay`), value (JSON), text (for people), default
    (whether the value is that)."""
    return [
        {"key": key, "value": _plain(value), "text": _text(value, word), "default": is_default}
        for key, value, word, is_default in _keys(planned.spec, "")
    ]


def identity_view(planned: PlannedService) -> dict[str, Any] | None:
    """Who it runs as; None for pidone's own user."""
    who = planned.identity
    return None if who is None else {"uid": who.uid, "gid": who.gid, "groups": list(who.groups), "user": who.user}


def counters_view(service: Service) -> dict[str, Any]:
    """What is counted for or against it, and how it may be executed."""
    launch = service.plan.launch
    return {
        "want": service.want,
        "attempts": service.attempts,
        "restarts_in_window": len(service.window),
        "shortages": service.starved,
        "executables": list(launch.executables),
        "spawn": launch.way,
    }


def _keys(spec: Record, prefix: str) -> Iterator[tuple[str, Any, str, bool]]:
    defaults = defaults_of(type(spec))
    for field, annotation in kinds_of(type(spec)).items():
        value = getattr(spec, field)
        key = f"{prefix}{field}"
        if isinstance(value, Record):
            yield from _keys(value, f"{key}.")
        else:
            shown = tuple(value) if field in _SECRET and type(spec) is ServiceSpec else value
            yield key, shown, _word(annotation), field in defaults and defaults[field] == value


def _word(annotation: Any) -> str:  # Any: annotations are values of no common type
    """How a scalar of this type is written, as its `Kind` says."""
    for option in (annotation, *get_args(annotation)):  # itself, or what it is besides None
        for mark in getattr(option, "__metadata__", ()):
            if isinstance(mark, Kind):
                return mark.word
    return ""


def _plain(value: Any) -> Any:  # Any: JSON
    if isinstance(value, Record):
        return {field: _plain(getattr(value, field)) for field in value.__match_args__}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _text(value: Any, word: str) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if word in _WORDS:
        return _WORDS[word](value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_entry(item)}" for name, item in value.items())
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _entry(item: Any) -> str:
    """A mapping's value, as it would be written."""
    match item:
        case DependencySpec(condition, required, restart):
            return condition + ("" if required else ", not required") + (", restart" if restart else "")
        case LimitPair(soft, hard):
            return _limit(soft) if soft == hard else f"[{_limit(soft)}, {_limit(hard)}]"
        case _:
            return str(item)


def _limit(number: int) -> str:
    return "unlimited" if number == UNLIMITED else str(number)


def _command(words: tuple[str, ...]) -> str:
    return " ".join(
        word if word and word.isprintable() and not set(word) & _SPECIAL else _quoted(word) for word in words
    )


_SPECIAL = frozenset(" \t\n\"'\\$`&|;<>()*?[]#~!{}")


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "duration": duration_text,
    "number": lambda value: f"{value:g}",
    "mode": lambda value: f"{value:04o}",
    "command": _command,
    "commands": lambda value: "; ".join(map(_command, value)),
}
