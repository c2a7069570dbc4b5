"""Rows for the keys that say when a service starts, ends and comes back."""

from __future__ import annotations

import socket
import sys
from datetime import datetime

from tests.outside.keys import Row, on_service
from tests.outside.world import World, service

__all__ = ["SERVICE_ROWS"]

_NEVER_READY = {"file": "never"}


def _fate(world: World) -> str:
    """What becomes of `a` when its run ends by itself."""
    view = world.until("a", lambda view: view["run"] > 1 or view["phase"] in ("failed", "done"))
    return "restarts" if view["run"] > 1 else str(view["phase"])


def _first_phase(world: World) -> str:
    """Where `a` is once it is known whether it may start."""
    view = world.until("a", lambda view: view["pid"] is not None or view["phase"] == "waiting")
    return str(view["phase"])


def _comes_back(world: World, runs: int, within: float) -> bool:
    return world.becomes("a", lambda view: view["run"] >= runs, within)


def _described(world: World) -> bool:
    return "keeps the lights on" in world.ask("status", "a").out


def _starts_at_boot(world: World) -> str:
    world.until_phase("last", "running")
    return str(world.service("a")["phase"])


def _waits_for_order(world: World) -> str:
    view = world.until("a", lambda view: view["phase"] in ("waiting", "running"))
    return f"{view['phase']}: {view['reason']['code']}"


def _stopped_as_group(world: World) -> int:
    return world.ask("stop", "@lights").code


def _ready_when_told(world: World) -> tuple[bool, bool]:
    """Is it ready before and after what its probe looks for is there?"""
    world.read("up")
    before = world.becomes("a", lambda view: view["ready"], 0.6)
    world.touch("go")
    return before, world.becomes("a", lambda view: view["ready"], 10.0)


def _ready_in_time(world: World) -> tuple[bool, bool]:
    world.read("up")
    return bool(world.service("a")["ready"]), world.becomes("a", lambda view: view["ready"], 5.0)


def _probes_again(world: World) -> bool:
    world.read("probes")
    return world.becomes("a", lambda _: len(world.lines("probes")) > 2, 2.0)


def _times_out(world: World) -> str | None:
    if not world.becomes("a", lambda view: view["last_exit"], 2.0):
        return None
    return str(world.service("a")["last_exit"]["result"])


def _pause_is_exact(world: World) -> bool:
    view = world.until("a", lambda view: view["next_start"])
    pause = datetime.fromisoformat(view["next_start"]) - datetime.fromisoformat(view["last_exit"]["at"])
    return abs(pause.total_seconds() - 1e6) < 3


def _gives_up_after(world: World) -> tuple[str, int]:
    if not world.becomes("a", lambda view: view["phase"] == "failed", 4.0):
        return "goes on", 0
    view = world.service("a")
    return str(view["reason"]["code"]), int(view["run"])


def _world_ends_with(world: World) -> int | None:
    return world.ended(within=3.0)


def _told_by_stop(world: World) -> str:
    """What the service writes when it is asked to stop."""
    world.read("up")
    assert world.ask("stop", "a").code == 0
    return world.read("told") if (world.folder / "told").exists() else "nothing"


def _gone_in_time(world: World) -> bool:
    world.read("up")
    return world.ask("stop", "a", "--timeout", "4s").code == 0


def _child_hears(world: World) -> str:
    world.read("child")
    world.ask("stop", "a")
    return world.read("heard")


def _outlives_its_budget(world: World) -> str:
    world.read("up")
    world.ask("stop", "a", "--no-wait")
    world.becomes("a", lambda view: view["phase"] == "inactive", 2.0)
    view = world.service("a")
    return f"{view['phase']}: {view['reason']['code']}"


def _a_after_db_fails(world: World) -> str:
    world.until_phase("db", "failed")
    view = world.until("a", lambda view: view["phase"] == "running" or view["reason"]["code"] == "dependency-failed")
    return str(view["phase"])


def _follows_a_restart(world: World) -> bool:
    world.until_phase("a", "running")
    assert world.ask("restart", "db").code == 0
    return world.becomes("a", lambda view: view["run"] == 2, 1.5)


