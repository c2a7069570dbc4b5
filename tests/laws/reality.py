"""What is really there? An honest environment for core: processes, ordered spawns and probes, as the runtime would see them.

It is the other side of the contract in `model/event`: what may happen in a world, and which facts are fed for it. A process may
die whenever it likes, ignore every signal but SIGKILL, and leave others behind; a spawn may succeed, fail or be cancelled. One
thing per service is enough, for law 1 says that two runs never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from supervisor.core.deadlines import deadline_of, world_deadline
from supervisor.core.step import Step, spawn_is_wanted
from supervisor.model.effect import Release, Spawn, StartProbe, StopProbe
from supervisor.model.event import (
    BecameReady,
    DeadlinePassed,
    Emptied,
    Event,
    Exited,
    ShutdownDue,
    Spawned,
    SpawnFailed,
    Swept,
)
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.service import Stopping
from supervisor.model.words import NEVER, Instant, Monotonic, RunId, ServiceName, Wall
from supervisor.model.world import World

__all__ = [
    "BAD",
    "GOOD",
    "NOTHING",
    "Happening",
    "Reality",
    "Temper",
    "Things",
    "at",
    "follow",
    "happenings",
    "nothing",
    "told",
]

GOOD, BAD = Exit(code=0), Exit(code=1)
_NO_PROGRAM = SpawnFailure("exec", 2, "/bin/x", text="No such file or directory")
_NO_PROCESS = SpawnFailure("fork", 11, ours=True, text="Resource temporarily unavailable")
_CANCELLED = SpawnFailure("", 0, cancelled=True)


class Things(NamedTuple):
    """What there is of one service's newest run."""

    main: int = 0
    """1: it lives; 2: it was reaped together with another, and that has not been told yet."""
    stop: bool = False
    """Its stop command runs."""
    rest: bool = False
    """Others of the run live."""
    owed: bool = False
    """That nothing is left will have to be told (runtime.processes)."""
    ordered: int = -1
    """Which command was ordered and is not known to have been executed yet; -1: none."""
    undoing: bool = False
    """The stop command was ordered."""
    probe: bool = False

    @property
    def vacant(self) -> bool:
        return not (self.main == 1 or self.stop or self.rest or self.ordered >= 0 or self.undoing)


NOTHING = Things()
Reality = dict[ServiceName, Things]


def nothing(world: World) -> Reality:
    return dict.fromkeys(world.services, NOTHING)


class Temper(NamedTuple):
    """What this environment is capable of."""

    exits: tuple[Exit, ...] = (GOOD, BAD)
    leaves: bool = True
    """A process may leave others behind."""
    starves: bool = False
    """The machine may have no process for us."""
    cannot: bool = True
    """An exec may fail."""
    late: bool = True
    """Who is asked to stop may take longer than it has."""


class Happening(NamedTuple):
    """Something that may happen: what is fed, when, and what is there then. `also` must be fed right after it."""

    event: Event | None
    """None: nobody hears of it."""
    now: Instant
    reality: Reality
    kind: str
    who: ServiceName | None = None
    also: Event | None = None


def at(mono: float) -> Instant:
    return Instant(Monotonic(mono), Wall(mono))


def happenings(world: World, reality: Reality, now: Instant, temper: Temper) -> Iterator[Happening]:
    """Everything that may happen next by itself."""
    if world.exited:
        return
    for name, there in reality.items():
        if there == NOTHING:
            continue
        run = RunId(name, world.services[name].run)
        for event, after, kind in _of_run(world, run, there, temper):
            yield Happening(event, now, {**reality, name: after}, kind, name)
        if there.main == 1 and there.stop:
            yield from _reaped_together(reality, run, there, now)
    yield from _time(world, reality, now, temper)
    if world.shutdown is not None and world.shutdown.sweeping:
        yield Happening(Swept(), now, dict.fromkeys(reality, NOTHING), "swept")


