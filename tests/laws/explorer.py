"""Which worlds can there be, and does every law hold in each of them? Breadth first through everything that may happen.

Time is abstracted to due or not due: it either stands still or goes to the next deadline.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from supervisor.core.step import Step, empty_world, step
from supervisor.model.effect import Answer
from supervisor.model.event import Broke, Event, PlanAccepted, Requested, StopAsked
from supervisor.model.plan import Plan
from supervisor.model.record import replace
from supervisor.model.request import KillRequest, Request, RestartRequest, ShutdownRequest, StartRequest, StopRequest
from supervisor.model.words import Seconds, ServiceName, TicketId
from supervisor.model.world import World
from tests.laws import worlds
from tests.laws.drives import Drives
from tests.laws.place import Place, through
from tests.laws.reality import Happening, Temper, at, follow, happenings, nothing

__all__ = ["Findings", "Scenario", "explore"]

_FREEZE_EVERY = 40  # law 12 costs as much as thirty steps


class Scenario(NamedTuple):
    """A small world and what may happen in it."""

    name: str
    plan: Plan
    temper: Temper = Temper()
    verbs: tuple[str, ...] = ("start", "stop", "restart")
    names: tuple[str, ...] = ()
    """Whom the operator asks something of; () for all."""
    tickets: int = 0
    """How many requests may be open at a time; 0: any number, for nobody waits for the answer."""
    signals: int = 1
    """How many stop signals may come."""
    shutdown_timeout: float = 30.0


class Findings:
    """What an exploration has seen."""

    def __init__(self) -> None:
        self.places = 0
        self.steps = 0
        self.ways: set[tuple[str, str, str]] = set()
        """(origin, to, reason code) of every edge."""
        self.outcomes: set[tuple[str, str]] = set()
        """(verdict, code) of every answer."""
        self.broken: list[str] = []
        self.longest = 0


def explore(scenario: Scenario, most: int = 40_000, complaints: int = 1) -> Findings:
    """Everything that can happen in this scenario; ends early after so many complaints, and with one when there is more than
    `most` places."""
    found = Findings()
    drives = Drives(scenario.temper)
    first = _begin(scenario, found)
    came: dict[object, tuple[object, str]] = {first.key: (None, "")}
    front = deque([first])
    while front and found.places < most and len(found.broken) < complaints:
        place = front.popleft()
        key = place.key
        problems = [*_looked_at(place, found), *drives.problems(place)]
        for happening in _everything(scenario, place):
            following, taken, broken = through(place, happening)
            problems += broken
            for before, done in taken:
                _note(found, before, done)
            if not scenario.tickets:
                following = following._replace(world=replace(following.world, tickets=()))
            there = following.key
            if there not in came:
                came[there] = (key, f"{happening.event} {happening.also or ''}")
                front.append(following)
        found.broken += [f"{scenario.name}: {problem}\n{_way_to(came, key)}" for problem in problems]
    if front and not found.broken:
        found.broken.append(f"{scenario.name}: more than {most} places")
    found.longest = drives.longest
    return found


def _begin(scenario: Scenario, found: Findings) -> Place:
    now = at(1000.0)
    empty = empty_world(1)
    done = step(empty, PlanAccepted(scenario.plan, Seconds(scenario.shutdown_timeout)), now)
    _note(found, empty, done)
    return Place(done.world, follow(nothing(done.world), done), now)


def _looked_at(place: Place, found: Findings) -> Iterator[str]:
    """The laws about a world at rest between two events."""
    found.places += 1
    yield from worlds.law_8(place.world, place.now)
    yield from worlds.law_5(place.world, place.now, found.places)
    if found.places % _FREEZE_EVERY == 1:
        yield from worlds.law_12(place.world, StopAsked("SIGTERM"), place.now)


def _everything(scenario: Scenario, place: Place) -> Iterator[Happening]:
    yield from happenings(place.world, place.reality, place.now, scenario.temper)
    for event in _wishes(scenario, place.world):
        yield Happening(event, place.now, place.reality, "wish")


_REQUESTS: dict[str, Callable[[TicketId, tuple[ServiceName, ...]], Request]] = {
    "start": StartRequest,
    "stop": StopRequest,
    "restart": RestartRequest,
    "kill": lambda ticket, names: KillRequest(ticket, names, 9),
}


def _wishes(scenario: Scenario, world: World) -> Iterator[Event]:
    """What people may ask for now."""
    if world.exited:
        return
    shut = world.shutdown
    asked = 0 if shut is None else 1 + ("ordered", "forced", "immediate").index(shut.degree)
    if asked < scenario.signals:
        yield StopAsked("SIGTERM", count=asked + 1)
    if scenario.tickets and len(world.tickets) >= scenario.tickets:
        return
    ticket = TicketId(1 + max((ticket.id for ticket in world.tickets), default=0))
    for verb in scenario.verbs:
        if verb == "broke":
            yield Broke("a bug")
        elif verb == "shutdown":
            if shut is None:
                yield Requested(ShutdownRequest(ticket))
        elif shut is None or verb == "stop":
            for name in scenario.names or world.services:
                yield Requested(_REQUESTS[verb](ticket, (ServiceName(name),)))


def _note(found: Findings, before: World, done: Step) -> None:
    found.steps += 1
    for edge in done.edges:
        found.ways.add((str(edge.origin), edge.to, edge.reason.code))
    for effect in done.effects:
        if isinstance(effect, Answer):
            found.outcomes.add((effect.outcome.verdict, effect.outcome.code))


def _way_to(came: dict[object, tuple[object, str]], key: object) -> str:
    """The events that led there, the first first."""
    way: list[str] = []
    while key is not None:
        key, event = came[key]
        way.append(event)
    return "\n".join(f"    {event}" for event in reversed(way) if event)
