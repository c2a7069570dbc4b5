"""Does the monitor start what it is told, let signals in and the status out, and take everything along when it dies?

Init's program is a stand-in here: a few lines that say what they see. The whole is looked at in tests/outside/test_up.py.
"""

from __future__ import annotations

import fcntl
import os
import signal
import termios
from pathlib import Path
from typing import Any

import pytest

from supervisor.kernel.libc import call
from supervisor.model.plan import Plan
from supervisor.model.spec import NamespaceSpec, SystemSpec
from supervisor.programs import monitor
from supervisor.programs.loading import Loaded
from supervisor.programs.monitor import UpOptions
from supervisor.wire.diagnostics import Diagnostic
from supervisor.wire.state import dump
from tests.eventually import eventually
from tests.isolation import isolated
from tests.linux.monitors import LISTENER, start_up
from tests.minimal import python, state_of

EVERY_WAY = pytest.mark.parametrize(
    "options",
    [UpOptions(), UpOptions(rootless=True), UpOptions(user=True), UpOptions(no_namespace=True)],
    ids=["as root", "rootless", "with everybody", "no namespace"],
)
ISOLATED_WAYS = pytest.mark.parametrize("options", [UpOptions(), UpOptions(rootless=True)], ids=["as root", "rootless"])


def _others() -> list[int]:
    """Who is alive in this world besides its PID 1 and us."""
    numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [number for number in numbers if number not in (1, os.getpid()) and state_of(number) not in ("", "Z")]


def _nobody_else() -> bool:
    return not _others()


def _child_of(pid: int) -> int:
    def look() -> int:
        return int((Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or ["0"])[0])

    return eventually(look)


# --- signals in


@EVERY_WAY
@isolated
def test_stop_signals_arrive_counted(options: UpOptions) -> None:
    up = start_up(LISTENER, options)
    up.line()
    for count, (number, name) in enumerate(((15, "TERM"), (2, "INT"), (1, "HUP"), (38, "RTMIN+4")), 1):
        up.signal(number)
        assert up.line() == f"stop {name} {count}"


@EVERY_WAY
@isolated
def test_what_means_something_of_its_own_arrives_as_it_is(options: UpOptions) -> None:
    code = """
import _signal
print("ready", flush=True)
while True:
    print(_signal.sigwaitinfo(_signal.valid_signals()).si_signo, flush=True)
"""
    up = start_up(code, options)
    assert up.line() == "ready"
    for number in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, 39, 59):
        up.signal(number)
        assert up.line() == str(int(number))


@isolated
def test_a_stop_signal_waits_until_init_can_listen() -> None:
    hold, release = os.pipe()
    up = start_up("import os; print('here', flush=True); os.read(0, 1)\n" + LISTENER, prepare=lambda: os.dup2(hold, 0))
    assert up.line() == "here"
    up.signal(signal.SIGTERM)
    eventually(lambda: "15" not in _pending(up.pid))
    os.write(release, b"x")
    up.line()
    assert up.line() == "stop TERM 1"


def _pending(pid: int) -> str:
    return next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("ShdPnd"))


@isolated
def test_a_stop_signal_before_anything_has_begun_beginsnothing() -> None:
    def pending() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGTERM)

    up = start_up(LISTENER, prepare=pending)
    assert up.ends() == 0
    assert up.rest() == ""