def _of_run(world: World, run: RunId, there: Things, temper: Temper) -> Iterator[tuple[Event | None, Things, str]]:
    if there.ordered >= 0:
        yield Spawned(run, "main"), there._replace(main=1, ordered=-1), "spawned"
        wanted = spawn_is_wanted(world, Spawn(run, "main", there.ordered))
        yield from _not_spawned(run, "main", there._replace(ordered=-1), wanted, temper)
    if there.undoing:
        yield Spawned(run, "stop"), there._replace(stop=True, undoing=False), "spawned"
        wanted = spawn_is_wanted(world, Spawn(run, "stop"))
        yield from _not_spawned(run, "stop", there._replace(undoing=False), wanted, temper)
    if there.main == 1:
        for exit in temper.exits:
            yield from _died(run, "main", exit, there._replace(main=0), temper)
    if there.stop:
        yield from _died(run, "stop", GOOD, there._replace(stop=False), temper)
    if there.rest:
        after = there._replace(rest=False)
        told = after.vacant and after.owed
        yield (Emptied(run), after._replace(owed=False), "died") if told else (None, after, "died")
    if there.probe:
        yield BecameReady(run), there, "ready"


def _not_spawned(
    run: RunId, role: str, after: Things, wanted: bool, temper: Temper
) -> Iterator[tuple[Event, Things, str]]:
    failures = [_NO_PROGRAM] * temper.cannot + [_NO_PROCESS] * temper.starves if wanted else [_CANCELLED]
    for failure in failures:
        kind = "cancelled" if failure is _CANCELLED else "failed"
        alone = after.vacant
        yield SpawnFailed(run, role, failure, alone), after._replace(owed=not alone), kind  # type: ignore[arg-type]


def _died(run: RunId, role: str, exit: Exit, after: Things, temper: Temper) -> Iterator[tuple[Event, Things, str]]:
    alone = after.vacant
    yield Exited(run, role, exit, alone), after._replace(owed=not alone), "died"  # type: ignore[arg-type]
    if temper.leaves and alone:
        yield Exited(run, role, exit, False), after._replace(owed=True, rest=True), "left"  # type: ignore[arg-type]


def _reaped_together(reality: Reality, run: RunId, there: Things, now: Instant) -> Iterator[Happening]:
    """Both were found dead in one look, and are told in either order."""
    last = there._replace(main=0, stop=False)
    alone = last.vacant
    last = last._replace(owed=not alone)
    ends: tuple[Event, Event] = (Exited(run, "main", GOOD, alone), Exited(run, "stop", GOOD, alone))
    yield Happening(ends[0], now, {**reality, run.service: last}, "together", run.service, ends[1])
    untold = last._replace(main=2)
    yield Happening(ends[1], now, {**reality, run.service: untold}, "together", run.service, ends[0])


def _time(world: World, reality: Reality, now: Instant, temper: Temper) -> Iterator[Happening]:
    """Nothing happens until the next deadline."""
    due = world_deadline(world) if temper.late else NEVER
    names: list[ServiceName | None] = [] if due == NEVER else [None]
    for name, service in world.services.items():
        if isinstance(service.state, Stopping) and not temper.late:
            continue
        deadline = deadline_of(service)
        if deadline < due:
            due, names = deadline, [name]
        elif deadline == due != NEVER:
            names.append(name)
    then = now if due <= now.mono else at(due)
    for hit in names:
        yield Happening(ShutdownDue() if hit is None else DeadlinePassed(hit), then, reality, "time")


def told(reality: Reality, event: Event) -> Reality:
    """The second of two that were reaped together has been told."""
    match event:
        case Exited(run, "main") if reality[run.service].main == 2:
            return {**reality, run.service: reality[run.service]._replace(main=0)}
        case _:
            return reality


def follow(reality: Reality, step: Step) -> Reality:
    """What is there when the effects have been handed out."""
    after = reality
    for effect in step.effects:
        match effect:
            case Spawn(run, "main", index):
                change = after[run.service]._replace(ordered=index)
                if index == 0:
                    change = Things(ordered=0)
            case Spawn(run, "stop"):
                change = after[run.service]._replace(undoing=True)
            case StartProbe(run):
                change = after[run.service]._replace(probe=True)
            case StopProbe(run):
                change = after[run.service]._replace(probe=False)
            case Release(run):
                there = after[run.service]
                change = Things(main=there.main if there.main == 2 else 0)
            case _:
                continue
        if after is reality:
            after = dict(reality)
        after[run.service] = change
    return after
