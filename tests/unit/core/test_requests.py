"""What does an operator's request do in each phase? SERVICES §4, Requests: the last one wins."""

from __future__ import annotations

from supervisor.model.event import Swept
from supervisor.model.spec import RestartLimitSpec
from supervisor.model.words import Seconds
from tests.laws.specs import AFTER, NEVER, ON_FAILURE, TCP, job, needs, restarts, simple, stops
from tests.unit.core.story import Story

# --- stop


def test_stop_in_waiting_is_inactive_at_once() -> None:
    story = Story(db=simple(ready=TCP), web=simple(depends_on=needs(db="ready")))
    assert story.phase("web") == "waiting"
    ticket = story.stop("web")
    assert (story.phase("web"), story.code("web")) == ("inactive", "operator")
    assert story.verdict(ticket) == "done"


def test_stop_in_backoff_is_inactive_at_once() -> None:
    story = Story(web=simple(restart=restarts(delay=30.0)))
    story.spawned("web")
    story.exits("web", 1)
    assert story.phase("web") == "backoff"
    ticket = story.stop("web")
    assert (story.phase("web"), story.verdict(ticket)) == ("inactive", "done")
    story.passes(100)
    assert story.phase("web") == "inactive"


def test_stop_while_the_machine_has_nothing_for_it_is_inactive_at_once() -> None:
    story = Story(web=simple())
    story.cannot("web", ours=True)
    assert (story.phase("web"), story.code("web")) == ("waiting", "no-resources")
    assert story.verdict(story.stop("web")) == "done"
    assert story.phase("web") == "inactive"


def test_stop_in_starting_stops_what_runs_and_supersedes_the_start() -> None:
    story = Story(web=simple(enabled=False, ready=TCP))
    start = story.start("web")
    story.spawned("web")
    stop = story.stop("web")
    assert story.ordered() == ["no probe web", "SIGTERM web main"]
    assert story.verdict(start) == "superseded superseded"
    assert story.verdict(stop) == "open"
    story.exits("web", "SIGTERM")
    assert (story.phase("web"), story.verdict(stop)) == ("inactive", "done")


def test_stop_before_exec_is_known_waits_for_it_and_then_asks() -> None:
    story = Story(web=simple())
    story.stop("web")
    assert (story.phase("web"), story.ordered()) == ("stopping", [])
    story.spawned("web")
    assert story.ordered() == ["SIGTERM web main"]


def test_stop_before_the_spawn_had_its_turn_cancels_it() -> None:
    story = Story(web=simple())
    ticket = story.stop("web")
    story.cancelled("web")
    assert (story.phase("web"), story.verdict(ticket)) == ("inactive", "done")


def test_stop_of_a_spawn_that_then_fails_is_a_stop() -> None:
    story = Story(web=simple())
    story.stop("web")
    story.cannot("web")
    assert (story.phase("web"), story.code("web")) == ("inactive", "operator")


def test_a_stopped_service_is_inactive_whatever_its_status() -> None:
    for how in (0, 7, "SIGKILL"):
        story = Story(web=simple(restart=restarts("always")))
        story.spawned("web")
        story.stop("web")
        story.exits("web", how)
        assert (story.phase("web"), story.code("web")) == ("inactive", "operator")


def test_stop_of_what_is_stopped_is_ok() -> None:
    story = Story(web=simple(enabled=False))
    assert story.verdict(story.stop("web")) == "done"
    assert story.code("web") == "operator"
    assert story.verdict(story.stop("web")) == "done"


def test_stop_of_what_has_failed_makes_it_inactive() -> None:
    story = Story(web=simple(restart=NEVER))
    story.spawned("web")
    story.exits("web", 1)
    assert story.phase("web") == "failed"
    assert story.verdict(story.stop("web")) == "done"
    assert (story.phase("web"), story.code("web")) == ("inactive", "operator")


def test_a_second_stop_waits_for_the_same_end() -> None:
    story = Story(web=simple())
    story.spawned("web")
    first, second = story.stop("web"), story.stop("web")
    assert story.ordered() == []
    story.exits("web")
    assert (story.verdict(first), story.verdict(second)) == ("done", "done")


