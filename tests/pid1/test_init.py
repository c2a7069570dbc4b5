"""Is pidone a good PID 1, and a good subreaper?"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
from pathlib import Path

import pytest

from supervisor.model.spec import StopSpec
from supervisor.model.words import Seconds
from tests.eventually import eventually
from tests.isolation import isolated
from tests.pid1.inits import NEVER_AGAIN, actor, children_of, descendants_of, plan_of, start_init

RTMIN = 34
BOTH_WAYS = pytest.mark.parametrize("pid1", [True, False], ids=["as pid 1", "as subreaper"])


def os_pair() -> tuple[int, int]:
    """What connects a monitor with its init."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return ours.detach(), theirs.detach()


def _nobody_is_left() -> bool:
    """But we ourselves, and PID 1 above us."""
    alive = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return sorted(alive) == sorted({1, os.getpid()})


@BOTH_WAYS
@isolated
def test_it_runs_what_the_plan_says_and_ends_with_0_when_it_is_asked(tmp_path: Path, pid1: bool) -> None:
    init = start_init(
        plan_of(actor("web", "print:hello sleep"), actor("job", "exit:0", type="oneshot", restart=NEVER_AGAIN)),
        tmp_path,
        pid1=pid1,
    )
    init.until_line("web | hello")
    init.until_phase("job", "done")
    init.signal(signal.SIGTERM)
    said = init.rest()
    assert init.ends() == 0
    assert "web: stopping → inactive" in said
    assert not Path(tmp_path / "c.sock").exists()
    assert _nobody_is_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGPWR, RTMIN + 3, RTMIN + 4, signal.SIGQUIT])
@isolated
def test_signals_that_ask_for_the_end(tmp_path: Path, number: int) -> None:
    init = start_init(plan_of(actor("web", "sleep")), tmp_path)
    init.until_phase("web", "running")
    init.signal(number)
    assert init.ends() == 0


@isolated
def test_a_request_to_reboot_is_told_by_the_exit_status(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "sleep")), tmp_path)
    init.until_phase("web", "running")
    init.signal(RTMIN + 5)
    assert init.ends() == 133


@isolated
def test_every_other_signal_changes_nothing(tmp_path: Path) -> None:
    asking = {signal.SIGTERM, signal.SIGINT, signal.SIGPWR, signal.SIGQUIT, RTMIN + 3, RTMIN + 4, RTMIN + 5}
    raised = {
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGABRT,
        signal.SIGTRAP,
        signal.SIGSYS,
    }
    init = start_init(plan_of(actor("web", "print:up sleep")), tmp_path)
    init.until_phase("web", "running")
    for number in sorted(signal.valid_signals() - asking - raised - {signal.SIGKILL, signal.SIGSTOP}):
        init.signal(number)
    init.until_line("SIGHUP: reload is not available")
    assert init.service("web")["run"] == 1
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


@isolated
def test_usr2_writes_the_state_to_the_log(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "daemon:sleep print:left sleep")), tmp_path)
    init.until_line("web | left")
    init.signal(signal.SIGUSR2)
    assert "Running" in init.until_line("pidone | web: Running")
    assert "1 adopted" in init.until_line("orphans:")


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])
@BOTH_WAYS
@isolated
def test_a_stop_at_any_moment_from_the_first_statement_on_is_heard(tmp_path: Path, delay: float, pid1: bool) -> None:
    init = start_init(plan_of(actor("web", "daemon:sleep sleep")), tmp_path, pid1=pid1)
    select.select([], [], [], delay)  # the moment is what this test is about
    init.signal(signal.SIGTERM)
    assert init.ends() == 0
    assert _nobody_is_left()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5])
@isolated
def test_a_stop_while_the_configuration_is_read_is_heard(tmp_path: Path, delay: float) -> None:
    file = tmp_path / "web.yaml"
    file.write_text("services: {web: {command: sleep 1000}}")
    init = start_init(file, tmp_path)
    select.select([], [], [], delay)  # the moment is what this test is about
    init.signal(signal.SIGTERM)
    assert init.ends() == 0
    assert _nobody_is_left()


@BOTH_WAYS
@isolated
def test_a_configuration_that_is_wrong_starts_nothing(tmp_path: Path, pid1: bool) -> None:
    file = tmp_path / "web.yaml"
    file.write_text("services: {good: {command: sleep 1000}, bad: {comand: sleep 1000}}")
    init = start_init(file, tmp_path, pid1=pid1)
    said = init.rest()
    assert init.ends() == 7
    assert "web.yaml:1" in said
    assert "comand" in said
    assert _nobody_is_left()


@isolated
def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    first = start_init(plan_of(actor("web", "sleep")), tmp_path, "--name", "taken", pid1=False)
    first.until_phase("web", "running")
    (tmp_path / "other").mkdir()
    second = start_init(plan_of(actor("web", "sleep")), tmp_path / "other", "--name", "taken", pid1=False)
    assert "--name" in second.rest()
    assert second.ends() == 1
    first.signal(signal.SIGTERM)
    assert first.ends() == 0


