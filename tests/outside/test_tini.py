"""Does `pidone init -- CMD` hand on what it was given, say what is wrong in one line, and stand strange surroundings?"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.kernel.libc import call
from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import Started, python, start, state_of
from tests.outside.world import pidone

_CLONE_NEWNS = 0x00020000  # unshare(2)


def _mask(init: Started, name: str) -> set[int]:
    """A signal set out of what `cat /proc/self/status` has said."""
    text = init.rest()
    bits = int(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name}:")), 16)
    return {number for number in range(1, 65) if bits >> (number - 1) & 1}


def _with_signals() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1, signal.SIGRTMAX])


@isolated
def test_the_command_blocks_what_was_blocked() -> None:
    init = start("--", "cat", "/proc/self/status", prepare=_with_signals)
    assert _mask(init, "SigBlk") == {signal.SIGUSR1, signal.SIGRTMAX}


@isolated
def test_the_command_ignores_what_was_ignored() -> None:
    init = start("--", "cat", "/proc/self/status", prepare=_with_signals)
    assert _mask(init, "SigIgn") == {signal.SIGHUP, signal.SIGCHLD, signal.SIGTSTP}


@isolated
def test_ignored_children_do_not_hide_the_status() -> None:
    init = start("--", "sh", "-c", "exit 7", prepare=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert init.ends() == 7


@isolated
def test_the_command_dies_of_a_broken_pipe() -> None:
    status = start("--", "sh", "-c", "kill -PIPE $$").ends()
    assert status == 128 + signal.SIGPIPE


@isolated
@pytest.mark.parametrize(
    "environment",
    [{"A": "1", "B": "ü\udcff"}, {"A": "1", "LC_CTYPE": "C.UTF-8"}, {"A": "1", "LC_ALL": "C"}, {"LANG": "C.UTF-8"}],
)
def test_the_command_gets_the_environment_as_it_was(environment: dict[str, str]) -> None:
    out, write_end = os.pipe()
    init = start(
        "--", "/usr/bin/env", "-0", stdio=(os.open("/dev/null", os.O_RDWR), write_end, 2), environment=environment
    )
    os.close(write_end)
    assert init.ends() == 0
    said = os.read(out, 65536).rstrip(b"\0").split(b"\0")
    assert said == [f"{name}={value}".encode(errors="surrogateescape") for name, value in environment.items()]


@isolated
def test_the_command_gets_the_descriptors_that_were_handed_on_and_no_other() -> None:
    def hand_on() -> None:
        os.closerange(3, 1024)
        os.dup2(0, 9, inheritable=True)

    init = start("--", *python("import os; print(*sorted(map(int, os.listdir('/proc/self/fd'))))"), prepare=hand_on)
    assert init.line() == "0 1 2 3 9"  # 3 is the listing itself


@isolated
def test_a_script_without_a_first_line_is_the_shell_s(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('exit "$1"\n')
    script.chmod(0o755)
    assert start("--", str(script), "9").ends() == 9


@isolated
def test_a_command_is_looked_for_in_path(tmp_path: Path) -> None:
    for folder, mode in (("first", 0o644), ("second", 0o755)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").write_text("#!/bin/sh\nexit 5\n")
        (tmp_path / folder / "tool").chmod(mode)
    path = f"{tmp_path}/none:{tmp_path}/first:{tmp_path}/second"
    assert start("--", "tool", environment={"PATH": path}).ends() == 5
    assert start("--", "tool", environment={"PATH": f"{tmp_path}/first"}).ends() == 126
    assert start("--", "tool", environment={"PATH": "/etc/passwd:/proc/1/fdinfo:/no/such/folder"}).ends() == 127


@pytest.mark.parametrize(
    ("words", "status", "hint"),
    [
        (("--", "no-such-command"), 127, "PATH"),
        (("--", "/etc"), 126, "directory"),
        (("--", "/etc/passwd"), 126, "chmod"),
        (("--",), 2, "pidone init -- sleep 10"),
        (("--grace", "soon", "--", "true"), 2, "1m30s"),
        (("--grace", "--", "true"), 2, "--grace"),
        (("--frobnicate", "--", "true"), 2, "--frobnicate"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: tuple[str, ...], status: int, hint: str) -> None:
    said = pidone("init", *words)
    assert said.code == status
    assert said.out == ""
    assert said.err.startswith("pidone init: ")
    assert said.err.count("\n") == 1
    assert hint in said.err


def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    said = pidone("init", "--", str(script))
    assert said.code == 127
    assert "interpreter" in said.err


def _closes_its_descriptors() -> None:
    for fd in (0, 1, 2):
        os.close(fd)


def _is_nowhere() -> None:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)


def _sees_no_proc() -> None:
    call("unshare", _CLONE_NEWNS)
    call("mount", b"none", b"/proc", b"tmpfs", 0, None)


@pytest.mark.parametrize("surroundings", [_closes_its_descriptors, _is_nowhere, _sees_no_proc])
@pytest.mark.parametrize("way", ["as pid 1", "as a child"])
@isolated
def test_it_stands_strange_surroundings(surroundings: Callable[[], None], way: str) -> None:
    assert start("--", "/bin/sh", "-c", "exit 7", way=way, prepare=surroundings).ends() == 7


@pytest.mark.parametrize("way", ["as pid 1", "as a child"])
@isolated
def test_closed_standard_descriptors_do_not_become_something_else(way: str) -> None:
    code = "import os; os._exit(sum(os.readlink(f'/proc/self/fd/{fd}') == '/dev/null' for fd in (0, 1, 2)))"
    assert start("--", *python(code), way=way, prepare=_closes_its_descriptors).ends() == 3


@isolated
def test_without_proc_at_least_the_command_s_group_is_asked_to_go() -> None:
    code = """
