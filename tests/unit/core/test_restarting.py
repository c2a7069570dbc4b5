"""What follows when a run ends by itself? SERVICES §4: the order of deciding, pauses, limits, faults that are ours."""

from __future__ import annotations

import pytest

from supervisor.core import restart
from supervisor.model.event import Emptied, Exited, Spawned
from supervisor.model.process import Exit
from supervisor.model.service import Ended
from supervisor.model.spec import RestartLimitSpec
from supervisor.model.words import RunId, Seconds, ServiceName, Wall
from tests.laws.specs import FOLLOW, NEVER, ON_FAILURE, TCP, job, needs, restarts, simple, stops
from tests.unit.core.story import Story

# --- in this order: never_on, always_on, the policy


def _fate(policy: str, how: int | str, kind: str = "simple", core: bool = False, **keys: object) -> str:
    """The phase after a run that ended like this."""
    make = job if kind == "oneshot" else simple
    story = Story(a=make(restart=restarts(policy, **keys)))
    story.spawned("a")
    story.exits("a", how, core=core)
    return story.phase("a")


@pytest.mark.parametrize(
    ("policy", "clean", "status", "signal", "core"),
    [
        ("always", "backoff", "backoff", "backoff", "backoff"),
        ("on-failure", "done", "backoff", "backoff", "backoff"),
        ("on-abnormal", "done", "failed", "backoff", "backoff"),
        ("never", "done", "failed", "failed", "failed"),
    ],
)
def test_the_policy_decides(policy: str, clean: str, status: str, signal: str, core: str) -> None:
    for kind in ("simple", "oneshot"):
        assert _fate(policy, 0, kind) == clean
        assert _fate(policy, 1, kind) == status
        assert _fate(policy, "SIGKILL", kind) == signal
        assert _fate(policy, "SIGSEGV", kind, core=True) == core


@pytest.mark.parametrize("signal", ["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"])
def test_a_daemon_may_end_well_by_a_polite_signal_and_a_job_may_not(signal: str) -> None:
    assert _fate("on-failure", signal) == "done"
    assert _fate("on-failure", signal, "oneshot") == "backoff"


def test_success_adds_to_what_is_clean() -> None:
    assert _fate("on-failure", 3, success=("3",)) == "done"
    assert _fate("on-failure", "SIGUSR1", success=("SIGUSR1",)) == "done"
    assert _fate("on-failure", 3, "oneshot", success=("3",)) == "done"


def test_an_end_in_never_on_is_named_as_the_reason() -> None:
    story = Story(a=simple(restart=restarts("always", never_on=("3",))))
    story.spawned("a")
    story.exits("a", 3)
    said = story.service("a").state.reason.text
    assert said == "exit status 3; restart policy is never for this end (restart.never_on)"


def test_never_on_beats_always_on_beats_the_policy() -> None:
    assert _fate("always", 3, never_on=("3",), always_on=("3",)) == "failed"
    assert _fate("always", 0, never_on=("0",)) == "done"
    assert _fate("never", 3, always_on=("3",)) == "backoff"
    assert _fate("never", "SIGKILL", always_on=("SIGKILL",)) == "backoff"
    assert _fate("never", 4, always_on=("3",)) == "failed"


def test_a_program_that_cannot_be_executed_fails_the_attempt_in_words_and_the_policy_applies() -> None:
    for policy, phase in (
        ("always", "backoff"),
        ("on-failure", "backoff"),
        ("on-abnormal", "failed"),
        ("never", "failed"),
    ):
        story = Story(a=simple(restart=restarts(policy)))
        story.cannot("a")
        assert (story.phase("a"), story.code("a")) == (phase, "exec-failed")
        assert "exec /bin/x: No such file or directory" in story.text("a")
        last = story.service("a").last
        assert last is not None
        assert last.result == "exec-failed"


def test_a_start_that_takes_too_long_is_stopped_and_counts_as_a_timeout() -> None:
    for policy, phase in (("always", "backoff"), ("on-abnormal", "backoff"), ("never", "failed")):
        story = Story(a=simple(ready=TCP, start_timeout=Seconds(5.0), restart=restarts(policy)))
        story.spawned("a")
        story.passes(5)
        assert (story.phase("a"), story.code("a")) == ("stopping", "start-timeout")
        assert story.ordered() == ["no probe a", "SIGTERM a main"]
        story.exits("a", 0)
        assert (story.phase("a"), story.code("a")) == (phase, "timeout")
        assert "not ready within 5s" in story.text("a")


def test_the_status_of_what_took_too_long_is_our_doing_and_decides_nothing() -> None:
    story = Story(
        a=simple(ready=TCP, start_timeout=Seconds(5.0), restart=restarts("on-failure", never_on=("SIGTERM",)))
    )
    story.spawned("a")
    story.passes(5)
    story.exits("a", "SIGTERM")
    assert story.phase("a") == "backoff"
    last = story.service("a").last
    assert last is not None
    assert (last.result, last.exit) == ("timeout", Exit(signal=15))


def test_an_exec_that_hangs_is_killed_when_the_start_takes_too_long() -> None:
    story = Story(a=simple(start_timeout=Seconds(5.0)))
    story.passes(5)
    assert story.ordered() == ["SIGKILL a all"]
    story.spawned("a")
    assert story.ordered() == ["SIGKILL a all"]
    story.exits("a", "SIGKILL")
    assert (story.phase("a"), story.code("a")) == ("backoff", "timeout")


def test_ready_in_time_leaves_no_deadline() -> None:
    story = Story(a=simple(ready=TCP, start_timeout=Seconds(5.0)))
    story.spawned("a")
    story.passes(4)
    story.ready("a")
    assert story.due_in("a") is None


