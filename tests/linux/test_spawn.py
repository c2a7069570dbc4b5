"""Does a new process get all that its order says, both ways, and is nothing of it left in us?"""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from supervisor.kernel import spawn
from supervisor.kernel.child import Task
from supervisor.kernel.fds import seal_strays
from supervisor.kernel.port import Born
from supervisor.kernel.signals import CATCHABLE, block_all, decode_mask
from supervisor.model.plan import SpawnWay
from tests.isolation import isolated
from tests.linux.stage import RealStage

both_ways = pytest.mark.parametrize("way", ["fast", "safe"])


@both_ways
@isolated
def test_the_program_is_executable_and_argv_are_its_arguments(way: SpawnWay) -> None:
    stage = RealStage()
    order = stage.order(("other name", "-c", 'echo "$0 $1"', "a b", "ü\n*"), "/bin/sh", way=way)
    assert stage.run(order) == "a b ü\n*\n"


@both_ways
@isolated
def test_argv_0_is_what_the_order_says(way: SpawnWay) -> None:
    stage = RealStage()
    order = stage.order(("other name", "-c", "read -r line </proc/$$/cmdline; echo $line"), "/bin/sh", way=way)
    assert stage.run(order).startswith("other name")


@both_ways
@isolated
def test_the_environment_is_exactly_the_orders(way: SpawnWay) -> None:
    stage = RealStage()
    os.environ["OURS"] = "1"
    order = stage.order(("/usr/bin/env",), way=way, environment={"A": "1", "B": "ü = x\ty", "C": ""})
    assert sorted(stage.run(order).splitlines()) == ["A=1", "B=ü = x\ty", "C="]


@both_ways
@isolated
def test_a_bare_name_is_looked_up_in_its_own_path(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    (tmp_path / "not-executable").mkdir()
    for place, mode in (("not-executable", 0o644), ("first", 0o755), ("second", 0o755)):
        (tmp_path / place).mkdir(exist_ok=True)
        program = tmp_path / place / "greet"
        program.write_text(f"#!/bin/sh\necho {place}\n")
        program.chmod(mode)
    path = ":".join(str(tmp_path / place) for place in ("nowhere", "not-executable", "first", "second"))
    order = stage.order(("greet",), "", way=way, environment={"PATH": path})
    assert stage.run(order) == "first\n"


@both_ways
@isolated
def test_a_relative_path_is_looked_up_from_the_working_dir(way: SpawnWay, tmp_path: Path) -> None:
    stage = RealStage()
    program = tmp_path / "greet"
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)
    assert stage.run(stage.order(("./greet",), "", way=way, working_dir=str(tmp_path))) == "here\n"


@both_ways
@isolated
def test_it_runs_in_its_working_dir_and_we_stay_where_we_are(way: SpawnWay, tmp_path: Path) -> None:
    os.chdir("/usr")
    stage = RealStage()
    order = stage.order(("/bin/pwd",), way=way, working_dir=str(tmp_path))
    assert stage.run(order) == f"{tmp_path}\n"
    assert os.getcwd() == "/usr"


@both_ways
@isolated
def test_without_a_working_dir_it_runs_where_we_are(way: SpawnWay) -> None:
    os.chdir("/usr")
    stage = RealStage()
    assert stage.run(stage.order(("/bin/pwd",), way=way, working_dir="")) == "/usr\n"


@both_ways
@isolated
def test_stdout_and_stderr_are_two(way: SpawnWay) -> None:
    stage = RealStage()
    reader, writer = os.pipe()
    order = stage.order(("/bin/sh", "-c", "echo out; echo err >&2"), way=way, stderr=writer)
    assert stage.run(order) == "out\n"
    assert os.read(reader, 100) == b"err\n"