@isolated
def test_what_we_were_started_to_ignore_is_ignored() -> None:
    up = start_up(LISTENER, prepare=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    up.line()
    up.signal(signal.SIGHUP)
    up.signal(signal.SIGTERM)
    assert up.line() == "stop TERM 1"


@isolated
def test_behind_a_shell_s_ampersand_the_keyboard_is_not_for_us_and_kill_is() -> None:
    os.setsid()
    keyboard, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    up = start_up(LISTENER, prepare=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    up.line()
    os.tcsetpgrp(terminal, up.pid)
    os.write(keyboard, b"\x03")
    assert os.read(keyboard, 2) == b"^C"  # by now it was sent
    up.signal(signal.SIGTERM)
    assert up.line() == "stop TERM 1"
    up.signal(signal.SIGINT)
    assert up.line() == "stop INT 2"


@isolated
def test_nobody_makes_us_deaf_to_sigterm() -> None:
    up = start_up(LISTENER, prepare=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    up.line()
    up.signal(signal.SIGTERM)
    assert up.line() == "stop TERM 1"


@isolated
def test_ctrl_z_stops_only_the_monitor() -> None:
    up = start_up(LISTENER)
    up.line()
    init = _child_of(up.pid)
    up.signal(signal.SIGTSTP)
    eventually(lambda: state_of(up.pid) == "T")
    assert state_of(init) != "T"
    up.signal(signal.SIGTERM)
    up.signal(signal.SIGCONT)
    assert up.line() == "stop TERM 1"


@ISOLATED_WAYS
@isolated
def test_the_fifth_stop_signal_ends_an_init_that_hangs(options: UpOptions) -> None:
    up = start_up(LISTENER, options)
    up.line()
    os.kill(_child_of(up.pid), signal.SIGSTOP)
    for _ in range(5):
        up.signal(signal.SIGTERM)
        eventually(lambda: not _has_pending(up.pid, signal.SIGTERM))
    assert up.ends() == 128 + signal.SIGKILL
    assert up.rest() == ""


def _has_pending(pid: int, number: int) -> bool:
    try:
        return bool(int(_pending(pid).split()[1], 16) >> (number - 1) & 1)
    except (StopIteration, FileNotFoundError, ProcessLookupError):
        return False


# --- the status out


@EVERY_WAY
@pytest.mark.parametrize("status", [0, 1, 7, 39, 70])
@isolated
def test_the_exit_status_is_init_s(status: int, options: UpOptions) -> None:
    assert start_up(f"import os; os._exit({status})", options).ends() == status


@isolated
def test_the_exit_status_is_init_s_although_children_were_ignored() -> None:
    up = start_up("import os; os._exit(7)", prepare=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert up.ends() == 7


@EVERY_WAY
@isolated
def test_a_killed_init_is_said_and_relayed(options: UpOptions) -> None:
    up = start_up(LISTENER, options)
    up.line()
    os.kill(_child_of(up.pid), signal.SIGKILL)
    assert up.ends() == 128 + signal.SIGKILL
    assert "SIGKILL" in up.line()


@isolated
def test_an_init_that_cannot_be_executed_is_one_line() -> None:
    up = start_up("", command=["/no/such/python"])
    assert up.ends() == 1
    assert up.rest().count("\n") == 1


@isolated
def test_a_wrong_configuration_is_told_and_startsnothing() -> None:
    up = start_up(
        LISTENER, loaded=Loaded(False, errors=(Diagnostic("unknown-key", "there is no key wat", "x.yaml", 3, 1),))
    )
    assert up.ends() == 7
    assert up.rest().startswith("x.yaml:3:1: error: there is no key wat")


@isolated
def test_a_loader_that_was_interrupted_is_a_stop() -> None:
    assert start_up(LISTENER, loaded=Loaded(False, interrupted=True)).ends() == 0


# --- its end is everybody's


_FAMILY = """
import os, _signal
_signal.pthread_sigmask(_signal.SIG_SETMASK, [])
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(1, b"daemon\\n")
            _signal.pause()
        os._exit(0)
"""


@ISOLATED_WAYS
@isolated
def test_a_killed_monitor_leavesnothing(options: UpOptions) -> None:
    up = start_up(_FAMILY + LISTENER, options)
    for _ in range(4):
        up.line()
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    eventually(_nobody_else)


@ISOLATED_WAYS
@isolated
def test_a_killed_monitor_takes_along_an_init_that_does_not_listen(options: UpOptions) -> None:
    up = start_up("import _signal; print('here', flush=True)\nwhile True: _signal.pause()", options)
    up.line()
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    eventually(_nobody_else)


@isolated
def test_without_namespaces_init_hears_of_the_monitor_s_death_in_two_ways() -> None:
    code = LISTENER + "import _signal; print(_signal.sigwaitinfo(_signal.valid_signals()).si_signo, flush=True)"
    up = start_up(code, UpOptions(no_namespace=True))
    up.line()
    up.signal(signal.SIGKILL)
    assert [up.line(), up.line()] == ["alone", "15"]


@EVERY_WAY
@isolated
def test_a_monitor_that_died_before_init_was_executed_leavesnothing(options: UpOptions) -> None:
    forked, tell_forked = os.pipe()
    go, let_go = os.pipe()

    def hold_the_child() -> None:
        prctl = monitor.set_parent_death_signal

        def late(number: int) -> None:
            os.write(tell_forked, b"x")
            os.read(go, 1)
            prctl(number)

        changed: Any = monitor
        changed.set_parent_death_signal = late

    up = start_up(LISTENER, options, prepare=hold_the_child)
    os.read(forked, 1)
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    os.write(let_go, b"x")
    assert up.rest() == ""
    eventually(_nobody_else)


# --- the world it makes


def _said_by(code: str, options: UpOptions, **more: Any) -> str:
    up = start_up(f"import os, sys\n{code}", options, **more)
    line = up.line()
    assert up.ends() == 0
    return line


@ISOLATED_WAYS
@isolated
def test_init_is_pid_1_of_a_world_with_its_own_proc_and_session(options: UpOptions) -> None:
    code = (
        "print(os.getpid(), os.getsid(0), os.readlink('/proc/self'), *[n for n in os.listdir('/proc') if n.isdigit()])"
    )
    assert _said_by(code, options) == "1 1 1 1"


@isolated
def test_without_namespaces_init_has_a_session_of_its_own_all_the_same() -> None:
    assert _said_by("print(os.getpid() == os.getsid(0) != 1)", UpOptions(no_namespace=True)) == "True"


@ISOLATED_WAYS
@isolated
def test_a_mount_inside_does_not_show_outside(options: UpOptions) -> None:
    call("unshare", 0x00020000)  # CLONE_NEWNS (unshare(2))
    call("mount", b"none", b"/", None, 0x4000 | 0x100000, None)  # MS_REC | MS_SHARED: what systemd does
    code = """
import ctypes
assert ctypes.CDLL(None).mount(b"none", b"/mnt", b"tmpfs", 0, None) == 0
print("mounted" if " /mnt " in open("/proc/self/mountinfo").read() else "not mounted")
"""
    assert _said_by(code, options) == "mounted"
    assert " /mnt " not in Path("/proc/self/mountinfo").read_text()


@EVERY_WAY
@isolated
def test_we_are_who_we_were(options: UpOptions) -> None:
    assert _said_by("print(os.getuid(), os.getgid())", options) == f"{os.getuid()} {os.getgid()}"


@isolated
def test_with_user_everybody_exists_in_the_new_user_namespace() -> None:
    here = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    said = _said_by("print(open('/proc/self/uid_map').read().split())", UpOptions(user=True))
    assert said == str([word for inside, _, count in here for word in (inside, inside, count)])
    assert _said_by("print(open('/proc/self/uid_map').read().split())", UpOptions(rootless=True)) == "['0', '0', '1']"


@pytest.mark.parametrize("kind", ["uts", "ipc", "net", "cgroup"])
@isolated
def test_each_namespace_is_new_only_when_it_is_wanted(kind: str) -> None:
    here = os.readlink(f"/proc/self/ns/{kind}")
    code = f"print(os.readlink('/proc/self/ns/{kind}'))"
    assert _said_by(code, UpOptions()) == here
    assert _said_by(code, UpOptions(**{kind: True})) != here


@pytest.mark.parametrize("kind", ["uts", "ipc", "net", "user"])
@isolated
def test_the_configuration_can_want_a_namespace_too(kind: str) -> None:
    here = os.readlink(f"/proc/self/ns/{kind}")
    wanted = SystemSpec(namespace=NamespaceSpec(**{kind: True}))
    assert _said_by(f"print(os.readlink('/proc/self/ns/{kind}'))", UpOptions(), system=wanted) != here


@ISOLATED_WAYS
@isolated
def test_the_host_name_is_the_world_s_own(options: UpOptions) -> None:
    here = os.uname().nodename
    given = UpOptions(rootless=options.rootless, hostname="given")
    assert _said_by("print(os.uname().nodename)", options, system=SystemSpec(hostname="written")) == "written"
    assert _said_by("print(os.uname().nodename)", given, system=SystemSpec(hostname="written")) == "given"
    assert os.uname().nodename == here


@isolated
def test_a_network_of_its_own_has_a_loopback_interface_that_works() -> None:
    code = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
print([name for _, name in socket.if_nameindex() if name == "lo"], client.getpeername()[0])
"""
    assert _said_by(code, UpOptions(net=True)) == "['lo'] 127.0.0.1"


@isolated
def test_init_gets_the_plan_and_the_pair_andnothing_else() -> None:
    def handnothing_on() -> None:
        os.closerange(3, 1024)

    code = """
plan, pair = int(sys.argv[1]), int(sys.argv[2])
with open(plan, "rb", closefd=False) as file:
    text = file.read()
listed = [int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")]
print(sorted(set(listed) - {0, 1, 2, plan, pair}), text.decode())
"""
    plan = dump(Plan(system=SystemSpec(name="here"))).decode()
    assert _said_by(code, UpOptions(), system=SystemSpec(name="here"), prepare=handnothing_on) == f"[] {plan}"


@isolated
def test_closed_standard_descriptors_do_not_become_something_else() -> None:
    def close_them() -> None:
        for fd in (0, 1, 2):
            os.close(fd)

    code = "import os; os._exit(sum(os.readlink(f'/proc/self/fd/{fd}') == '/dev/null' for fd in (0, 1, 2)))"
    assert start_up(code, prepare=close_them).ends() == 3


# --- what cannot be had


@isolated
def test_no_namespace_says_what_it_leaves_out_of_the_configuration() -> None:
    system = SystemSpec(hostname="here", namespace=NamespaceSpec(ipc=True))
    up = start_up("print('ran', flush=True)", UpOptions(no_namespace=True), system=system)
    assert "ipc, hostname" in up.line()
    assert up.line() == "ran"
    assert up.ends() == 0


@isolated
def test_the_monitor_loads_no_more_than_it_needs() -> None:
    code = """
import sys
sys.path[:0] = FOLDERS
import supervisor.programs.monitor
heavy = {"trio", "yaml", "pydantic", "dataclasses", "asyncio", "subprocess", "logging", "inspect", "threading", "ssl", "tempfile"}
print(sorted(heavy & set(sys.modules)))
"""
    up = start_up("", command=[*python(code.replace("FOLDERS", repr([str(Path(__file__).parents[2])])))])
    assert up.line() == "[]"


def test_the_command_of_init_says_what_the_operator_said() -> None:
    options = UpOptions(name="given", socket="/s", color="never", names=("web", "db"))
    words = monitor.init_command(options, "written", 5, 6)
    assert [words[1], os.path.basename(words[2]), *words[3:6]] == ["-I", "pidone", "init", "--plan-fd", "5"]
    assert words[6:] == [
        *("--monitor-fd", "6", "--name", "given", "--socket", "/s", "--color", "never"),
        *("--wanted", "web", "--wanted", "db"),
    ]
    assert "written" in monitor.init_command(UpOptions(), "written", 5, 6)
