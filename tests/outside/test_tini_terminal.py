"""Does a terminal belong to the command of `pidone init -- CMD`: its keys, its turn, and a shell's job control?"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from supervisor.kernel.libc import call
from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import call_it, python, state_of
from tests.outside.world import PIDONE
from tests.terminal import INTERRUPT, SUSPEND, TALKER, Shell, child_of

# Reads at once.
READER = """
import os
os.write(1, b"talking\\n")
while (line := os.read(0, 100)) != b"\\n":
    os.write(1, b"heard " + line)
"""

# Goes on when it gets SIGUSR1.
HELD = """
import os, _signal
_signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGUSR1])
os.write(1, b"here\\n")
_signal.sigwait([_signal.SIGUSR1])
os.write(1, b"again\\n")
"""

MINIMAL = (str(PIDONE), "init", "--")

Begin = Callable[..., int]


def _execute(shell: Shell, *command: str, **more: Any) -> int:
    return shell.run(*MINIMAL, *command, **more)


def _call(shell: Shell, *command: str, **more: Any) -> int:
    return shell.run("--", *command, become=call_it, **more)


BOTH_WAYS = pytest.mark.parametrize("begin", [_execute, _call], ids=["executed", "called"])


@BOTH_WAYS
@isolated
def test_one_ctrl_c_is_one_signal_to_the_command(begin: Begin) -> None:
    shell = Shell()
    job = begin(shell, *python(TALKER))
    shell.reads("talking")
    shell.type(INTERRUPT)
    shell.reads("interrupted")
    shell.type(b"hello\n")
    shell.reads("heard hello")
    shell.type(INTERRUPT)
    shell.reads("interrupted")
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0
    assert shell.seen == b""


@isolated
def test_ctrl_c_ends_what_does_not_care_for_it() -> None:
    shell = Shell()
    job = shell.run(
        *MINIMAL,
        *python(
            "import os, _signal; os.write(1, b'here\\n'); _signal.signal(2, 0); os.write(1, b'on\\n'); os.read(0, 1)"
        ),
    )
    shell.reads("here")
    shell.reads("on")
    shell.type(INTERRUPT)
    assert shell.sees_ended(job) == 128 + signal.SIGINT


@BOTH_WAYS
@isolated
def test_it_is_the_command_s_turn_at_the_terminal(begin: Begin) -> None:
    shell = Shell()
    job = begin(shell, *python(TALKER))
    shell.reads("talking")
    assert shell.whose_turn() == child_of(job) != job
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0
    assert shell.whose_turn() == job


@BOTH_WAYS
@isolated
def test_ctrl_z_stops_the_job_and_fg_goes_on(begin: Begin) -> None:
    shell = Shell()
    job = begin(shell, *python(TALKER))
    shell.reads("talking")
    for _ in range(3):
        shell.type(SUSPEND)
        assert shell.sees_stopped(job) == signal.SIGTSTP
        assert shell.whose_turn() == job
        assert state_of(child_of(job)) == "T"
        os.tcsetpgrp(shell.terminal, os.getpgrp())
        shell.bring_back(job)
        shell.type(b"hello\n")
        shell.reads("heard hello")
        assert shell.whose_turn() == child_of(job)
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0


@BOTH_WAYS
@isolated
def test_bg_goes_on_without_the_terminal(begin: Begin) -> None:
    shell = Shell()
    job = begin(shell, *python(HELD))
    shell.reads("here")
    shell.type(SUSPEND)
    shell.sees_stopped(job)
    os.tcsetpgrp(shell.terminal, os.getpgrp())
    os.kill(-job, signal.SIGCONT)
    eventually(lambda: state_of(child_of(job)) == "S")
    assert shell.whose_turn() == os.getpgrp()
    os.kill(job, signal.SIGUSR1)
    shell.reads("again")
    assert shell.sees_ended(job) == 0
    assert shell.whose_turn() == os.getpgrp()


@BOTH_WAYS
@isolated
def test_a_background_job_that_reads_is_stopped_until_fg(begin: Begin) -> None:
    shell = Shell()
    job = begin(shell, *python(READER), ahead=False)
    shell.reads("talking")
    assert shell.sees_stopped(job) == signal.SIGTTIN
    assert shell.whose_turn() == os.getpgrp()
    shell.bring_back(job)
    shell.type(b"hello\n")
    shell.reads("heard hello")
    shell.type(b"\n")
    assert shell.sees_ended(job) == 0


@isolated
def test_a_stop_that_was_sent_stops_only_the_init_and_its_command() -> None:
    shell = Shell()
    job = shell.run("/bin/sh", "-c", '"$@" & wait; exit 0', "sh", *MINIMAL, *python(HELD))
    shell.reads("here")
    init = child_of(job)
    os.kill(init, signal.SIGTSTP)
    eventually(lambda: state_of(init) == "T")
    assert state_of(child_of(init)) == "T"
    assert state_of(job) != "T"
    os.kill(init, signal.SIGCONT)
    eventually(lambda: state_of(child_of(init)) == "S")


@isolated
def test_ctrl_z_stops_the_whole_pipeline_it_is_part_of() -> None:
    shell = Shell()
    job = shell.run("/bin/sh", "-c", '"$@"; exit 9', "sh", *MINIMAL, *python(TALKER))
    shell.reads("talking")
    shell.type(SUSPEND)
    assert shell.sees_stopped(job) == signal.SIGTSTP
    shell.bring_back(job)
    shell.type(b"hello\n")
    shell.reads("heard hello")
    shell.type(b"\n")
    assert shell.sees_ended(job) == 9


@isolated
def test_the_next_command_of_a_script_can_read_from_the_terminal() -> None:
    shell = Shell()
    job = shell.run("/bin/sh", "-c", '"$@"; read line; echo "got $line"', "sh", *MINIMAL, "true")
    shell.type(b"hello\n")
    shell.reads("got hello")
    assert shell.sees_ended(job) == 0


@BOTH_WAYS
@isolated
def test_the_terminal_is_found_although_no_descriptor_leads_to_it(begin: Begin) -> None:
    shell = Shell()
    inbox, outbox = os.pipe()
    os.close(outbox)
    spare = os.open("/dev/null", os.O_RDWR)
    code = "import os; assert os.read(0, 1) == b''; fd = os.open('/dev/tty', os.O_RDWR); os.write(fd, b'heard ' + os.read(fd, 100))"
    job = begin(shell, *python(code), stdio=(inbox, spare, spare))
    shell.type(b"hello\n")
    shell.reads("heard hello")
    assert shell.sees_ended(job) == 0


@pytest.mark.parametrize("pid1", [True, False])
@isolated
def test_where_nobody_could_continue_it_ctrl_z_does_nothing(pid1: bool) -> None:
    keys, terminal = os.openpty()
    leader = os.fork()
    if leader == 0:
        _lead(terminal, [*MINIMAL, *python(TALKER)], pid1)
    os.close(terminal)
    _until(keys, b"talking")
    os.write(keys, SUSPEND)
    os.write(keys, b"hello\n")
    _until(keys, b"heard hello")
    os.write(keys, b"\n")
    assert os.waitpid(leader, 0)[1] == 0


def _lead(terminal: int, words: Sequence[str], pid1: bool) -> None:
    """Become the leader of a session with this terminal, and then the program: as an `ssh -t` or `docker run -t` starts it."""
    try:
        if pid1:
            call("unshare", 0x20020000)  # CLONE_NEWPID | CLONE_NEWNS (unshare(2))
            init = os.fork()
            if init:
                os._exit(os.waitstatus_to_exitcode(os.waitpid(init, 0)[1]))
            call("mount", b"proc", b"/proc", b"proc", 0, None)
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.execv(words[0], words)
    finally:
        print(sys.exc_info(), file=sys.stderr)
        os._exit(99)


def _until(keys: int, words: bytes) -> None:
    seen = b""
    while words not in seen:
        assert select.select([keys], [], [], 20)[0], f"nothing more than {seen!r}, waiting for {words!r}"
        seen += os.read(keys, 65536)


@BOTH_WAYS
@isolated
def test_the_terminal_is_found_without_dev_tty(begin: Begin) -> None:
    shell = Shell()
    call("mount", b"none", b"/dev", b"tmpfs", 0, None)
    job = begin(shell, *python(TALKER))
    shell.reads("talking")
    assert shell.whose_turn() == child_of(job)