import os, _signal
if os.fork() == 0:
    _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTERM])
    os.kill(os.getppid(), _signal.SIGKILL)
    _signal.sigwait([_signal.SIGTERM])
    os.write(1, b"asked\\n")
    os._exit(0)
_signal.pause()
"""
    init = start("--", *python(code), prepare=_sees_no_proc)
    assert init.line() == "asked"
    assert init.ends() == 128 + signal.SIGKILL


@isolated
def test_a_process_that_is_not_its_descendant_is_never_touched() -> None:
    bystander = os.fork()
    if bystander == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.pause()
        os._exit(0)
    eventually(lambda: state_of(bystander) == "S")
    code = "import os, _signal\nfor _ in range(5):\n    if os.fork() == 0: os.setsid(); _signal.pause()\n"
    init = start("--grace", "0", "--", *python(code))
    assert init.ends() == 0
    assert state_of(bystander) not in ("", "Z")
    others = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1, os.getpid(), bystander}
    assert others == set()


@isolated
def test_the_interpreter_that_stays_has_loaded_next_to_nothing() -> None:
    code = """
import sys
sys.argv = ["pidone", "init"]
sys.path.append(sys.argv_folder)
before = set(sys.modules)
import supervisor.programs.tini
heavy = {"enum", "signal", "typing", "re", "collections", "contextlib", "functools", "argparse", "ctypes", "select", "socket"}
print(sorted(heavy & (set(sys.modules) - before)))
"""
    folder = str(Path(__file__).parents[2])
    init = start("--", *python(code.replace("sys.argv_folder", repr(folder))))
    assert init.line() == "[]"


@isolated
def test_the_process_list_shows_what_it_is() -> None:
    init = start("--", "sleep", "1000")
    words = eventually(lambda: _words(init.pid) if b"-S" in _words(init.pid) else None)
    assert words[-2:] == [b"sleep", b"1000"]
    assert b"init" in words
    init.signal(signal.SIGTERM)
    assert init.ends() == 128 + signal.SIGTERM


def _words(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
