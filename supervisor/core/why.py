"""What is there to tell about a service's place: what does it wait for, down to the root, who waits for it, and what would
change that?

It tells what is true now and decides nothing; what has happened before is in the runtime's history. What stands in the way is
found by the same functions that settle the world (`obstacles`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, assert_never

from supervisor.core import restart
from supervisor.core.claims import leaves, withdrawn
from supervisor.core.obstacles import Until, obstacles, stays_for, why_down, worst_obstacle
from supervisor.core.reasons import duration_text
from supervisor.model.reason import CURES, Reason
from supervisor.model.service import (
    Backoff,
    Done,
    Ended,
    Failed,
    Inactive,
    Running,
    Service,
    Starting,
    Starved,
    Stopping,
    Waiting,
)
from supervisor.model.words import NEVER, Instant, Monotonic, ServiceName
from supervisor.model.world import Links, World

__all__ = ["Account", "Link", "account", "cure"]

_LINKS = 64  # that are followed, or told: more than anybody reads
_ROOTS = 8  # whose cures are told

_FOLLOWS: Mapping[str, str] = {
    "always": "it is started again (restart: always)",
    "on-failure": "it is started again unless it ended well (restart: on-failure)",
    "on-abnormal": "it is started again after a signal, a core dump or a timeout (restart: on-abnormal)",
    "never": "it is not started again (restart: never)",
}


class Link(NamedTuple):
    """One waits for another."""

    waiter: ServiceName
    other: ServiceName
    until: Until


class Account(NamedTuple):
    fate: Reason | None
    """It is up and about to be stopped for this; None: it stays."""
    waits_for: tuple[Link, ...]
    """Everything it waits for, directly or not: who is nearer comes first."""
    roots: tuple[ServiceName, ...]
    """Those of them that wait for nobody themselves: where the cause is."""
    waited_by: tuple[Link, ...]
    """Who waits directly for it."""
    changes: tuple[tuple[ServiceName, str], ...]
    """What would change it: what is to be said of itself, then of the roots."""
    left_out: int
    """Links that were too many."""


class _Frozen:
    """A world as a `View`."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __getitem__(self, name: ServiceName) -> Service:
        return self.world.services[name]

    def links(self, name: ServiceName) -> Links:
        return self.world.graph[name]


def account(world: World, name: ServiceName, now: Instant) -> Account:
    """Everything there is to tell. Raises KeyError for a service that is not there."""
    view = _Frozen(world)
    service = view[name]
    waits_for, left_out = _followed(view, name)
    waiters = {link.waiter for link in waits_for}
    roots = tuple(dict.fromkeys(link.other for link in waits_for if link.other not in waiters))
    waited_by = tuple(_waiters(view, name))
    told = (name, *(root for root in roots[:_ROOTS] if root != name))
    return Account(
        fate=_fate(view, service),
        waits_for=waits_for,
        roots=roots,
        waited_by=waited_by[:_LINKS],
        changes=tuple((one, cure(world, one, now)) for one in told),
        left_out=left_out + len(waited_by[_LINKS:]),
    )


def _followed(view: _Frozen, name: ServiceName) -> tuple[tuple[Link, ...], int]:
    """The links from it to the roots, each service followed once."""
    found: list[Link] = []
    left_out = 0
    seen = {name}
    front = [name]
    for waiter in front:
        for link in _links_of(view, waiter):
            if len(found) == _LINKS:
                left_out += 1
                continue
            found.append(link)
            if link.other not in seen:
                seen.add(link.other)
                front.append(link.other)
    return tuple(found), left_out


def _links_of(view: _Frozen, name: ServiceName) -> Iterator[Link]:
    """What this one waits for now."""
    service = view[name]
    if isinstance(service.state, Waiting):
        yield from (Link(name, obstacle.other, obstacle.until) for obstacle in obstacles(view, service))
    elif _is_going(view, service):
        yield from (Link(name, other, "stopped") for other in stays_for(view, service))


def _waiters(view: _Frozen, name: ServiceName) -> Iterator[Link]:
    """To start, those after it in the order; to stop, those before it."""
    links = view.links(name)
    for other in links.before:
        if isinstance(view[other].state, Waiting):
            yield from (link for link in _links_of(view, other) if link.other == name)
    if leaves(view, view[name]):
        yield from (Link(other, name, "stopped") for other in links.after if _is_going(view, view[other]))


def _is_going(view: _Frozen, service: Service) -> bool:
    """It is up, and will be stopped as soon as those who go first have gone."""
    match service.state:
        case Starting() | Running():
            return withdrawn(service)
        case Done():
            return leaves(view, service)
        case _:
            return False


def _fate(view: _Frozen, service: Service) -> Reason | None:
    return why_down(view, service)[1] if _is_going(view, service) else None


