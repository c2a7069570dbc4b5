"""Does the monitor start what it is told, let signals in and the status out, and take everything along when it dies?

Init's program is a stand-in here: a few lines that say what they see. The whole is looked at in tests/outside/test_up.py.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable, Sequence
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
from tests.minimal import Started, python, state_of

# Says its number, then what the monitor tells it, until the monitor is gone.
LISTENER = """
import os, sys
print(os.getpid(), flush=True)
while (message := os.read(int(sys.argv[2]), 1000)):
    print(message.decode(), flush=True)
print("alone", flush=True)
"""

PLAIN = UpOptions()
SYSTEM = SystemSpec()

EVERY_WAY = pytest.mark.parametrize(
    "options",
    [UpOptions(), UpOptions(rootless=True), UpOptions(user=True), UpOptions(no_namespace=True)],
    ids=["as root", "rootless", "with everybody", "no namespace"],
)
ISOLATED_WAYS = pytest.mark.parametrize("options", [UpOptions(), UpOptions(rootless=True)], ids=["as root", "rootless"])


def _nothing() -> None:
    pass


def _up(
    code: str,
    options: UpOptions = PLAIN,
    *,
    system: SystemSpec = SYSTEM,
    loaded: Loaded | None = None,
    prepare: Callable[[], Any] = _nothing,
    command: Sequence[str] | None = None,
) -> Started:
    """A monitor, and a stand-in for init's program that gets the descriptors of the plan and the monitor as words."""
    out, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return Started(pid, out)
    status = 99
    try:
        os.setpgid(0, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for fd in (1, 2):
            os.dup2(write_end, fd)
        os.close(write_end)
        os.close(out)
        result = loaded or Loaded(True, plan=dump(Plan(system=system)))
        stand_in: Any = monitor
        stand_in.load = lambda paths, stop_fd: result
        stand_in.init_command = lambda options, name, plan, pair: [*(command or python(code)), str(plan), str(pair)]
        prepare()
        status = monitor.run(options)
    finally:
        os._exit(status)


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
    up = _up(LISTENER, options)
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
    up = _up(code, options)
    assert up.line() == "ready"
    for number in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, 39, 59):
        up.signal(number)
        assert up.line() == str(int(number))


@isolated
def test_a_stop_signal_waits_until_init_can_listen() -> None:
    hold, release = os.pipe()
    up = _up("import os; print('here', flush=True); os.read(0, 1)\n" + LISTENER, prepare=lambda: os.dup2(hold, 0))
    assert up.line() == "here"
    up.signal(signal.SIGTERM)
    eventually(lambda: "15" not in _pending(up.pid))
    os.write(release, b"x")
    up.line()
    assert up.line() == "stop TERM 1"


def _pending(pid: int) -> str:
    return next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("ShdPnd"))


@isolated
def test_a_stop_signal_before_anything_has_begun_begins_nothing() -> None:
    def pending() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.kill(os.getpid(), signal.SIGTERM)

    up = _up(LISTENER, prepare=pending)
    assert up.ends() == 0
    assert up.rest() == ""


