"""What may be said with a method? One record per method; what it does not declare is refused, what it declares is checked.

The records are data: `read` checks by their annotations, the reference page is generated from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from supervisor.model.record import Record
from supervisor.model.signals import signal_number

__all__ = [
    "ChangeParameters",
    "EventsParameters",
    "KillParameters",
    "LogsParameters",
    "NoParameters",
    "ServiceParameters",
    "ShutdownParameters",
    "StatusParameters",
    "StopParameters",
    "Unreadable",
    "WaitParameters",
    "read",
]

Texts: TypeAlias = tuple[str, ...]
Count: TypeAlias = int
Moment: TypeAlias = float
Target: TypeAlias = Literal["ready", "stopped", "done"]

_MANY = 4096  # texts in one list: a line has no room for many more


class NoParameters(Record):
    pass


class StatusParameters(Record):
    names: Texts = ()
    """Services and @groups; none means all."""
    brief: bool = False
    """Of each service only what a table shows."""


class ServiceParameters(Record):
    name: str = ""
    """One service."""


class EventsParameters(Record):
    after: Count | None = None
    """Only what came after so many events; null for everything that is remembered."""
    follow: bool = False
    """Send an `event` notification for each, and go on with new ones until the connection is closed."""


class ChangeParameters(Record):
    names: Texts = ()
    """Services and @groups."""
    all: bool = False
    """Every service."""
    wait: bool = True
    """Answer when the ticket has ended; false: at once."""
    progress: bool = False
    """Send a `progress` notification for every transition meanwhile."""


class StopParameters(Record):
    names: Texts = ()
    all: bool = False
    wait: bool = True
    progress: bool = False
    dependents: bool = True
    """False refuses when a running dependent would have to stop first."""


class KillParameters(Record):
    names: Texts = ()
    all: bool = False
    signal: str = "SIGTERM"
    """A signal's name or number."""
    main: bool = False
    """Only the main process."""


class WaitParameters(Record):
    names: Texts = ()
    all: bool = False
    target: Target = "ready"
    """`ready`, `stopped` or `done`."""


class LogsParameters(Record):
    names: Texts = ()
    """Services and @groups; none means all. `pidone` is pidone itself."""
    lines: Count | None = None
    """How many old lines; null for all there are."""
    follow: bool = False
    """Go on with new lines until the reader closes."""
    since: Moment | None = None
    """Seconds since 1970: no older lines."""
    grep: str | None = None
    """A regular expression: only lines in which it is found."""


class ShutdownParameters(Record):
    progress: bool = False


class Unreadable(Record):
    """Parameters that the method does not take."""

    text: str


def read(kind: type[Record], params: Mapping[str, Any]) -> Record | Unreadable:
    """The record that these parameters are; raises nothing."""
    for name in params:
        if name not in kind.__match_args__:
            return Unreadable(f"no parameter is called {name[:80]!r}")
    values: dict[str, Any] = {}
    for name, value in params.items():
        expected = str(kind.__annotations__[name])
        is_it, words = _KINDS[expected]
        if not is_it(value):
            return Unreadable(f"{name} must be {words}")
        values[name] = tuple(value) if expected == "Texts" else value
    if "signal" in values:
        try:
            signal_number(values["signal"])
        except ValueError as error:
            return Unreadable(str(error))
    return kind(**values)


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate: nothing that is named in a YAML file
        return False
    return True


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MANY and all(_is_text(item) for item in value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31)


def _is_moment(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1 << 40)


def _is_target(value: object) -> bool:
    return value in ("ready", "stopped", "done")


_KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "Texts": (_is_texts, "a list of texts"),
    "bool": (_is_flag, "true or false"),
    "str": (_is_text, "a text"),
    "str | None": (lambda value: value is None or _is_text(value), "a text or null"),
    "Count | None": (_is_count, "a whole number from 0 or null"),
    "Moment | None": (_is_moment, "seconds since 1970 or null"),
    "Target": (_is_target, "ready, stopped or done"),
}
"""How each annotation is checked, and what it asks for in words."""