# --- start


def test_start_of_what_runs_is_ok() -> None:
    story = Story(web=simple())
    story.spawned("web")
    ticket = story.start("web")
    assert (story.verdict(ticket), story.ordered()) == ("done", [])


def test_start_in_stopping_lets_the_stop_finish_and_then_starts() -> None:
    story = Story(web=simple())
    story.spawned("web")
    stop = story.stop("web")
    start = story.start("web")
    assert story.ordered() == []
    assert (story.verdict(stop), story.verdict(start)) == ("open", "open")
    story.exits("web", "SIGTERM")
    assert story.ordered() == ["spawn web#2"]
    assert (story.verdict(stop), story.verdict(start)) == ("done", "open")
    story.spawned("web")
    assert story.verdict(start) == "done"


def test_stop_after_start_in_stopping_wins() -> None:
    story = Story(web=simple())
    story.spawned("web")
    story.stop("web")
    story.start("web")
    story.stop("web")
    story.exits("web")
    assert (story.phase("web"), story.ordered()) == ("inactive", [])


def test_start_after_stop_start_stop_wins() -> None:
    story = Story(web=simple())
    story.spawned("web")
    story.stop("web")
    story.start("web")
    story.stop("web")
    story.start("web")
    story.exits("web")
    assert story.ordered() == ["spawn web#2"]


def test_start_in_backoff_is_now_and_resets_what_was_counted() -> None:
    limit = RestartLimitSpec(2, Seconds(600.0))
    story = Story(web=simple(restart=restarts(delay=1.0, factor=2.0, limit=limit)))
    for pause in (1.0, 2.0):
        story.spawned("web")
        story.exits("web", 1)
        assert story.due_in("web") == pause
        if pause < 2.0:
            story.passes(pause)
    assert story.service("web").restarts == 1
    story.start("web")
    assert story.ordered() == ["spawn web#3"]
    assert (story.service("web").restarts, story.service("web").window) == (0, ())
    story.spawned("web")
    story.exits("web", 1)
    assert story.due_in("web") == 1.0


def test_start_of_what_has_failed_is_now() -> None:
    story = Story(web=simple(restart=NEVER))
    story.cannot("web")
    assert (story.phase("web"), story.code("web")) == ("failed", "exec-failed")
    ticket = story.start("web")
    assert story.ordered() == ["spawn web#2"]
    story.spawned("web")
    assert story.verdict(ticket) == "done"


def test_start_while_the_machine_has_nothing_tries_at_once() -> None:
    story = Story(web=simple())
    story.cannot("web", ours=True)
    ticket = story.start("web")
    assert story.ordered() == ["spawn web#2"]
    story.cannot("web", ours=True)
    assert story.verdict(ticket) == "open"  # no attempt has failed: there was none
    assert story.due_in("web") == 0.1  # its own pauses begin anew
    story.passes(0.1)
    story.spawned("web")
    assert story.verdict(ticket) == "done"


def test_start_of_a_done_job_does_nothing() -> None:
    story = Story(migrate=job())
    story.spawned("migrate")
    story.exits("migrate")
    ticket = story.start("migrate")
    assert (story.verdict(ticket), story.phase("migrate"), story.ordered()) == ("done", "done", [])


def test_start_of_a_daemon_that_ended_well_starts_it_again() -> None:
    story = Story(web=simple(restart=ON_FAILURE))
    story.spawned("web")
    story.exits("web")
    assert story.phase("web") == "done"
    ticket = story.start("web")
    assert (story.ordered(), story.verdict(ticket)) == (["spawn web#2"], "open")


def test_start_of_a_waiting_service_waits_with_it() -> None:
    story = Story(db=simple(ready=TCP), web=simple(depends_on=needs(db="ready")))
    ticket = story.start("web")
    assert story.verdict(ticket) == "open"
    story.comes_up("db", "web")
    assert story.verdict(ticket) == "done"


