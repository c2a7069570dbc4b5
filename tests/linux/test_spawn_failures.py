"""What does it say when a process cannot be made? The step, the errno and what it was tried with, both ways."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

import supervisor.kernel.child as child
from supervisor.kernel.port import Born
from supervisor.model.plan import SpawnWay
from tests.isolation import isolated
from tests.linux.stage import RealStage, failed, fill_descriptors

both_ways = pytest.mark.parametrize("way", ["fast", "safe"])


def _program(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@both_ways
@isolated
def test_a_file_that_is_not_there(way: SpawnWay) -> None:
    stage = RealStage()
    assert stage.attempt(stage.order(("/nowhere/x",), way=way)) == failed("exec", errno.ENOENT, "/nowhere/x")
    assert stage.attempt(stage.order(("/etc/passwd/x",), way=way)) == failed("exec", errno.ENOTDIR, "/etc/passwd/x")


@both_ways
@isolated
def test_a_file_that_may_not_be_executed(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    path = _program(tmp_path / "x", "#!/bin/sh\n", 0o644)
    assert stage.attempt(stage.order((path,), way=way)) == failed("exec", errno.EACCES, path)
    assert stage.attempt(stage.order(("/etc",), way=way)) == failed("exec", errno.EACCES, "/etc")


@both_ways
@isolated
def test_a_file_that_is_no_program_is_not_given_to_a_shell(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    path = _program(tmp_path / "x", "echo a shell ran this\n")
    assert stage.attempt(stage.order((path,), way=way)) == failed("exec", errno.ENOEXEC, path)
    assert stage.attempt(stage.order(("x",), "", way=way, environment={"PATH": str(tmp_path)})) == failed(
        "exec", errno.ENOEXEC, path
    )
    assert stage.printed() == ""


@both_ways
@isolated
def test_a_script_whose_interpreter_is_not_there(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    path = _program(tmp_path / "x", "#!/usr/bin/pyhton3 -I\nprint()\n")
    expected = failed("interpreter", errno.ENOENT, "/usr/bin/pyhton3")
    assert stage.attempt(stage.order((path,), way=way)) == expected
    assert stage.attempt(stage.order(("x",), "", way=way, environment={"PATH": f"/nowhere:{tmp_path}"})) == expected


@both_ways
@isolated
def test_a_program_whose_dynamic_linker_is_not_there(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    linker = b"/lib64/ld-linux-x86-64.so.2\0"
    program = Path("/bin/true").resolve().read_bytes()
    if linker not in program:  # another architecture
        linker = b"/lib/ld-linux"
    copy = tmp_path / "x"
    copy.write_bytes(
        program.replace(
            linker, b"/nowhere!".ljust(len(linker), b"!") if linker[-1] else b"/no".ljust(len(linker), b"\0")
        )
    )
    copy.chmod(0o755)
    assert stage.attempt(stage.order((str(copy),), way=way)) == failed("interpreter", errno.ENOENT, str(copy))


@both_ways
@isolated
def test_a_name_that_the_path_does_not_have(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    assert stage.attempt(stage.order(("pidone-nowhere",), "", way=way)) == failed(
        "exec", errno.ENOENT, "pidone-nowhere"
    )
    path = _program(tmp_path / "x", "", 0o644)
    order = stage.order(("x",), "", way=way, environment={"PATH": f"{tmp_path}:/nowhere"})
    assert stage.attempt(order) == failed("exec", errno.EACCES, path)


@both_ways
@isolated
def test_a_working_dir_that_cannot_be_entered(way: SpawnWay) -> None:
    stage = RealStage()
    for path, number in (("/nowhere", errno.ENOENT), ("/etc/passwd", errno.ENOTDIR)):
        order = stage.order(("/bin/true",), way=way, working_dir=path)
        assert stage.attempt(order) == failed("working_dir", number, path)


@both_ways
@isolated
def test_a_stdin_that_cannot_be_opened(way: SpawnWay) -> None:
    stage = RealStage()
    order = stage.order(("/bin/true",), way=way, stdin="/nowhere")
    assert stage.attempt(order) == failed("stdin", errno.ENOENT, "/nowhere")


@both_ways
@isolated
def test_a_limit_that_may_not_be_had(way: SpawnWay) -> None:
    stage = RealStage()
    beyond = int(Path("/proc/sys/fs/nr_open").read_text()) + 1
    order = stage.order(("/bin/true",), way=way, limits={"core": (0, 0), "nofile": (beyond, beyond)})
    assert stage.attempt(order) == failed("limits", errno.EPERM, "nofile")
    order = stage.order(("/bin/true",), way=way, limits={"core": (2, 1)})
    assert stage.attempt(order) == failed("limits", errno.EINVAL, "core")


@both_ways
@isolated
def test_a_cgroup_that_is_not_there(way: SpawnWay) -> None:
    stage = RealStage()
    order = stage.order(("/bin/true",), way=way, cgroup="/nowhere")
    assert stage.attempt(order) == failed("cgroup", errno.ENOENT, "/nowhere/cgroup.procs")


@both_ways
@isolated
def test_arguments_that_no_program_can_get(way: SpawnWay) -> None:
    stage = RealStage()
    assert stage.attempt(stage.order(("/bin/true", "a\0b"), way=way)) == failed("exec", errno.EINVAL, "/bin/true")
    assert stage.attempt(stage.order(("/bin/true", "x" * 200_000), way=way)) == failed("exec", errno.E2BIG, "/bin/true")


@both_ways
@isolated
def test_descriptors_that_are_not_open(way: SpawnWay) -> None:
    stage = RealStage()
    failure = stage.attempt(stage.order(("/bin/true",), way=way, stderr=999))
    assert failure is not None
    assert failure.errno == errno.EBADF


@both_ways
@isolated
def test_no_process_to_be_had_is_our_fault(way: SpawnWay) -> None:
    stage = RealStage()
    if _is_real_root():
        os.setresuid(12345, 12345, 12345)  # root has no RLIMIT_NPROC
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    assert stage.kernel.spawn(stage.order(("/bin/true",), way=way)) == failed("fork", errno.EAGAIN, ours=True)


def _is_real_root() -> bool:
    return os.getuid() == 0 and Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


@isolated
def test_without_a_descriptor_fast_goes_on_and_safe_is_our_fault() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    stage = RealStage()
    filled = fill_descriptors()
    assert stage.kernel.spawn(stage.order(("/bin/true",), way="safe")) == failed("fork", errno.EMFILE, ours=True)
    born = stage.kernel.spawn(stage.order(("/bin/true",), way="fast"))
    assert isinstance(born, Born)
    assert born.pidfd == -1
    zombie = stage.until(stage.kernel.peek)
    assert zombie is not None
    assert (zombie.pid, zombie.exit.code) == (born.pid, 0)
    assert stage.kernel.identify(born.pid) is None  # there was no reserve
    stage.kernel.reap(born.pid)
    assert stage.kernel.peek() is None
    assert stage.kernel.open_pidfd(os.getpid()) == -1
    for fd in filled:
        os.close(fd)


@isolated
def test_descriptors_are_closed_without_close_range_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_there(*_: object) -> int:
        raise OSError(errno.ENOSYS, "close_range")

    monkeypatch.setattr(child, "call", not_there)
    stage = RealStage()
    os.dup2(stage.stdout, 200, inheritable=True)
    code = "import os; print([fd for fd in range(300) if os.path.lexists(f'/proc/self/fd/{fd}')])"
    assert stage.run(stage.python(code, way="safe")) == "[0, 1, 2]\n"
