"""How does the world end? Waves and their shares of one deadline, second and third signals, the sweep (SERVICES §5)."""

from __future__ import annotations

import pytest

from supervisor.core.shutdown import allowance, waves
from supervisor.model.event import Swept
from supervisor.model.words import Seconds
from tests.laws.specs import TCP, UNDO, job, needs, simple, stops
from tests.unit.core.story import Story

# --- waves and shares


def test_services_stop_in_waves_the_reverse_of_starting_and_in_parallel_where_nothing_orders() -> None:
    story = Story(
        db=simple(),
        app=simple(depends_on=needs(db="ready")),
        web=simple(depends_on=needs(app="ready")),
        mail=simple(after=("db",)),
    )
    story.spawned("db", "app", "web", "mail")
    story.signal()
    assert story.ordered() == ["SIGTERM mail main", "SIGTERM web main"]
    story.exits("web")
    assert story.ordered() == ["SIGTERM app main"]
    story.exits("app")
    assert story.ordered() == []  # mail is alive
    story.exits("mail")
    assert story.ordered() == ["SIGTERM db main"]
    story.exits("db")
    assert story.ordered() == ["sweep until 1"]
    story.tell(Swept())
    assert story.ordered() == ["exit 0"]
    assert story.world.exited


def test_waves_reach_through_those_who_have_nothing_to_stop() -> None:
    story = Story(
        a=simple(),
        mid=simple(enabled=False, after=("a",)),
        b=simple(after=("mid",)),
        c=simple(),
        undo=job(stop=UNDO, after=("b",)),
        done=job(after=("undo",)),
    )
    story.spawned("a", "c", "b", "undo")
    story.exits("undo")
    story.spawned("done")
    story.exits("done")
    found = waves(story.world.services, story.world.graph)
    assert found == {"a": 2, "b": 1, "c": 0, "undo": 0}


@pytest.mark.parametrize(
    ("timeouts", "remaining", "allowed"),
    [
        ((10.0,), 30.0, 10.0),  # no more than its own
        ((10.0,), 7.0, 7.0),  # no more than there is
        ((10.0, 10.0), 30.0, 10.0),
        ((60.0, 10.0), 29.0, 19.0),  # the later wave reserves what it needs
        ((60.0, 60.0), 29.0, 14.5),  # … but no more than its share
        ((60.0, 60.0, 1.0), 28.0, 28.0 - 28.0 / 3 - 1.0),
        ((60.0, 60.0), 0.0, 0.0),
        ((5.0, 60.0), 0.5, 0.25),
    ],
)
def test_a_wave_may_last_until_what_the_later_ones_reserve(
    timeouts: tuple[float, ...], remaining: float, allowed: float
) -> None:
    assert allowance(tuple(map(Seconds, timeouts)), Seconds(remaining)) == pytest.approx(allowed)


def test_the_last_wave_gets_its_share_however_slow_the_first_is() -> None:
    story = Story(
        30.0,
        db=simple(stop=stops(timeout=60.0)),
        web=simple(depends_on=needs(db="ready"), stop=stops(timeout=60.0)),
        api=simple(depends_on=needs(db="ready"), stop=stops(timeout=5.0)),
    )
    story.spawned("db", "web", "api")
    story.signal()
    assert (story.due_in("web"), story.due_in("api")) == (14.5, 5.0)  # (30 − 1) ÷ 2; its own
    story.exits("api")
    story.passes(14.5)
    assert story.ordered() == ["SIGKILL web all"]
    story.exits("web", "SIGKILL")
    assert story.ordered() == ["SIGTERM db main"]
    assert story.due_in("db") == 14.5
    story.passes(14.5)
    assert story.ordered() == ["SIGKILL db all", "sweep until 30"]


def test_what_an_early_wave_does_not_use_goes_to_the_later_ones() -> None:
    story = Story(
        30.0,
        db=simple(stop=stops(timeout=60.0)),
        web=simple(depends_on=needs(db="ready"), stop=stops(timeout=60.0)),
    )
    story.spawned("db", "web")
    story.signal()
    story.later(4)
    story.exits("web")
    assert story.due_in("db") == 25.0


def test_a_wave_is_as_long_as_its_slowest_and_each_in_it_as_its_own() -> None:
    story = Story(
        30.0,
        db=simple(stop=stops(timeout=20.0)),
        web=simple(depends_on=needs(db="ready"), stop=stops(timeout=3.0)),
        app=simple(depends_on=needs(db="ready"), stop=stops(timeout=100.0)),
    )
    story.spawned("db", "web", "app")
    story.signal()
    assert (story.due_in("web"), story.due_in("app")) == (3.0, 14.5)


