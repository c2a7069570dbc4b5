"""Rows for the keys that say what a service's process is born with."""

from __future__ import annotations

from tests.outside.keys import Row, on_service
from tests.outside.world import World, is_root, service

__all__ = ["PROCESS_ROWS"]


def _writes(world: World) -> str:
    return world.read("out")


def _fate(world: World) -> str:
    return str(world.until("a", lambda view: view["phase"] in ("running", "failed"))["phase"])


def _says(shell: str, **keys: object) -> dict[str, object]:
    return {"a": service(f"{shell} > out; exec sleep 100000", **keys)}


def _identity(key: str, shell: str, expected: str, value: object) -> Row:
    """Who it is; where nobody else exists, that the world is not begun with the wrong one."""
    if is_root():
        return on_service(key, _says(shell, **{key: value}), _writes, expected)
    return on_service(key, {"a": service(restart="never", **{key: value})}, _fate, "refused")


PROCESS_ROWS: tuple[Row, ...] = (
    on_service("environment", _says("echo $COLOUR", environment={"COLOUR": "green"}), _writes, "green"),
    on_service(
        "env_file", _says("echo $COLOUR", env_file="colours"), _writes, "blue", files={"colours": "COLOUR=blue\n"}
    ),
    on_service(
        "pass_environment",
        _says("echo $OUTER-$INNER", pass_environment=["IN*"]),
        _writes,
        "-inner",
        env={"OUTER": "outer", "INNER": "inner"},
    ),
    _identity("user", "id -u", "1", "daemon"),
    _identity("group", "id -g", "1", "1"),
    _identity("extra_groups", "id -G | tr ' ' '\\n' | grep -c '^4242$'", "1", ["4242"]),
    on_service(
        "working_dir",
        {"a": service("pwd > $TEST_WORLD_FOLDER/out; exec sleep 100000", working_dir="/usr")},
        _writes,
        "/usr",
    ),
    on_service("umask", _says("umask", umask="0077"), _writes, "0077"),
    on_service("limits", _says("ulimit -n", limits={"nofile": 200}), _writes, "200"),
    Row(
        "limits.soft",
        _says("echo $(ulimit -S -n) $(ulimit -H -n)", limits={"nofile": [100, 200]}),
        ("services", "a", "limits", "nofile", 0),
        _writes,
        "100 200",
    ),
    Row(
        "limits.hard",
        _says("echo $(ulimit -S -n) $(ulimit -H -n)", limits={"nofile": [100, 200]}),
        ("services", "a", "limits", "nofile", 1),
        _writes,
        "100 200",
    ),
    on_service(
        "stdin", _says('echo "$(cat)"', stdin="words"), _writes, "from the file", files={"words": "from the file\n"}
    ),
)
