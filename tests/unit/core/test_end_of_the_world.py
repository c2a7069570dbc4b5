"""How hard does the world end, and with what status? Second and third signals, the sweep, `shutdown_on` (SERVICES §5)."""

from __future__ import annotations

import pytest

from supervisor.core.shutdown import sweep_at
from supervisor.core.step import empty_world, step
from supervisor.model.event import Broke, PlanAccepted, StopAsked, Swept
from supervisor.model.spec import RestartLimitSpec
from supervisor.model.words import Seconds
from tests.laws.reality import at
from tests.laws.specs import NEVER, TCP, UNDO, job, needs, plan, restarts, simple, stops
from tests.unit.core.story import Story

# --- harder


def test_a_second_signal_more_than_a_second_later_asks_everybody_and_kills_after_a_second() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")), off=simple(enabled=False))
    story.spawned("db", "web")
    story.signal()
    story.later(1.5)
    story.signal()
    assert story.ordered() == ["SIGTERM db main"]
    assert (story.due_in("web"), story.due_in("db")) == (1.0, 1.0)
    story.passes(1)
    assert sorted(story.ordered()) == ["SIGKILL db all", "SIGKILL web all"]


def test_two_signals_within_a_second_are_one_wish() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.signal()
    story.later(0.9)
    story.signal()
    assert (story.phase("db"), story.due_in("web")) == ("running", 9.1)


def test_signals_that_the_monitor_has_counted_are_as_many_wishes() -> None:
    story = Story(web=simple())
    story.spawned("web")
    story.signal()
    story.signal(count=2)
    assert story.due_in("web") == 1.0
    story.signal(count=3)
    assert story.ordered() == ["SIGKILL web all"]


def test_the_first_signal_we_see_may_be_the_third() -> None:
    story = Story(web=simple())
    story.spawned("web")
    story.signal(count=3)
    assert story.ordered() == ["SIGKILL web all"]
    story.exits("web", "SIGKILL")
    assert story.ordered() == ["sweep until 0"]


def test_a_third_signal_kills_now() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    for _ in range(2):
        story.signal()
        story.later(1.1)
    story.signal()
    assert sorted(story.ordered()) == ["SIGKILL db all", "SIGKILL web all"]


def test_a_third_signal_needs_no_second_after_the_second_one() -> None:
    """SIGKILL would come then anyway."""
    story = Story(web=simple())
    story.spawned("web")
    story.signal()
    story.later(1.1)
    story.signal()
    story.later(0.1)
    story.signal()
    assert story.ordered() == ["SIGKILL web all"]


def test_the_first_signal_in_an_end_that_has_begun_otherwise_takes_no_grace_away() -> None:
    story = Story(web=simple())
    story.spawned("web")
    story.shutdown()
    story.later(3)
    story.signal()
    assert story.due_in("web") == 7.0
    story.later(1.1)
    story.signal()
    assert story.due_in("web") == 1.0


def test_a_fast_stop_begins_with_the_second_degree() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready"), stop=stops(timeout=0.5)))
    story.spawned("db", "web")
    story.signal(fast=True)
    assert sorted(story.ordered()) == ["SIGTERM db main", "SIGTERM web main"]
    assert (story.due_in("db"), story.due_in("web")) == (1.0, 0.5)


def test_a_fast_stop_in_an_ordered_one_makes_it_fast_at_once() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.signal()
    story.signal(fast=True)
    assert story.phase("db") == "stopping"


def test_when_the_grace_is_over_nobody_waits_for_a_stop_command() -> None:
    story = Story(web=simple(stop=stops(command=("bye",))), undo=job(stop=UNDO))
    story.spawned("web", "undo")
    story.exits("undo")
    story.signal()
    assert story.ordered() == ["spawn web#1 stop", "spawn undo#1 stop"]
    story.spawned("web", "undo", role="stop")
    story.signal(count=2)
    assert story.ordered() == ["SIGTERM web main", "SIGTERM undo all"]


def test_when_the_grace_is_over_nothing_is_undone_any_more() -> None:
    story = Story(mount=job(stop=UNDO), web=simple(depends_on=needs(mount="ready")))
    story.spawned("mount")
    story.exits("mount")
    story.spawned("web")
    story.signal()
    story.signal(count=2)
    story.exits("web")
    assert story.ordered() == ["sweep until 1"]
    assert story.phase("mount") == "done"


def test_a_stop_signal_that_comes_before_exec_is_known_is_not_lost_on_the_child() -> None:
    story = Story(web=simple())
    story.signal(count=3)
    assert story.due_in("web") == 0.0
    story.passes(0)
    assert story.ordered() == ["SIGKILL web all"]
    story.spawned("web")
    assert story.ordered() == ["SIGKILL web all"]


# --- the sweep


def test_the_last_second_belongs_to_the_sweep() -> None:
    story = Story(30.0, web=simple(stop=stops(timeout=90.0)))
    story.spawned("web")
    story.signal()
    shut = story.world.shutdown
    assert shut is not None
    assert sweep_at(shut) - story.now.mono == 29.0
    story.passes(29)
    assert story.ordered() == ["SIGKILL web all", "sweep until 30"]


def test_a_sweep_is_ordered_once() -> None:
    story = Story(30.0, web=simple(stop=stops(timeout=90.0)))
    story.spawned("web")
    story.signal()
    story.passes(29)
    story.exits("web", "SIGKILL")
    assert story.ordered() == []


