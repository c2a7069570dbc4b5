"""Does the image of `examples/container` keep its promises? No engine is needed: its own words are run in namespaces, with a root
that is read-only, and are sent what an engine sends.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.eventually import eventually
from tests.outside.container import Container, container, instructions, words_of
from tests.outside.example import a_free_port

_FILE = instructions()
_HEALTHY = words_of(_FILE["HEALTHCHECK"][0].partition("CMD ")[2])
_CHECKED_NEVER = 0b01  # PEP 552: by hash, and not compared with the source

_STUBBORN = """
services:
  stubborn:
    command: {shell: "trap '' TERM; echo deaf; while :; do sleep 1000; done"}
    ready: {log: deaf}
    stop: {timeout: 1h}
"""


def _here(port: int) -> dict[str, str]:
    return {"PORT": str(port)}


@pytest.fixture(scope="module")
def port() -> int:
    return a_free_port()


@pytest.fixture(scope="module")
def here(port: int) -> Iterator[Container]:
    with container(env=_here(port)) as running:
        running.until(_HEALTHY, 0)
        yield running


def test_it_serves(here: Container, port: int) -> None:
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        assert b"Served from a container" in answer.read()
    assert {name: view["phase"] for name, view in here.services().items()} == {
        "page": "done",
        "web": "running",
        "worker": "running",
    }


def test_pidone_is_its_first_process_and_no_more_than_an_ordinary_user(here: Container) -> None:
    entrypoint = words_of(_FILE["ENTRYPOINT"][0]) + words_of(_FILE["CMD"][0])
    words = here.run(["cat", "/proc/1/cmdline"]).out.rstrip("\0").split("\0")
    assert words[-len(entrypoint) + 1 :] == entrypoint[1:]
    assert here.status()["pid"] == 1
    status = dict(line.split(":\t", 1) for line in here.run(["cat", "/proc/1/status"]).out.splitlines())
    uid, gid = _FILE["USER"][0].split(":")
    assert uid != "0"
    assert status["Uid"].split() == [uid] * 4
    assert status["Gid"].split() == [gid] * 4
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0


def test_its_root_cannot_be_written_to_and_nothing_had_to_be(here: Container) -> None:
    places = ["/", "/usr", "/etc", "/etc/pidone/services.d", "/srv", "/opt/pidone/lib"]
    said = here.run(["sh", "-c", 'for place; do touch "$place/new" && echo "$place"; done', "sh", *places])
    assert said.out == ""
    assert said.err.count("Read-only file system") == len(places)
    assert {"pidone-" + _FILE["USER"][0].split(":")[0], "site"} <= set(here.run(["ls", "/tmp"]).out.split())


def test_the_health_check_is_not_content_until_everything_is_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:  # nobody answers there, and `web` cannot have it
        port = occupied.getsockname()[1]
        with container(env=_here(port)) as here:
            said = here.until(_HEALTHY, 1, 3)
            assert "worker: waiting" in said.out
            eventually(lambda: here.services()["web"]["restarts"] > 0, timeout=60)
            assert here.run(_HEALTHY).code == 3
            occupied.close()
            here.until(_HEALTHY, 0)


def test_the_stop_signal_ends_it_in_order_and_well(here: Container) -> None:
    family = _family(here.pid)
    assert len(family) >= 4
    here.stop(signal.Signals[_FILE["STOPSIGNAL"][0]])
    assert here.ended(10) == 0  # what `docker stop` waits
    log = here.log()
    told = ["worker: running → stopping", "worker: stopping → inactive", "web: running → stopping"]
    assert sorted(told, key=log.index) == told
    assert "asked to stop: finishing the work in hand" in log
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]


def test_who_does_not_hear_the_stop_signal_is_killed_and_it_ends_well_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "stubborn.yaml").write_text(_STUBBORN)
    tmp_path.chmod(0o755)  # for the image's user
    options = ["-v", f"{tmp_path}:/etc/pidone/more.d", "--", "-c", "/etc/pidone/more.d"]
    with container(*options, env={"PIDONE_SHUTDOWN_TIMEOUT": "1s"}) as here:
        here.until(_HEALTHY, 0)
        here.stop()
        assert here.ended() == 0
        assert "shutdown: stubborn was " in here.log()  # killed in its share of the time, or by the last sweep


def test_the_recipe_compiles_what_the_read_only_root_could_not(tmp_path: Path) -> None:
    steps = [step.strip() for run in _FILE["RUN"] for step in run.split("&&")]
    compiling = next(step for step in steps if "compileall" in step).split()
    places = [word for word in compiling if word.startswith("/")]
    assert places == ["/opt/pidone/lib", "/usr/local/lib"]  # ours, and the base image's standard library
    assert any("pip install" in step and "--no-compile" in step for step in steps)
    origin = importlib.util.find_spec("supervisor")
    assert origin is not None
    assert origin.origin is not None
    package = tmp_path / "lib" / "supervisor"
    shutil.copytree(Path(origin.origin).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, *(word for word in compiling[1:] if word not in places), str(tmp_path / "lib")], check=True
    )
    for source in package.rglob("*.py"):
        header = Path(importlib.util.cache_from_source(str(source))).read_bytes()[:8]
        assert header[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(header[4:], "little") == _CHECKED_NEVER


def test_every_promise_of_the_recipe_is_one_that_an_engine_can_keep() -> None:
    assert _FILE["FROM"][0].startswith("python:3")
    for name in ("ENTRYPOINT", "CMD"):
        assert all(isinstance(word, str) for word in words_of(_FILE[name][0]))  # no shell between the engine and us
    for copy in _FILE["COPY"]:
        source, target = copy.split()
        assert (Path(__file__).parents[2] / source).exists()
        assert target.startswith("/")
    assert "PATH=$PATH:/opt/pidone/bin" in _FILE["ENV"][0]


def _family(pid: int) -> list[int]:
    """It and all below it, by their numbers out here."""
    found, front = [], [pid]
    while front:
        one = front.pop()
        found.append(one)
        with suppress(OSError):  # one that has just ended
            for path in Path(f"/proc/{one}/task").glob("*/children"):
                front += map(int, path.read_text().split())
    return found
