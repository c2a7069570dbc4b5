"""Does everything come to rest? Law 10 and its benign sisters, proved by driving worlds with one honest environment.

A drive always lets the same happen next, so what is known of one place is known of every place that drives into it: all drives
together take hardly more steps than there are places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from supervisor.model.event import Event, Requested
from supervisor.model.request import StopRequest
from supervisor.model.service import Done, Failed, Inactive, Running, Service, Stopping, Waiting
from supervisor.model.words import ServiceName, TicketId
from supervisor.model.world import World
from tests.laws.place import Place, through
from tests.laws.reality import GOOD, Happening, Temper, happenings

__all__ = ["Drives"]

_STEPS_PER_SERVICE = 30  # law 10: a bounded number of steps; the longest seen is 17
_Mood: TypeAlias = Callable[[World, Happening], int]
"""How soon it happens: the lowest number is next, a negative one does not happen."""


class Drives:
    """All drives through the worlds of one scenario."""

    def __init__(self, temper: Temper) -> None:
        self._temper = temper._replace(starves=False, cannot=False, late=True, exits=(GOOD,))
        self._known: dict[tuple[_Mood, object], int] = {}
        self.longest = 0

    def problems(self, place: Place) -> Iterator[str]:
        """How this world does not come to rest as it should: left alone, when everything is stopped, when the end has begun."""
        if place.world.exited:
            return
        yield from self._drive(place, None, _calm)
        if place.world.shutdown is None:
            everybody = tuple(place.world.services)
            yield from self._drive(place, Requested(StopRequest(TicketId(99), everybody)), _calm)
        else:
            yield from self._drive(place, None, _stubborn)

    def _drive(self, place: Place, first: Event | None, mood: _Mood) -> Iterator[str]:
        if first is not None:
            place, _, complaints = through(place, Happening(first, place.now, place.reality, "wish"))
            yield from complaints
        most = _STEPS_PER_SERVICE * len(place.world.services)
        keys: list[object] = []
        while True:
            key = place.key
            known = self._known.get((mood, key))
            if known is not None:
                break
            keys.append(key)
            following = _next(place, self._temper, mood)
            if following is None:
                yield from _unrest(place)
                known = 0
                break
            place, _, complaints = through(place, following)
            yield from complaints
            if len(keys) > most:
                yield f"law_10: no rest after {most} steps ({mood.__name__}), the last was {following.event}"
                return
        for steps, key in enumerate(reversed(keys), known):
            self._known[mood, key] = steps
        self.longest = max(self.longest, known + len(keys))
        if known + len(keys) > most:
            yield f"law_10: rest only after {known + len(keys)} steps ({mood.__name__})"


def _next(place: Place, temper: Temper, mood: _Mood) -> Happening | None:
    best: Happening | None = None
    rank = 100
    for happening in happenings(place.world, place.reality, place.now, temper):
        order = mood(place.world, happening)
        if 0 <= order < rank:
            best, rank = happening, order
    return best


def _calm(world: World, happening: Happening) -> int:
    """Everything works, and everybody does as told."""
    return _ranked(happening, happening.who is not None and _should_end(world.services[happening.who]))


def _stubborn(world: World, happening: Happening) -> int:
    """Nobody dies but of SIGKILL."""
    if happening.kind == "ready":
        return -1
    return _ranked(happening, happening.who is not None and _is_killed(world.services[happening.who]))


def _ranked(happening: Happening, dies: bool) -> int:
    match happening.kind:
        case "spawned" | "cancelled" | "ready":
            return 0
        case "died":
            return 1 if dies else -1
        case "time":
            return 2
        case "swept":
            return 3
        case _:
            return -1


def _should_end(service: Service) -> bool:
    """It was asked to, or is a job at work."""
    job = isinstance(service.state, Running) and service.plan.spec.type == "oneshot"
    return job or isinstance(service.state, Stopping)


def _is_killed(service: Service) -> bool:
    return isinstance(service.state, Stopping) and service.state.stage == "kill"


def _unrest(place: Place) -> Iterator[str]:
    """Nothing more happens by itself: is everybody where it should be?"""
    world = place.world
    if world.shutdown is not None:
        if not world.exited:
            yield f"law_10: the world does not end: {world.shutdown}"
        return
    for name, service in world.services.items():
        if not _is_at_rest(service) and not _awaits_an_end(world, name):
            yield f"law_10: {name} is left as {service.state}, wanted {service.want}, needed {service.needed}"
    for ticket in world.tickets:
        if any(_awaits_an_end(world, name) for name in ticket.pending):
            continue
        yield f"law_13: nothing happens any more, and {ticket} is open"


def _is_at_rest(service: Service) -> bool:
    state = service.state
    if isinstance(state, Stopping):
        return state.stage == "overdue"
    if not service.needed:
        return isinstance(state, Inactive | Failed)
    match state:
        case Running(ready=ready):
            return ready
        case Waiting(trouble=trouble):
            return trouble
        case _:
            return isinstance(state, Done | Failed)


def _awaits_an_end(world: World, name: ServiceName) -> bool:
    """It waits, directly or not, for a daemon to end, which that may do some day."""
    if not isinstance(world.services[name].state, Waiting):
        return False
    links = world.graph[name]
    for other, edge in links.needs.items():
        if edge.condition in ("completed", "ended") and isinstance(world.services[other].state, Running):
            return True
    return any(_awaits_an_end(world, other) for other in links.after)