def test_a_world_in_which_nothing_runs_ends_at_once() -> None:
    story = Story(off=simple(enabled=False), done=job())
    story.spawned("done")
    story.exits("done")
    story.signal()
    assert story.ordered() == ["sweep until 1"]


def test_a_stop_that_comes_before_the_plan_wins() -> None:
    now = at(5.0)
    asked = step(empty_world(1), StopAsked("SIGTERM"), now)
    assert [type(effect).__name__ for effect in asked.effects] == ["Sweep"]
    late = step(asked.world, PlanAccepted(plan(web=simple()), Seconds(30.0)), now)
    assert (late.world, late.effects) == (asked.world, ())
    gone = step(late.world, Swept(), now)
    assert gone.world.exited


# --- how it ends


def test_shutdown_by_request_is_answered_when_everything_is_gone() -> None:
    story = Story(web=simple())
    story.spawned("web")
    start, first, second = story.start("web"), story.shutdown(), story.shutdown()
    stop = story.stop("web")
    story.exits("web")
    assert [story.verdict(ticket) for ticket in (start, first, second, stop)] == ["done", "open", "open", "done"]
    story.tell(Swept())
    assert (story.verdict(first), story.verdict(second)) == ("done", "done")


def test_the_end_supersedes_starts_and_keeps_stops() -> None:
    story = Story(web=simple(ready=TCP), db=simple())
    story.spawned("web", "db")
    start, stop = story.start("web"), story.stop("db")
    story.signal()
    assert (story.verdict(start), story.verdict(stop)) == ("superseded superseded", "open")
    story.passes(29)
    story.tell(Swept())
    assert story.verdict(stop) == "failed unkillable"


def test_a_reboot_is_handed_on() -> None:
    story = Story(off=simple(enabled=False))
    story.signal(reboot=True)
    story.tell(Swept())
    assert story.ordered() == ["exit 0 reboot"]


def test_when_pidone_itself_fails_it_stops_in_order_and_says_so() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.tell(Broke("a bug"))
    assert story.ordered() == ["SIGTERM web main"]
    story.exits("web")
    story.exits("db")
    story.tell(Swept())
    assert story.ordered() == ["exit 70"]


def test_when_pidone_fails_while_it_ends_it_says_so_too() -> None:
    story = Story(off=simple(enabled=False))
    story.signal()
    story.tell(Broke("a bug"))
    story.tell(Swept())
    assert story.ordered() == ["exit 70"]


@pytest.mark.parametrize(
    ("on", "how", "status"),
    [
        ("exit", 0, 0),
        ("exit", 5, 5),
        ("exit", "SIGKILL", 137),
        ("exit", "SIGTERM", 143),
        ("success", 0, 0),
        ("failure", 6, 6),
        ("failure", "SIGSEGV", 139),
        ("success", 1, None),
        ("failure", 0, None),
        ("never", 0, None),
    ],
)
def test_shutdown_on_ends_the_world_with_the_services_status(on: str, how: int | str, status: int | None) -> None:
    story = Story(main=simple(restart=NEVER, shutdown_on=on), other=simple())
    story.spawned("main", "other")
    story.exits("main", how)
    if status is None:
        assert story.phase("other") == "running"
        return
    assert story.ordered() == ["SIGTERM other main"]
    story.exits("other")
    story.tell(Swept())
    assert story.ordered() == [f"exit {status}"]


def test_shutdown_on_counts_what_could_not_be_executed() -> None:
    story = Story(main=simple(restart=NEVER, shutdown_on="failure"))
    story.cannot("main")
    assert story.ordered() == ["sweep until 1"]
    story.tell(Swept())
    assert story.ordered() == ["exit 127"]


def test_shutdown_on_does_not_count_a_status_that_was_our_doing() -> None:
    story = Story(main=simple(restart=NEVER, ready=TCP, start_timeout=Seconds(5.0), shutdown_on="failure"))
    story.spawned("main")
    story.passes(5)
    story.exits("main", 0)
    story.tell(Swept())
    assert story.ordered() == ["exit 1"]


def test_shutdown_on_waits_until_it_has_ended_for_good() -> None:
    limit = RestartLimitSpec(1, Seconds(60.0))
    story = Story(main=simple(restart=restarts("on-failure", limit=limit), shutdown_on="failure"))
    story.spawned("main")
    story.exits("main", 4)
    assert story.phase("main") == "backoff"
    story.passes(0.1)
    story.spawned("main")
    story.exits("main", 4)
    story.tell(Swept())
    assert story.ordered() == ["exit 4"]


def test_shutdown_on_does_not_fire_when_the_operator_stops_it() -> None:
    story = Story(main=simple(restart=NEVER, shutdown_on="exit"), other=simple())
    story.spawned("main", "other")
    story.stop("main")
    story.exits("main", 3)
    assert (story.phase("main"), story.phase("other")) == ("inactive", "running")


def test_the_first_cause_counts() -> None:
    story = Story(a=simple(restart=NEVER, shutdown_on="exit"), b=simple(restart=NEVER, shutdown_on="exit"))
    story.spawned("a", "b")
    story.exits("a", 3)
    story.exits("b", 4)
    story.tell(Swept())
    assert story.ordered() == ["exit 3"]