@both_ways
@isolated
def test_our_own_streams_can_be_handed_on_crossed(way: SpawnWay) -> None:
    stage = RealStage()
    out_reader, out_writer = os.pipe()
    err_reader, err_writer = os.pipe()
    os.dup2(out_writer, 1)
    os.dup2(err_writer, 2)
    assert stage.attempt(stage.order(("/bin/sh", "-c", "echo out; echo err >&2"), way=way, stdout=2, stderr=1)) is None
    assert os.read(out_reader, 100) == b"err\n"
    assert os.read(err_reader, 100) == b"out\n"
    for fd in (1, 2):
        os.set_inheritable(fd, False)
    assert stage.attempt(stage.order(("/bin/sh", "-c", "echo out; echo err >&2"), way=way, stdout=1, stderr=2)) is None
    assert os.read(out_reader, 100) == b"out\n"
    assert os.read(err_reader, 100) == b"err\n"


@both_ways
@isolated
def test_stdin_is_empty_inherited_or_a_file(way: SpawnWay, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.dup2(reader, 0)
    os.write(writer, b"ours\n")
    (tmp_path / "input").write_text("of a file\n")
    stage = RealStage()
    cat = ("/usr/bin/head", "-n1")
    assert stage.run(stage.order(cat, way=way)) == ""
    assert stage.run(stage.order(cat, way=way, stdin=str(tmp_path / "input"))) == "of a file\n"
    order = stage.order(cat, way=way, stdin="input", working_dir=str(tmp_path))
    assert stage.run(order) == "of a file\n" * 2
    os.set_inheritable(0, False)
    assert stage.run(stage.order(cat, way=way, stdin="inherit")) == "of a file\n" * 2 + "ours\n"


@both_ways
@isolated
def test_the_umask_is_the_orders_and_ours_stays(way: SpawnWay) -> None:
    os.umask(0o077)
    stage = RealStage()
    assert stage.run(stage.order(("/bin/sh", "-c", "umask"), "/bin/sh", way=way, umask=0o027)) == "0027\n"
    assert stage.attempt(stage.order(("/nowhere",), way=way, umask=0o027)) is not None
    assert os.umask(0o022) == 0o077


_LIMITS = "import resource as r; print([r.getrlimit(n) for n in (r.RLIMIT_NOFILE, r.RLIMIT_CORE, r.RLIMIT_SIGPENDING, r.RLIMIT_STACK)])"


@both_ways
@isolated
def test_limits_are_the_orders_and_ours_stay(way: SpawnWay) -> None:
    stage = RealStage()
    numbers = (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_SIGPENDING, resource.RLIMIT_STACK)
    before = [resource.getrlimit(number) for number in numbers]
    limits = {"nofile": (100, 200), "core": (0, 0), "stack": (1 << 22, before[3][1])}
    printed = stage.run(stage.python(_LIMITS, way=way, limits=limits))
    assert json.loads(printed.replace("(", "[").replace(")", "]")) == [
        [100, 200],
        [0, 0],
        list(before[2]),
        [1 << 22, before[3][1]],
    ]
    assert [resource.getrlimit(number) for number in numbers] == before


@both_ways
@isolated
def test_a_small_address_space_does_not_hurt_the_way_to_exec(way: SpawnWay) -> None:
    stage = RealStage()
    assert stage.run(stage.order(("/bin/echo", "x"), way=way, limits={"as": (1 << 24, 1 << 24)})) == "x\n"


@both_ways
@isolated
def test_the_tag_is_the_soft_limit_of_pending_signals(way: SpawnWay) -> None:
    stage = RealStage()
    before = resource.getrlimit(resource.RLIMIT_SIGPENDING)
    tag = stage.kernel.new_tag()
    printed = stage.run(stage.python(_LIMITS, way=way, tag=tag))
    assert f"({tag}, {before[1]})" in printed
    assert stage.attempt(stage.order(("/nowhere",), way=way, tag=tag)) is not None
    assert resource.getrlimit(resource.RLIMIT_SIGPENDING) == before


@both_ways
@isolated
def test_without_a_limit_of_its_own_it_gets_the_number_of_files_that_we_were_started_with(way: SpawnWay) -> None:
    stage = RealStage(nofile=77)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert stage.run(stage.python(_LIMITS, way=way)).startswith(f"[(77, {before[1]})")
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


@both_ways
@isolated
def test_it_has_a_session_of_its_own(way: SpawnWay) -> None:
    stage = RealStage()
    printed = stage.run(stage.python("import os; print(os.getpid() == os.getsid(0) == os.getpgid(0))", way=way))
    assert printed == "True\n"


@both_ways
@isolated
def test_no_signal_is_blocked_or_ignored_whatever_we_do(way: SpawnWay) -> None:
    for number in (*range(1, 32), signal.SIGRTMIN, signal.SIGRTMAX):
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
    block_all()
    stage = RealStage()
    printed = stage.run(stage.order(("/bin/cat", "/proc/self/status"), way=way))
    masks = dict(line.split(":\t") for line in printed.splitlines() if line.startswith("Sig"))
    assert decode_mask(masks["SigBlk"]) == ()
    assert set(decode_mask(masks["SigIgn"])) <= {32, 33}  # the C library's own
    assert decode_mask(masks["SigCgt"]) == ()
    assert len(signal.pthread_sigmask(signal.SIG_BLOCK, ())) > 50


@isolated
def test_a_forked_child_is_born_with_every_signal_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = RealStage()
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGHUP})

    def become(task: Task) -> None:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        os.write(task.stdout, b"all" if held.issuperset(CATCHABLE) else b"some")
        os._exit(0)

    monkeypatch.setattr(spawn, "become", become)
    born = stage.kernel.spawn(stage.order(("/bin/true",), way="safe"))
    assert isinstance(born, Born)
    assert stage.until(stage.printed) == "all"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGHUP}


