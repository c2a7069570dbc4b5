"""Does `pidone up` keep its word at any moment: one Ctrl-C is one, no signal is lost, and nothing is left when it has ended?"""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import state_of
from tests.outside.world import PIDONE, environment, service, world
from tests.terminal import INTERRUPT, SUSPEND, Shell

_names = (f"up{os.getpid()}-{number}" for number in itertools.count())
_MOMENTS = 60
_LATEST = 0.6  # seconds after the start: by then all services of the test's world run

# One that takes its time, one that leaves daemons behind which nothing binds to it, and a job.
FAMILY = """
services:
  slow:
    command: {shell: 'trap "sleep 0.05; exit 0" TERM; while :; do sleep 1000 & wait; done'}
  daemons:
    command: {shell: 'for n in 1 2 3; do env -i setsid sh -c "sleep 1000 & exit" & done; exec sleep 1000'}
  job: {type: oneshot, command: [sleep, "1000"]}
"""

# Counts SIGTERM, and ends half a second after the first.
PATIENT = """
services:
  patient:
    stop: {timeout: 20s}
    command:
      shell: |
        asked=0
        trap 'asked=$((asked + 1)); echo asked $asked' TERM
        echo begun
        while [ $asked = 0 ]; do sleep 0.05; done
        for n in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done
        echo finished after $asked
"""

STUBBORN = """
services:
  stubborn:
    stop: {timeout: 1h}
    command: {shell: "trap 'echo asked' TERM; echo begun; while :; do sleep 0.05; done"}
"""


def _start(folder: Path, text: str, *options: str) -> subprocess.Popen[bytes]:
    (folder / "world.yaml").write_text(text)
    return subprocess.Popen(
        [PIDONE, "up", "-c", "world.yaml", "--name", next(_names), *options],
        cwd=folder,
        env=environment(None),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=open(folder / "errors", "wb"),
        process_group=0,
    )


def _alive() -> list[int]:
    """Who lives in this test's world besides its PID 1 and us."""
    numbers = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1, os.getpid()}
    return [number for number in numbers if state_of(number) not in ("", "Z")]


def _nobody_is_left() -> bool:
    return not _alive()


