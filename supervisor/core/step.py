"""What should happen now? The one function that decides: apply a fact to the world, settle what follows, hand out effects.

No clock, no randomness, no I/O: `now` comes in, jitter comes from the world's seed. An exception here is a bug, and leaves
the old world as it was.
"""

from __future__ import annotations

from typing import NamedTuple, assert_never

from supervisor.core import ending, facts, graph, requests, tickets
from supervisor.core.draft import Draft
from supervisor.core.settle import settle
from supervisor.model.effect import Answer, Edge, Effect, Spawn
from supervisor.model.event import (
    BecameReady,
    Broke,
    DeadlinePassed,
    Emptied,
    Event,
    Exited,
    Overslept,
    PlanAccepted,
    Requested,
    ShutdownDue,
    Spawned,
    SpawnFailed,
    StopAsked,
    Swept,
)
from supervisor.model.plan import Plan
from supervisor.model.reason import Reason
from supervisor.model.record import replace
from supervisor.model.request import Outcome
from supervisor.model.service import Backoff, Inactive, Running, Service, Starting, Starved, Stopping
from supervisor.model.words import NEVER, Instant, Monotonic, Seconds, ServiceName
from supervisor.model.world import Roster, World

__all__ = ["Step", "empty_world", "spawn_is_wanted", "step"]


class Step(NamedTuple):
    world: World
    """The new one; the old one stays valid."""
    edges: tuple[Edge, ...]
    """Every transition taken, in order."""
    effects: tuple[Effect, ...]
    """To be performed in order."""
    touched: tuple[ServiceName, ...]
    """Whose record changed: whose deadline may be another now."""


def empty_world(seed: int) -> World:
    """The world before any plan. The seed makes its jitter its own."""
    return World(Roster(), {}, Plan(), seed, Seconds(0.0))


def step(world: World, event: Event, now: Instant) -> Step:
    """What follows from a fact. Total over events and states; raises nothing that is not a bug."""
    draft = Draft(world, now)
    if world.exited:
        _refuse(draft, event)
    else:
        _apply(draft, event)
        settle(draft)
        ending.look_for_final_ends(draft)
        ending.end_when_done(draft, world)
        settle(draft)
        ending.sweep_when_down(draft, world)
        tickets.review(draft)
    return Step(draft.freeze(), tuple(draft.edges), tuple(draft.effects), draft.touched())


def _apply(draft: Draft, event: Event) -> None:
    match event:
        case PlanAccepted():
            _begin(draft, event)
        case Requested():
            requests.requested(draft, event.request)
        case Spawned():
            facts.spawned(draft, event)
        case SpawnFailed():
            facts.spawn_failed(draft, event)
        case Exited():
            facts.exited(draft, event)
        case Emptied():
            facts.emptied(draft, event)
        case BecameReady():
            facts.became_ready(draft, event)
        case DeadlinePassed():
            facts.deadline_passed(draft, event.service)
        case StopAsked():
            ending.asked(draft, event)
        case ShutdownDue():
            ending.due(draft)
        case Broke():
            ending.broke(draft)
        case Overslept():
            _make_up(draft, event.gap)
        case Swept():
            ending.swept(draft)
        case _:
            assert_never(event)


def _refuse(draft: Draft, event: Event) -> None:
    """The world is over; a request still gets its one answer."""
    if isinstance(event, Requested):
        gone = Outcome("refused", "shutting-down", "the world has ended")
        draft.effects.append(Answer(event.request.ticket, gone))


def _begin(draft: Draft, event: PlanAccepted) -> None:
    if draft.world.shutdown is not None:
        return  # stopped before it began
    chosen = event.wanted
    services = []
    for planned in event.plan.services:
        wanted = planned.spec.enabled if chosen is None else planned.name in chosen
        unborn = Inactive(draft.now, Reason("not-wanted", "nothing wants it"))
        services.append(Service(planned, "up" if wanted else "none", unborn))
    draft.world = replace(
        draft.world,
        services=Roster(services),
        graph=graph.build(event.plan),
        plan=event.plan,
        shutdown_timeout=event.shutdown_timeout,
    )
    draft.doubt(draft.world.services)


def _make_up(draft: Draft, gap: Seconds) -> None:
    """The loop was away and nobody could act: the services' deadlines move by the gap. The world's own does not: whoever
    set it counts real time."""
    for name in draft.world.services:
        service = draft[name]
        match service.state:
            case Starved() | Backoff() as state:
                draft.put(replace(service, state=replace(state, until=_later(state.until, gap))))
            case Starting() as state:
                moved = replace(state, deadline=_later(state.deadline, gap), ready_at=_later(state.ready_at, gap))
                draft.put(replace(service, state=moved))
            case Running() | Stopping() as state if state.deadline != NEVER:
                draft.put(replace(service, state=replace(state, deadline=_later(state.deadline, gap))))
            case _:
                pass


def _later(deadline: Monotonic, gap: Seconds) -> Monotonic:
    return Monotonic(deadline + gap)


def spawn_is_wanted(world: World, spawn: Spawn) -> bool:
    """Whether an ordered spawn still makes sense when its turn comes."""
    service = world.services.get(spawn.run.service)
    if world.exited or service is None or service.run != spawn.run.number:
        return False
    match service.state:
        case Starting(main="requested") | Running(main="requested"):
            return spawn.role == "main"
        case Stopping(stage="command"):
            return spawn.role == "stop"
        case _:
            return False
