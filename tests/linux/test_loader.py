"""The loader as a process: what it says, and how it ends when it must."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

from supervisor.model.plan import Plan
from supervisor.model.process import Exit
from supervisor.programs import loading
from supervisor.wire.state import load

_GOOD = "services: {a: {command: /bin/true}}\n"


def _file(folder: Path, text: str = _GOOD, name: str = "a.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def _loader(*arguments: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-m", "supervisor.programs.loader", *arguments]
    return subprocess.run(command, capture_output=True, **more)  # type: ignore[call-overload, no-any-return]


def _codes(said: loading.Loaded) -> list[str]:
    assert not said.ok
    return [error.code for error in said.errors]


def _no_children() -> bool:
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and not _children()
    except ChildProcessError:
        return True


def _children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def test_a_good_configuration_is_a_plan(tmp_path: Path) -> None:
    said = loading.load([_file(tmp_path)])
    assert said.ok
    assert [planned.name for planned in load(Plan, said.plan).services] == ["a"]


def test_a_wrong_configuration_is_its_errors(tmp_path: Path) -> None:
    said = loading.load([_file(tmp_path, "services: {a: {comand: x}}")])
    assert _codes(said) == ["unknown-key"]
    assert said.errors[0].line == 1


def test_it_prints_one_document_and_says_by_its_status_whether_it_is_a_plan(tmp_path: Path) -> None:
    good = _loader(_file(tmp_path))
    assert (good.returncode, good.stderr) == (0, b"")
    assert set(json.loads(good.stdout)) == {"ok", "plan", "warnings"}
    wrong = _loader("--", _file(tmp_path, "services: []"))
    assert (wrong.returncode, wrong.stderr) == (7, b"")
    assert set(json.loads(wrong.stdout)) == {"ok", "errors", "warnings"}


def test_a_path_that_looks_like_an_option_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _file(tmp_path, name="--help")
    assert loading.load(["--help"]).ok


def test_when_nobody_listens_it_ends_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-I", "-m", "supervisor.programs.loader", _file(tmp_path)]
    try:
        ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


# ---- limits ----


def _load_under(limit: int, most: int, paths: list[str]) -> list[str]:
    """The codes that `load` gives in a process whose own soft limit is lower than what the loader takes."""
    script = f"""
import resource, sys
from supervisor.programs.loading import load
resource.setrlimit({limit}, ({most}, resource.getrlimit({limit})[1]))
print(*(error.code for error in load(sys.argv[1:]).errors))
"""
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("most", [60 << 20, 80 << 20])  # of the 90 that this file needs on the leanest Python
def test_memory_that_runs_out_is_an_error(tmp_path: Path, most: int) -> None:
    rows = "".join(f"  s{number}: {{command: x, description: a b c}}\n" for number in range(20_000))
    assert _load_under(resource.RLIMIT_AS, most, [_file(tmp_path, f"services:\n{rows}")]) == ["config-too-large"]


def test_processor_time_that_runs_out_is_an_error(tmp_path: Path) -> None:
    words = (
        f"services:\n  NAME:\n    command: {chr(92)}a{f' {chr(92)}a' * 300_000}\n"  # half a second of splitting each
    )
    paths = [_file(tmp_path, words.replace("NAME", f"s{number}"), f"{number}.yaml") for number in range(15)]
    assert _load_under(resource.RLIMIT_CPU, 1, paths) == ["config-too-large"]


def test_it_limits_itself_and_offers_itself_to_the_oom_killer(tmp_path: Path) -> None:
    script = """
import json, sys
from supervisor.programs import loader
from supervisor.programs.planning import plan_of
def spy(paths, environ, realm):
    limits = open("/proc/self/limits").read()
    return {"ok": True, "limits": limits, "oom": open("/proc/self/oom_score_adj").read(), "alarm": loader.signal.getitimer(0)[0]}
