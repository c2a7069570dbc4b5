"""What do the operator's restart and kill do in each phase? SERVICES §4, Requests."""

from __future__ import annotations

import pytest

from tests.laws.specs import NEVER, ON_FAILURE, TCP, UNDO, job, needs, restarts, simple
from tests.unit.core.story import Story

# --- restart


def test_restart_of_what_runs_stops_it_and_starts_it() -> None:
    story = Story(web=simple(ready=TCP))
    story.comes_up("web")
    ticket = story.restart("web")
    assert (story.ordered(), story.code("web")) == (["SIGTERM web main"], "restart")
    story.exits("web")
    assert story.ordered() == ["spawn web#2"]
    story.spawned("web")
    assert story.verdict(ticket) == "open"
    story.ready("web")
    assert story.verdict(ticket) == "done"
    assert story.service("web").restarts == 0


def test_restart_of_what_is_stopped_starts_it() -> None:
    story = Story(web=simple(enabled=False))
    ticket = story.restart("web")
    assert story.ordered() == ["spawn web#1"]
    story.spawned("web")
    assert story.verdict(ticket) == "done"


def test_restart_in_stopping_starts_again_afterwards() -> None:
    story = Story(web=simple())
    story.spawned("web")
    stop = story.stop("web")
    restart = story.restart("web")
    assert story.verdict(stop) == "open"
    story.exits("web")
    assert story.ordered() == ["spawn web#2"]
    assert (story.verdict(stop), story.verdict(restart)) == ("done", "open")


def test_restart_of_a_done_job_runs_it_again_and_its_running_dependents_do_not_notice() -> None:
    story = Story(
        migrate=job(),
        web=simple(depends_on=needs(migrate="completed")),
        app=simple(depends_on=needs(migrate="ready")),
        late=simple(enabled=False, depends_on=needs(migrate="completed")),
    )
    story.spawned("migrate")
    story.exits("migrate")
    story.spawned("web", "app")
    story.restart("migrate")
    assert story.ordered() == ["spawn migrate#2"]
    assert (story.phase("web"), story.phase("app")) == ("running", "running")
    story.start("late")
    assert story.phase("late") == "waiting"  # new ones wait
    story.spawned("migrate")
    story.exits("migrate")
    assert story.phase("late") == "starting"


def test_restart_of_a_done_job_with_an_undo_undoes_it_first() -> None:
    story = Story(mount=job(stop=UNDO))
    story.spawned("mount")
    story.exits("mount")
    story.restart("mount")
    assert story.ordered() == ["spawn mount#1 stop"]
    story.spawned("mount", role="stop")
    story.exits("mount", role="stop")
    assert story.ordered() == ["spawn mount#2"]


def test_restart_while_starting_begins_anew() -> None:
    story = Story(web=simple())
    ticket = story.restart("web")
    story.spawned("web")
    assert story.ordered() == ["SIGTERM web main"]
    story.exits("web")
    assert story.ordered() == ["spawn web#2"]
    story.spawned("web")
    assert story.verdict(ticket) == "done"


def test_what_is_restarted_and_crashes_while_it_waits_for_others_is_restarted_all_the_same() -> None:
    story = Story(db=simple(restart=NEVER), web=simple(depends_on=needs(db="started")))
    story.spawned("db", "web")
    story.stop("web")
    ticket = story.restart("db")  # waits until web is down
    assert story.phase("db") == "running"
    story.exits("db", 1)
    assert (story.phase("db"), story.ordered()) == ("starting", ["spawn db#2"])
    story.spawned("db")
    assert story.verdict(ticket) == "done"


def test_restart_of_a_requirement_keeps_it_a_requirement() -> None:
    story = Story(db=simple(enabled=False), web=simple(depends_on=needs(db="started")))
    story.spawned("db", "web")
    story.restart("db")
    story.exits("db")
    story.spawned("db")
    assert story.service("db").want == "none"
    assert story.service("web").run == 1


def test_a_stop_supersedes_a_restart() -> None:
    story = Story(web=simple())
    story.spawned("web")
    restart = story.restart("web")
    story.stop("web")
    story.exits("web")
    assert (story.phase("web"), story.verdict(restart)) == ("inactive", "superseded superseded")


def test_a_restart_that_a_stop_superseded_is_forgotten() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.stop("web")
    story.restart("db")  # waits until web is down
    story.stop("db")
    story.start("db")
    story.exits("web")
    assert (story.phase("db"), story.service("db").run) == ("running", 1)


# --- kill


def test_kill_hits_all_processes_or_only_the_main_one() -> None:
    story = Story(web=simple())
    story.spawned("web")
    assert story.verdict(story.kill("web", signal="SIGUSR1")) == "done"
    assert story.ordered() == ["SIGUSR1 web all"]
    story.kill("web", signal="SIGUSR1", main_only=True)
    assert story.ordered() == ["SIGUSR1 web main"]


def test_what_dies_of_kill_has_failed() -> None:
    story = Story(web=simple(restart=ON_FAILURE))
    story.spawned("web")
    story.kill("web")
    story.exits("web", "SIGKILL")
    assert (story.phase("web"), story.service("web").attempts) == ("backoff", 1)


@pytest.mark.parametrize("phase", ["inactive", "waiting", "backoff", "failed", "done"])
def test_kill_without_processes_is_refused(phase: str) -> None:
    story = Story(
        web=simple(
            enabled=phase != "inactive",
            restart=restarts({"failed": "never", "done": "on-failure"}.get(phase, "always")),
            depends_on=needs(db="ready") if phase == "waiting" else {},
        ),
        db=simple(ready=TCP),
    )
    if phase in ("backoff", "failed", "done"):
        story.spawned("web")
        story.exits("web", 0 if phase == "done" else 1)
    assert story.phase("web") == phase
    ticket = story.kill("web")
    assert (story.verdict(ticket), story.ordered()) == ("refused not-running", [])


def test_kill_reaches_what_a_done_job_has_left_and_a_stop_leaves_behind() -> None:
    story = Story(forks=job(), web=simple())
    story.spawned("forks", "web")
    story.exits("forks", alone=False)
    story.kill("forks")
    assert story.ordered() == ["SIGKILL forks all"]
    assert story.verdict(story.kill("forks", main_only=True)) == "refused not-running"
    story.stop("web")
    story.exits("web", alone=False)
    story.kill("web", signal="SIGUSR2")
    assert story.ordered() == ["SIGUSR2 web all"]
