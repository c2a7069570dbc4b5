"""What does one service mean to another? Conditions, optional dependencies, order, `restart: true` (SERVICES §2, §4)."""

from __future__ import annotations

import pytest

from supervisor.model.spec import DependencySpec, RestartLimitSpec, ServiceSpec
from supervisor.model.words import Seconds
from tests.laws.specs import (
    FOLLOW,
    MAYBE,
    MAYBE_FOLLOW,
    NEVER,
    ON_FAILURE,
    TCP,
    UNDO,
    job,
    needs,
    restarts,
    simple,
    stops,
)
from tests.unit.core.story import Story

# --- conditions


def _starts_when(condition: str, other: ServiceSpec) -> list[str]:
    """The phases of the other (with `ready`) in which the dependent starts."""
    story = Story(a=other, b=simple(depends_on={**needs(a=DependencySpec(condition))}))  # type: ignore[arg-type]
    seen: list[str] = []

    def look(what: str) -> None:
        if story.phase("b") == "starting" and not seen:
            seen.append(what)

    look("ordered")
    story.spawned("a")
    look("executed")
    if story.phase("a") == "starting":
        story.ready("a")
        look("ready")
    story.exits("a")
    look("ended")
    return seen


@pytest.mark.parametrize(
    ("condition", "daemon", "probed", "done_job"),
    [
        ("started", ["executed"], ["executed"], ["executed"]),
        ("ready", ["executed"], ["ready"], ["ended"]),
        ("completed", ["ended"], ["ended"], ["ended"]),
        ("ended", ["ended"], ["ended"], ["ended"]),
    ],
)
def test_what_a_condition_means(condition: str, daemon: list[str], probed: list[str], done_job: list[str]) -> None:
    assert _starts_when(condition, simple(restart=NEVER)) == daemon
    assert _starts_when(condition, simple(restart=NEVER, ready=TCP)) == probed
    assert _starts_when(condition, job()) == done_job


def test_ended_is_also_a_bad_end_and_completed_is_not() -> None:
    story = Story(a=job(), any=simple(depends_on=needs(a="ended")), good=simple(depends_on=needs(a="completed")))
    story.spawned("a")
    story.exits("a", 1)
    assert (story.phase("any"), story.phase("good")) == ("starting", "waiting")
    assert (story.code("good"), story.text("good")) == ("dependency-failed", "a failed")


def test_a_job_that_is_done_counts_as_started_and_ready_for_who_comes_later() -> None:
    for edge in (DependencySpec("started"), DependencySpec("ready")):
        story = Story(a=job(), b=simple(enabled=False, depends_on=needs(a=edge)))
        story.spawned("a")
        story.exits("a")
        story.start("b")
        assert story.phase("b") == "starting"


def test_a_job_that_is_tried_again_has_not_ended() -> None:
    story = Story(a=job(restart=ON_FAILURE), b=simple(depends_on=needs(a="ended")))
    story.spawned("a")
    story.exits("a", 1)
    assert (story.phase("a"), story.phase("b")) == ("backoff", "waiting")


def test_a_dependency_lost_before_the_first_spawn_puts_me_back_to_waiting() -> None:
    story = Story(a=simple(ready=TCP), b=simple(ready=TCP), c=simple(depends_on=needs(a="ready", b="ready")))
    story.comes_up("a")
    assert story.text("c") == "b: waits until it is ready"
    story.exits("a", 1)
    story.comes_up("b")
    assert (story.phase("c"), story.text("c")) == ("waiting", "a: waits until it is ready")


def test_a_dependency_lost_later_does_not_touch_me() -> None:
    story = Story(a=simple(restart=NEVER), b=simple(depends_on=needs(a="started")))
    story.spawned("a", "b")
    story.exits("a", 1)
    assert story.phases() == {"a": "failed", "b": "running"}


