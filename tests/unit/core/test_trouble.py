"""How are the services, in one number? The exit code of `status`."""

from __future__ import annotations

import pytest

from supervisor.core.trouble import status_code
from tests.laws.specs import NEVER, ON_FAILURE, TCP, job, needs, simple
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
    ("name", "status"),
    [
        ("inactive", 0),
        ("running", 0),
        ("starting", 3),
        ("unready", 0),
        ("backoff", 3),
        ("starved", 3),
        ("failed", 1),
        ("done", 0),
        ("ended", 0),
        ("stopping", 0),
        ("waiting", 0),
        ("troubled", 3),
        ("held", 0),
        ("held_too", 0),
        ("off", 0),
    ],
)
def test_one_service_alone(name: str, status: int) -> None:
    assert status_code([_STORY.service(name)]) == status


def test_the_worst_of_several_counts() -> None:
    assert status_code([_STORY.service(name) for name in ("running", "starting", "done")]) == 3
    assert status_code(_STORY.world.services.values()) == 1


def test_nobody_is_fine() -> None:
    assert status_code([]) == 0
