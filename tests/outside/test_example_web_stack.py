"""Do nginx, gunicorn, redis and PostgreSQL live together as `examples/web-stack` says? Real servers, one world for the module.

As root every service runs as the user that Debian's packages made for it. Without root all run as who started them.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
import yaml

from tests.eventually import eventually
from tests.outside.example import EXAMPLES, Example, a_free_port, copied, example, is_mapped, needs, who_may_be_a_server
from tests.outside.world import pidone

_USERS = {"database": "postgres", "cache": "redis", "app": "www-data", "web": "www-data"}
_PATIENCE = 60.0
_BODY = b"x" * 5000


def _may_be_others() -> bool:
    return os.geteuid() == 0 and is_mapped(pwd.getpwnam("www-data").pw_uid)


def _app_runs_as_www_data() -> bool:
    """Whether that user can reach our interpreter: below somebody's home he often cannot."""
    gunicorn = Path(sysconfig.get_path("scripts")) / "gunicorn"
    # setpriv still has its capabilities when it executes something; env has none left
    become = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", "env"]
    tried = subprocess.run(
        [*become, gunicorn, "--version"],
        cwd="/",
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


class _Stack:
    """How the stack is started here, and who everybody is expected to be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = a_free_port()
        self.words = ["-c", "stack.yaml"]
        self.before: list[str] = []
        self.users: dict[str, str] = {}
        if _may_be_others():
            self.users = dict(_USERS)
            self.words += ["-c", "users.yaml"]
            if not _app_runs_as_www_data():
                self.users["app"] = "root"
                override = {"app": {"override": True, "user": "root"}}
                (folder / "here.yaml").write_text(yaml.safe_dump({"services": override}))
                self.words += ["-c", "here.yaml"]
        else:
            self.before = who_may_be_a_server("postgres")
        programs = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
        self.env = {"DATA": str(folder / "data"), "PORT": str(self.port), "PGBIN": str(programs.parent)}

    def up(self) -> AbstractContextManager[Example]:
        return example(self.folder, *self.words, env=self.env, before=self.before)

    def get(self, path: str = "/") -> dict[str, int]:
        """What the stack answers to a request, through nginx."""
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            assert answer.headers["Server"].startswith("nginx/")
            body: dict[str, int] = json.load(answer)
        return body

    def answers(self) -> bool:
        try:
            return bool(self.get("/health"))
        except OSError:
            return False


@pytest.fixture(scope="module")
def stack() -> Iterator[_Stack]:
    needs("nginx", "redis-server", "postgresql")
    with copied("web-stack") as folder:
        yield _Stack(folder)


@pytest.fixture(scope="module")
def here(stack: _Stack) -> Iterator[Example]:
    with stack.up() as world:
        world.until_phase("web", "running", timeout=_PATIENCE)
        yield world


def test_without_a_place_for_the_data_it_says_what_to_give() -> None:
    said = pidone("check", "stack.yaml", cwd=EXAMPLES / "web-stack")
    assert said.code == 7
    assert "variable DATA: give an absolute path for data and sockets" in said.err
    assert said.err.count(": error: ") == 1


def test_a_request_goes_through_nginx_to_the_application_redis_and_postgresql(here: Example, stack: _Stack) -> None:
    first, second = stack.get(), stack.get("/again")
    assert second["counted by redis"] == first["counted by redis"] + 1
    assert second["rows in postgresql"] == first["rows in postgresql"] + 1
    assert second["newest row"] == second["counted by redis"]
    here.until_log('"GET /again HTTP/1.1" 200')  # nginx's access log, which it opened as /dev/stdout


def test_nobody_starts_before_what_it_needs(here: Example) -> None:
    steps = [
        "folders: running → done",
        "cluster: running → done",
        "database: starting → running: it is ready",
        "schema: running → done",
        "app: starting → running: it is ready",
        "web: starting → running: it is ready",
    ]
    assert here.order_of(*steps) == steps
    assert here.order_of(steps[0], "cache: starting → running: it is ready", steps[4])[1].startswith("cache")


def test_every_service_runs_as_who_it_is_meant_to_be(here: Example, stack: _Stack) -> None:
    us = pwd.getpwnam("postgres").pw_uid if stack.before else os.geteuid()
    seen: dict[str, set[int]] = {}
    for process in here.json("ps")["processes"]:
        if process["service"] is not None:
            seen.setdefault(process["service"], set()).add(process["uid"])
    assert seen == {name: {pwd.getpwnam(stack.users[name]).pw_uid if stack.users else us} for name in _USERS}


def test_a_killed_database_comes_back_with_its_data_and_the_site_with_it(here: Example, stack: _Stack) -> None:
    before = stack.get()
    assert here.ask("kill", "database", "-s", "KILL").code == 0
    view = here.until("database", lambda view: view["run"] == 2 and view["ready"], timeout=_PATIENCE)
    assert view["last_exit"]["signal"] == "SIGKILL"
    eventually(stack.answers, timeout=_PATIENCE)
    after = stack.get()
    assert after["rows in postgresql"] == before["rows in postgresql"] + 1
    assert {name: view["run"] for name, view in here.services().items() if name in _USERS} == {
        "database": 2,
        "cache": 1,
        "app": 1,
        "web": 1,
    }


def test_a_request_in_hand_is_finished_while_the_world_shuts_down_and_nothing_is_left(
    here: Example, stack: _Stack
) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=_PATIENCE) as visitor:
        visitor.sendall(
            b"POST /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
        )
        assert visitor.recv(100).startswith(b"HTTP/1.1 100 Continue")  # nginx has it in hand
        here.signal(signal.SIGINT)
        here.until_log("gracefully shutting down", timeout=_PATIENCE)
        visitor.sendall(_BODY)
        answer = b"".join(iter(lambda: visitor.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK"), answer
    assert here.ended(_PATIENCE) == 0
    log = here.log()
    cause = "the world is shutting down"
    for later in ("cache", "database"):
        steps = ["web: running → stopping", "web: stopping → inactive", "app: running → stopping"]
        steps += ["app: stopping → inactive", f"{later}: running → stopping"]
        told = [f"{step}: {cause}" for step in steps]
        assert here.order_of(*told) == told
    assert "received fast shutdown request" in log
    assert "database system is shut down" in log
    assert "bye bye" in log
    assert "SIGKILL" not in log.partition(cause)[2]
    assert not here.pids_outside()
    data = stack.folder / "data"
    assert not [path for path in data.rglob("*") if path.is_socket() or path.suffix == ".pid"]


def test_what_was_counted_is_there_again_the_next_time(here: Example, stack: _Stack) -> None:
    here.shut_down()
    with stack.up() as again:
        again.until_phase("web", "running", timeout=_PATIENCE)
        answer = stack.get()
        assert answer["counted by redis"] == answer["rows in postgresql"] == answer["newest row"] > 1
        assert "initdb" not in again.log()
        assert again.shut_down(_PATIENCE) == 0


def test_after_a_world_was_killed_the_next_one_comes_up_all_the_same(here: Example, stack: _Stack) -> None:
    here.shut_down()
    with stack.up() as killed:
        killed.until("database", lambda view: view["ready"], timeout=_PATIENCE)
        killed.process.kill()
        assert killed.ended(_PATIENCE) == -signal.SIGKILL
        eventually(lambda: not killed.pids_outside(), timeout=_PATIENCE)
    # what it left names a process; in the next world another one may have that number
    for lock in (stack.folder / "data/cluster/postmaster.pid", stack.folder / "data/database/.s.PGSQL.5432.lock"):
        _, _, rest = lock.read_text().partition("\n")
        lock.write_text(f"2\n{rest}")
    with stack.up() as next_one:
        next_one.until_phase("web", "running", timeout=_PATIENCE)
        assert next_one.service("database")["run"] == 1
        assert stack.answers()