def test_the_worst_that_is_waited_for_is_told() -> None:
    story = Story(
        good=simple(ready=TCP),
        tries=simple(restart=restarts(delay=60.0)),
        gone=simple(restart=NEVER),
        off=simple(),
        a=simple(depends_on=needs(good="ready", tries="ready")),
        b=simple(depends_on=needs(good="ready", tries="ready", gone="ready")),
        d=simple(depends_on=needs(tries="ready", good="ready"), after=("good",)),
        c=simple(depends_on=needs(good="ready", tries="ready", off="ready")),
    )
    story.cannot("tries")
    story.cannot("gone")
    story.stop("off")
    assert story.text("a") == "tries: waits until it is ready"
    assert story.text("d") == "tries: waits until it is ready"
    assert story.text("b") == "gone failed"
    assert story.text("c") == "off stopped by operator"


def test_since_when_it_waits_is_remembered_when_the_reason_changes() -> None:
    story = Story(a=simple(ready=TCP), b=simple(depends_on=needs(a="ready")))
    since = story.service("b").state.since
    story.later(10)
    story.cannot("a")
    story.stop("a")
    assert (story.code("b"), story.service("b").state.since) == ("dependency-stopped", since)


# --- optional


def test_an_optional_dependency_is_waited_for_while_it_may_come() -> None:
    story = Story(a=simple(ready=TCP), b=simple(depends_on=needs(a=MAYBE)))
    assert (story.phase("b"), story.code("b")) == ("waiting", "dependency")
    story.spawned("a")
    assert story.phase("b") == "waiting"
    story.ready("a")
    assert story.phase("b") == "starting"


@pytest.mark.parametrize("how", ["failed", "backoff", "stopped", "not wanted", "done"])
def test_without_an_optional_dependency_that_does_not_come_it_goes_on(how: str) -> None:
    policy = {"failed": NEVER, "done": ON_FAILURE}.get(how, restarts(delay=60.0))
    story = Story(a=simple(enabled=how != "not wanted", ready=TCP, restart=policy), b=simple(depends_on=needs(a=MAYBE)))
    if how == "stopped":
        story.stop("a")
        assert story.phase("b") == "waiting"  # not while a is on its way down
        story.cancelled("a")
    elif how != "not wanted":
        story.spawned("a")
        story.exits("a", int(how != "done"))
    assert story.phase("b") == "starting"


def test_an_optional_dependency_that_waits_for_something_in_trouble_does_not_come() -> None:
    story = Story(db=simple(restart=NEVER), a=simple(depends_on=needs(db="ready")), b=simple(depends_on=needs(a=MAYBE)))
    assert story.phase("b") == "waiting"
    story.cannot("db")
    assert story.phases() == {"db": "failed", "a": "waiting", "b": "starting"}


def test_an_optional_job_is_waited_for_until_it_has_ended() -> None:
    edge = DependencySpec("completed", required=False)
    for how in (0, 1):
        story = Story(a=job(), b=simple(depends_on=needs(a=edge)))
        story.spawned("a")
        assert story.phase("b") == "waiting"
        story.exits("a", how)
        assert story.phase("b") == "starting"


def test_an_optional_daemon_that_must_end_first_is_waited_for_until_it_does() -> None:
    edge = DependencySpec("completed", required=False)
    story = Story(a=simple(restart=ON_FAILURE), b=simple(depends_on=needs(a=edge)))
    story.spawned("a")
    assert (story.phase("b"), story.code("b")) == ("waiting", "dependency")
    story.exits("a")
    assert story.phase("b") == "starting"


@pytest.mark.parametrize("edge", [MAYBE, DependencySpec("ended", required=False)])
def test_an_optional_dependency_that_does_not_die_is_not_waited_for(edge: DependencySpec) -> None:
    limit = RestartLimitSpec(1, Seconds(1.0))
    story = Story(
        a=simple(stop=stops(timeout=5.0), restart=restarts(limit=limit)),
        b=simple(enabled=False, depends_on=needs(a=edge)),
    )
    story.spawned("a")
    story.stop("a")
    story.start("b")
    assert (story.phase("b"), story.code("b")) == ("waiting", "order")
    story.passes(10)
    assert story.phase("b") == "starting"


