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
    "has_undo",
    "holds_processes",
    "is_live",
    "is_needed",
    "is_on_its_way",
    "is_overdue",
    "is_trouble",
    "is_upright",
    "leaves",
    "meets",
    "must_outlive",
    "stands",
    "will_undo",
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


def is_overdue(service: Service) -> bool:
    """It was to stop and did not, and nothing more is tried."""
    return isinstance(service.state, Stopping) and service.state.stage == "overdue"


def holds_processes(service: Service) -> bool:
    """Processes of it are, or may be, alive."""
    state = service.state
    return is_live(service) or (isinstance(state, Done) and state.lingering)


def has_undo(service: Service) -> bool:
    """A finished job whose stop.command undoes it."""
    spec = service.plan.spec
    return isinstance(service.state, Done) and spec.type == "oneshot" and spec.stop.command is not None


def will_undo(view: View, service: Service) -> bool:
    """It is undone when it goes: once the grace of a shutdown is over there is no time for that."""
    shut = view.world.shutdown
    return has_undo(service) and (shut is None or shut.degree == "ordered")


def is_needed(view: View, name: ServiceName) -> bool:
    """Wanted itself, or required by one that is needed. An operator's stop outweighs every need."""
    want = view[name].want
    if want != "none":
        return want == "up"
    return any(edge.required and view[other].needed for other, edge in view.links(name).needed_by.items())


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
            return isinstance(state, Done) and service.needed and not service.again
        case "ended":
            return isinstance(state, Done | Failed) and service.needed and not service.again
        case "started":
            begun = isinstance(state, Running) or (isinstance(state, Starting) and state.main == "live")
        case "ready":
            begun = isinstance(state, Running) and state.ready
    return (begun or (oneshot and isinstance(state, Done))) and not withdrawn(view, service)


def is_trouble(service: Service) -> bool:
    """It failed, is between two attempts, does not end, has ended for good, or waits for one of these: it may never come."""
    match service.state:
        case Failed() | Backoff():
            return not service.again
        case Waiting(trouble=trouble):
            return trouble
        case Done():
            return service.plan.spec.type != "oneshot" and not service.again
        case _:
            return is_overdue(service)


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
    """It is going down, whatever for, and has something to stop: those it depends on wait for that before they go themselves,
    and so does who would start after it."""
    match service.state:
        case Stopping(stage=stage):
            return stage != "overdue"
        case Starting() | Running():
            return withdrawn(view, service)
        case Done(lingering=lingering):
            going = view.world.shutdown is not None or not service.needed or bool(service.again)
            return going and (lingering or will_undo(view, service))
        case _:
            return False
