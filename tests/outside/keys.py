"""What shows that a key does something? One row per key: a world, what to look at, and what is seen with the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.outside.world import World

__all__ = ["Row", "on_service", "on_system"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Row(NamedTuple):
    """`observe` gives `expected` in the world as written, and something else when `path` is deleted from its YAML."""

    key: str
    services: Mapping[str, Any]
    path: tuple[str | int, ...]
    observe: Callable[[World], object]
    expected: object
    system: Mapping[str, Any] | None = None
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = _NOTHING
    files: Mapping[str, str] = _NOTHING
    named: bool = True
    needs_root: bool = False
    """Without root there is no difference to be seen; the reason stands beside the row."""


def on_service(
    key: str, services: Mapping[str, Any], observe: Callable[[World], object], expected: object, **more: Any
) -> Row:
    """A row about a key of the service `a`."""
    return Row(key, services, ("services", "a", *key.split(".")), observe, expected, **more)


def on_system(
    key: str, system: Mapping[str, Any], observe: Callable[[World], object], expected: object, **more: Any
) -> Row:
    """A row about a key under `system`, in a world of one service that lives."""
    services = more.pop("services", {"a": {"command": ["sleep", "100000"]}})
    return Row(key, services, tuple(key.split(".")), observe, expected, system=system, **more)
