"""Does `pidone init -- CMD` do for CMD what an init must do, as PID 1 and as a child subreaper?"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from supervisor.model.signals import SYNCHRONOUS
from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import WAYS, Started, python, start, state_of

FORWARDED = sorted(set(signal.valid_signals()) - {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP, *SYNCHRONOUS})

# Says which signals it gets; ends at the second SIGTERM.
LISTENER = """
import os, _signal
everything = _signal.valid_signals()
_signal.pthread_sigmask(_signal.SIG_BLOCK, everything)
os.write(1, b"listening\\n")
ends = 0
while ends < 2:
    number = _signal.sigwaitinfo(everything).si_signo
    os.write(1, b"%d\\n" % number)
    ends += number == _signal.SIGTERM
"""

# Ignores SIGTERM and lives until it is killed.
STUBBORN = """
import os, _signal
_signal.signal(_signal.SIGTERM, _signal.SIG_IGN)
os.write(1, b"stubborn\\n")
while True:
    _signal.pause()
"""

# Says when it gets SIGTERM, and has something to do before it ends: something that a second signal would disturb.
DUTIFUL = """
import os, _signal, time
_signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTERM])
os.write(1, b"dutiful\\n")
_signal.sigwait([_signal.SIGTERM])
os.write(1, b"asked\\n")
again = _signal.sigtimedwait([_signal.SIGTERM], 0.2)
os.write(1, b"finished\\n" if again is None else b"disturbed\\n")
"""

# A process that nothing of its parents' sticks to: forked twice, in a session of its own, with an empty environment.
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", {code!r}], {{}})
    os._exit(0)
os.wait()
"""


