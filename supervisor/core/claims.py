"""What is true of a service, seen by the others? Predicates that read as claims; they change nothing.

They take a `View`: the frozen world and the draft of the next one both are.
"""

from __future__ import annotations

from typing import Protocol

from supervisor.model.service import (
    Backoff,
    Done,
    Failed,
    Inactive,
    Running,
    Service,
    Starting,
    Starved,
    Stopping,
    Waiting,
)
from supervisor.model.spec import Condition, DependencySpec
from supervisor.model.words import ServiceName
from supervisor.model.world import Links, World

__all__ = [
    "View",
    "holds_processes",
    "is_live",
    "is_needed",
    "is_on_its_way",
    "is_trouble",
    "is_upright",
    "leaves",
    "meets",
    "must_outlive",
    "stands",
    "withdrawn",
]


class View(Protocol):
    """Services and their links by name."""

    @property
    def world(self) -> World: ...

    def __getitem__(self, name: ServiceName) -> Service: ...

    def links(self, name: ServiceName) -> Links: ...


def is_live(service: Service) -> bool:
    """A run is under way: between the order to spawn and the end of its last process."""
    return isinstance(service.state, Starting | Running | Stopping)


def holds_processes(service: Service) -> bool:
    """Processes of it are, or may be, alive."""
    state = service.state
    return is_live(service) or (isinstance(state, Done) and state.lingering)


def is_needed(view: View, name: ServiceName) -> bool:
    """Wanted itself, or required by one that is needed. An operator's stop outweighs every need."""
    want = view[name].want
    if want != "none":
        return want == "up"
    return any(view[other].needed for other in view.links(name).needed_by)


def is_upright(view: View, name: ServiceName) -> bool:
    """May be up: needed, the world is not ending, and nothing it cannot run without is going down. (What has failed by
    itself is not going down: who runs already goes on.)"""
    if view.world.shutdown is not None or not view[name].needed:
        return False
    return all(stands(view[other]) for other, edge in view.links(name).needs.items() if must_outlive(edge))


def stands(service: Service) -> bool:
    """It is, or will be, where it is wanted; a finished job stands as long as it is needed."""
    return service.upright or (isinstance(service.state, Done) and service.needed)


def must_outlive(edge: DependencySpec) -> bool:
    """Whether the dependent cannot go on when this dependency is taken down."""
    return edge.required and edge.condition in ("started", "ready")


def withdrawn(view: View, service: Service) -> bool:
    """It is about to go down, or on its way: whoever would start on it now would start on sand."""
    if service.again == "restart" or service.again == "dependency":
        return True
    return view.world.shutdown is not None or not stands(service)


def meets(view: View, service: Service, condition: Condition) -> bool:
    """Whether this service satisfies a dependent's condition now."""
    state = service.state
    oneshot = service.plan.spec.type == "oneshot"
    match condition:
        case "completed":
            return isinstance(state, Done) and not service.again
        case "ended":
            return isinstance(state, Done | Failed) and not service.again
        case "started":
            begun = isinstance(state, Running) or (isinstance(state, Starting) and state.main == "live")
        case "ready":
            begun = isinstance(state, Running) and state.ready
    return (begun or (oneshot and isinstance(state, Done))) and not withdrawn(view, service)


def is_trouble(service: Service) -> bool:
    """It failed, or is between two attempts, or waits for one that is: it may never come."""
    state = service.state
    return isinstance(state, Failed | Backoff) or (isinstance(state, Waiting) and state.trouble)


def is_on_its_way(view: View, service: Service) -> bool:
    """It will start, or finish its job, without anything else having to happen: an ordering waits for this."""
    match service.state:
        case Starting() | Starved():
            return True
        case Running():
            return service.plan.spec.type == "oneshot"
        case Inactive():
            return service.upright
        case Waiting(trouble=trouble):
            return service.upright and not trouble
        case Stopping(stage=stage):
            return service.upright and stage != "overdue"
        case Done():
            return bool(service.again)
        case Backoff() | Failed():
            return False


def leaves(view: View, service: Service) -> bool:
    """It stands in the way of those it depends on: it still has something to stop, and will stop it."""
    state = service.state
    if isinstance(state, Done):
        undo = service.plan.spec.type == "oneshot" and service.plan.spec.stop.command is not None
        going = view.world.shutdown is not None or not service.needed or bool(service.again)
        return going and (state.lingering or undo)
    if isinstance(state, Stopping) and state.stage == "overdue":
        return False
    return is_live(service) and withdrawn(view, service)
