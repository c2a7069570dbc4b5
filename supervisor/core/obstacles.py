"""What stands in a service's way, up or down? Who must have got somewhere before it may start, and who must be gone before it
may stop.

Both settling and telling (`why`) read this, so that what is told is what decides. It takes a `View` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from supervisor.core.claims import (
    View,
    is_live,
    is_on_its_way,
    is_trouble,
    leaves,
    meets,
    must_outlive,
    stands,
)
from supervisor.core.reasons import reason
from supervisor.model.reason import Reason
from supervisor.model.service import Failed, Running, Service, StopCause, Waiting
from supervisor.model.spec import Condition
from supervisor.model.words import ServiceName

__all__ = ["Obstacle", "Until", "obstacles", "starts_after", "stays_for", "why_down", "worst_obstacle"]

Until: TypeAlias = Condition | Literal["order", "stopped"]
"""What is waited for: a dependency's condition · that it has got where it is going · that nothing of it runs."""


class Obstacle(NamedTuple):
    other: ServiceName
    until: Until
    code: str
    """Of the reason of who waits for it."""
    trouble: bool
    """It may never come by itself."""
    root: Reason | None = None
    """What the other one waits for itself, where that is the reason to tell."""

    @property
    def why(self) -> Reason:
        return self.root or reason("waiting", self.code, other=self.other, condition=self.until)


def obstacles(view: View, service: Service) -> Iterator[Obstacle]:
    """What must be true before it may start: each dependency that is not met, or, when all are, who goes first."""
    found = False
    links = view.links(service.name)
    for name, edge in links.needs.items():
        other = view[name]
        if meets(other, edge.condition):
            continue
        if not edge.required and not _may_yet_meet(view, other):
            continue
        found = True
        yield _dependency(other, edge.condition)
    if found:
        return
    for name in links.after:
        other = view[name]
        if leaves(view, other) or (name not in links.needs and is_on_its_way(other)):
            yield Obstacle(name, "order", "order", False)


def _dependency(other: Service, condition: Condition) -> Obstacle:
    name = other.name
    if other.want == "down":
        return Obstacle(name, condition, "dependency-stopped", True)
    match other.state:
        case Failed() if not other.again:
            return Obstacle(name, condition, "dependency-failed", True)
        case Waiting(reason=Reason(code="dependency-stopped") as root):
            return Obstacle(name, condition, root.code, True, root)
    return Obstacle(name, condition, "dependency", is_trouble(other))


def worst_obstacle(view: View, service: Service) -> Obstacle | None:
    """The one that is told: what was stopped or has failed, then what is in trouble, then the first."""
    found: Obstacle | None = None
    for obstacle in obstacles(view, service):
        if obstacle.code in ("dependency-stopped", "dependency-failed"):
            return obstacle
        if found is None or (obstacle.trouble and not found.trouble):
            found = obstacle
        if obstacle.until == "order":
            break
    return found


def _may_yet_meet(view: View, other: Service) -> bool:
    """Whether an optional dependency can still come, or end, without anything else having to happen."""
    if leaves(view, other):
        return False  # it is waited for all the same, but as by anybody who would start after it
    return is_on_its_way(other) or isinstance(other.state, Running)


def starts_after(view: View, name: ServiceName) -> Iterator[ServiceName]:
    """Everybody who starts after it, also by way of services that have nothing running themselves."""
    seen: set[ServiceName] = set()
    front = list(view.links(name).before)
    while front:
        later = front.pop()
        if later not in seen:
            seen.add(later)
            yield later
            if not is_live(view[later]):
                front += view.links(later).before


def stays_for(view: View, service: Service) -> Iterator[ServiceName]:
    """Who must be gone before it is stopped."""
    return (name for name in starts_after(view, service.name) if leaves(view, view[name]))


def why_down(view: View, service: Service) -> tuple[StopCause, Reason]:
    """Why a service that is withdrawn goes down, the weightiest first."""
    if view.world.shutdown is not None:
        return "shutdown", reason("stopping", "shutdown")
    if service.want == "down":
        return "operator", reason("stopping", "operator")
    if not service.needed:
        return "not-needed", reason("stopping", "not-needed")
    if service.again == "restart":
        return "restart", reason("stopping", "restart")
    return "dependency", reason("stopping", "dependency", other=_who_went(view, service))


def _who_went(view: View, service: Service) -> ServiceName:
    """The dependency that takes this service down with it."""
    needs = view.links(service.name).needs
    if service.again == "dependency":
        followed = [name for name, edge in needs.items() if edge.restart]
        return next((name for name in followed if not meets(view[name], "started")), followed[0])
    return next(name for name, edge in needs.items() if must_outlive(edge) and not stands(view[name]))
