"""How are the services, in one number? The exit codes of CLI.md."""

from __future__ import annotations

import pytest

from supervisor.core.trouble import is_active, is_failed, readiness, status_code
from tests.laws.specs import AFTER, NEVER, ON_FAILURE, TCP, job, needs, simple
from tests.unit.core.story import Story


def _every_phase() -> Story:
    """A service in each state that a status can show, named by it."""
    story = Story(
        inactive=simple(enabled=False),
        running=simple(),
        starting=simple(ready=TCP),
        unready=job(),
        backoff=simple(),
        starved=simple(),
        failed=simple(restart=NEVER),
        done=job(),
        ended=simple(restart=ON_FAILURE),
        stopping=simple(),
        waiting=simple(depends_on=needs(starting="ready")),
        troubled=simple(depends_on=needs(failed="ready")),
        held=simple(depends_on=needs(off="ready")),
        held_too=simple(depends_on=needs(held="ready")),
        off=simple(),
    )
    story.spawned("running", "starting", "unready", "done", "ended", "stopping")
    story.cannot("backoff")
    story.cannot("failed")
    story.cannot("starved", ours=True)
    story.exits("done")
    story.exits("ended")
    story.stop("stopping")
    story.stop("off")
    story.cancelled("off")
    return story


_STORY = _every_phase()


@pytest.mark.parametrize(
    ("name", "status", "ready", "active", "failed"),
    [
        ("inactive", 0, 0, 3, 1),
        ("running", 0, 0, 0, 1),
        ("starting", 3, 3, 3, 1),
        ("unready", 0, 3, 0, 1),
        ("backoff", 3, 3, 3, 1),
        ("starved", 3, 3, 3, 1),
        ("failed", 1, 1, 3, 0),
        ("done", 0, 0, 0, 1),
        ("ended", 0, 0, 3, 1),
        ("stopping", 0, 3, 3, 1),
        ("waiting", 0, 3, 3, 1),
        ("troubled", 3, 3, 3, 1),
        ("held", 0, 0, 3, 1),
        ("held_too", 0, 0, 3, 1),
        ("off", 0, 0, 3, 1),
    ],
)
def test_one_service_alone(name: str, status: int, ready: int, active: int, failed: int) -> None:
    alone = [_STORY.service(name)]
    assert (status_code(alone), readiness(alone), is_active(alone), is_failed(alone)) == (status, ready, active, failed)


def test_the_worst_of_several_counts() -> None:
    some = [_STORY.service(name) for name in ("running", "starting", "done")]
    assert (status_code(some), readiness(some)) == (3, 3)
    all_of_them = list(_STORY.world.services.values())
    assert (status_code(all_of_them), readiness(all_of_them)) == (1, 1)
    assert (is_active(all_of_them), is_failed(all_of_them)) == (3, 0)


def test_nobody_is_fine() -> None:
    assert (status_code([]), readiness([]), is_active([]), is_failed([])) == (0, 0, 0, 1)


def test_a_daemon_whose_time_has_not_come_is_not_ready() -> None:
    story = Story(a=simple(ready=AFTER))
    story.spawned("a")
    assert readiness([story.service("a")]) == 3
    story.passes(2)
    assert readiness([story.service("a")]) == 0
