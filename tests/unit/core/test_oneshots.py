"""What is a job? It runs to its end, then is done; what it made is undone when it is stopped (SERVICES §2 `type`)."""

from __future__ import annotations

from supervisor.model.words import Seconds
from tests.laws.specs import ALWAYS, FOLLOW, TWICE, UNDO, job, needs, restarts, simple, stops
from tests.unit.core.story import Story


def _done(**keys: object) -> Story:
    story = Story(a=job(**keys))
    story.spawned("a")
    story.exits("a")
    assert story.phase("a") == "done"
    return story


def test_a_job_runs_and_is_done() -> None:
    story = Story(a=job())
    assert story.ordered() == ["spawn a#1"]
    story.spawned("a")
    assert (story.phase("a"), story.code("a")) == ("running", "job")
    story.exits("a")
    assert (story.phase("a"), story.code("a")) == ("done", "success")


def test_its_commands_run_one_after_the_other() -> None:
    story = Story(a=job(command=(("x",), ("y",), ("z",))))
    story.spawned("a")
    for index in (1, 2):
        story.exits("a")
        assert (story.phase("a"), story.ordered()) == ("running", [f"spawn a#1 command {index}"])
        story.spawned("a")
    story.exits("a")
    assert story.phase("a") == "done"


def test_the_first_command_that_fails_ends_it() -> None:
    story = Story(a=job(command=TWICE))
    story.spawned("a")
    story.exits("a", 1)
    assert (story.phase("a"), story.ordered()) == ("failed", [])


def test_a_later_command_that_cannot_be_executed_fails_it() -> None:
    story = Story(a=job(command=TWICE))
    story.spawned("a")
    story.exits("a")
    story.cannot("a")
    assert (story.phase("a"), story.code("a")) == ("failed", "exec-failed")


def test_a_later_command_that_cannot_be_executed_has_its_forerunners_leftovers_stopped_first() -> None:
    story = Story(a=job(command=TWICE))
    story.spawned("a")
    story.exits("a", alone=False)
    story.cannot("a", alone=False)
    assert (story.phase("a"), story.code("a"), story.ordered()) == ("stopping", "leftovers", ["SIGTERM a all"])
    story.emptied("a")
    assert (story.phase("a"), story.code("a")) == ("failed", "exec-failed")


def test_a_later_command_for_which_the_machine_has_nothing_is_no_failure_and_the_job_begins_anew() -> None:
    story = Story(a=job(command=TWICE))
    story.spawned("a")
    story.exits("a")
    story.cannot("a", ours=True)
    assert (story.phase("a"), story.code("a")) == ("waiting", "no-resources")
    last = story.service("a").last
    assert last is not None
    assert last.result == "resources"
    story.passes(0.1)
    assert story.ordered() == ["spawn a#2"]


def test_a_stop_between_two_commands_waits_for_what_was_ordered() -> None:
    story = Story(a=job(command=TWICE))
    story.spawned("a")
    story.exits("a")
    story.stop("a")
    assert (story.phase("a"), story.ordered()) == ("stopping", [])
    story.cancelled("a")
    assert story.phase("a") == "inactive"


def test_a_job_that_is_to_be_stopped_begins_no_further_command() -> None:
    story = Story(a=job(command=TWICE), web=simple(depends_on=needs(a="started")))
    story.spawned("a", "web")
    story.stop("a")
    assert story.phases() == {"a": "running", "web": "stopping"}
    story.exits("a")
    assert (story.phase("a"), story.ordered()) == ("inactive", [])


def test_a_job_that_ends_well_while_it_waits_to_be_stopped_is_undone_in_its_turn() -> None:
    story = Story(a=job(stop=UNDO), web=simple(depends_on=needs(a="started")))
    story.spawned("a", "web")
    ticket = story.stop("a")
    story.exits("a")
    assert (story.phase("a"), story.ordered(), story.verdict(ticket)) == ("done", [], "open")
    story.exits("web")
    assert story.ordered() == ["spawn a#1 stop"]
    story.exits("a", role="stop")
    assert story.verdict(ticket) == "done"


def test_a_running_job_is_stopped_by_signal_for_there_is_nothing_to_undo_yet() -> None:
    story = Story(a=job(stop=UNDO))
    story.spawned("a")
    story.stop("a")
    assert story.ordered() == ["SIGTERM a main"]


def test_its_stop_command_undoes_it_when_it_is_stopped() -> None:
    story = _done(stop=UNDO)
    ticket = story.stop("a")
    assert (story.phase("a"), story.ordered(), story.verdict(ticket)) == ("stopping", ["spawn a#1 stop"], "open")
    story.spawned("a", role="stop")
    story.exits("a", role="stop")
    assert (story.phase("a"), story.verdict(ticket)) == ("inactive", "done")


