"""What does a real PID 1 load, and when? The interpreter itself tells (`-X importtime`), from its start to its end."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside.world import World, environment, is_root

_YAML = """
services:
  web: {command: sleep 100000, ready: {exec: ["true"]}, restart: {delay: 10ms}}
  crash: {command: "false", restart: {delay: 10ms, limit: {count: 1, within: 1m}}}
  missing: {command: /no/such/program, restart: never}
  job: {command: "true", type: oneshot, stop: {command: "true"}}
  after: {command: sleep 100000, depends_on: {web: ready}, user: "%d", working_dir: /}
"""


@pytest.fixture
def telling() -> Iterator[World]:
    """An init as PID 1 of a namespace that util-linux makes, whose interpreter tells what it imports."""
    with tempfile.TemporaryDirectory(prefix="pido-") as place:
        folder = Path(place)
        (folder / "world.yaml").write_text(_YAML % (1 if is_root() else 0))
        rootless = () if is_root() else ("--user", "--map-root-user")
        name = f"t{secrets.token_hex(6)}"
        init = (sys.executable, "-I", "-X", "importtime", "-m", "supervisor", "init")
        words = (*init, "--name", name, "--socket", str(folder / "control.sock"), "-c", "world.yaml")
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                ["unshare", *rootless, "--pid", "--fork", "--kill-child", "--mount-proc", "--", *words],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        here = World(folder, name, process)
        try:
            yield here
        finally:
            process.kill()
            process.wait()


def _imported(here: World) -> list[str]:
    lines = [line for line in here.log().splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines]


def _ask(here: World, *words: str) -> int:
    return here.ask("--socket", str(here.folder / "control.sock"), *words).code


def test_pid_1_loads_no_yaml_and_nothing_more_once_it_runs(telling: World) -> None:
    telling.until_log("after: starting → running", timeout=30)
    telling.until_log("missing: starting → failed", timeout=30)
    loaded = _imported(telling)
    assert "supervisor.core.step" in loaded
    heavy = {"yaml", "pydantic", "pydantic_core", "http", "ssl", "hashlib", "subprocess", "pathlib", "idna"}
    assert not {name.partition(".")[0] for name in loaded} & heavy

    for words in (
        ("status",),
        ("ps",),
        ("logs",),
        ("kill", "web"),
        ("restart", "web"),
        ("stop", "--all"),
        ("start", "job"),
    ):
        _ask(telling, *words)
    assert _ask(telling, "status", "nobody") == 4
    assert _imported(telling)[len(loaded) :] == []

    assert _ask(telling, "shutdown") == 0
    telling.ended()
    assert _imported(telling)[len(loaded) :] == []