class _Leaver:
    """A command that starts daemons and ends when it is told, beside them."""

    def __init__(self, *daemons: str, way: str, options: tuple[str, ...] = ()) -> None:
        hold, self._leave = os.pipe()
        out, write_end = os.pipe()
        code = "import os, sys\n" + "".join(DAEMON.format(code=daemon) for daemon in daemons) + "os.read(0, 1)"
        self.init = start(*options, "--", *python(code), way=way, stdio=(hold, write_end, write_end))
        os.close(write_end)
        self.init = Started(self.init.pid, out)
        for _ in daemons:
            self.init.line()

    def leave(self) -> None:
        os.write(self._leave, b"x")


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("true",), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -KILL $$"), 128 + 9),
        (("sh", "-c", "kill -ABRT $$"), 128 + 6),
        (("no-such-command",), 127),
        (("/no/such/command",), 127),
        (("/etc",), 126),
        (("/etc/passwd",), 126),
        (("",), 127),
    ],
)
@isolated
def test_the_exit_status_is_the_command_s(command: tuple[str, ...], status: int, way: str) -> None:
    assert start("--", *command, way=way).ends() == status


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_every_signal_is_forwarded_once(way: str) -> None:
    init = start("--", *python(LISTENER), way=way)
    assert init.line() == "listening"
    for number in FORWARDED:
        init.signal(number)
        assert init.line() == str(int(number))
    init.signal(signal.SIGCHLD)
    init.signal(signal.SIGTERM)
    assert init.rest() == f"{signal.SIGTERM:d}\n"
    assert init.ends() == 0


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_a_signal_reaches_the_command_s_whole_group(way: str) -> None:
    init = start("--", *python("import os\nos.fork()\n" + LISTENER), way=way)
    assert [init.line(), init.line()] == ["listening", "listening"]
    init.signal(signal.SIGUSR1)
    assert [init.line(), init.line()] == ["10", "10"]
    init.signal(signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_a_command_that_changed_its_group_is_still_told(way: str) -> None:
    # a group of the same session in which it is not the first: its old group is empty from then on
    code = """
import os
inbox, outbox = os.pipe()
if os.fork() == 0:
    os.setpgid(0, 0)
    os.write(outbox, b"x")
    os.close(outbox)
    import _signal
    _signal.pause()
os.read(inbox, 1)
os.setpgid(0, int(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read()))
"""
    init = start("--", *python(code + LISTENER), way=way)
    assert init.line() == "listening"
    init.signal(signal.SIGTERM)
    assert init.line() == "15"
    init.signal(signal.SIGTERM)
    assert init.line() == "15"
    assert init.ends() == 0


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_a_signal_that_was_sent_before_we_existed_reaches_the_command(way: str) -> None:
    def have_one_pending() -> None:
        signal.pthread_sigmask(
            signal.SIG_BLOCK, [signal.SIGTERM]
        )  # as `env --block-signal` does for who starts a PID 1
        os.kill(os.getpid(), signal.SIGTERM)

    init = start("--", *python(LISTENER), way=way, prepare=have_one_pending)
    assert [init.line(), init.line()] == ["listening", "15"]
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_orphans_are_reaped_while_the_command_runs(way: str) -> None:
    code = """
import os
for _ in range(50):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
os.write(1, b"left\\n")
os.read(0, 1)
"""
    hold, release = os.pipe()
    out, write_end = os.pipe()
    started = start("--", *python(code), way=way, stdio=(hold, write_end, 2))
    init = Started(started.pid, out)
    assert init.line() == "left"
    eventually(lambda: len(_children(init.pid)) == 1)
    os.write(release, b"x")
    assert init.ends() == 0


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_who_is_left_is_asked_once_and_may_finish(way: str) -> None:
    leaver = _Leaver(DUTIFUL, DUTIFUL, way=way)
    leaver.leave()
    assert leaver.init.ends() == 0
    assert sorted(leaver.init.line() for _ in range(4)) == ["asked", "asked", "finished", "finished"]


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_who_does_not_go_is_killed_when_the_grace_is_over(way: str) -> None:
    leaver = _Leaver(STUBBORN, STUBBORN, way=way, options=("--grace", "300ms"))
    leaver.leave()
    begin = time.monotonic()
    assert leaver.init.ends() == 0
    assert time.monotonic() - begin >= 0.3
    assert _others(leaver.init) == []


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_without_a_grace_they_are_killed_at_once(way: str) -> None:
    leaver = _Leaver(DUTIFUL, way=way, options=("--grace=0",))
    leaver.leave()
    assert leaver.init.ends() == 0
    assert leaver.init.rest() == ""


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_the_second_request_to_end_cuts_the_grace_short(way: str) -> None:
    leaver = _Leaver(STUBBORN, DUTIFUL, way=way, options=("--grace", "1h"))
    leaver.init.signal(signal.SIGTERM)  # ends CMD
    assert leaver.init.line() == "asked"
    leaver.init.signal(signal.SIGTERM)
    assert leaver.init.ends() == 128 + signal.SIGTERM
    assert _others(leaver.init) == []


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_the_first_request_to_end_leaves_the_grace_alone(way: str) -> None:
    leaver = _Leaver(DUTIFUL, way=way, options=("--grace", "1h"))
    leaver.leave()
    assert leaver.init.line() == "asked"
    leaver.init.signal(signal.SIGTERM)
    assert leaver.init.line() == "finished"
    assert leaver.init.ends() == 0


@pytest.mark.parametrize("way", WAYS)
@isolated
def test_who_is_left_stopped_is_continued_to_hear_it(way: str) -> None:
    stopped = DUTIFUL.replace('dutiful\\n")', 'dutiful\\n"); os.kill(os.getpid(), _signal.SIGSTOP)')
    leaver = _Leaver(stopped, way=way, options=("--grace", "1h"))
    eventually(lambda: "T" in map(state_of, _others(leaver.init)))
    leaver.leave()
    assert leaver.init.line() == "asked"
    assert leaver.init.ends() == 0


def _others(init: Started) -> list[int]:
    """Who is in this world besides its PID 1 and us."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
