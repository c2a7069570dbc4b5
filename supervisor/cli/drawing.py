"""How does a world look as a graph? As a tree of text, for Graphviz, for Mermaid.

An arrow, or a branch, leads from who waits to what is waited for. What is only wished for is dashed, what is only an order is
dotted.
"""

from __future__ import annotations

from supervisor.cli.output import escape
from supervisor.cli.status_table import mark_of

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from supervisor.cli.output import Look

    Service: TypeAlias = Mapping[str, Any]  # Any: JSON
    Draw: TypeAlias = Callable[[Sequence[Service], Look], Iterator[str]]

__all__ = ["FORMATS"]


class _Edge:
    """`style`: solid for a requirement, dashed for what may fail, dotted for an order."""

    __slots__ = ("earlier", "label", "later", "style")

    def __init__(self, later: str, earlier: str, label: str, style: str) -> None:
        self.later = later
        self.earlier = earlier
        self.label = label
        self.style = style


def _edges(services: Sequence[Service]) -> list[_Edge]:
    """By the later one, in the order of definition. An order between two of whom one needs the other says nothing more."""
    found: dict[tuple[str, str], _Edge] = {}
    for service in services:
        for need in service["needs"]:
            label = need["condition"]
            label += "" if need["required"] else ", if it can"
            label += ", restarts with it" if need["restart"] else ""
            style = "solid" if need["required"] else "dashed"
            found[service["name"], need["name"]] = _Edge(service["name"], need["name"], label, style)
    for service in services:
        for other in service["after"]:
            found.setdefault((service["name"], other), _Edge(service["name"], other, "after", "dotted"))
        for other in service["before"]:
            found.setdefault((other, service["name"]), _Edge(other, service["name"], "after", "dotted"))
    names = {service["name"] for service in services}
    return [edge for edge in found.values() if {edge.later, edge.earlier} <= names]


def _text(services: Sequence[Service], look: Look) -> Iterator[str]:
    """Who is waited for by nobody is a root. What stands in two places is drawn out once."""
    below: dict[str, list[_Edge]] = {service["name"]: [] for service in services}
    waited_for = set()
    for edge in _edges(services):
        below[edge.later].append(edge)
        waited_for.add(edge.earlier)
    known = {service["name"]: service for service in services}
    drawn: set[str] = set()
    for name in known:  # nobody is missed: a circle does not get past the loader
        if name not in waited_for:
            yield from _tree(name, below, known, drawn, look)


def _tree(
    root: str, below: Mapping[str, Sequence[_Edge]], known: Mapping[str, Service], drawn: set[str], look: Look
) -> Iterator[str]:
    todo = [("", "", root, "")]
    while todo:
        lead, own, name, label = todo.pop()
        again = name in drawn and below[name]
        drawn.add(name)
        yield f"{own}{_marked(known[name], look)}{f': {label}' if label else ''}{' (see above)' if again else ''}"
        edges = [] if again else below[name]
        last = len(edges) - 1
        for place in range(last, -1, -1):
            sign = look.sign("└─" if place == last else "├─")
            further = "   " if place == last else f"{look.sign('│')}  "
            edge = edges[place]
            todo.append((lead + further, f"{lead}{sign} ", edge.earlier, edge.label))


def _marked(service: Service, look: Look) -> str:
    name = escape(service["name"])
    return name if service["phase"] is None else f"{mark_of(service, look)} {name}"


def _dot(services: Sequence[Service], look: Look) -> Iterator[str]:
    """The language of Graphviz (graphviz.org/doc/info/lang.html)."""
    yield "digraph pidone {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    for service in services:
        yield f"  {_dot_text(service['name'])} [label={_dot_text(_label(service))}];"
    for edge in _edges(services):
        names = f"{_dot_text(edge.later)} -> {_dot_text(edge.earlier)}"
        yield f"  {names} [label={_dot_text(edge.label)}, style={edge.style}];"
    yield "}"


def _dot_text(text: str) -> str:
    return '"' + escape(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _mermaid(services: Sequence[Service], look: Look) -> Iterator[str]:
    """A flowchart (mermaid.js.org). Nodes are numbered: a service called `end` would end it."""
    yield "flowchart LR"
    number = {service["name"]: f"s{place}" for place, service in enumerate(services)}
    for service in services:
        yield f'  {number[service["name"]]}["{_mermaid_text(_label(service))}"]'
    for edge in _edges(services):
        arrow = "-->" if edge.style == "solid" else "-.->"
        yield f'  {number[edge.later]} {arrow}|"{_mermaid_text(edge.label)}"| {number[edge.earlier]}'


def _mermaid_text(text: str) -> str:
    """Everything that could mean something to Mermaid or to HTML as a number."""
    return "".join(letter if letter.isalnum() or letter in " @_-.:," else f"#{ord(letter)};" for letter in escape(text))


def _label(service: Service) -> str:
    return service["name"] if service["phase"] is None else f"{service['name']}: {service['phase']}"


FORMATS: Mapping[str, Draw] = {"text": _text, "dot": _dot, "mermaid": _mermaid}
"""What draws each form that --format knows."""
