"""Is `step` total, pure and silent about what did not change? And does an ordered spawn know when it is not wanted any more?"""

from __future__ import annotations

from typing import get_args

import pytest

from supervisor.core import settle as settling
from supervisor.core.deadlines import deadline_of, next_deadline, world_deadline
from supervisor.core.draft import Draft
from supervisor.core.step import empty_world, spawn_is_wanted, step
from supervisor.model.effect import Spawn
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
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.request import StartRequest
from supervisor.model.service import Service
from supervisor.model.words import NEVER, RunId, Seconds, ServiceName, TicketId
from tests.laws.reality import at
from tests.laws.specs import AFTER, TCP, TWICE, UNDO, job, needs, plan, simple
from tests.unit.core.story import Story


def _every_event(run: RunId) -> list[Event]:
    return [
        PlanAccepted(Plan(), Seconds(1.0)),
        Requested(StartRequest(TicketId(1), (run.service,))),
        Spawned(run, "main"),
        Spawned(run, "stop"),
        SpawnFailed(run, "main", SpawnFailure("exec", 2)),
        SpawnFailed(run, "stop", SpawnFailure("exec", 2)),
        Exited(run, "main", Exit(code=0)),
        Exited(run, "main", Exit(code=0), alone=True),
        Exited(run, "stop", Exit(code=0)),
        Exited(run, "stop", Exit(code=0), alone=True),
        Emptied(run),
        BecameReady(run),
        DeadlinePassed(run.service),
        StopAsked("SIGTERM"),
        ShutdownDue(),
        Broke("a bug"),
        Overslept(Seconds(2.0)),
        Swept(),
    ]


def _every_state() -> dict[str, Story]:
    """A world for each state that a service can be in; it is called `a`."""

    def running() -> Story:
        story = Story(a=simple())
        story.spawned("a")
        return story

    stories = {"inactive": Story(a=simple(enabled=False)), "starting": Story(a=simple()), "running": running()}
    stories["waiting"] = Story(a=simple(depends_on=needs(b="ready")), b=simple(ready=TCP))
    stories["probed"] = Story(a=simple(ready=TCP))
    stories["probed"].spawned("a")
    stories["starved"] = Story(a=simple())
    stories["starved"].cannot("a", ours=True)
    stories["backoff"] = Story(a=simple())
    stories["backoff"].cannot("a")
    stories["failed"] = Story(a=job())
    stories["failed"].cannot("a")
    stories["done"] = Story(a=job(stop=UNDO))
    stories["done"].spawned("a")
    stories["done"].exits("a", alone=False)
    stories["between"] = Story(a=job(command=TWICE))
    stories["between"].spawned("a")
    stories["between"].exits("a")
    stories["stopping"] = running()
    stories["stopping"].stop("a")
    stories["overdue"] = running()
    stories["overdue"].stop("a")
    stories["overdue"].passes(20)
    stories["ended"] = Story(a=simple(enabled=False))
    stories["ended"].signal()
    stories["ended"].tell(Swept())
    return stories


_STATES = _every_state()


@pytest.mark.parametrize("state", _STATES)
def test_step_takes_every_event_in_every_state_and_leaves_the_old_world_as_it_was(state: str) -> None:
    story = _STATES[state]
    known = repr(story.world)
    events = _every_event(story.run("a"))
    assert {type(event) for event in events} == set(get_args(Event))
    for event in events:
        for now in (story.now, at(story.now.mono + 1000.0)):
            first, second = step(story.world, event, now), step(story.world, event, now)
            assert first == second
            assert all(name in first.world.services for name in first.touched) or isinstance(event, PlanAccepted)
    assert repr(story.world) == known


def test_a_step_that_changes_nothing_hands_back_the_same_world() -> None:
    story = Story(a=simple())
    story.spawned("a")
    done = story.tell(DeadlinePassed(ServiceName("a")))
    assert (done.edges, done.effects, done.touched) == ((), (), ())


def test_a_deadline_of_a_service_that_is_not_there_changes_nothing() -> None:
    story = Story(a=simple())
    assert story.tell(DeadlinePassed(ServiceName("b"))).world is story.world


def test_a_world_before_any_plan_takes_what_comes() -> None:
    world = empty_world(3)
    for event in _every_event(RunId(ServiceName("a"), 1)):
        step(world, event, at(1.0))
    assert (next_deadline(world), world_deadline(world)) == (NEVER, NEVER)


@pytest.mark.parametrize(
    ("state", "main", "stop"),
    [("starting", True, False), ("between", True, False), ("running", False, False), ("stopping", False, False)],
)
def test_whether_an_ordered_spawn_is_still_wanted(state: str, main: bool, stop: bool) -> None:
    story = _STATES[state]
    run = story.run("a")
    assert spawn_is_wanted(story.world, Spawn(run)) is main
    assert spawn_is_wanted(story.world, Spawn(run, "stop")) is stop
    assert not spawn_is_wanted(story.world, Spawn(RunId(run.service, run.number - 1)))
    assert not spawn_is_wanted(story.world, Spawn(RunId(ServiceName("b"), run.number)))


def test_an_undo_is_wanted_until_its_budget_is_used_up() -> None:
    story = Story(a=job(stop=UNDO))
    story.spawned("a")
    story.exits("a")
    story.stop("a")
    undo = Spawn(story.run("a"), "stop")
    assert spawn_is_wanted(story.world, undo)
    assert not spawn_is_wanted(story.world, Spawn(story.run("a")))
    story.passes(10)
    assert not spawn_is_wanted(story.world, undo)


def test_nothing_is_wanted_after_the_end() -> None:
    story = Story(a=simple())
    spawn = Spawn(story.run("a"))
    story.signal()
    assert not spawn_is_wanted(story.world, spawn)
    story.tell(Swept())
    assert not spawn_is_wanted(story.world, spawn)


def test_the_next_deadline_is_the_earliest() -> None:
    story = Story(5.0, a=simple(ready=AFTER, start_timeout=Seconds(60.0)), b=simple())
    story.spawned("a", "b")
    assert deadline_of(story.service("a")) == next_deadline(story.world) == story.now.mono + 2
    story.signal()
    assert next_deadline(story.world) == deadline_of(story.service("a")) == story.now.mono + 4
    story.exits("a")
    story.exits("b")
    assert next_deadline(story.world) == NEVER


def test_a_settling_that_does_not_end_is_a_bug_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def never_content(draft: Draft, service: Service) -> None:
        draft.put(service)

    monkeypatch.setattr(settling, "_move", never_content)
    with pytest.raises(RuntimeError, match="settling does not end"):
        step(empty_world(1), PlanAccepted(plan(a=simple()), Seconds(1.0)), at(1.0))
