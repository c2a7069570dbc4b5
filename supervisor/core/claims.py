"""What is true of a service, seen by the others? Predicates that read as claims; they change nothing.

They take a `View`: the frozen world and the draft of the next one both are.
"""

from __future__ import annotations

from typing import Protocol, assert_never

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
    "goes_along",
    "has_undo",
    "holds_processes",
    "is_done_job",
    "is_live",
    "is_needed",
    "is_on_its_way",
    "is_overdue",
    "is_trouble",
    "is_upright",
    "keeps_world",
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


def is_done_job(service: Service) -> bool:
    """A job that ended well, and stands as long as it is needed."""
    return isinstance(service.state, Done) and service.plan.spec.type == "oneshot"


def has_undo(service: Service) -> bool:
    """A finished job whose stop.command undoes it."""
    return is_done_job(service) and service.plan.spec.stop.command is not None


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
    return all(stands(view[other]) for other, edge in view.links(name).needs.items() if goes_along(view[name], edge))


def stands(service: Service) -> bool:
    """It is, or will be, where it is wanted; a finished job stands as long as it is needed."""
    return service.upright or (isinstance(service.state, Done) and service.needed)


def must_outlive(edge: DependencySpec) -> bool:
    """Whether the dependent cannot go on when this dependency is taken down."""
    return edge.required and edge.condition in ("started", "ready")


def goes_along(dependent: Service, edge: DependencySpec) -> bool:
    """Whether this dependent is taken down with that dependency. The command in the foreground is the operator's own doing, it
    may be the shell he types in: it waits for the others at the beginning, and then goes its own way."""
    return must_outlive(edge) and not dependent.plan.foreground


def withdrawn(service: Service) -> bool:
    """It is about to go down, or on its way: whoever would start on it now would start on sand."""
    return service.again in ("restart", "dependency") or not stands(service)


def meets(service: Service, condition: Condition) -> bool:
    """Whether this service satisfies a dependent's condition now."""
    state = service.state
    match condition:
        case "ended" if isinstance(state, Failed):
            return True
        case "completed" | "ended":
            met = isinstance(state, Done)
        case "started":
            living = isinstance(state, Starting) and state.main == "live"
            met = living or isinstance(state, Running) or is_done_job(service)
        case "ready":
            met = (isinstance(state, Running) and state.ready) or is_done_job(service)
        case _:
            assert_never(condition)
    return met and not withdrawn(service)


def is_trouble(service: Service) -> bool:
    """It failed, is between two attempts, does not end, has ended for good, or waits for one of these: who waits for it may
    wait for ever."""
    match service.state:
        case Failed() | Backoff() | Done():
            return not service.again
        case Waiting(trouble=trouble):
            return trouble
        case _:
            return is_overdue(service)


def is_on_its_way(service: Service) -> bool:
    """It will start, or finish its job, without anything else having to happen: an ordering waits for this. (For who is on the
    way down it waits as well: `leaves`.)"""
    match service.state:
        case Starting() | Starved():
            return True
        case Running():
            return service.plan.spec.type == "oneshot"
        case Inactive():
            return service.upright
        case Waiting(trouble=trouble):
            return not trouble
        case Done():
            return bool(service.again)
        case Stopping() | Backoff() | Failed():
            return False
        case _:
            assert_never(service.state)


def keeps_world(service: Service) -> bool:
    """While it is so, a world that ends when all is done goes on: it runs, will run by itself, or is the operator's to start
    again. Who waits in trouble does not: whatever may still come of that keeps the world itself."""
    match service.state:
        case Starting() | Running() | Stopping() | Starved() | Backoff():
            return True
        case Waiting(trouble=trouble):
            return not trouble or service.want == "down"
        case Inactive() | Done() | Failed():
            return bool(service.again) or service.want == "down"
        case _:
            assert_never(service.state)


def leaves(view: View, service: Service) -> bool:
    """It is going down, whatever for, and has something to stop: those it depends on wait for that before they go themselves,
    and so does who would start after it."""
    match service.state:
        case Stopping(stage=stage):
            return stage != "overdue"
        case Starting() | Running():
            return withdrawn(service)
        case Done(lingering=lingering):
            going = view.world.shutdown is not None or not service.needed or bool(service.again)
            return going and (lingering or will_undo(view, service))
        case _:
            return False
