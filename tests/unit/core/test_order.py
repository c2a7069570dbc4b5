"""Who starts after whom, and who goes down before whom? `after`, `before` and the reverse (SERVICES §2, §4)."""

from __future__ import annotations

import pytest

from supervisor.model.spec import DependencySpec
from tests.laws.specs import (
    NEVER,
    TCP,
    UNDO,
    job,
    needs,
    restarts,
    simple,
    stops,
)
from tests.unit.core.story import Story

# --- order


def test_after_waits_for_who_starts_anyway_and_until_it_is_ready() -> None:
    story = Story(a=simple(ready=TCP), b=simple(after=("a",)))
    assert (story.phase("b"), story.code("b"), story.text("b")) == ("waiting", "order", "starts after a")
    story.spawned("a")
    assert story.phase("b") == "waiting"
    story.ready("a")
    assert story.phase("b") == "starting"


def test_before_is_after_from_the_other_side() -> None:
    story = Story(a=simple(ready=TCP, before=("b",)), b=simple())
    assert story.code("b") == "order"


def test_after_requires_nothing() -> None:
    story = Story(off=simple(enabled=False), bad=simple(restart=NEVER), b=simple(after=("off", "bad")))
    assert story.phases() == {"off": "inactive", "bad": "starting", "b": "waiting"}
    story.cannot("bad")
    assert story.phase("b") == "starting"


def test_after_a_job_is_when_it_has_ended() -> None:
    story = Story(a=job(), b=simple(after=("a",)))
    story.spawned("a")
    assert story.phase("b") == "waiting"
    story.exits("a", 1)
    assert story.phase("b") == "starting"


def test_who_is_in_backoff_is_not_waited_for() -> None:
    story = Story(a=simple(restart=restarts(delay=60.0)), b=simple(after=("a",)))
    story.cannot("a")
    assert story.phase("b") == "starting"


def test_who_has_nothing_to_be_had_for_is_waited_for() -> None:
    story = Story(a=simple(), b=simple(after=("a",)))
    story.cannot("a", ours=True)
    assert (story.phase("b"), story.code("b")) == ("waiting", "order")


def test_nobody_starts_after_who_is_going_down() -> None:
    story = Story(a=simple(), b=simple(enabled=False, after=("a",)))
    story.spawned("a")
    story.stop("a")
    story.start("b")
    assert (story.phase("b"), story.code("b")) == ("waiting", "order")
    story.exits("a")
    assert story.phase("b") == "starting"


def test_stopping_is_the_reverse_of_starting_also_where_nothing_is_required() -> None:
    story = Story(a=simple(), b=simple(after=("a",)))
    story.spawned("a", "b")
    story.stop("a", "b")
    assert story.ordered() == ["SIGTERM b main"]
    story.exits("b")
    assert story.ordered() == ["SIGTERM a main"]


def test_order_alone_stops_nobody() -> None:
    story = Story(a=simple(), b=simple(after=("a",)))
    story.spawned("a", "b")
    story.stop("a")
    assert story.phases() == {"a": "stopping", "b": "running"}


def test_what_has_no_process_yet_is_stopped_without_waiting_for_anybody() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.spawned("db", "web")
    story.exits("db", 1)
    story.passes(0.1)
    assert story.phases() == {"db": "starting", "web": "running"}
    story.stop("db")
    assert story.phases() == {"db": "stopping", "web": "stopping"}
    story.cancelled("db")
    assert story.phases() == {"db": "inactive", "web": "stopping"}


def test_who_clears_up_after_himself_is_in_the_way_also_through_one_that_does_not_run() -> None:
    story = Story(a=simple(), mid=simple(enabled=False, after=("a",)), c=simple(after=("mid",)))
    story.spawned("a", "c")
    story.exits("c", 1, alone=False)
    story.stop("a")
    assert story.phases() == {"a": "running", "mid": "inactive", "c": "stopping"}
    story.emptied("c")
    assert story.phases() == {"a": "stopping", "mid": "inactive", "c": "backoff"}


@pytest.mark.parametrize("lingers", [False, True])
@pytest.mark.parametrize("how", ["stop", "not needed", "restart", "shutdown"])
def test_what_a_job_made_is_undone_before_what_it_stands_on_goes(how: str, lingers: bool) -> None:
    story = Story(
        net=simple(enabled=False),
        mount=job(enabled=False, depends_on=needs(net=DependencySpec(restart=True)), stop=stops() if lingers else UNDO),
        files=simple(depends_on=needs(mount="ready")),
    )
    story.spawned("net", "mount")
    story.exits("mount", alone=not lingers)
    story.spawned("files")
    {"stop": lambda: story.stop("mount", "net"), "restart": lambda: story.restart("mount", "net")}.get(
        how, story.signal if how == "shutdown" else lambda: story.stop("files")
    )()
    if how != "restart":
        assert story.phases() == {"net": "running", "mount": "done", "files": "stopping"}
        story.exits("files")
    assert (story.phase("net"), story.phase("mount")) == ("running", "stopping")
    story.emptied("mount") if lingers else story.exits("mount", role="stop")
    assert story.phase("net") == "stopping"


def test_what_nothing_orders_happens_at_the_same_time() -> None:
    story = Story(a=simple(), b=simple(), c=simple())
    assert story.ordered() == ["spawn a#1", "spawn b#1", "spawn c#1"]  # in the order of definition
    story.spawned("a", "b", "c")
    story.stop("a", "b", "c")
    assert len(story.ordered()) == 3


def test_who_may_stay_after_all_is_in_nobodys_way() -> None:
    story = Story(
        a=simple(),
        mid=simple(enabled=False, after=("a",)),
        c=simple(enabled=False, after=("mid",)),
        d=simple(depends_on=needs(c="started")),
    )
    story.spawned("a", "c", "d")
    story.stop("d")  # and so nobody needs c, which waits for d
    story.stop("a")
    assert story.phases() == {"a": "running", "mid": "inactive", "c": "running", "d": "stopping"}
    story.start("c")
    assert story.phase("c") == "running"
    story.exits("d")
    assert story.phase("a") == "stopping"