def _blocks(pid: int, number: int) -> bool:
    text = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in text.splitlines() if line.startswith("SigBlk"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def _says_nothing_strange(folder: Path) -> None:
    """On stderr stand the world's own words, each with its time and `pidone |`, and nothing else."""
    for line in (folder / "errors").read_text().splitlines():
        assert " pidone | " in line
        assert "rror" not in line


@pytest.mark.parametrize("moment", range(_MOMENTS))
@isolated
def test_sigterm_at_any_moment_ends_it_and_leaves_nothing(moment: int, tmp_path: Path) -> None:
    up = _start(tmp_path, FAMILY)
    select.select([], [], [], _LATEST * moment / _MOMENTS)  # the moment is what this is about
    blocked = _blocks(up.pid, signal.SIGTERM)
    up.terminate()
    assert up.wait(30) == 0 or (not blocked and up.returncode == -signal.SIGTERM)
    assert _nobody_is_left()
    _says_nothing_strange(tmp_path)


@pytest.mark.parametrize("moment", range(0, _MOMENTS, 6))
@isolated
def test_sigint_at_any_moment_from_the_first_statement_on_ends_it_too(moment: int, tmp_path: Path) -> None:
    up = _start(tmp_path, FAMILY, "--no-namespace")
    eventually(lambda: _blocks(up.pid, signal.SIGINT))
    select.select([], [], [], _LATEST * moment / _MOMENTS)  # the moment is what this is about
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0
    assert _nobody_is_left()
    _says_nothing_strange(tmp_path)


@pytest.mark.parametrize("options", [(), ("--rootless",), ("--no-namespace",)])
@pytest.mark.parametrize("moment", range(0, _MOMENTS, 12))
@isolated
def test_sigkill_at_any_moment_leaves_nothing(moment: int, options: tuple[str, ...], tmp_path: Path) -> None:
    up = _start(tmp_path, FAMILY, *options)
    select.select([], [], [], _LATEST * moment / _MOMENTS)  # the moment is what this is about
    up.kill()
    assert up.wait(30) == -signal.SIGKILL
    eventually(_nobody_is_left)


@isolated
def test_one_ctrl_c_is_one_request_and_who_needs_time_gets_it(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(PATIENT)
    shell = Shell()
    job = shell.run(str(PIDONE), "up", "-c", str(tmp_path / "world.yaml"), "--name", next(_names))
    shell.reads_on_to("begun")
    shell.type(INTERRUPT)
    shell.reads_on_to("asked 1")
    shell.reads_on_to("finished after 1")
    assert shell.sees_ended(job) == 0
    assert _nobody_is_left()


@isolated
def test_ctrl_c_twice_ends_the_patience(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(STUBBORN)
    shell = Shell()
    job = shell.run(str(PIDONE), "up", "-c", str(tmp_path / "world.yaml"), "--name", next(_names))
    shell.reads_on_to("begun")
    shell.type(INTERRUPT)
    shell.reads_on_to("asked")
    select.select([], [], [], 1.1)  # two within a second are one impatient finger (SERVICES §5)
    begin = time.monotonic()
    shell.type(INTERRUPT)
    assert shell.sees_ended(job) == 0
    assert time.monotonic() - begin < 5
    assert _nobody_is_left()


@isolated
def test_ctrl_z_suspends_the_monitor_and_the_world_goes_on(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(
        "services: {ticker: {command: {shell: 'n=0; while :; do n=$((n + 1)); echo tick $n; sleep 0.05; done'}}}"
    )
    shell = Shell()
    job = shell.run(str(PIDONE), "up", "-c", str(tmp_path / "world.yaml"), "--name", next(_names))
    shell.reads_on_to("tick 1")
    shell.type(SUSPEND)
    assert shell.sees_stopped(job) == signal.SIGTSTP
    at_least = int(shell.reads_on_to("| tick").rsplit(maxsplit=1)[1]) + 5
    shell.reads_on_to(f"| tick {at_least}")
    shell.bring_back(job)
    shell.type(INTERRUPT)
    assert shell.sees_ended(job) == 0


@isolated
def test_a_hang_up_of_the_terminal_is_a_request_to_end(tmp_path: Path) -> None:
    up = _start(tmp_path, FAMILY)
    eventually(lambda: len(_alive()) > 8)
    up.send_signal(signal.SIGHUP)
    assert up.wait(30) == 0
    assert _nobody_is_left()


@isolated
def test_the_exit_status_is_that_of_the_service_the_world_hangs_on(tmp_path: Path) -> None:
    up = _start(tmp_path, "services: {main: {command: {shell: 'exit 7'}, shutdown_on: exit}}")
    assert up.wait(30) == 7


@isolated
def test_without_namespaces_a_bystander_is_never_touched(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    up = _start(tmp_path, FAMILY, "--no-namespace")
    eventually(lambda: len(_alive()) > 9)
    up.terminate()
    assert up.wait(30) == 0
    assert _alive() == [bystander.pid]


def test_a_service_is_who_started_pidone() -> None:
    overflow = int(Path("/proc/sys/kernel/overflowuid").read_text())
    with world({"who": service("echo $(id -u) $(id -g) > who; exec sleep 1000")}) as here:
        # nobody alone cannot be himself: so everybody else looks in there
        assert here.read("who") == ("0 0" if os.geteuid() == overflow else f"{os.geteuid()} {os.getegid()}")


def test_names_choose_what_is_wanted() -> None:
    with world({"wanted": service(), "other": service()}, "wanted") as here:
        here.until_phase("wanted", "running")
        assert here.service("other")["phase"] == "inactive"


def test_a_world_can_have_a_name_and_a_network_of_its_own() -> None:
    script = "uname -n > name; cat /proc/net/dev | grep -c : > interfaces; exec sleep 1000"
    with world({"here": service(script)}, "--net", "--hostname", "elsewhere") as here:
        assert here.read("name") == "elsewhere"
        assert here.read("interfaces") == "1"


def test_a_service_does_not_inherit_what_python_adds_to_the_environment() -> None:
    with world(
        {"show": service("env > shown; echo . >> shown; exec sleep 1000")}, env={"LANG": "", "LC_ALL": ""}
    ) as here:
        shown = here.read("shown").splitlines()
        assert "LC_ALL=" in shown
        assert not [line for line in shown if line.startswith("LC_CTYPE=")]
