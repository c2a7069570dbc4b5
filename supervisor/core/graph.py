"""Who means what to whom? Links between services, and the mistakes that only show across several of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from supervisor.core import restart
from supervisor.model.plan import Plan, PlannedService
from supervisor.model.record import Record
from supervisor.model.spec import DependencySpec
from supervisor.model.words import ServiceName
from supervisor.model.world import Graph, Links

__all__ = ["Problem", "build", "problems"]

_Edges = dict[ServiceName, dict[ServiceName, None]]  # ordered sets


class Problem(Record):
    """A mistake across services. The loader maps `path` to file:line:column and `code` to words."""

    path: tuple[str | int, ...]
    """As in YAML: ("services", "web", "depends_on", "db")."""
    code: str
    args: Mapping[str, str]


def build(plan: Plan) -> Graph:
    """The links of every service; names that do not exist (`problems` reports them) are left out."""
    known = dict.fromkeys(planned.name for planned in plan.services)
    later = _orderings(plan, known)
    earlier: _Edges = {name: {} for name in known}
    for name, others in later.items():
        for other in others:
            earlier[other][name] = None
    needed_by: dict[ServiceName, dict[ServiceName, DependencySpec]] = {name: {} for name in known}
    for planned in plan.services:
        for other, edge in planned.spec.depends_on.items():
            if other in known:
                needed_by[other][planned.name] = edge
    rank = {name: place for place, name in enumerate(_in_order(earlier, later))}
    return {
        planned.name: Links(
            needs={other: edge for other, edge in planned.spec.depends_on.items() if other in known},
            needed_by=needed_by[planned.name],
            after=tuple(earlier[planned.name]),
            before=tuple(later[planned.name]),
            rank=rank[planned.name],
        )
        for planned in plan.services
    }


def _in_order(earlier: _Edges, later: _Edges) -> list[ServiceName]:
    """Everybody after those it starts after. (Services of a cycle, which `problems` reports, come last.)"""
    waits = {name: len(others) for name, others in earlier.items()}
    order = [name for name, count in waits.items() if not count]
    for name in order:
        for other in later[name]:
            waits[other] -= 1
            if not waits[other]:
                order.append(other)
    return [*order, *(name for name, count in waits.items() if count)]


def problems(plan: Plan) -> tuple[Problem, ...]:
    """Every mistake across the plan's services, in the order of their definition."""
    known = {planned.name: planned for planned in plan.services}
    found: list[Problem] = []
    for planned in plan.services:
        found += _unknown_names(planned, known)
        found += _endless_conditions(planned, known)
        found += _impossible_shutdown(planned)
    found += _shared_stdin(plan.services)
    found += _cycles(plan, known)
    return tuple(found)


def _orderings(plan: Plan, known: Iterable[ServiceName]) -> _Edges:
    """For every service those that start after it."""
    later: _Edges = {name: {} for name in known}
    for planned in plan.services:
        for other in (*planned.spec.depends_on, *planned.spec.after):
            if other in later:
                later[ServiceName(other)][planned.name] = None
        for other in planned.spec.before:
            if other in later:
                later[planned.name][ServiceName(other)] = None
    return later


def _unknown_names(planned: PlannedService, known: Mapping[ServiceName, PlannedService]) -> Iterable[Problem]:
    spec = planned.spec
    for key, names in (("depends_on", tuple(spec.depends_on)), ("after", spec.after), ("before", spec.before)):
        for name in names:
            if name not in known:
                yield Problem(
                    ("services", planned.name, key, name), "unknown-service", {"name": name, "service": planned.name}
                )


def _endless_conditions(planned: PlannedService, known: Mapping[ServiceName, PlannedService]) -> Iterable[Problem]:
    for other, edge in planned.spec.depends_on.items():
        if edge.condition in ("completed", "ended") and other in known and not _can_end(known[other], edge.condition):
            yield Problem(
                ("services", planned.name, "depends_on", other),
                "never-ends",
                {"name": other, "condition": edge.condition, "policy": known[other].spec.restart.policy},
            )


def _can_end(planned: PlannedService, condition: str) -> bool:
    """Whether it can end for good by itself: successfully for `completed`, in any way for `ended`."""
    ends = restart.final_ends(planned.spec)
    return "done" in ends if condition == "completed" else bool(ends)


def _impossible_shutdown(planned: PlannedService) -> Iterable[Problem]:
    """`shutdown_on` fires when a service has ended for good: does its restart policy ever let it?"""
    ends, on = restart.final_ends(planned.spec), planned.spec.shutdown_on
    fires = {"never": True, "exit": bool(ends), "success": "done" in ends, "failure": "failed" in ends}
    if not fires[on]:
        path = ("services", planned.name, "shutdown_on")
        yield Problem(path, "never-fires", {"value": on, "policy": planned.spec.restart.policy})


def _shared_stdin(services: Iterable[PlannedService]) -> Iterable[Problem]:
    owners = [planned.name for planned in services if planned.spec.stdin == "inherit"]
    for name in owners[1:]:
        yield Problem(("services", name, "stdin"), "stdin-shared", {"name": owners[0]})


def _cycles(plan: Plan, known: Mapping[ServiceName, PlannedService]) -> Iterable[Problem]:
    """One problem per knot of services that would wait for each other, with one way around it."""
    later = _orderings(plan, known)
    reported: set[ServiceName] = set()
    for knot in _knots(later):
        if reported.isdisjoint(knot):
            reported |= knot
            start = next(planned.name for planned in plan.services if planned.name in knot)
            around = _way_around(later, knot, start)
            path = _where_written(known, around[0], around[1 % len(around)])
            yield Problem(path, "cycle", {"cycle": " → ".join((*around, start))})


def _where_written(known: Mapping[ServiceName, PlannedService], first: str, second: str) -> tuple[str | int, ...]:
    """The path of the key that says: `first` starts before `second`."""
    spec = known[ServiceName(second)].spec
    for key, names in (("depends_on", tuple(spec.depends_on)), ("after", spec.after)):
        if first in names:
            return ("services", second, key, first)
    return ("services", first, "before", second)


def _knots(later: _Edges) -> list[set[ServiceName]]:
    """Strongly connected components with more than one member or an edge to themselves (Tarjan, without recursion:
    a chain of a thousand services is legitimate)."""
    index: dict[ServiceName, int] = {}
    low: dict[ServiceName, int] = {}
    stack: list[ServiceName] = []
    stacked: set[ServiceName] = set()
    knots: list[set[ServiceName]] = []
    for root in later:
        if root in index:
            continue
        work = [(root, iter(later[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        stacked.add(root)
        while work:
            node, others = work[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    stacked.add(other)
                    work.append((other, iter(later[other])))
                    break
                if other in stacked:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    knot = set()
                    while node not in knot:
                        member = stack.pop()
                        stacked.discard(member)
                        knot.add(member)
                    if len(knot) > 1 or node in later[node]:
                        knots.append(knot)
    return knots


def _way_around(later: _Edges, knot: set[ServiceName], start: ServiceName) -> list[ServiceName]:
    """The shortest way inside the knot from `start` back to it, without the return."""
    came: dict[ServiceName, ServiceName] = {}
    front = [start]
    while front:
        following = []
        for node in front:
            for other in later[node]:
                if other == start:
                    way = [node]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return way[::-1]
                if other in knot and other not in came:
                    came[other] = node
                    following.append(other)
        front = following
    raise AssertionError("a knot has a way around")  # pragma: no cover
