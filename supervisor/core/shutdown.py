"""How long may each have when the world ends? One deadline for everything, shared out in waves.

Waves are in the order of stopping: who is in a later wave waits for the earlier ones. A wave may last until its largest
stop.timeout, but not into what the later ones reserve: each min(its largest stop.timeout, remaining ÷ waves left), so that
the databases, which come last, get their share. The last second belongs to the sweep.
"""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.core.claims import has_undo, holds_processes
from supervisor.model.service import Service
from supervisor.model.words import Monotonic, Seconds, ServiceName
from supervisor.model.world import Graph, Roster, Shutdown, World

__all__ = ["allowance", "kill_patience", "largest_timeouts", "patience", "sweep_at", "sweep_until", "waves"]

_SWEEP = Seconds(1.0)
_SWEEP_SHARE = 0.25  # of a deadline so short that a second would be most of it
_KILL = Seconds(1.0)  # a killed process is gone in milliseconds, or sleeps in the kernel
_KILL_SHARE = 0.25  # of what remains
_KILL_LEAST = Seconds(0.1)  # nobody is called unkillable before the kernel had its time to kill him
_FORCED = Seconds(1.0)  # SERVICES §5: a second stop signal means SIGKILL after 1 s


def waves(services: Roster, graph: Graph) -> Mapping[ServiceName, int]:
    """Who has something to stop, with the number of the wave it stops in: nobody starts after anybody of a later wave, not
    even by way of one that has nothing to stop."""
    waits = {name: len(links.before) for name, links in graph.items()}
    depth = dict.fromkeys(graph, 0)
    front = [name for name, count in waits.items() if not count]
    stops = {name for name, service in services.items() if holds_processes(service) or has_undo(service)}
    while front:
        name = front.pop()
        below = depth[name] + (name in stops)
        for earlier in graph[name].after:
            depth[earlier] = max(depth[earlier], below)
            waits[earlier] -= 1
            if not waits[earlier]:
                front.append(earlier)
    return {name: depth[name] for name in graph if name in stops}


def largest_timeouts(services: Roster, wave_of: Mapping[ServiceName, int]) -> tuple[Seconds, ...]:
    """The largest stop.timeout of each wave."""
    largest = [Seconds(0.0)] * (max(wave_of.values(), default=-1) + 1)
    for name, wave in wave_of.items():
        largest[wave] = max(largest[wave], services[name].plan.spec.stop.timeout)
    return tuple(largest)


def allowance(timeouts: tuple[Seconds, ...], remaining: Seconds) -> Seconds:
    """What the first of the waves that are left may have; `timeouts` is the largest stop.timeout of each."""
    share = remaining / len(timeouts)
    reserved = sum(min(timeout, share) for timeout in timeouts[1:])
    return Seconds(max(0.0, min(timeouts[0], remaining - reserved)))


def patience(world: World, service: Service, now: Monotonic) -> Seconds:
    """The budget for bringing this service down, beginning now."""
    timeout = service.plan.spec.stop.timeout
    shut = world.shutdown
    if shut is None:
        return timeout
    if shut.degree != "ordered":
        return Seconds(min(timeout, _FORCED) if shut.degree == "forced" else 0.0)
    left = shut.timeouts[shut.wave_of[service.name] :] if service.name in shut.wave_of else (timeout,)
    return Seconds(min(timeout, allowance(left, Seconds(max(0.0, sweep_at(shut) - now)))))


def kill_patience(world: World, wish: Seconds, now: Monotonic) -> Seconds:
    """How long SIGKILL may take before a process counts as unkillable. At the end of the world that is short: who sleeps in
    the kernel must not use up the share of those who wait for it."""
    if world.shutdown is None:
        return wish
    remaining = max(0.0, sweep_at(world.shutdown) - now)
    return Seconds(min(wish, _KILL, max(_KILL_LEAST, _KILL_SHARE * remaining)))


def sweep_at(shut: Shutdown) -> Monotonic:
    """When the sweep begins whether everybody is down or not."""
    return Monotonic(shut.deadline - _sweep_time(shut))


def sweep_until(shut: Shutdown, now: Monotonic) -> Monotonic:
    """When a sweep that begins now stops asking. It has its own share and no more, however early everybody else is down."""
    return now if shut.degree == "immediate" else min(shut.deadline, Monotonic(now + _sweep_time(shut)))


def _sweep_time(shut: Shutdown) -> float:
    return min(_SWEEP, _SWEEP_SHARE * (shut.deadline - shut.since.mono))
