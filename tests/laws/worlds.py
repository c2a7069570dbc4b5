"""What must be true of a world, whatever has led to it? Laws 5, 8 and 12 (DESIGN §5)."""

from __future__ import annotations

from collections.abc import Iterator

from supervisor.core.deadlines import deadline_of
from supervisor.core.draft import Draft
from supervisor.core.settle import settle
from supervisor.core.step import step
from supervisor.model.event import BecameReady, DeadlinePassed, Emptied, Event, Exited, Spawned, SpawnFailed
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.words import Instant, RunId
from supervisor.model.world import World
from supervisor.wire import state as codec

__all__ = ["law_5", "law_8", "law_12"]


def law_5(world: World, now: Instant, turn: int) -> Iterator[str]:
    """Law 5: a fact about an older run changes nothing. Nor does a deadline that has not come. (One fact per service; whoever
    asks often gives another `turn` each time.)"""
    for name, service in world.services.items():
        facts: list[Event] = []
        if service.run > 1:
            facts.append(_old_fact(RunId(name, service.run - 1), turn))
        if deadline_of(service) > now.mono:
            facts.append(DeadlinePassed(name))
        for fact in facts:
            done = step(world, fact, now)
            if done.world is not world or done.edges or done.effects:
                yield f"law_5: {fact} changed something: {done.edges} {done.effects}"


def _old_fact(run: RunId, turn: int) -> Event:
    end = Exit(code=1)
    facts: tuple[Event, ...] = (
        Spawned(run, "main"),
        SpawnFailed(run, "main", SpawnFailure("exec", 2)),
        SpawnFailed(run, "stop", SpawnFailure("exec", 2)),
        Exited(run, "main", end),
        Exited(run, "main", end, alone=True),
        Exited(run, "stop", end, alone=True),
        Emptied(run),
        BecameReady(run),
    )
    return facts[turn % len(facts)]


def law_8(world: World, now: Instant) -> Iterator[str]:
    """Law 8: a settled world is a fixed point. Looking at everybody again moves nobody."""
    if world.exited:
        return
    draft = Draft(world, now)
    draft.doubt(world.services)
    settle(draft)
    if draft.freeze() is not world or draft.edges or draft.effects:
        yield f"law_8: settling again moved {draft.touched()}: {draft.edges} {draft.effects}"


def law_12(world: World, event: Event, now: Instant) -> Iterator[str]:
    """Law 12: freeze ∘ thaw = identity, and what is thawed behaves the same."""
    thawed = codec.load(World, codec.dump(world))
    if thawed != world:
        yield f"law_12: thawed into another world: {thawed}"
    elif step(thawed, event, now) != step(world, event, now):
        yield f"law_12: the thawed world takes {event} in another way"