def test_a_start_is_done_at_ready_and_not_before() -> None:
    story = Story(web=simple(enabled=False, ready=TCP))
    ticket = story.start("web")
    story.spawned("web")
    assert story.verdict(ticket) == "open"
    story.ready("web")
    assert story.verdict(ticket) == "done"


def test_a_start_of_a_job_is_done_when_the_job_is() -> None:
    story = Story(migrate=job(enabled=False))
    ticket = story.start("migrate")
    story.spawned("migrate")
    assert (story.phase("migrate"), story.verdict(ticket)) == ("running", "open")
    story.exits("migrate")
    assert story.verdict(ticket) == "done"


def test_a_start_fails_at_the_first_failed_attempt_although_the_service_goes_on() -> None:
    story = Story(web=simple(enabled=False, ready=TCP))
    ticket = story.start("web")
    story.spawned("web")
    story.exits("web", 3)
    assert story.verdict(ticket) == "failed start-failed"
    assert "exit status 3" in story.answers[ticket].text
    assert story.phase("web") == "backoff"


def test_a_start_that_fails_with_leftovers_is_answered_when_they_are_cleared() -> None:
    story = Story(web=simple(enabled=False, ready=TCP))
    ticket = story.start("web")
    story.spawned("web")
    story.exits("web", 1, alone=False)
    assert story.verdict(ticket) == "open"
    story.emptied("web")
    assert story.verdict(ticket) == "failed start-failed"


# --- all of them


def test_an_unknown_service_is_refused_by_name() -> None:
    story = Story(web=simple())
    for ask in (story.start, story.stop, story.restart, story.kill):
        ticket = ask("web", "wbe")
        assert story.verdict(ticket) == "refused unknown-service"
        assert story.answers[ticket].service == "wbe"
    assert story.phase("web") == "starting"


def test_nothing_starts_any_more_when_the_world_is_ending() -> None:
    story = Story(web=simple(), off=simple(enabled=False))
    story.spawned("web")
    story.signal()
    assert story.verdict(story.start("off")) == "refused shutting-down"
    assert story.verdict(story.restart("web")) == "refused shutting-down"
    stop = story.stop("web")
    story.exits("web")
    assert story.verdict(stop) == "done"


def test_a_request_after_the_end_still_gets_its_answer() -> None:
    story = Story(web=simple(enabled=False))
    story.signal()
    story.tell(Swept())
    assert story.verdict(story.stop("web")) == "refused shutting-down"


def test_one_request_may_name_many_and_is_answered_when_all_are_there() -> None:
    story = Story(a=simple(enabled=False), b=simple(enabled=False), c=simple(enabled=False, restart=NEVER))
    ticket = story.start("a", "b", "c")
    story.spawned("a", "c")
    story.cannot("b")
    assert story.verdict(ticket) == "failed start-failed"
    assert story.answers[ticket].service == "b"


def test_the_first_failure_is_told_when_the_others_are_there() -> None:
    story = Story(a=simple(enabled=False, restart=NEVER), b=simple(enabled=False, ready=AFTER))
    ticket = story.start("a", "b")
    story.cannot("a")
    assert story.verdict(ticket) == "open"
    story.spawned("b")
    story.passes(2)
    assert (story.verdict(ticket), story.answers[ticket].service) == ("failed start-failed", "a")


def test_a_request_for_nobody_is_done() -> None:
    story = Story(web=simple())
    assert story.verdict(story.stop()) == "done"


def test_what_does_not_die_fails_every_request_that_waits_for_it() -> None:
    story = Story(web=simple(stop=stops(timeout=5.0)))
    story.spawned("web")
    stop = story.stop("web")
    story.passes(10)  # 5 s for the signal, 5 s for SIGKILL
    assert (story.code("web"), story.verdict(stop)) == ("unkillable", "failed unkillable")
    assert story.verdict(story.start("web")) == "failed unkillable"
    story.exits("web", "SIGKILL")
    assert story.ordered() == ["spawn web#2"]  # the wish stays