@isolated
def test_a_socket_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "sleep")), tmp_path / "nowhere", pid1=False)
    assert "cannot listen at" in init.rest()
    assert init.ends() == 1
    assert _nobody_is_left()


@isolated
def test_a_limit_of_open_files_that_we_cannot_live_with_is_refused(tmp_path: Path) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))

    init = start_init(plan_of(actor("web", "sleep")), tmp_path, pid1=False, prepare=few)
    assert "only 30 open files" in init.rest()
    assert init.ends() == 1


@isolated
def test_a_deadline_that_is_none_is_refused(tmp_path: Path) -> None:
    wrong = {"PIDONE_SHUTDOWN_TIMEOUT": "soon"}
    init = start_init(plan_of(actor("web", "sleep")), tmp_path, pid1=False, environment=wrong)
    assert "PIDONE_SHUTDOWN_TIMEOUT" in init.rest()
    assert init.ends() == 1


@isolated
def test_only_who_is_wanted_is_started(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "sleep"), actor("db", "sleep")), tmp_path, "--wanted", "db")
    init.until_phase("db", "running")
    assert init.service("web")["phase"] == "inactive"


@isolated
def test_who_is_wanted_and_unknown_is_refused(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "sleep")), tmp_path, "--wanted", "wep", pid1=False)
    assert "did you mean web?" in init.rest()
    assert init.ends() == 4


@isolated
def test_its_exit_status_is_that_of_the_service_it_hangs_on(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("main", "signal:KILL", shutdown_on="exit", restart=NEVER_AGAIN)), tmp_path)
    assert init.ends() == 128 + signal.SIGKILL


@isolated
def test_it_has_one_thread_and_loads_nothing_that_it_must_not(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "sleep")), tmp_path)
    init.until_phase("web", "running")
    assert len(os.listdir(f"/proc/{init.pid}/task")) == 1
    maps = Path(f"/proc/{init.pid}/maps").read_text()
    assert "pydantic" not in maps
    assert "yaml" not in maps


@BOTH_WAYS
@isolated
def test_daemons_that_hide_are_stopped_with_their_service(tmp_path: Path, pid1: bool) -> None:
    init = start_init(
        plan_of(actor("web", "daemon:sleep daemon:ignore:TERM,sleep sleep", stop=StopSpec(timeout=Seconds(0.3)))),
        tmp_path,
        pid1=pid1,
    )
    init.until_phase("web", "running")
    eventually(lambda: len(init.service("web")["processes"]) == 3)
    answer = init.ask("stop", names=["web"])
    assert answer["verdict"] == "done"
    eventually(lambda: len(descendants_of(init.pid)) == 1)  # the logger


@isolated
def test_a_bystander_is_never_touched(tmp_path: Path) -> None:
    """As subreaper we are not alone in the namespace."""
    bystander = os.fork()
    if not bystander:
        os.execv("/bin/sleep", ["sleep", "1000"])
    init = start_init(plan_of(actor("web", "daemon:sleep ignore:TERM sleep"), shutdown=1.0), tmp_path, pid1=False)
    init.until_phase("web", "running")
    init.signal(signal.SIGTERM)
    assert init.ends() == 0
    assert os.waitid(os.P_PID, bystander, os.WEXITED | os.WNOHANG) is None
    alive = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    assert alive == {1, os.getpid(), bystander}


@isolated
def test_a_killed_logger_is_replaced(tmp_path: Path) -> None:
    init = start_init(plan_of(actor("web", "print:before after:1 print:after sleep")), tmp_path)
    init.until_line("web | before")
    (logger,) = [pid for pid in children_of(init.pid) if Path(f"/proc/{pid}/comm").read_text() == "pidone-logger\n"]
    os.kill(logger, signal.SIGKILL)
    init.until_line("another one takes over")
    init.until_line("web | after")
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


@isolated
def test_the_death_of_the_monitor_ends_the_world_at_once(tmp_path: Path) -> None:
    """Also one that would take its time to stop."""
    ours, theirs = os_pair()
    words = ("--monitor-fd", str(theirs))
    init = start_init(
        plan_of(actor("web", "ignore:TERM print:armed sleep"), shutdown=100.0), tmp_path, *words, keep=(theirs,)
    )
    os.close(theirs)
    init.until_line("armed")
    os.close(ours)
    assert init.ends() == 0


@isolated
def test_counted_stop_signals_of_the_monitor_get_harder(tmp_path: Path) -> None:
    ours, theirs = os_pair()
    words = ("--monitor-fd", str(theirs))
    init = start_init(
        plan_of(actor("web", "ignore:TERM print:armed sleep"), shutdown=100.0), tmp_path, *words, keep=(theirs,)
    )
    init.until_line("armed")
    os.write(ours, b"stop INT 1")
    init.until_phase("web", "stopping")
    os.write(ours, b"stop INT 2")
    assert init.ends() == 0