loader.document_of = spy
loader.main(["--", "x"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    seen = json.loads(done.stdout)
    rows = {line[:25].strip(): line[26:].split()[0] for line in seen["limits"].splitlines()}
    assert rows["Max address space"] == str(384 << 20)
    assert int(rows["Max cpu time"]) <= 25
    assert (rows["Max processes"], rows["Max core file size"]) == ("0", "0")
    assert int(rows["Max file size"]) <= 16 << 20
    assert seen["oom"].strip() == "1000"
    assert 0 < seen["alarm"] <= loading.PATIENCE


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("raise MemoryError", "config-too-large", "memory"),
        ("raise KeyError('of ours')", "loader-failed", "KeyError: 'of ours'"),
        ("import no_such_module", "loader-failed", "no_such_module"),
    ],
)
def test_a_fault_of_its_own_is_a_document_too(fault: str, code: str, words: str) -> None:
    script = f"""
from supervisor.programs import loader
def broken(paths, environ, realm):
    {fault}
loader.document_of = broken
raise SystemExit(loader.main([]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert (done.returncode, done.stderr) == (7, b"")
    said = loading.read_result(done.stdout, Exit(code=7))
    assert _codes(said) == [code]
    assert words in said.errors[0].message


# ---- how it is ended ----


def _end(child: loading.LoaderChild) -> loading.Loaded:
    data = b""
    while chunk := os.read(child.fd, 65536):
        data += chunk
    os.close(child.fd)
    info = os.waitid(os.P_PID, child.pid, os.WEXITED)
    assert info is not None
    exited = info.si_code == os.CLD_EXITED
    return loading.read_result(data, Exit(code=info.si_status) if exited else Exit(signal=info.si_status))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGSEGV, "loader-failed"),
        (signal.SIGTERM, "loader-failed"),
        (signal.SIGKILL, "config-too-large"),
        (signal.SIGXCPU, "config-too-large"),
        (signal.SIGALRM, "config-too-large"),
    ],
)
def test_a_loader_that_dies_of_a_signal_is_an_error(tmp_path: Path, number: signal.Signals, code: str) -> None:
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, signal.valid_signals()
    )  # as PID 1 does: the child must not inherit it
    try:
        child = loading.start_loader([_file(tmp_path)])
        os.kill(child.pid, number)  # it takes 50 ms to begin
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert _codes(_end(child)) == [code]


def test_it_is_started_without_waiting_and_in_a_session_of_its_own(tmp_path: Path) -> None:
    child = loading.start_loader([_file(tmp_path)])
    assert os.getsid(child.pid) == child.pid
    assert not os.get_inheritable(child.fd)
    assert select.select([child.fd], [], [], 0)[0] == []
    assert _end(child).ok


def test_a_loader_that_takes_too_long_is_killed_and_reaped(tmp_path: Path) -> None:
    said = loading.load([_file(tmp_path)], patience=loading.Seconds(0.001))
    assert _codes(said) == ["config-too-large"]
    assert _no_children()


def test_whoever_is_told_to_stop_ends_the_loader_at_once(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")
    try:
        said = loading.load([_file(tmp_path)], stop_fd=reader)
        assert (said.ok, said.interrupted, said.errors) == (False, True, ())
        assert os.read(reader, 1) == b"x"  # it is not ours to read
    finally:
        os.close(reader)
        os.close(writer)
    assert _no_children()


def test_a_document_that_does_not_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "DOCUMENT_LIMIT", 10)
    assert _codes(loading.load([_file(tmp_path)])) == ["config-too-large"]
    assert _no_children()


class _Interrupted(Exception):
    pass


def test_an_exception_of_a_signal_handler_goes_up_and_leaves_no_child(tmp_path: Path) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise _Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(_Interrupted):
            loading.load([_file(tmp_path)] * 1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert _no_children()


def test_without_a_descriptor_for_its_pidfd_it_is_killed_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(pid: int, flags: int = 0) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", none_left)
    assert _codes(loading.load([_file(tmp_path)], patience=loading.Seconds(0.001))) == ["config-too-large"]
    assert _no_children()


def test_where_children_are_reaped_by_the_kernel_the_document_speaks_for_itself(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert loading.load([_file(tmp_path)]).ok
        assert _codes(loading.load([_file(tmp_path, "services: []")])) == ["wrong-shape"]
    finally:
        signal.signal(signal.SIGCHLD, before)