def cure(world: World, name: ServiceName, now: Instant) -> str:
    """What would change where it is: a sentence without a full stop."""
    view = _Frozen(world)
    service = view[name]
    fate = _fate(view, service)
    if fate is not None:
        first = " and ".join(stays_for(view, service))
        return f"it is about to be stopped: {fate.text}" + (f"; {first} must have stopped before" if first else "")
    state, shut = service.state, world.shutdown
    if shut is not None and not isinstance(state, Stopping):
        return CURES["inactive"]["shutdown"].format(by=shut.by)
    return CURES[state.phase][state.reason.code].format_map({"name": name, **_texts(view, service, now)})


def _texts(view: _Frozen, service: Service, now: Instant) -> Mapping[str, str]:
    """What this state's sentences are filled with."""
    spec = service.plan.spec
    timeout = {"timeout": "none" if spec.start_timeout is None else duration_text(spec.start_timeout)}
    state = service.state
    match state:
        case Inactive() | Done():
            return {}
        case Waiting():
            return _obstacle_texts(view, service)
        case Starved() | Backoff():
            return {**timeout, "left": _left(state.until, now)}
        case Starting():
            return {"deadline": _deadline(state, now, timeout["timeout"])}
        case Running():
            command = "command" if len(spec.command) == 1 else "last command"
            follows = _FOLLOWS[spec.restart.policy]
            return {"deadline": _deadline(state, now, timeout["timeout"]), "command": command, "follows": follows}
        case Stopping():
            return {**timeout, "asked": _asked(view, service, state, now), "then": _then(view, service, state, now)}
        case Failed():
            return {**timeout, "instead": _instead(service)}
        case _:
            assert_never(state)


def _obstacle_texts(view: _Frozen, service: Service) -> Mapping[str, str]:
    """The one that its reason is about."""
    obstacle = worst_obstacle(view, service)
    if obstacle is None:  # a world that did not settle: a mistake of ours, which is told elsewhere
        return {"other": "what it needs", "condition": "ready"}
    other, condition = obstacle.other, obstacle.until
    while obstacle is not None and obstacle.root is not None:  # somebody farther off was stopped by the operator
        obstacle = worst_obstacle(view, view[obstacle.other])
        other = other if obstacle is None else obstacle.other
    return {"other": other, "condition": condition}


def _deadline(state: Starting | Running, now: Instant, timeout: str) -> str:
    if state.deadline == NEVER:
        return "" if isinstance(state, Running) else "; it waits for that as long as it takes (start_timeout: none)"
    return f"; if not, this attempt ends in {_left(state.deadline, now)} (start_timeout: {timeout})"


def _left(until: Monotonic, now: Instant) -> str:
    left = max(0.0, until - now.mono)
    return duration_text(left if left < 1 else round(left, 1))  # nobody reads milliseconds of a minute


def _asked(view: _Frozen, service: Service, state: Stopping, now: Instant) -> str:
    """How far the stop rule has got."""
    stop = service.plan.spec.stop
    kills = state.deadline != NEVER and (stop.kill or view.world.shutdown is not None)
    further = f"SIGKILL follows in {_left(state.deadline, now)}" if kills else "no SIGKILL follows (stop.kill: false)"
    match state.stage:
        case "spawning":
            return f"it is asked to end as soon as it is known whether its program could be executed, {further}"
        case "command":
            return f"its stop.command runs, {further} at the latest" if kills else f"its stop.command runs, {further}"
        case "signal":
            return f"{stop.signal} was sent, {further}"
        case "rest":
            return f"{stop.signal if stop.scope == 'all' else 'SIGTERM'} was sent to what is left, {further}"
        case "kill":
            return "SIGKILL was sent"
        case "overdue":
            return "nothing more is tried"
        case _:
            assert_never(state.stage)


def _then(view: _Frozen, service: Service, state: Stopping, now: Instant) -> str:
    """What follows when nothing of it is left."""
    if view.world.shutdown is not None:
        return f"it stays down: the world is ending ({view.world.shutdown.by})"
    ended = service.last or state.ended
    if state.ended is not None and ended is not None and service.upright and not service.again:
        return _verdict(service, ended, now)
    if service.want == "down" or not service.needed:
        return "it is inactive"
    return "it starts again" if service.upright else "it waits for what it needs to come back"


def _verdict(service: Service, ended: Ended, now: Instant) -> str:
    spec = service.plan.spec
    decision = restart.decide(spec, ended)
    policy = f"(restart: {spec.restart.policy})"
    if decision == "done":
        return f"it is done {policy}"
    if decision == "failed" or restart.exhausted(spec.restart, service.window, now.mono):
        return f"it has failed {policy}"
    return f"it starts again after a pause {policy}"


def _instead(service: Service) -> str:
    spec = service.plan.spec
    if service.last is not None and restart.forbidden(spec, service.last):
        return "restart.never_on names this end"
    return f"restart: on-failure would try again by itself, {spec.restart.policy} does not"
