"""When does a world end by itself? `exit_when_done`, and the command in the foreground that goes its own way (SERVICES §4, §5)."""

from __future__ import annotations

import pytest

from supervisor.model.event import PlanAccepted
from supervisor.model.plan import Plan
from supervisor.model.record import replace
from supervisor.model.spec import SystemSpec
from supervisor.model.words import Seconds
from tests.laws.specs import NEVER, TCP, in_front, job, needs, plan, restarts, simple
from tests.unit.core.story import Story


def _told(given: Plan) -> Story:
    story = Story()
    story.tell(PlanAccepted(given, Seconds(30.0)))
    return story


def _until_done(given: Plan) -> Story:
    return _told(replace(given, system=SystemSpec(exit_when_done=True)))


def _status(story: Story) -> int | None:
    return None if story.world.shutdown is None else story.world.shutdown.status


def test_the_world_ends_when_the_last_job_is_done() -> None:
    story = _until_done(plan(a=job(), b=job(depends_on=needs(a="completed"))))
    story.spawned("a")
    story.exits("a")
    assert _status(story) is None
    story.spawned("b")
    story.exits("b")
    assert _status(story) == 0
    assert story.world.shutdown is not None
    assert story.world.shutdown.by == "all is done"


def test_without_the_key_nothing_ends_by_itself() -> None:
    story = _told(plan(a=job()))
    story.spawned("a")
    story.exits("a")
    assert _status(story) is None


def test_one_failure_makes_the_status_1() -> None:
    story = _until_done(plan(a=job(), b=job()))
    story.spawned("a", "b")
    story.exits("a", 7)
    assert _status(story) is None  # b still runs
    story.exits("b")
    assert _status(story) == 1
    assert story.world.shutdown is not None
    assert story.world.shutdown.by == "nothing runs any more, a failed"


def test_who_can_never_start_does_not_hold_the_world() -> None:
    story = _until_done(
        plan(a=job(), b=job(depends_on=needs(a="completed")), c=simple(depends_on=needs(b="completed")))
    )
    story.spawned("a")
    story.exits("a", 1)
    assert story.phases() == {"a": "failed", "b": "inactive", "c": "inactive"}
    assert _status(story) == 1


def test_who_waits_for_what_has_ended_well_was_not_done_either() -> None:
    story = _until_done(plan(a=simple(restart=NEVER, ready=TCP), b=simple(depends_on=needs(a="ready"))))
    story.spawned("a")
    story.exits("a")
    assert _status(story) == 1


def test_who_runs_waits_or_pauses_keeps_the_world() -> None:
    story = _until_done(plan(a=simple(), b=job(restart=restarts("on-failure")), c=job(depends_on=needs(b="completed"))))
    story.spawned("a", "b")
    story.exits("b", 1)
    assert story.phases() == {"a": "running", "b": "backoff", "c": "waiting"}
    story.exits("a")
    assert _status(story) is None
    story.passes(0.1)
    story.spawned("b", "a")
    story.exits("b")
    story.spawned("c")
    story.exits("c")
    assert _status(story) is None  # the daemon is there for ever


def test_what_the_machine_had_nothing_for_is_still_to_come() -> None:
    story = _until_done(plan(a=job()))
    story.cannot("a", ours=True)
    assert story.phase("a") == "waiting"
    assert _status(story) is None


def test_a_world_with_nothing_to_do_ends_at_once() -> None:
    assert _status(_until_done(plan(a=simple(enabled=False)))) == 0
    assert _status(_until_done(Plan())) == 0


def test_what_the_operator_stopped_keeps_the_world() -> None:
    story = _until_done(plan(a=simple(), b=job()))
    story.spawned("a", "b")
    story.exits("b")
    story.stop("a")
    story.exits("a")
    assert story.phase("a") == "inactive"
    assert _status(story) is None
    story.start("a")
    story.spawned("a")
    assert story.phase("a") == "running"


def test_a_job_that_the_operator_asks_for_again_keeps_the_world() -> None:
    story = _until_done(plan(a=job(), b=job()))
    story.spawned("a", "b")
    story.exits("a", 1)
    story.restart("a")
    story.exits("b")
    assert _status(story) is None
    story.spawned("a")
    story.exits("a")
    assert _status(story) == 0


def test_shutdown_on_comes_first() -> None:
    story = _until_done(plan(a=job(shutdown_on="exit")))
    story.spawned("a")
    story.exits("a", 7)
    assert _status(story) == 7


def test_a_stop_signal_that_came_first_decides() -> None:
    story = _until_done(plan(a=job()))
    story.spawned("a")
    story.signal()
    story.exits("a", "SIGTERM")
    assert _status(story) == 0


# --- the command in the foreground


def _in_front() -> Story:
    main = simple(restart=NEVER, shutdown_on="exit", depends_on=needs(db="ready", migrate="ready"))
    return _told(in_front("main", plan(db=simple(ready=TCP), migrate=job(), main=main)))


def test_the_command_starts_when_all_others_are_ready() -> None:
    story = _in_front()
    story.spawned("db", "migrate")
    story.exits("migrate")
    assert story.phase("main") == "waiting"
    story.ready("db")
    story.spawned("main")
    assert story.phase("main") == "running"


def test_the_command_goes_its_own_way_when_another_is_stopped() -> None:
    story = _in_front()
    story.spawned("db", "migrate")
    story.exits("migrate")
    story.ready("db")
    story.spawned("main")
    ticket = story.stop("db", dependents=False)
    assert story.ordered() == ["SIGTERM db main"]
    story.exits("db")
    assert story.verdict(ticket) == "done"
    assert story.phase("main") == "running"


def test_the_command_is_stopped_before_the_others() -> None:
    story = _in_front()
    story.spawned("db", "migrate")
    story.exits("migrate")
    story.ready("db")
    story.spawned("main")
    story.signal()
    assert story.ordered() == ["SIGTERM main main"]
    story.exits("main", "SIGTERM")
    assert story.ordered() == ["SIGTERM db main"]


@pytest.mark.parametrize(("how", "status"), [(0, 0), (7, 7), ("SIGKILL", 137), ("SIGTERM", 143)])
def test_the_world_ends_with_the_status_of_the_command(how: int | str, status: int) -> None:
    story = _in_front()
    story.spawned("db", "migrate")
    story.exits("migrate")
    story.ready("db")
    story.spawned("main")
    story.exits("main", how)
    assert story.ordered() == ["SIGTERM db main"]
    assert _status(story) == status


def test_the_command_waits_for_who_has_failed_and_comes_when_that_is_well_again() -> None:
    story = _in_front()
    story.spawned("db", "migrate")
    story.ready("db")
    story.exits("migrate", 1)
    assert story.text("main") == "migrate failed"
    story.start("migrate")
    story.spawned("migrate")
    story.exits("migrate")
    story.spawned("main")
    assert story.phase("main") == "running"