_STUBBORN = "trap '' TERM; echo up > up; while :; do sleep 0.2; done"
_TELLS = """
trap 'echo term > told; exit 0' TERM
trap 'echo usr1 > told; exit 0' USR1
echo up > up
while :; do sleep 0.05; done
"""
_HAS_A_CHILD = """
sh -c '
  trap "echo usr1 > heard; exit 0" USR1
  trap "echo term > heard; exit 0" TERM
  echo up > child
  while :; do sleep 0.05; done
' &
trap 'exit 0' USR1
while :; do sleep 0.05; done
"""
_LISTENS = """
import os, select, socket, sys
open("up", "w").write("up\\n")
while not os.path.exists("go"):
    select.select([], [], [], 0.02)
family, address = (socket.AF_UNIX, "sock") if sys.argv[1] == "unix" else (socket.AF_INET, ("127.0.0.1", int(sys.argv[1])))
server = socket.socket(family)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(address)
server.listen()
while True:
    peer, _ = server.accept()
    try:
        peer.recv(1000)
        peer.sendall(b"HTTP/1.0 204 No Content\\r\\n\\r\\n")
    except OSError:
        pass
    peer.close()
"""


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


_PORTS = (_free_port(), _free_port())


def _listens(where: str, **keys: object) -> dict[str, object]:
    return service([sys.executable, "-IS", "-c", _LISTENS, where], **keys)


