"""Is a service ready when its `ready` says so? Real servers, real files, real probes."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.model.plan import Identity, Launch, PlannedService
from supervisor.model.spec import ReadySpec, ServiceSpec
from supervisor.model.words import Seconds, ServiceName
from tests.isolation import isolated
from tests.stories.stage import NEVER_AGAIN, Stage, play_on_real

SOMEBODY = 1 if os.geteuid() == 0 else 0
"""Who the services of some tests run as: another user where we may become one."""

SOON = Seconds(0.05)

# Waits for a line on its stdin, a fifo, then answers one connection after the other with what it was given.
SERVER = """
import socket, sys
family, where, answer = sys.argv[1:4]
sys.stdin.readline()
server = socket.socket(socket.AF_INET6 if family == "tcp6" else socket.AF_UNIX if family == "unix" else socket.AF_INET)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(where if family == "unix" else (where.rpartition(":")[0], int(where.rpartition(":")[2])))
server.listen()
print("listening", flush=True)
while True:
    peer, _ = server.accept()
    if answer:
        peer.recv(4096)
        peer.sendall(answer.encode().decode("unicode_escape").encode())
    peer.close()
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody can get at: pytest's own is closed to other users."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A fifo: the server opens its door when something is written to it."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server(gate: Path, family: str, where: str, answer: str, ready: ReadySpec) -> PlannedService:
    command = (sys.executable, "-IS", "-c", SERVER, family, where, answer)
    spec = ServiceSpec(command=(command,), ready=ready, stdin=str(gate), restart=NEVER_AGAIN)
    return PlannedService(ServiceName("web"), spec, launch=Launch("safe", (sys.executable,)))


def _sleeper(ready: ReadySpec, working_dir: str) -> PlannedService:
    """A service of another user's. (Who may not be able to reach the interpreter that runs the tests.)"""
    spec = ServiceSpec(command=(("/bin/sleep", "1000"),), ready=ready, working_dir=working_dir)
    launch = Launch("safe", ("/bin/sleep",))
    return PlannedService(ServiceName("web"), spec, identity=Identity(SOMEBODY, SOMEBODY), launch=launch)


async def _opens(stage: Stage, gate: Path, service: PlannedService) -> None:
    """It is not ready while its door is shut, and is when it opens."""
    opener = os.open(gate, os.O_RDWR)
    stage.begin(service)
    await stage.until(lambda: "waits for" in stage["web"].state.reason.text)
    await stage.let_pass(0.2)
    assert stage.phase("web") == "starting"
    os.write(opener, b"go\n")
    await stage.until_phase("web", "running")
    os.close(opener)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@isolated
def test_tcp(gate: Path, host: str) -> None:
    port = _free_port()
    service = _server(gate, "tcp", f"127.0.0.1:{port}", "", ReadySpec(tcp=f"{host}:{port}", interval=SOON))
    play_on_real(lambda stage: _opens(stage, gate, service))


@isolated
def test_tcp_version_6(gate: Path) -> None:
    port = _free_port()
    service = _server(gate, "tcp6", f"::1:{port}", "", ReadySpec(tcp=f"[::1]:{port}", interval=SOON))
    play_on_real(lambda stage: _opens(stage, gate, service))


@isolated
def test_unix(gate: Path) -> None:
    path = str(gate.parent / "s")
    service = _server(gate, "unix", path, "", ReadySpec(unix=path, interval=SOON))
    play_on_real(lambda stage: _opens(stage, gate, service))


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "302 Found"])
@isolated
def test_http_answers_that_count(gate: Path, status: str) -> None:
    port = _free_port()
    ready = ReadySpec(http=f"http://127.0.0.1:{port}/health?x=1", interval=SOON)
    service = _server(gate, "tcp", f"127.0.0.1:{port}", f"HTTP/1.1 {status}\\r\\n\\r\\n", ready)
    play_on_real(lambda stage: _opens(stage, gate, service))


@pytest.mark.parametrize(
    "answer", ["HTTP/1.1 503 Busy\\r\\n\\r\\n", "HTTP/1.1 404\\n", "SSH-2.0-x\\r\\n", "HTTP/1.1 200", "x"]
)
@isolated
def test_http_answers_that_do_not_count(gate: Path, answer: str) -> None:
    port = _free_port()
    ready = ReadySpec(http=f"http://127.0.0.1:{port}", interval=SOON)
    service = _server(gate, "tcp", f"127.0.0.1:{port}", answer, ready)

    async def told(stage: Stage) -> None:
        opener = os.open(gate, os.O_RDWR)
        stage.begin(service)
        os.write(opener, b"go\n")
        await stage.until(lambda: "listening" in stage.printed())
        await stage.let_pass(0.3)
        assert stage.phase("web") == "starting"
        os.close(opener)

    play_on_real(told)


@isolated
def test_a_file_counts_when_this_run_has_made_or_changed_it(open_folder: Path) -> None:
    flag = open_folder / "flag"
    flag.write_text("from an earlier run")
    flag.chmod(0o666)

    async def told(stage: Stage) -> None:
        await stage.let_pass(0.1)
        stage.begin(_sleeper(ReadySpec(file=str(flag), interval=SOON), str(open_folder)))
        await stage.until_phase("web", "starting")
        await stage.let_pass(0.3)
        assert stage.phase("web") == "starting"
        flag.write_text("from this one")
        await stage.until_phase("web", "running")
        await stage.until(lambda: stage.pids() == [stage.main_pid("web")])  # who looked is gone

    play_on_real(told)


@isolated
def test_a_program_that_looks_has_the_services_identity_and_place(open_folder: Path) -> None:

    async def told(stage: Stage) -> None:
        looks = ("/bin/sh", "-c", 'echo "$(id -u) $PIDONE_SERVICE $PWD" > who')
        stage.begin(_sleeper(ReadySpec(exec=looks, interval=SOON), str(open_folder)))
        await stage.until_phase("web", "running")
        assert (open_folder / "who").read_text() == f"{SOMEBODY} web {open_folder}\n"

    play_on_real(told)


@isolated
def test_a_stop_ends_who_looks(open_folder: Path) -> None:
    async def told(stage: Stage) -> None:
        stage.begin(
            stage.service("a", "sleep", ready=ReadySpec(file=str(open_folder / "never"), interval=SOON)),
            stage.service("b", "sleep", ready=ReadySpec(exec=stage.command("ignore:TERM", "sleep"), interval=SOON)),
        )
        await stage.until(lambda: len(stage.pids()) == 4)
        await stage.operator.submit("stop", ["a", "b"])
        await stage.until(lambda: stage.pids() == [])

    play_on_real(told)
