"""Has failed what died of the operator's `kill`, although the same end would be clean otherwise? SERVICES §4, Requests."""

from __future__ import annotations

import pytest

from supervisor.model.spec import RestartSpec
from tests.laws.specs import job, restarts, simple
from tests.unit.core.story import Story


@pytest.mark.parametrize("policy", ["on-failure", "on-abnormal"])
def test_a_daemon_that_dies_of_kill_has_failed_and_one_that_dies_of_another_has_not(policy: str) -> None:
    story = Story(web=simple(restart=restarts(policy)))
    story.spawned("web")
    story.kill("web", signal="SIGTERM")
    story.kill("web", signal="SIGHUP")
    story.exits("web", "SIGTERM")
    last = story.service("web").last
    assert last is not None
    assert (story.phase("web"), last.result) == ("backoff", "signal")
    story.passes(1)
    story.spawned("web")
    story.exits("web", "SIGTERM")
    assert story.phase("web") == "done"


def test_a_daemon_that_answers_a_kill_by_a_clean_exit_has_ended_well() -> None:
    story = Story(web=simple(restart=restarts("on-failure")))
    story.spawned("web")
    story.kill("web", signal="SIGTERM")
    story.exits("web", 0)
    assert story.phase("web") == "done"


def test_a_job_that_dies_of_kill_has_failed_and_its_next_command_is_not_run() -> None:
    policy = RestartSpec("never", success=("0", "SIGTERM"))
    story = Story(two=job(command=(("one",), ("two",)), restart=policy))
    story.spawned("two")
    story.kill("two", signal="SIGTERM")
    story.exits("two", "SIGTERM")
    assert (story.phase("two"), story.ordered()) == ("failed", [])
