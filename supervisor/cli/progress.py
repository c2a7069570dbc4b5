"""What happens while somebody waits? Each transition of the services that the operation can touch, on stderr, for a terminal."""

from __future__ import annotations

import sys

from supervisor.cli.output import escape

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any, TypeAlias

    from supervisor.cli.output import Look

    Service: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["concerned", "shower"]


def concerned(verb: str, words: Collection[str], services: Sequence[Service]) -> frozenset[str]:
    """The services that a change of these can touch: what a start needs, whom a stop takes along. No words: all."""
    if not words:
        return frozenset(service["name"] for service in services)
    needs = {service["name"]: [need["name"] for need in service.get("needs", ())] for service in services}
    needed_by = {service["name"]: list(service.get("needed_by", ())) for service in services}
    found = {service["name"] for service in services if _is_meant(service, words)}
    for wanted, links in (("start", needs), ("stop", needed_by)):
        if verb in (wanted, "restart"):
            found |= _closure(found, links)
    return frozenset(found)


def shower(names: frozenset[str], look: Look) -> Callable[[Mapping[str, Any]], None]:
    """What shows an edge if it is about one of these."""

    def show(edge: Mapping[str, Any]) -> None:
        if edge["service"] in names:
            text = f"{edge['service']}: {edge['to']}, {edge['reason']['text']}"
            print(look.paint(f"{look.sign('…')} {escape(text)}", "dim"), file=sys.stderr)

    return show


def _is_meant(service: Service, words: Collection[str]) -> bool:
    return service["name"] in words or any(f"@{group}" in words for group in service.get("groups", ()))


def _closure(names: Collection[str], links: Mapping[str, Sequence[str]]) -> set[str]:
    found, todo = set(names), list(names)
    while todo:
        for other in links.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found
