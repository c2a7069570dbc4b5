"""Is the CMD of `pidone init -c … -- CMD` what an image's CMD should be: in our foreground, with our terminal, and our end its end?"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from supervisor.kernel.libc import call
from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import python
from tests.outside.world import PIDONE, environment
from tests.terminal import INTERRUPT, SUSPEND, TALKER, Shell

_SERVICES = """
services:
  db: {command: [sleep, "1000"]}
  migrate: {type: oneshot, command: "true"}
"""

_TALKER = python(TALKER)


@pytest.fixture
def begin(tmp_path: Path) -> tuple[str, ...]:
    """The beginning of the command line, up to CMD."""
    (tmp_path / "world.yaml").write_text(_SERVICES)
    return (
        str(PIDONE),
        "init",
        "--name",
        "t",
        "--socket",
        str(tmp_path / "s"),
        "-c",
        str(tmp_path / "world.yaml"),
        "--",
    )


# --- on a terminal


@isolated
def test_what_is_typed_goes_to_the_command(begin: tuple[str, ...]) -> None:
    shell = Shell()
    job = shell.run(*begin, *_TALKER)
    shell.reads_on_to("talking")
    assert shell.whose_turn() != job
    shell.type(INTERRUPT)
    shell.reads_on_to("interrupted")
    shell.type(b"hello\n")
    shell.reads_on_to("heard hello")
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0
    assert shell.whose_turn() == job


@isolated
def test_ctrl_c_before_the_command_runs_ends_the_world(begin: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text("services: {slow: {type: oneshot, command: [sleep, '1000']}}")
    shell = Shell()
    job = shell.run(*begin, *_TALKER)
    shell.reads_on_to("its job runs")
    shell.type(INTERRUPT)
    assert shell.sees_ended(job) == 0


@isolated
def test_ctrl_z_stops_nobody_for_nobody_could_go_on(begin: tuple[str, ...]) -> None:
    shell = Shell()
    job = shell.run(*begin, *_TALKER)
    shell.reads_on_to("talking")
    for _ in range(3):
        shell.type(SUSPEND)
        shell.type(b"hello\n")
        shell.reads_on_to("heard hello")
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0


@isolated
def test_in_the_background_the_command_waits_for_its_turn(begin: tuple[str, ...]) -> None:
    shell = Shell()
    job = shell.run(*begin, *_TALKER, ahead=False)
    shell.reads_on_to("talking")
    shell.type(b"hello\n")
    assert shell.whose_turn() == os.getpgrp()
    shell.bring_back(job)
    shell.reads_on_to("heard hello")
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0


@isolated
def test_a_stop_signal_takes_the_command_first_and_the_terminal_comes_back(begin: tuple[str, ...]) -> None:
    shell = Shell()
    job = shell.run(*begin, *_TALKER)
    shell.reads_on_to("talking")
    os.kill(job, signal.SIGTERM)
    shell.reads_on_to("main: running → stopping")
    shell.reads_on_to("db: running → stopping")
    assert shell.sees_ended(job) == 0
    assert shell.whose_turn() == job


@isolated
def test_what_it_leaves_in_the_foreground_does_not_keep_the_terminal(begin: tuple[str, ...]) -> None:
    shell = Shell()
    job = shell.run(*begin, "bash", "--norc", "-ic", "sh -c 'kill -KILL $PPID; sleep 1000'; :")
    assert shell.sees_ended(job) == 128 + signal.SIGKILL
    assert shell.whose_turn() == job


@isolated
def test_an_interactive_shell_has_job_control(begin: tuple[str, ...]) -> None:
    """As PID 1 that leads the terminal's session, which is what `docker run -it` makes."""
    keys, terminal = os.openpty()
    _become_container(terminal, [*begin, "bash", "--norc", "-i"])
    os.close(terminal)
    _until(keys, b"main: starting")
    os.write(keys, b"echo $((40 + 2))\n")
    _until(keys, b"42\r")
    os.write(keys, b"echo sleeping; sleep 1000\n")
    _until(keys, b"sleeping\r")
    eventually(lambda: _in_front(keys) == "sleep")
    os.write(keys, SUSPEND)
    _until(keys, b"Stopped")
    os.write(keys, b"fg\n")
    eventually(lambda: _in_front(keys) == "sleep")
    os.write(keys, INTERRUPT)
    eventually(lambda: _in_front(keys) == "bash")
    os.write(keys, b"exit 5\n")
    _until(keys, b"main: running")
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 5


def _in_front(keys: int) -> str:
    """The name of the program that leads the terminal's foreground."""
    try:
        return Path(f"/proc/{os.tcgetpgrp(keys)}/comm").read_text().strip()
    except OSError:  # it has just ended
        return ""


def _become_container(terminal: int, words: list[str]) -> None:
    """Start this as PID 1 of a new namespace below, leading a session with the terminal. Ends with its exit status."""
    keeper = os.fork()
    if keeper:
        return
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        call("unshare", 0x20020000)  # CLONE_NEWPID | CLONE_NEWNS (unshare(2))
        init = os.fork()
        if init:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(init, 0)[1]))
        call("mount", b"proc", b"/proc", b"proc", 0, None)
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
        os.execv(words[0], words)
    finally:
        print(sys.exc_info(), file=sys.stderr)
        os._exit(99)


def _until(keys: int, words: bytes) -> None:
    seen = b""
    while words not in seen:
        assert select.select([keys], [], [], 20)[0], f"nothing more than {seen!r}, waiting for {words!r}"
        seen += os.read(keys, 65536)


# --- without one


def _runs(begin: tuple[str, ...], *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*begin, *command],
        input=stdin,
        env=environment(measured=True),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_it_reads_and_writes_is_ours_as_it_is(begin: tuple[str, ...]) -> None:
    done = _runs(begin, "sh", "-c", "cat; printf 'no newline' >&2", stdin="\x1b[1mraw\n")
    assert done.stdout == "\x1b[1mraw\n"
    assert "\nno newline" in done.stderr
    assert done.returncode == 0


def test_a_command_that_cannot_be_found_is_127_and_one_that_cannot_be_executed_126(
    begin: tuple[str, ...], tmp_path: Path
) -> None:
    assert _runs(begin, "pidone-no-such-program").returncode == 127
    done = _runs(begin, str(tmp_path / "world.yaml"))
    assert done.returncode == 126
    assert "Permission denied" in done.stderr


def test_without_a_command_after_it_the_double_dash_means_nothing(begin: tuple[str, ...]) -> None:
    """An image whose ENTRYPOINT ends with it, started without CMD."""
    world = subprocess.Popen(
        begin, env=environment(measured=True), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert world.stderr is not None
    assert any("migrate: running → done" in line for line in world.stderr)
    world.terminate()
    world.stderr.close()
    assert world.wait(20) == 0
