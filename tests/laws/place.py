"""When are two worlds the same? A place is a world, what is really there, and the time; its key is all that decisions depend on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from supervisor.core.deadlines import deadline_of, world_deadline
from supervisor.core.step import Step, step
from supervisor.model.event import Event
from supervisor.model.service import Done, Inactive, Running, Service, Starting, Stopping, Waiting
from supervisor.model.words import NEVER, Instant, ServiceName
from supervisor.model.world import World
from tests.laws import laws
from tests.laws.reality import Happening, Reality, follow, told

__all__ = ["Place", "through"]


class Place(NamedTuple):
    world: World
    reality: Reality
    now: Instant

    @property
    def key(self) -> object:
        """Run numbers, what time it is and how long ago something was mean nothing; of deadlines only the order counts.
        (`needed` and `upright` follow from the rest; when the end has begun, nobody starts any more and who is wanted means
        nothing. `attempts` and `starved` change only the length of pauses.)"""
        world, now = self.world, self.now.mono
        if world.exited:
            return None
        due = [deadline_of(service) for service in world.services.values()]
        ends = world_deadline(world)
        order = sorted({max(deadline, now) for deadline in (*due, ends)} | {now})
        shut = world.shutdown
        return (
            tuple(
                (
                    _state_key(service),
                    () if shut else (service.want, service.again, len(service.window), service.struck),
                    -1 if deadline == NEVER else order.index(max(deadline, now)),
                )
                for service, deadline in zip(world.services.values(), due)
            ),
            tuple(self.reality.values()),
            shut and (shut.degree, shut.sweeping, order.index(max(ends, now))),
            tuple(
                (ticket.verb, ticket.failure is None, *_pending(world, ticket.pending.items()))
                for ticket in world.tickets
            ),
        )


def _pending(world: World, pending: Iterable[tuple[ServiceName, int]]) -> Iterable[tuple[ServiceName, bool]]:
    return ((name, world.services[name].run == run) for name, run in pending)


def _state_key(service: Service) -> object:
    state = service.state
    facts: tuple[object, ...] = ()
    match state:
        case Inactive(reason=reason):
            facts = (reason.code,)
        case Waiting(reason=reason, trouble=trouble):
            facts = (reason.code, trouble)
        case Starting(main=main, ready_at=ready_at):
            facts = (main, ready_at < NEVER)
        case Running(ready=ready, command=command, main=main):
            facts = (ready, command, main)
        case Stopping(stage=stage, main=main, ended=ended, reason=reason):
            facts = (stage, main, ended and ended.result, reason.code == "kill-disabled")
        case Done(lingering=lingering):
            facts = (lingering,)
    return state.__class__, facts


def through(place: Place, happening: Happening) -> tuple[Place, list[tuple[World, Step]], list[str]]:
    """Let it happen: where that leads, the steps on the way, and how they break the laws."""
    world, reality = place.world, happening.reality
    taken: list[tuple[World, Step]] = []
    complaints: list[str] = []
    events: list[Event] = [event for event in (happening.event, happening.also) if event is not None]
    for event in events:
        if event is happening.also:
            reality = told(reality, event)
        done = step(world, event, happening.now)
        later = follow(reality, done)
        for complaint in laws.broken(laws.Moment(world, event, happening.now, done, reality, later)):
            complaints.append(f"{complaint}\n    at {event}")
        taken.append((world, done))
        world, reality = done.world, later
    return Place(world, reality, happening.now), taken, complaints