@isolated
def test_what_we_were_started_to_ignore_is_ignored() -> None:
    up = _up(LISTENER, prepare=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    up.line()
    up.signal(signal.SIGHUP)
    up.signal(signal.SIGTERM)
    assert up.line() == "stop TERM 1"


@isolated
def test_nobody_makes_us_deaf_to_sigterm() -> None:
    up = _up(LISTENER, prepare=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    up.line()
    up.signal(signal.SIGTERM)
    assert up.line() == "stop TERM 1"


@isolated
def test_ctrl_z_stops_only_the_monitor() -> None:
    up = _up(LISTENER)
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
    up = _up(LISTENER, options)
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
    assert _up(f"import os; os._exit({status})", options).ends() == status


@isolated
def test_the_exit_status_is_init_s_although_children_were_ignored() -> None:
    up = _up("import os; os._exit(7)", prepare=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert up.ends() == 7


@EVERY_WAY
@isolated
def test_a_killed_init_is_said_and_relayed(options: UpOptions) -> None:
    up = _up(LISTENER, options)
    up.line()
    os.kill(_child_of(up.pid), signal.SIGKILL)
    assert up.ends() == 128 + signal.SIGKILL
    assert "SIGKILL" in up.line()


@isolated
def test_an_init_that_cannot_be_executed_is_one_line() -> None:
    up = _up("", command=["/no/such/python"])
    assert up.ends() == 1
    assert up.rest().count("\n") == 1


@isolated
def test_a_wrong_configuration_is_told_and_starts_nothing() -> None:
    up = _up(LISTENER, loaded=Loaded(False, errors=(Diagnostic("unknown-key", "there is no key wat", "x.yaml", 3, 1),)))
    assert up.ends() == 7
    assert up.rest().startswith("x.yaml:3:1: error: there is no key wat")


@isolated
def test_a_loader_that_was_interrupted_is_a_stop() -> None:
    assert _up(LISTENER, loaded=Loaded(False, interrupted=True)).ends() == 0


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
def test_a_killed_monitor_leaves_nothing(options: UpOptions) -> None:
    up = _up(_FAMILY + LISTENER, options)
    for _ in range(4):
        up.line()
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    eventually(_nobody_else)


@ISOLATED_WAYS
@isolated
def test_a_killed_monitor_takes_along_an_init_that_does_not_listen(options: UpOptions) -> None:
    up = _up("import _signal; print('here', flush=True)\nwhile True: _signal.pause()", options)
    up.line()
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    eventually(_nobody_else)


@isolated
def test_without_namespaces_init_hears_of_the_monitor_s_death_in_two_ways() -> None:
    code = LISTENER + "import _signal; print(_signal.sigwaitinfo(_signal.valid_signals()).si_signo, flush=True)"
    up = _up(code, UpOptions(no_namespace=True))
    up.line()
    up.signal(signal.SIGKILL)
    assert [up.line(), up.line()] == ["alone", "15"]


@EVERY_WAY
@isolated
def test_a_monitor_that_died_before_init_was_executed_leaves_nothing(options: UpOptions) -> None:
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

    up = _up(LISTENER, options, prepare=hold_the_child)
    os.read(forked, 1)
    up.signal(signal.SIGKILL)
    assert up.ends() == -signal.SIGKILL
    os.write(let_go, b"x")
    assert up.rest() == ""
    eventually(_nobody_else)


# --- the world it makes


def _said_by(code: str, options: UpOptions, **more: Any) -> str:
    up = _up(f"import os, sys\n{code}", options, **more)
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
def test_init_gets_the_plan_and_the_pair_and_nothing_else() -> None:
    def hand_nothing_on() -> None:
        os.closerange(3, 1024)

    code = """
plan, pair = int(sys.argv[1]), int(sys.argv[2])
with open(plan, "rb", closefd=False) as file:
    text = file.read()
listed = [int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")]
print(sorted(set(listed) - {0, 1, 2, plan, pair}), text.decode())
"""
    plan = dump(Plan(system=SystemSpec(name="here"))).decode()
    assert _said_by(code, UpOptions(), system=SystemSpec(name="here"), prepare=hand_nothing_on) == f"[] {plan}"


@isolated
def test_closed_standard_descriptors_do_not_become_something_else() -> None:
    def close_them() -> None:
        for fd in (0, 1, 2):
            os.close(fd)

    code = "import os; os._exit(sum(os.readlink(f'/proc/self/fd/{fd}') == '/dev/null' for fd in (0, 1, 2)))"
    assert _up(code, prepare=close_them).ends() == 3


# --- what cannot be had


def _without_more_pid_namespaces() -> None:
    """In a user namespace of its own, for there the limit binds nobody else (namespaces(7))."""
    uid, gid = os.getuid(), os.getgid()
    call("unshare", 0x10000000)  # CLONE_NEWUSER
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text)
    Path("/proc/sys/user/max_pid_namespaces").write_text("0")


def _without_sys_admin() -> None:
    header = struct.pack("Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3 (capget(2))
    low, high = (0xFFFFFFFF & ~(1 << 21)), 0  # without CAP_SYS_ADMIN
    call("prctl", 24, 21, 0, 0, 0)  # PR_CAPBSET_DROP: nor may it come back
    own = {
        line.split(":")[0]: int(line.split()[1], 16)
        for line in Path("/proc/self/status").read_text().splitlines()
        if "Cap" in line
    }
    low &= own["CapPrm"] & 0xFFFFFFFF
    call("capset", header, struct.pack("6I", low, low, 0, high, high, 0))


def _with_a_covered_proc() -> None:
    call("unshare", 0x00020000)  # CLONE_NEWNS
    call("mount", b"none", b"/", None, 0x4000 | 0x80000, None)  # MS_REC | MS_SLAVE
    call("mount", b"none", b"/proc/fs", b"tmpfs", 0, None)


@pytest.mark.parametrize(
    ("lack", "options", "words"),
    [
        (_without_more_pid_namespaces, UpOptions(), "too many"),
        (_without_sys_admin, UpOptions(), "--rootless"),
        (_with_a_covered_proc, UpOptions(rootless=True), "/proc/fs"),
    ],
)
@isolated
def test_what_cannot_be_isolated_is_one_line_with_the_way_out(
    lack: Callable[[], None], options: UpOptions, words: str
) -> None:
    up = _up(LISTENER, options, prepare=lack)
    assert up.ends() == 1
    said = up.rest()
    assert said.startswith("pidone up: cannot ")
    assert said.count("\n") == 1
    assert words in said
    assert "--no-namespace" in said


@pytest.mark.parametrize(
    ("lack", "options", "result"),
    [
        (_without_more_pid_namespaces, UpOptions(namespace_auto=True), "no namespace"),
        (_without_sys_admin, UpOptions(namespace_auto=True, net=True), "pid 1, new net"),
        (_with_a_covered_proc, UpOptions(namespace_auto=True, rootless=True), "no namespace"),
        (_nothing, UpOptions(namespace_auto=True, net=True), "pid 1, new net"),
    ],
)
@isolated
def test_auto_goes_on_with_what_can_be_had_and_says_so(
    lack: Callable[[], None], options: UpOptions, result: str
) -> None:
    here = os.readlink("/proc/self/ns/net")
    code = f"""
import os
new = "new" if os.readlink("/proc/self/ns/net") != {here!r} else "old"
print(f"pid 1, {{new}} net" if os.getpid() == 1 else "no namespace", flush=True)
"""
    up = _up(code, options, prepare=lack)
    if lack is not _nothing:
        assert up.line().startswith("pidone up: warning: cannot ")
    assert up.line() == result
    assert up.ends() == 0


@isolated
def test_no_namespace_says_what_it_leaves_out_of_the_configuration() -> None:
    system = SystemSpec(hostname="here", namespace=NamespaceSpec(ipc=True))
    up = _up("print('ran', flush=True)", UpOptions(no_namespace=True), system=system)
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
    up = _up("", command=[*python(code.replace("FOLDERS", repr([str(Path(__file__).parents[2])])))])
    assert up.line() == "[]"


def test_the_command_of_init_says_what_the_operator_said() -> None:
    options = UpOptions(name="given", socket="/s", color="never", names=("web", "db"))
    words = monitor.init_command(options, "written", 5, 6)
    assert words[1:7] == ["-I", "-m", "supervisor", "init", "--plan-fd", "5"]
    assert words[7:] == [
        *("--monitor-fd", "6", "--name", "given", "--socket", "/s", "--color", "never"),
        *("--wanted", "web", "--wanted", "db"),
    ]
    assert "written" in monitor.init_command(UpOptions(), "written", 5, 6)
