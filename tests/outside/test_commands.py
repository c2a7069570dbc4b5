"""Do the commands answer as CLI.md promises? Exit statuses, and the JSON fields that scripts rely on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.eventually import eventually
from tests.outside.world import PIDONE, World, environment, pidone, service, world

_SHAPE_STATUS: dict[str, Any] = {
    "schema": str,
    "version": str,
    "pid": int,
    "state": str,
    "pid_ns": int,
    "name": str,
    "uptime": (int, float),
    "orphans": {"adopted": int, "reaped": int, "alive": int},
    "services": list,
}
_SHAPE_SERVICE: dict[str, Any] = {
    "name": str,
    "phase": str,
    "ready": bool,
    "health": (str, type(None)),
    "wanted": bool,
    "reason": {"code": str, "text": str},
    "since": str,
    "run": int,
    "restarts": int,
    "pid": (int, type(None)),
    "processes": list,
    "last_exit": (dict, type(None)),
    "status_text": (str, type(None)),
    "next_start": (str, type(None)),
    "defined_at": str,
    "cpu_seconds": (int, float, type(None)),
    "memory_bytes": (int, type(None)),
}
_SHAPE_EXIT: dict[str, Any] = {
    "code": (int, type(None)),
    "signal": (str, type(None)),
    "core": bool,
    "result": str,
    "at": str,
}
_SHAPE_PROCESS: dict[str, Any] = {
    "pid": int,
    "ppid": int,
    "service": (str, type(None)),
    "role": str,
    "comm": str,
    "args": list,
    "state": str,
    "uid": int,
    "ns_pids": list,
}


def _has_shape(value: dict[str, Any], shape: dict[str, Any]) -> None:
    for field, kind in shape.items():
        assert field in value, f"{field} is missing"
        if isinstance(kind, dict):
            _has_shape(value[field], kind)
        else:
            assert isinstance(value[field], kind), f"{field} is {value[field]!r}"
            assert kind is not int or not isinstance(value[field], bool)


@pytest.fixture(scope="module")
def mixed() -> Iterator[World]:
    """A world with a service in every phase that lasts."""
    services = {
        "web": service("echo listening; echo trouble >&2; exec sleep 100000", description="Serves"),
        "slow": service(ready={"file": "never"}),
        "crash": service("exit 3", restart={"delay": "1h"}),
        "broken": service("kill -KILL $$", type="oneshot"),
        "job": service("true", type="oneshot"),
        "off": service(enabled=False),
        "blocked": service(depends_on=["broken"]),
    }
    with world(services) as here:
        here.until_phase("crash", "backoff")
        here.until_phase("broken", "failed")
        here.until_phase("job", "done")
        here.until_phase("slow", "starting")
        here.until("blocked", lambda view: view["reason"]["code"] == "dependency-failed")
        yield here


def test_status_has_the_promised_fields(mixed: World) -> None:
    status = mixed.status()
    _has_shape(status, _SHAPE_STATUS)
    assert (status["schema"], status["name"], status["pid"]) == ("pidone/v1", mixed.name, 1)
    for view in status["services"]:
        _has_shape(view, _SHAPE_SERVICE)
        assert datetime.fromisoformat(view["since"]).tzinfo is not None
        if view["last_exit"] is not None:
            _has_shape(view["last_exit"], _SHAPE_EXIT)


def test_status_shows_every_phase_with_its_facts(mixed: World) -> None:
    views = mixed.services()
    assert {name: view["phase"] for name, view in views.items()} == {
        "web": "running",
        "slow": "starting",
        "crash": "backoff",
        "broken": "failed",
        "job": "done",
        "off": "inactive",
        "blocked": "waiting",
    }
    assert views["crash"]["last_exit"]["code"] == 3
    assert views["crash"]["next_start"] is not None
    assert views["broken"]["last_exit"]["signal"] == "SIGKILL"
    assert views["web"]["pid"] in views["web"]["processes"]
    assert views["web"]["memory_bytes"] > 0
    assert views["web"]["defined_at"].rpartition(":")[0].endswith("world.yaml")
    assert views["off"]["wanted"] is False


def test_status_says_with_its_exit_status_that_something_failed(mixed: World) -> None:
    assert mixed.ask("status").code == 1
    assert mixed.ask("status", "web").code == 0
    assert mixed.ask("status", "slow").code == 3
    assert mixed.ask("status", "crash").code == 3
    assert mixed.ask("status", "blocked").code == 3


def test_status_for_people_names_everything_and_gives_a_reason(mixed: World) -> None:
    out = mixed.ask("status").out
    rows = {words[1]: words for words in map(str.split, out.splitlines()) if len(words) > 2}
    for name, view in mixed.services().items():
        assert rows[name][2] == view["phase"]
    assert "\x1b" not in out  # not a terminal: no colours


def test_status_of_one_service_says_where_it_is_defined(mixed: World) -> None:
    said = mixed.ask("status", "web")
    assert "world.yaml:" in said.out
    assert "Serves" in said.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("is-active", "web"), 0),
        (("is-active", "job"), 0),
        (("is-active", "off"), 3),
        (("is-active", "broken"), 3),
        (("is-failed", "broken"), 0),
        (("is-failed", "web"), 1),
        (("is-ready", "web"), 0),
        (("is-ready", "slow"), 3),
        (("is-ready", "--all"), 1),
        (("is-active", "nobody"), 4),
        (("status", "nobody"), 4),
        (("start", "nobody"), 4),
        (("stop", "nobody"), 4),
        (("logs", "nobody"), 4),
        (("kill", "off"), 3),
        (("kill", "web", "-s", "NOSUCH"), 2),
        (("wait", "web", "--for", "ready", "-t", "5s"), 0),
        (("wait", "broken", "--for", "ready", "-t", "5s"), 1),
        (("wait", "off", "--for", "ready", "-t", "5s"), 1),
        (("wait", "slow", "--for", "ready", "-t", "300ms"), 8),
        (("wait", "job", "--for", "done", "-t", "5s"), 0),
        (("wait", "off", "--for", "stopped", "-t", "5s"), 0),
        (("start", "web"), 0),
        (("start", "slow", "--timeout", "300ms"), 8),
        (("stop", "off"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_exit_statuses(mixed: World, words: tuple[str, ...], code: int) -> None:
    said = mixed.ask(*words)
    assert said.code == code, said
    assert "Traceback" not in said.out + said.err


def test_an_unknown_service_gets_a_suggestion(mixed: World) -> None:
    said = mixed.ask("status", "wev")
    assert said.code == 4
    assert "web" in said.err


def test_errors_are_json_on_stdout_with_json(mixed: World) -> None:
    said = mixed.ask("status", "wev", "--json")
    assert said.code == 4
    assert said.json["schema"] == "pidone/v1"
    assert set(said.json["error"]) >= {"code", "message", "hint"}


def test_ps_has_the_promised_fields(mixed: World) -> None:
    processes = mixed.json("ps")["processes"]
    for process in processes:
        _has_shape(process, _SHAPE_PROCESS)
    (web,) = (one for one in processes if one["service"] == "web")
    assert web["role"] == "main"
    assert web["args"] == ["sleep", "100000"]
    assert web["ns_pids"][-1] == web["pid"]


def test_ps_for_people_shows_the_service_of_each_process(mixed: World) -> None:
    said = mixed.ask("ps")
    assert said.code == 0
    assert any("web" in line and "sleep" in line for line in said.out.splitlines())


def test_logs_shows_what_a_service_wrote(mixed: World) -> None:
    eventually(lambda: "listening" in mixed.ask("logs", "web").out)
    out = mixed.ask("logs", "web").out
    assert "trouble" in out
    assert "listening" not in mixed.ask("logs", "slow").out


def test_logs_as_json_lines_have_the_promised_fields(mixed: World) -> None:
    eventually(lambda: len(mixed.ask("logs", "web", "-o", "jsonl").out.splitlines()) == 2)
    lines = [json.loads(line) for line in mixed.ask("logs", "web", "-o", "jsonl").out.splitlines()]
    assert {line["stream"]: line["line"] for line in lines} == {"stdout": "listening", "stderr": "trouble"}
    for line in lines:
        assert line["service"] == "web"
        assert datetime.fromisoformat(line["at"]).tzinfo is not None


def test_logs_gives_the_last_lines_asked_for() -> None:
    with world({"a": service("seq 1 100; exec sleep 100000")}) as here:
        eventually(lambda: "100" in here.ask("logs", "a", "-n", "1").out)
        out = here.ask("logs", "a", "-n", "3", "-o", "cat").out
        assert out.split() == ["98", "99", "100"]


def test_start_and_stop_say_how_it_went_in_json() -> None:
    with world({"a": service()}) as here:
        assert here.ask("stop", "a", "--json").json["schema"] == "pidone/v1"
        assert here.service("a")["wanted"] is False
        assert here.ask("start", "a", "--json").json["schema"] == "pidone/v1"
        assert here.service("a")["wanted"] is True


def test_all_means_every_service() -> None:
    with world({"a": service(), "b": service(depends_on=["a"])}) as here:
        here.until_phase("b", "running")
        assert here.ask("stop", "--all").code == 0
        assert {view["phase"] for view in here.services().values()} == {"inactive"}
        assert here.ask("start", "--all").code == 0
        assert {view["phase"] for view in here.services().values()} == {"running"}


def test_a_start_during_a_stop_is_superseding_it() -> None:
    stubborn = "trap '' TERM; echo up > up; while :; do sleep 0.1; done"
    with world({"a": service(stubborn, stop={"timeout": "1s"})}) as here:
        here.read("up")
        here.ask("stop", "a", "--no-wait")
        assert here.ask("start", "a").code == 0
        view = here.service("a")
        assert (view["phase"], view["run"]) == ("running", 2)


def test_shutdown_ends_the_world() -> None:
    with world({"a": service()}) as here:
        here.until_phase("a", "running")
        assert here.ask("shutdown").code == 0
        assert here.ended() == 0
        assert here.ask("status").code == 5


def test_is_ready_of_a_world_at_rest_is_fine() -> None:
    with world({"a": service(), "job": service("true", type="oneshot"), "off": service(enabled=False)}) as here:
        here.until_phase("job", "done")
        here.until_phase("a", "running")
        assert here.ask("is-ready", "--all").code == 0
        assert here.ask("status").code == 0


def test_a_service_is_told_its_own_worlds_socket() -> None:
    with world({"a": service(f"{PIDONE} status --json > out; exec sleep 100000")}) as here:
        eventually(lambda: here.read("out"))
        assert json.loads(here.read("out"))["name"] == here.name


def test_version_needs_no_world() -> None:
    said = pidone("version")
    assert said.code == 0
    assert "0.1.0" in said.out
    assert pidone("version", "--json").json["schema"] == "pidone/v1"


def test_without_a_world_commands_say_so() -> None:
    said = pidone("--name", "there-is-no-such-world", "status")
    assert said.code == 5
    assert "there-is-no-such-world" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "words", [("nonsense",), ("status", "--nonsense"), ("kill",), ("top",), ("wait", "a", "--for", "rain"), ("--name",)]
)
def test_what_is_not_a_command_is_a_usage_error(words: tuple[str, ...]) -> None:
    said = pidone(*words)
    assert said.code == 2
    assert said.err
    assert "Traceback" not in said.err


def test_help_names_every_command_and_only_what_is_there() -> None:
    said = pidone("--help")
    assert said.code == 0
    built = "init up status start stop restart kill wait is-active is-failed is-ready ps logs check shutdown version"
    built += " why show events graph worlds"
    for word in built.split():
        assert word in said.out
    for word in ("top", "orphans", "doctor", "reexec", "scale"):
        assert word not in said.out.split()


def test_with_several_worlds_a_client_asks_which() -> None:
    with world({"a": service()}) as one, world({"a": service()}) as other:
        said = pidone("status", cwd=one.folder)
        assert said.code == 2
        assert one.name in said.err
        assert other.name in said.err


def test_a_closed_pipe_is_no_error_to_talk_about(mixed: World) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write) as closed:
        done = subprocess.run(
            [PIDONE, "--name", mixed.name, "status"],
            stdout=closed,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=30,
            check=False,
        )
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
