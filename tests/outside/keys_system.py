"""Rows for the keys under `system`."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from tests.eventually import eventually
from tests.outside.keys import Row, on_system
from tests.outside.world import World, is_root, service

__all__ = ["SYSTEM_ROWS"]


def _answers_to_its_name(world: World) -> bool:
    try:
        eventually(lambda: world.ask("status").code == 0, timeout=3.0)
    except AssertionError:
        return False
    return True


def _host_name(world: World) -> str:
    return world.read("out")


def _world_ends_soon(world: World) -> bool:
    world.read("up")
    return world.shut_down(within=5.0) is not None


def _world_ends_by_itself(world: World) -> int | None:
    world.read("out")
    return world.ended(within=3.0)


def _socket(world: World) -> Path:
    """Where the control socket is, as a service is told."""
    return Path(world.read("out"))


def _socket_is_here(world: World) -> bool:
    return (world.folder / "here.sock").is_socket()


def _socket_mode(world: World) -> str:
    return oct(stat.S_IMODE(_socket(world).stat().st_mode))


def _socket_group(world: World) -> int:
    return _socket(world).stat().st_gid


def _stranger_hears(world: World) -> str:
    return world.read("heard")


def _folder_is_passable(world: World) -> bool:
    """With users listed the folder of the socket lets them through (0711), else it is private (0700)."""
    return bool(_socket(world).parent.stat().st_mode & stat.S_IXOTH)


def _own_namespace(kind: str) -> Callable[[World], object]:
    def look(world: World) -> bool:
        world.read("out")
        return world.lines("out")[0] != os.readlink(f"/proc/self/ns/{kind}")

    return look


# uid 1 is `daemon` everywhere; 65534 would stand for `unknown`
_STRANGER = """
import json, os, signal, socket, sys
line = socket.socket(socket.AF_UNIX)
heard = open("heard", "w")
os.setgroups([])
os.setegid(1)
os.seteuid(1)
call = {"jsonrpc": "2.0", "id": 1, "method": sys.argv[1], "params": json.loads(sys.argv[2])}
try:
    line.connect(os.environ["PIDONE_SOCKET"])
    line.sendall(json.dumps(call).encode() + b"\\n")
    answers = [json.loads(answer) for answer in line.makefile().readline().splitlines()]
except OSError:
    answers = []
print("an answer" if any("result" in answer for answer in answers) else "a refusal", file=heard, flush=True)
signal.pause()
"""
_STUBBORN = service("trap '' TERM; echo up > up; while :; do sleep 0.2; done", stop={"timeout": "30s"})
_JOB = {"a": service("echo done > out", type="oneshot")}
_SAYS_SOCKET = {"a": service("echo $PIDONE_SOCKET > out; exec sleep 100000")}


def _says_namespace(kind: str) -> dict[str, object]:
    return {"a": service(f"readlink /proc/self/ns/{kind} > out; exec sleep 100000")}


def _namespace(kind: str, **more: object) -> Row:
    return on_system(
        f"system.namespace.{kind}",
        {"namespace": {kind: True}},
        _own_namespace(kind),
        True,
        services=_says_namespace(kind),
        **more,
    )


def _access(key: str, method: str, **params: object) -> Row:
    """Who else may: a service that makes itself another user asks. Without root nobody can be played; but everybody sees that
    the way to the socket was opened."""
    if is_root():
        return on_system(
            f"system.control.{key}",
            {"control": {key: ["daemon"]}},
            _stranger_hears,
            "an answer",
            services={
                "a": service([sys.executable, "-IS", "-c", _STRANGER, method, json.dumps(params)]),
                "b": service(),
            },
        )
    return on_system(
        f"system.control.{key}", {"control": {key: ["root"]}}, _folder_is_passable, True, services=_SAYS_SOCKET
    )


def _group_row() -> Row:
    """Without root a foreign group does not exist: then it is refused to start, and not with another group."""
    keys = {"control": {"group": "1"}}
    if is_root():
        return on_system("system.control.group", keys, _socket_group, 1, services=_SAYS_SOCKET)
    return on_system("system.control.group", keys, lambda world: "started", "refused")


SYSTEM_ROWS: tuple[Row, ...] = (
    on_system("system.name", {"name": "THIS-WORLD"}, _answers_to_its_name, True, named=False),
    on_system(
        "system.hostname",
        {"hostname": "little-world"},
        _host_name,
        "little-world",
        services={"a": service("uname -n > out; exec sleep 100000")},
    ),
    on_system("system.shutdown", {"shutdown": "2s"}, _world_ends_soon, True, services={"a": _STUBBORN}),
    on_system(
        "system.shutdown.timeout", {"shutdown": {"timeout": "2s"}}, _world_ends_soon, True, services={"a": _STUBBORN}
    ),
    on_system("system.exit_when_done", {"exit_when_done": True}, _world_ends_by_itself, 0, services=_JOB),
    on_system("system.control", {"control": "here.sock"}, _socket_is_here, True),
    on_system("system.control.socket", {"control": {"socket": "here.sock"}}, _socket_is_here, True),
    on_system("system.control.mode", {"control": {"mode": "0660"}}, _socket_mode, "0o660", services=_SAYS_SOCKET),
    _group_row(),
    _access("read", "status"),
    _access("admin", "stop", names=["b"]),
    on_system(
        "system.namespace", {"namespace": {"uts": True}}, _own_namespace("uts"), True, services=_says_namespace("uts")
    ),
    on_system("system.namespace.mount", {"namespace": {"mount": False}}, lambda world: "started", "refused"),
    _namespace("uts"),
    _namespace("ipc"),
    _namespace("net"),
    # without root there is a user namespace anyway
    _namespace("user", needs_root=True),
)
