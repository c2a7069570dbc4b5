"""Does the README's main job do what the README says? The four services of `services.d/`, from outside."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.outside.world import PIDONE, World, environment

_CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def main_job() -> Iterator[World]:
    """Started as the README says, in a folder with nothing but `services.d/`; only the port is another."""
    folder = Path(tempfile.mkdtemp(prefix="pido-"))
    shutil.copytree(_CHECKOUT / "services.d", folder / "services.d")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = f"t{secrets.token_hex(6)}"
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [PIDONE, "up", "--name", name],
            cwd=folder,
            env=environment({"PORT": str(port), "TEST_WORLD_FOLDER": str(folder)}, measured=True),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    here = World(folder, name, process)
    try:
        here.until_log("fetched")
        yield here
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_job_runs_to_its_end(main_job: World) -> None:
    view = main_job.service("site")
    assert view["phase"] == "done"
    assert view["last_exit"]["code"] == 0
    assert "Served under pidone" in (main_job.folder / "build/site/index.html").read_text()


def test_the_web_server_and_its_worker_run_and_are_ready(main_job: World) -> None:
    for name in ("web", "worker"):
        view = main_job.service(name)
        assert (view["phase"], view["ready"]) == ("running", True)


def test_the_worker_started_after_the_web_server_was_ready(main_job: World) -> None:
    log = main_job.log()
    first_request = log.index('"GET / HTTP/1')
    assert log.index("build/site/index.html") < first_request < log.index("fetched")


def test_it_is_pid_1_of_a_process_world_of_its_own(main_job: World) -> None:
    status = main_job.status()
    assert status["pid"] == 1
    assert f"pid:[{status['pid_ns']}]" != os.readlink("/proc/self/ns/pid")


def test_the_orphan_is_adopted_and_counted_to_its_service(main_job: World) -> None:
    main_job.until_log("left one behind that stays")
    eventually(lambda: main_job.status()["orphans"]["alive"] >= 1)
    assert main_job.status()["orphans"]["adopted"] >= 1
    view = main_job.service("orphans")
    assert len(view["processes"]) >= 2


def test_orphans_that_end_are_reaped_and_counted(main_job: World) -> None:
    eventually(lambda: main_job.status()["orphans"]["reaped"] >= 1, timeout=20)


def test_every_line_says_which_service_it_came_from(main_job: World) -> None:
    for line in main_job.log().splitlines():
        if "fetched" in line:
            assert "worker" in line.split("fetched")[0]


def test_ctrl_c_stops_in_order_and_leaves_nothing(main_job: World) -> None:
    # the last test of the module: the world is gone after it
    os.kill(-main_job.pid, signal.SIGINT)  # what a terminal does: to the whole foreground group
    assert main_job.ended() == 0
    assert "asked to stop: finishing the work in hand" in main_job.log()
    eventually(lambda: not main_job.pids_outside())