def test_a_required_dependency_is_told_before_any_order() -> None:
    story = Story(x=simple(ready=TCP), a=simple(ready=TCP), b=simple(depends_on=needs(a="ready"), after=("x",)))
    assert (story.code("b"), story.text("b")) == ("dependency", "a: waits until it is ready")
    story.comes_up("a")
    assert story.code("b") == "order"


# --- restart: true


def test_restart_true_follows_a_restart_and_is_down_while_its_dependency_is() -> None:
    story = Story(db=simple(), a=simple(depends_on=needs(db=FOLLOW)))
    story.spawned("db", "a")
    story.restart("db")
    assert story.ordered() == ["SIGTERM a main"]  # first me
    story.exits("a")
    assert (story.phase("a"), story.ordered()) == ("waiting", ["SIGTERM db main"])
    story.exits("db")
    story.comes_up("db", "a")
    assert (story.service("db").run, story.service("a").run) == (2, 2)


def test_restart_true_follows_a_stop_and_comes_back_when_it_is_optional() -> None:
    story = Story(db=simple(), a=simple(depends_on=needs(db=MAYBE_FOLLOW)))
    story.spawned("db", "a")
    story.stop("db")
    assert story.ordered() == ["SIGTERM a main"]
    story.exits("a")
    assert (story.phase("a"), story.code("a")) == ("waiting", "order")
    assert story.ordered() == ["SIGTERM db main"]
    story.exits("db")
    assert (story.phase("db"), story.phase("a")) == ("inactive", "starting")


def test_restart_true_hands_it_on() -> None:
    story = Story(a=simple(), b=simple(depends_on=needs(a=FOLLOW)), c=simple(depends_on=needs(b=FOLLOW)))
    story.spawned("a", "b", "c")
    story.exits("a", 1)
    assert story.phases() == {"a": "backoff", "b": "running", "c": "stopping"}
    story.exits("c")
    assert story.phase("b") == "stopping"
    story.exits("b")
    story.passes(0.1)
    story.comes_up("a", "b", "c")


def test_restart_true_of_a_job_follows_when_it_runs_again() -> None:
    story = Story(fill=job(), a=simple(depends_on=needs(fill=DependencySpec("completed", restart=True))))
    story.spawned("fill")
    story.exits("fill")
    story.spawned("a")
    story.restart("fill")
    assert story.phase("a") == "stopping"
    story.exits("a")
    story.spawned("fill")
    story.exits("fill")
    assert story.phase("a") == "starting"


def test_without_restart_true_a_restart_does_not_touch_me() -> None:
    story = Story(db=simple(), a=simple(depends_on=needs(db="ready")))
    story.spawned("db", "a")
    story.restart("db")
    assert story.phases() == {"db": "stopping", "a": "running"}


# --- back again


def test_a_dependency_that_gave_up_and_is_well_again_is_enough() -> None:
    story = Story(db=simple(restart=NEVER), a=simple(depends_on=needs(db="ready")))
    story.cannot("db")
    assert (story.phase("a"), story.code("a")) == ("waiting", "dependency-failed")
    story.start("db")
    story.comes_up("db", "a")


def test_a_job_in_the_middle_of_being_undone_is_no_ground_to_start_on() -> None:
    story = Story(mount=job(stop=UNDO), a=simple(enabled=False, depends_on=needs(mount="completed")))
    story.spawned("mount")
    story.exits("mount")
    story.stop("mount")
    assert story.phase("mount") == "stopping"
    ticket = story.start("a")  # brings mount back, after its undo
    assert (story.phase("a"), story.verdict(ticket)) == ("waiting", "open")
    story.exits("mount", role="stop")
    assert story.ordered() == ["spawn mount#2"]