def test_a_daemon_that_ended_well_has_nothing_to_undo() -> None:
    story = Story(a=simple(stop=UNDO, restart=restarts("on-failure")))
    story.spawned("a")
    story.exits("a")
    ticket = story.stop("a")
    assert (story.phase("a"), story.ordered(), story.verdict(ticket)) == ("inactive", [], "done")


def test_an_undo_that_fails_or_hangs_does_not_keep_it_up() -> None:
    story = _done(stop=stops(command=("u",), timeout=5.0))
    story.stop("a")
    story.cannot("a", role="stop")
    assert story.phase("a") == "inactive"
    story = _done(stop=stops(command=("u",), timeout=5.0))
    story.stop("a")
    story.spawned("a", role="stop")
    story.passes(5)
    assert story.ordered() == ["SIGKILL a all"]
    story.exits("a", "SIGKILL", role="stop")
    assert story.phase("a") == "inactive"


def test_an_undo_under_main_only_may_be_killed_for_nobody_else_is_there() -> None:
    story = _done(stop=stops(command=("u",), timeout=5.0, scope="main-only"))
    story.stop("a")
    story.spawned("a", role="stop")
    story.passes(5)
    assert story.ordered() == ["SIGKILL a all"]


def test_what_a_done_job_leaves_stays_until_it_is_stopped() -> None:
    story = Story(a=job())
    story.spawned("a")
    story.exits("a", alone=False)
    assert (story.phase("a"), story.ordered()) == ("done", [])
    ticket = story.stop("a")
    assert (story.phase("a"), story.ordered(), story.verdict(ticket)) == ("stopping", ["SIGTERM a all"], "open")
    story.emptied("a")
    assert (story.phase("a"), story.verdict(ticket)) == ("inactive", "done")


def test_what_a_done_job_leaves_may_end_by_itself() -> None:
    story = Story(a=job())
    story.spawned("a")
    story.exits("a", alone=False)
    story.emptied("a")
    assert story.phase("a") == "done"
    story.stop("a")
    assert (story.phase("a"), story.ordered()) == ("inactive", [])


def test_under_main_only_what_a_job_leaves_is_nobodys() -> None:
    story = Story(a=job(stop=stops(scope="main-only")))
    story.spawned("a")
    story.exits("a", alone=False)
    assert (story.phase("a"), story.ordered()) == ("done", ["release a"])
    story.stop("a")
    assert (story.phase("a"), story.ordered()) == ("inactive", [])


def test_a_job_has_no_start_timeout_unless_it_is_written_and_then_it_covers_all_commands() -> None:
    story = Story(a=job(), b=job(command=TWICE, start_timeout=Seconds(5.0)))
    story.spawned("a", "b")
    assert story.due_in("a") is None
    story.later(3)
    story.exits("b")
    story.spawned("b")
    assert story.due_in("b") == 2.0
    story.passes(2)
    assert (story.phase("b"), story.code("b"), story.ordered()) == ("stopping", "start-timeout", ["SIGTERM b main"])
    story.exits("b", "SIGTERM")
    assert (story.phase("b"), story.code("b")) == ("failed", "timeout")
    assert "not finished within 5s" in story.text("b")


def test_a_job_whose_policy_is_always_runs_again_and_again() -> None:
    story = Story(a=job(restart=ALWAYS))
    story.spawned("a")
    story.exits("a")
    assert story.phase("a") == "backoff"
    story.passes(0.1)
    assert story.ordered() == ["spawn a#2"]


def test_a_failed_job_that_is_tried_again_begins_with_its_first_command() -> None:
    story = Story(a=job(command=TWICE, restart=restarts("on-failure")))
    story.spawned("a")
    story.exits("a")
    story.spawned("a")
    story.exits("a", 1)
    story.passes(0.1)
    assert story.ordered() == ["spawn a#2"]


def test_a_job_that_nobody_needs_any_more_is_undone() -> None:
    story = Story(mount=job(enabled=False, stop=UNDO), web=simple(depends_on=needs(mount="ready")))
    story.spawned("mount")
    story.exits("mount")
    story.spawned("web")
    story.stop("web")
    assert story.phase("mount") == "done"
    story.exits("web")
    assert (story.code("mount"), story.ordered()) == ("not-needed", ["spawn mount#1 stop"])


def test_a_job_that_is_done_while_it_is_taken_along_runs_again() -> None:
    story = Story(
        db=simple(),
        fill=job(depends_on=needs(db=FOLLOW)),
        web=simple(depends_on=needs(fill="started"), stop=stops(timeout=60.0)),
    )
    story.spawned("db", "fill", "web")
    story.stop("web")
    story.exits("db", 1)  # fill is to be stopped, after web
    assert story.phase("fill") == "running"
    story.exits("fill")
    assert (story.phase("fill"), story.code("fill")) == ("waiting", "dependency")
    story.passes(0.1)
    story.spawned("db")
    assert story.ordered() == ["spawn fill#2"]