_OPEN = "import os; print([fd for fd in range(300) if os.path.lexists(f'/proc/self/fd/{fd}')])"


@both_ways
@isolated
def test_it_has_exactly_three_descriptors(way: SpawnWay) -> None:
    stage = RealStage()
    stray = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(stray, True)
    os.dup2(stray, 200)
    if way == "fast":  # which does not close what we have failed to seal
        seal_strays()
    assert stage.run(stage.python(_OPEN, way=way)) == "[0, 1, 2]\n"


@both_ways
@isolated
def test_nothing_of_a_spawn_stays_open_in_us(way: SpawnWay) -> None:
    stage = RealStage()
    before = os.listdir("/proc/self/fd")
    born = stage.kernel.spawn(stage.order(("/bin/true",), way=way))
    assert isinstance(born, Born)
    assert stage.outcome(born) is None
    stage.kernel.close(born.pidfd)
    assert stage.kernel.spawn(stage.order(("/nowhere",))) is not None
    assert os.listdir("/proc/self/fd") == before


@isolated
def test_only_the_safe_way_has_an_errors_pipe_and_fast_takes_it_by_itself(tmp_path: Path) -> None:
    stage = RealStage()
    (tmp_path / "input").touch()
    plain = stage.order(("/bin/true",))
    assert stage.kernel.spawn(plain).errors == -1  # type: ignore[union-attr]
    for fields in (
        {"way": "safe"},
        {"stdin": str(tmp_path / "input")},
        {"limits": {"core": (0, 0)}},
        {"executable": ""},
    ):
        born = stage.kernel.spawn(stage.order(("/bin/true",), **{"executable": "/bin/true", **fields}))  # type: ignore[arg-type]
        assert isinstance(born, Born)
        assert born.errors >= 0


@isolated
def test_the_safe_way_holds_nothing_while_it_waits_and_dies_when_asked_to(tmp_path: Path) -> None:
    stage = RealStage()
    os.mkfifo(tmp_path / "fifo")
    os.dup2(stage.stdout, 100)
    block_all()
    born = stage.kernel.spawn(stage.order(("/bin/cat",), stdin=str(tmp_path / "fifo")))
    assert isinstance(born, Born)
    stage.until(lambda: os.listdir(f"/proc/{born.pid}/fd") == ["0", "1", "2", "3"])
    with pytest.raises(BlockingIOError):
        stage.kernel.spawn_error(born.errors)
    assert stage.kernel.signal(born.pid, born.pidfd, signal.SIGTERM)
    assert stage.outcome(born) is None
    zombie = stage.until(stage.kernel.peek)
    assert zombie is not None
    assert (zombie.pid, zombie.exit.signal) == (born.pid, signal.SIGTERM)