def test_a_deadline_shorter_than_every_timeout_bounds_all() -> None:
    story = Story(2.0, db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.signal()
    assert story.due_in("web") == 0.75  # (2 − ¼·2) ÷ 2
    story.passes(0.75)
    assert story.ordered() == ["SIGKILL web all"]
    story.exits("web", "SIGKILL")
    story.passes(0.75)
    assert story.ordered() == ["SIGKILL db all", "sweep until 2"]


def test_a_deadline_of_nothing_sweeps_at_once() -> None:
    story = Story(0.0, web=simple())
    story.spawned("web")
    story.signal()
    assert story.ordered() == ["SIGTERM web main"]
    story.passes(0)
    assert story.ordered() == ["SIGKILL web all", "sweep until 0"]


def test_who_was_stopping_already_gets_no_more_than_the_end_leaves() -> None:
    story = Story(9.0, web=simple(stop=stops(timeout=60.0)))
    story.spawned("web")
    story.stop("web")
    assert story.due_in("web") == 60.0
    story.signal()
    assert (story.due_in("web"), story.ordered()) == (8.0, [])


def test_whoever_waits_or_pauses_is_down_at_once() -> None:
    story = Story(a=simple(ready=TCP), b=simple(depends_on=needs(a="ready")), c=simple(), d=simple())
    story.cannot("c")
    story.cannot("d", ours=True)
    story.signal()
    assert story.phases() == {"a": "stopping", "b": "inactive", "c": "inactive", "d": "inactive"}
    assert story.code("b") == "shutdown"


def test_a_spawn_that_had_not_had_its_turn_is_cancelled() -> None:
    story = Story(a=simple())
    story.signal()
    assert story.phase("a") == "stopping"
    story.cancelled("a")
    assert story.ordered() == ["sweep until 1"]


def test_a_service_that_crashes_while_it_waits_for_its_turn_is_down() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.signal()
    story.exits("db", 1)
    assert (story.phase("db"), story.code("db")) == ("inactive", "shutdown")
    story.exits("web")
    assert story.ordered() == ["sweep until 1"]


def test_a_run_whose_leftovers_are_being_cleared_is_down_when_they_are() -> None:
    story = Story(a=simple())
    story.spawned("a")
    story.exits("a", 1, alone=False)
    story.signal()
    story.emptied("a")
    assert (story.phase("a"), story.code("a"), story.edges[-1]) == (
        "inactive",
        "shutdown",
        "a: stopping → inactive (shutdown)",
    )


def test_jobs_are_undone_in_order_and_other_done_ones_stay_done() -> None:
    story = Story(
        mount=job(stop=UNDO), seed=job(depends_on=needs(mount="ready")), web=simple(depends_on=needs(seed="completed"))
    )
    for name in ("mount", "seed"):
        story.spawned(name)
        story.exits(name)
    story.spawned("web")
    story.signal()
    assert story.ordered() == ["SIGTERM web main"]
    story.exits("web")
    assert story.ordered() == ["spawn mount#1 stop"]
    story.spawned("mount", role="stop")
    story.exits("mount", role="stop")
    assert story.ordered() == ["sweep until 1"]
    assert story.phases() == {"mount": "inactive", "seed": "done", "web": "inactive"}


def test_what_a_done_job_left_is_stopped() -> None:
    story = Story(a=job())
    story.spawned("a")
    story.exits("a", alone=False)
    story.signal()
    assert story.ordered() == ["SIGTERM a all"]
    story.emptied("a")
    assert story.ordered() == ["sweep until 1"]


def test_at_the_end_main_only_and_kill_false_spare_nobody() -> None:
    story = Story(
        ssh=simple(stop=stops(scope="main-only")), db=simple(stop=stops(kill=False, timeout=5.0), before=("ssh",))
    )
    story.spawned("ssh", "db")
    story.signal()
    story.exits("ssh", alone=False)
    assert story.ordered() == ["SIGTERM ssh all"]
    story.emptied("ssh")
    story.passes(5)
    assert story.ordered() == ["SIGKILL db all"]


def test_who_does_not_die_does_not_use_up_the_share_of_the_later_waves() -> None:
    story = Story(
        30.0,
        db=simple(stop=stops(timeout=60.0)),
        web=simple(depends_on=needs(db="ready"), stop=stops(timeout=60.0)),
    )
    story.spawned("db", "web")
    story.signal()
    story.passes(14.5)
    assert story.ordered() == ["SIGKILL web all"]
    story.passes(1)
    assert (story.code("web"), story.ordered()) == ("unkillable", ["SIGTERM db main"])
    assert story.due_in("db") == 13.5


def test_who_does_not_die_is_left_to_the_sweep_and_may_still_die() -> None:
    story = Story(30.0, db=simple(), web=simple(depends_on=needs(db="ready"), stop=stops(timeout=2.0)))
    story.spawned("db", "web")
    story.signal()
    story.passes(3)
    assert (story.code("web"), story.phase("db")) == ("unkillable", "stopping")
    story.exits("web", "SIGKILL")
    assert story.phase("web") == "inactive"
    assert story.ordered() == []
    story.exits("db")
    assert story.ordered() == ["sweep until 4"]


def test_what_was_unkillable_before_the_end_is_not_waited_for() -> None:
    story = Story(web=simple(stop=stops(timeout=2.0)))
    story.spawned("web")
    story.stop("web")
    story.passes(4)
    story.signal()
    assert story.ordered() == ["sweep until 5"]