SERVICE_ROWS: tuple[Row, ...] = (
    on_service("command", {"a": service()}, _first_phase, "running"),
    on_service("type", {"a": service("true", type="oneshot")}, _fate, "done"),
    on_service("description", {"a": service(description="keeps the lights on")}, _described, True),
    on_service(
        "enabled",
        {"a": service(enabled=False), "last": service(after=["a"])},
        _starts_at_boot,
        "inactive",
    ),
    on_service(
        "depends_on",
        {"db": service(ready=_NEVER_READY), "a": service(depends_on=["db"])},
        _first_phase,
        "waiting",
    ),
    Row(
        "depends_on.condition",
        {"db": service(ready=_NEVER_READY), "a": service(depends_on={"db": {"condition": "started"}})},
        ("services", "a", "depends_on", "db", "condition"),
        _first_phase,
        "running",
    ),
    Row(
        "depends_on.required",
        {
            "db": service("false", type="oneshot"),
            "a": service(depends_on={"db": {"condition": "ready", "required": False}}),
        },
        ("services", "a", "depends_on", "db", "required"),
        _a_after_db_fails,
        "running",
    ),
    Row(
        "depends_on.restart",
        {"db": service(), "a": service(depends_on={"db": {"condition": "ready", "restart": True}})},
        ("services", "a", "depends_on", "db", "restart"),
        _follows_a_restart,
        True,
    ),
    on_service(
        "after",
        {"b": service(ready=_NEVER_READY), "a": service(after=["b"])},
        _waits_for_order,
        "waiting: order",
    ),
    Row(
        "before",
        {"b": service(ready=_NEVER_READY, before=["a"]), "a": service()},
        ("services", "b", "before"),
        _waits_for_order,
        "waiting: order",
    ),
    on_service("groups", {"a": service(groups=["lights"])}, _stopped_as_group, 0),
    on_service("ready", {"a": service(ready=_NEVER_READY)}, _first_phase, "starting"),
    Row(
        "ready.tcp",
        {"a": _listens(_PORTS[0], ready={"tcp": f"127.0.0.1:{_PORTS[0]}"})},
        ("services", "a", "ready"),
        _ready_when_told,
        (False, True),
    ),
    Row(
        "ready.unix",
        {"a": _listens("unix", ready={"unix": "sock"})},
        ("services", "a", "ready"),
        _ready_when_told,
        (False, True),
    ),
    Row(
        "ready.http",
        {"a": _listens(_PORTS[1], ready={"http": f"http://127.0.0.1:{_PORTS[1]}/health"})},
        ("services", "a", "ready"),
        _ready_when_told,
        (False, True),
    ),
    Row(
        "ready.exec",
        {"a": service("echo up > up; exec sleep 100000", ready={"exec": ["test", "-e", "go"]})},
        ("services", "a", "ready"),
        _ready_when_told,
        (False, True),
    ),
    Row(
        "ready.file",
        {"a": service("echo up > up; exec sleep 100000", ready={"file": "go"})},
        ("services", "a", "ready"),
        _ready_when_told,
        (False, True),
    ),
    Row(
        "ready.log",
        {
            "a": service(
                "echo up > up; until test -e go; do sleep 0.02; done; echo now I am open; exec sleep 100000",
                ready={"log": "I am (open|ready)"},
            )
        },
        ("services", "a", "ready"),
        _ready_when_told,
        (False, True),
    ),
    Row(
        "ready.after",
        {"a": service("echo up > up; exec sleep 100000", ready={"after": "2s"})},
        ("services", "a", "ready"),
        _ready_in_time,
        (False, True),
    ),
    on_service(
        "ready.interval",
        {"a": service(ready={"exec": {"shell": "echo looked >> probes; false"}, "interval": "30s"})},
        _probes_again,
        False,
    ),
    on_service(
        "start_timeout",
        {"a": service(ready=_NEVER_READY, start_timeout="300ms", restart="never")},
        _times_out,
        "timeout",
    ),
    on_service("restart", {"a": service("false", restart="never")}, _fate, "failed"),
    on_service(
        "restart.policy", {"a": service("true", restart={"policy": "on-failure", "delay": "50ms"})}, _fate, "done"
    ),
    on_service(
        "restart.delay",
        {"a": service("false", restart={"delay": "20s"})},
        lambda world: _comes_back(world, 2, 2.0),
        False,
    ),
    on_service(
        "restart.factor",
        {"a": service("false", restart={"delay": "50ms", "factor": 1})},
        lambda world: _comes_back(world, 8, 3.0),
        True,
    ),
    on_service(
        "restart.max_delay",
        {"a": service("false", restart={"delay": "50ms", "max_delay": "50ms"})},
        lambda world: _comes_back(world, 8, 3.0),
        True,
    ),
    # a jitter of 0.1 would lengthen the pause by up to a day
    on_service(
        "restart.jitter",
        {"a": service("false", restart={"delay": 1000000, "max_delay": 1000000, "jitter": 0})},
        _pause_is_exact,
        True,
    ),
    on_service(
        "restart.reset_after",
        {"a": service("exec sleep 0.3", restart={"delay": "50ms", "factor": 100, "reset_after": "100ms"})},
        lambda world: _comes_back(world, 4, 4.0),
        True,
    ),
    on_service(
        "restart.limit",
        {"a": service("false", restart={"delay": "20ms", "limit": {"count": 2, "within": "1m"}})},
        _gives_up_after,
        ("limit", 3),
    ),
    on_service(
        "restart.limit.count",
        {"a": service("false", restart={"delay": "20ms", "limit": {"count": 1, "within": "1m"}})},
        _gives_up_after,
        ("limit", 2),
    ),
    on_service(
        "restart.limit.within",
        {"a": service("false", restart={"delay": "20ms", "limit": {"count": 1, "within": "1m"}})},
        _gives_up_after,
        ("limit", 2),
    ),
    on_service(
        "restart.success",
        {"a": service("exit 3", restart={"policy": "on-failure", "success": [3]})},
        _fate,
        "done",
    ),
    on_service("restart.never_on", {"a": service("exit 3", restart={"never_on": [3]})}, _fate, "failed"),
    on_service(
        "restart.always_on",
        {"a": service("exit 3", restart={"policy": "never", "always_on": [3]})},
        _fate,
        "restarts",
    ),
    on_service(
        "shutdown_on",
        {"a": service("exit 3", shutdown_on="exit"), "b": service()},
        _world_ends_with,
        3,
    ),
    on_service("stop", {"a": service(_TELLS, stop={"signal": "SIGUSR1"})}, _told_by_stop, "usr1"),
    on_service("stop.signal", {"a": service(_TELLS, stop={"signal": "USR1", "timeout": "9s"})}, _told_by_stop, "usr1"),
    on_service("stop.timeout", {"a": service(_STUBBORN, stop={"timeout": "500ms"})}, _gone_in_time, True),
    on_service(
        "stop.scope", {"a": service(_HAS_A_CHILD, stop={"signal": "SIGUSR1", "scope": "all"})}, _child_hears, "usr1"
    ),
    on_service(
        "stop.command",
        {"a": service(_TELLS, stop={"command": {"shell": "echo by command > told; kill -KILL $MAINPID"}})},
        _told_by_stop,
        "by command",
    ),
    on_service(
        "stop.kill",
        {"a": service(_STUBBORN, stop={"timeout": "300ms", "kill": False})},
        _outlives_its_budget,
        "stopping: kill-disabled",
    ),
)