# --- what is ours


def test_a_fault_of_ours_is_not_the_services() -> None:
    story = Story(a=simple(restart=NEVER))
    pauses = []
    for _ in range(8):
        story.cannot("a", ours=True)
        assert (story.phase("a"), story.code("a")) == ("waiting", "no-resources")
        assert story.text("a") == "fork: Resource temporarily unavailable; tries again by itself"
        pauses.append(story.due_in("a"))
        story.passes(5)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert (story.service("a").attempts, story.service("a").restarts) == (0, 0)
    story.spawned("a")
    assert (story.phase("a"), story.service("a").starved) == ("running", 0)


def test_while_the_machine_has_nothing_a_stopped_dependency_counts_more() -> None:
    story = Story(db=simple(), a=simple(depends_on=needs(db="started")))
    story.spawned("db")
    story.cannot("a", ours=True)
    story.stop("db")
    assert (story.phase("a"), story.code("a")) == ("waiting", "dependency-stopped")


# --- leftovers


def test_what_a_run_leaves_is_stopped_before_the_next_begins() -> None:
    story = Story(a=simple())
    story.spawned("a")
    story.exits("a", 1, alone=False)
    assert (story.phase("a"), story.code("a")) == ("stopping", "leftovers")
    assert story.ordered() == ["SIGTERM a all"]
    story.passes(10)
    assert story.ordered() == ["SIGKILL a all"]
    story.emptied("a")
    assert (story.phase("a"), story.code("a")) == ("backoff", "exit")
    assert "exit status 1" in story.text("a")


def test_under_main_only_what_a_run_leaves_is_nobodys() -> None:
    story = Story(a=simple(stop=stops(scope="main-only")))
    story.spawned("a")
    story.exits("a", 1, alone=False)
    assert (story.phase("a"), story.ordered()) == ("backoff", ["release a"])


def test_under_scope_all_leftovers_get_the_stop_signal() -> None:
    story = Story(a=simple(stop=stops(scope="all", signal="SIGINT")))
    story.spawned("a")
    story.exits("a", 1, alone=False)
    assert story.ordered() == ["SIGINT a all"]


def test_start_while_leftovers_are_cleared_comes_without_a_pause() -> None:
    story = Story(a=simple(restart=restarts(delay=60.0)))
    story.spawned("a")
    story.exits("a", 1, alone=False)
    story.start("a")
    story.emptied("a")
    assert story.ordered() == ["spawn a#2"]
    assert story.service("a").attempts == 0


def test_stop_while_leftovers_are_cleared_keeps_it_down() -> None:
    story = Story(a=simple())
    story.spawned("a")
    story.exits("a", 1, alone=False)
    story.stop("a")
    story.emptied("a")
    assert (story.phase("a"), story.code("a")) == ("inactive", "operator")


# --- going along


def test_restart_true_takes_me_along_when_my_dependency_ends() -> None:
    story = Story(db=simple(), a=simple(depends_on=needs(db=FOLLOW)))
    story.spawned("db", "a")
    story.exits("db", 1)
    assert (story.phase("a"), story.code("a")) == ("stopping", "dependency")
    assert story.text("a") == "db goes down"
    story.exits("a")
    assert story.phase("a") == "waiting"
    story.passes(0.1)
    story.comes_up("db", "a")
    assert story.service("a").restarts == 0


def test_a_late_exit_of_an_old_run_changes_nothing() -> None:
    story = Story(a=simple())
    story.spawned("a")
    story.exits("a", 1)
    story.passes(0.1)
    story.spawned("a")
    before = story.world
    old = RunId(ServiceName("a"), 1)
    for fact in (Exited(old, "main", Exit(code=1)), Emptied(old), Spawned(old, "main")):
        assert story.tell(fact).world is before


def test_a_fact_about_a_service_that_is_not_there_changes_nothing() -> None:
    story = Story(a=simple())
    before = story.world
    assert story.tell(Exited(RunId(ServiceName("b"), 1), "main", Exit(code=1))).world is before


# --- which ends are possible at all


@pytest.mark.parametrize(
    ("spec", "ends"),
    [
        (simple(), set()),
        (simple(restart=restarts(limit=RestartLimitSpec(3, Seconds(60.0)))), {"failed"}),
        (simple(restart=restarts(never_on=("0",))), {"done"}),
        (simple(restart=restarts(never_on=("7",))), {"failed"}),
        (simple(restart=ON_FAILURE), {"done"}),
        (simple(restart=restarts("on-abnormal")), {"done", "failed"}),
        (simple(restart=NEVER), {"done", "failed"}),
        (job(restart=restarts("on-failure", always_on=("0",))), set()),
        (job(restart=restarts("on-failure", always_on=("0",), success=("3",))), {"done"}),
    ],
)
def test_how_a_service_can_end_for_good(spec: object, ends: set[str]) -> None:
    assert restart.final_ends(spec) == ends  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (Ended("success", Exit(code=0), Wall(0.0)), 0),
        (Ended("exit-code", Exit(code=5), Wall(0.0)), 5),
        (Ended("signal", Exit(signal=9), Wall(0.0)), 137),
        (Ended("exec-failed", None, Wall(0.0), errno=2), 127),
        (Ended("exec-failed", None, Wall(0.0), errno=13), 126),
        (Ended("timeout", None, Wall(0.0)), 1),
    ],
)
def test_the_status_a_shell_would_report(ended: Ended, status: int) -> None:
    assert restart.exit_status(ended) == status
