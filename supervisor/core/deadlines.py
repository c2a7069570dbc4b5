"""When must somebody look again? Deadlines are fields of states; the runtime sleeps once, until the next of them."""

from __future__ import annotations

from supervisor.core.shutdown import sweep_at
from supervisor.model.service import Backoff, Running, Service, Starting, Starved, Stopping
from supervisor.model.words import NEVER, Monotonic
from supervisor.model.world import World

__all__ = ["deadline_of", "next_deadline", "world_deadline"]


def deadline_of(service: Service) -> Monotonic:
    """When time alone moves this service; NEVER if it does not."""
    match service.state:
        case Starved(until=until) | Backoff(until=until):
            return until
        case Starting(deadline=deadline, ready_at=ready_at):
            return min(deadline, ready_at)
        case Running(deadline=deadline) | Stopping(deadline=deadline):
            return deadline
        case _:
            return NEVER


def world_deadline(world: World) -> Monotonic:
    """When time alone moves the shutdown; NEVER when none has begun."""
    shut = world.shutdown
    return NEVER if shut is None or shut.sweeping else sweep_at(shut)


def next_deadline(world: World) -> Monotonic:
    """The earliest of all. Looks at every service: the runtime keeps a heap of `deadline_of` instead."""
    return min((world_deadline(world), *map(deadline_of, world.services.values())))
