"""What follows when a run ends by itself? Restart policies, back-off, exec failures, shutdown_on (SERVICES §2, §4)."""

from __future__ import annotations

import signal

import pytest

from tests.outside.world import service, world

_FAST = {"delay": "10ms"}


@pytest.mark.parametrize(
    ("policy", "ending", "fate"),
    [
        ("always", "exit 0", "restarts"),
        ("always", "exit 1", "restarts"),
        ("on-failure", "exit 0", "done"),
        ("on-failure", "exit 1", "restarts"),
        ("on-failure", "kill -KILL $$", "restarts"),
        ("on-failure", "kill -TERM $$", "done"),  # a daemon's clean end, as systemd sees it
        ("on-abnormal", "exit 1", "failed"),
        ("on-abnormal", "kill -SEGV $$", "restarts"),
        ("never", "exit 0", "done"),
        ("never", "exit 1", "failed"),
    ],
)
def test_the_policy_decides_what_follows_an_end(policy: str, ending: str, fate: str) -> None:
    with world({"a": service(ending, restart={"policy": policy, **_FAST})}) as here:
        view = here.until("a", lambda view: view["run"] > 1 or view["phase"] in ("done", "failed"))
        assert ("restarts" if view["run"] > 1 else view["phase"]) == fate


def test_never_on_beats_always_on_beats_the_policy() -> None:
    both = {"policy": "always", "never_on": [3], "always_on": [3]}
    only = {"policy": "never", "always_on": ["SIGKILL"], **_FAST}
    with world({"a": service("exit 3", restart=both), "b": service("kill -KILL $$", restart=only)}) as here:
        assert here.until_phase("a", "failed", "running")["phase"] == "failed"
        here.until("b", lambda view: view["run"] > 1)


def test_a_crash_loop_never_gives_up_without_a_limit() -> None:
    with world({"a": service("false", restart={"delay": "5ms", "factor": 1})}) as here:
        view = here.until("a", lambda view: view["run"] >= 12)
        assert view["phase"] != "failed"


def test_a_manual_start_resets_what_the_limit_counts() -> None:
    limit = {**_FAST, "limit": {"count": 1, "within": "10m"}}
    with world({"a": service("false", restart=limit)}) as here:
        assert here.until_phase("a", "failed")["run"] == 2
        here.ask("start", "a", "--no-wait")
        view = here.until("a", lambda view: view["phase"] == "failed" and view["run"] == 4)
        assert view["reason"]["code"] == "limit"


def test_start_in_backoff_is_now() -> None:
    with world({"a": service("echo run >> runs; test -e go && exec sleep 100000", restart={"delay": "1h"})}) as here:
        here.until_phase("a", "backoff")
        here.touch("go")
        assert here.ask("start", "a").code == 0
        assert here.service("a")["phase"] == "running"
        assert len(here.lines("runs")) == 2


def test_a_start_fails_at_the_first_failed_attempt_although_it_goes_on_trying() -> None:
    with world({"a": service("false", enabled=False, ready={"file": "never"}, restart={"delay": "1h"})}) as here:
        assert here.ask("start", "a").code == 1
        assert here.service("a")["phase"] == "backoff"


def test_a_program_that_is_not_there_says_so() -> None:
    with world({"a": service(["/no/such/program"], restart="never")}) as here:
        view = here.until_phase("a", "failed")
        assert view["reason"]["code"] == "exec-failed"
        assert "/no/such/program" in view["reason"]["text"]
        assert "No such file or directory" in view["reason"]["text"]
        assert view["last_exit"]["result"] == "exec-failed"


def test_a_program_that_may_not_be_executed_says_so() -> None:
    with world({"a": service(["/etc/passwd"], restart="never")}) as here:
        text = here.until_phase("a", "failed")["reason"]["text"]
        assert "/etc/passwd" in text
        assert "Permission denied" in text


def test_a_working_directory_that_is_not_there_says_so() -> None:
    with world({"a": service(working_dir="/no/such/place", restart="never")}) as here:
        text = here.until_phase("a", "failed")["reason"]["text"]
        assert "/no/such/place" in text


def test_exec_failures_follow_the_restart_policy() -> None:
    with world({"a": service(["/no/such/program"], restart=_FAST)}) as here:
        here.until("a", lambda view: view["restarts"] >= 2)


def test_a_oneshot_runs_its_commands_one_after_the_other() -> None:
    commands = [{"shell": "echo 1 >> order"}, {"shell": "echo 2 >> order"}, {"shell": "echo 3 >> order"}]
    with world({"a": {"type": "oneshot", "command": commands}}) as here:
        here.until_phase("a", "done")
        assert here.lines("order") == ["1", "2", "3"]


def test_a_oneshot_stops_at_the_first_command_that_fails() -> None:
    commands = [{"shell": "echo 1 >> order"}, ["false"], {"shell": "echo 3 >> order"}]
    with world({"a": {"type": "oneshot", "command": commands}}) as here:
        here.until_phase("a", "failed")
        assert here.lines("order") == ["1"]


def test_start_of_a_done_oneshot_does_nothing_and_restart_runs_it_again() -> None:
    with world({"a": service("echo run >> runs", type="oneshot")}) as here:
        here.until_phase("a", "done")
        assert here.ask("start", "a").code == 0
        assert here.service("a")["run"] == 1
        assert here.ask("restart", "a").code == 0
        assert here.service("a")["run"] == 2
        assert here.lines("runs") == ["run", "run"]


def test_restart_of_a_running_service_gives_it_a_new_run() -> None:
    with world({"a": service()}) as here:
        pid = here.until_phase("a", "running")["pid"]
        assert here.ask("restart", "a").code == 0
        view = here.service("a")
        assert (view["phase"], view["run"], view["restarts"]) == ("running", 2, 0)
        assert view["pid"] != pid


@pytest.mark.parametrize(
    ("when", "ending", "status"),
    [
        ("exit", "exit 0", 0),
        ("exit", "exit 5", 5),
        ("exit", "kill -KILL $$", 128 + signal.SIGKILL),
        ("success", "exit 0", 0),
        ("failure", "exit 6", 6),
    ],
)
def test_shutdown_on_ends_the_world_with_the_services_status(when: str, ending: str, status: int) -> None:
    with world({"a": service(ending, shutdown_on=when), "b": service()}, begun=False) as here:
        assert here.ended() == status


def test_shutdown_on_does_not_fire_when_the_operator_stops_it() -> None:
    with world({"a": service(shutdown_on="exit"), "b": service()}) as here:
        here.until_phase("a", "running")
        assert here.ask("stop", "a").code == 0
        assert here.ended(within=0.5) is None
        assert here.service("b")["phase"] == "running"


def test_shutdown_on_waits_until_the_service_has_ended_for_good() -> None:
    keys = {"policy": "on-failure", **_FAST, "limit": {"count": 2, "within": "1m"}}
    services = {"a": service("echo run >> runs; exit 4", restart=keys, shutdown_on="failure")}
    with world(services, begun=False) as here:
        assert here.ended() == 4
        assert len(here.lines("runs")) == 3


def test_a_world_in_which_everything_is_done_goes_on() -> None:
    with world({"a": service("true", type="oneshot")}) as here:
        here.until_phase("a", "done")
        assert here.ended(within=0.5) is None


def test_the_unterminated_last_line_of_a_dying_service_is_in_the_log() -> None:
    with world({"a": service("printf 'my last words'; exit 1", restart="never")}) as here:
        here.until_phase("a", "failed")
        here.until_log("my last words")
        assert "my last words" in here.ask("logs", "a").out
