"""What does each room and each process really load? Read from `sys.modules` of fresh interpreters, not from the source.

Startup is a feature of the client, and what PID 1 loads is what can go wrong in it. import-linter holds the direct imports;
this sees the indirect ones.
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

import supervisor

_HEAVY = frozenset(
    {"trio", "yaml", "pydantic", "dataclasses", "asyncio", "inspect", "subprocess", "logging", "tempfile", "shutil"}
)


def _loaded_by(statement: str) -> frozenset[str]:
    """The modules in a fresh, isolated interpreter after this statement, besides what every interpreter has."""
    script = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTHON"))}
    done = subprocess.run([sys.executable, "-I", "-c", script], env=clean, capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())


def _modules_of(room: str) -> str:
    package = pkgutil.iter_modules([f"{supervisor.__path__[0]}/{room}"])
    return ", ".join([f"supervisor.{room}", *(f"supervisor.{room}.{module.name}" for module in package)])


@pytest.mark.parametrize("room", ["model", "core", "wire", "kernel", "client", "logger"])
def test_a_room_that_must_start_fast_loads_nothing_heavy(room: str) -> None:
    assert not _loaded_by(f"import {_modules_of(room)}") & _HEAVY


@pytest.mark.parametrize("room", ["runtime", "control"])
def test_pid_1_never_loads_what_parses_yaml_or_validates(room: str) -> None:
    assert not _loaded_by(f"import {_modules_of(room)}") & {"yaml", "pydantic", "pydantic_core", "http", "http.client"}


def test_the_loader_knows_no_loop() -> None:
    assert "trio" not in _loaded_by(f"import {_modules_of('config')}, supervisor.programs.loader")


@pytest.mark.parametrize("program", ["monitor", "tini", "logger"])
def test_a_small_program_loads_no_loop(program: str) -> None:
    assert not _loaded_by(f"import supervisor.programs.{program}") & {"trio", "yaml", "pydantic", "asyncio"}


def test_init_loads_neither_yaml_nor_pydantic() -> None:
    loaded = _loaded_by("import supervisor.programs.init")
    assert not loaded & {"yaml", "pydantic", "pydantic_core"}


@pytest.mark.parametrize(
    "words",
    [
        ["version"],
        *(
            [*command, "--name", "no-such-world"]
            for command in (["status"], ["logs", "a"], ["why", "a"], ["show", "a"])
        ),
        *([*command, "--name", "no-such-world"] for command in (["events", "-f"], ["graph"], ["ps", "--ns", "--tree"])),
    ],
)
def test_a_client_command_loads_neither_trio_nor_pydantic_nor_dataclasses(words: list[str]) -> None:
    room = (
        f"import supervisor.cli.{words[0]}\n" if words[0] in ("why", "show", "events", "graph", "ps") else ""
    )  # as it would go on
    run = f"import supervisor.__main__ as main, contextlib\nsys.argv[1:] = {words!r}\n"
    run += "import io; out, sys.stdout, sys.stderr = sys.stdout, io.StringIO(), io.StringIO()\n"
    run += "with contextlib.suppress(SystemExit): main.main()\n"
    run += f"sys.stdout = out\n{room}"
    script = f"import sys, contextlib\nbefore = set(sys.modules)\n{run}\nprint(*(set(sys.modules) - before))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTHON", "PIDONE"))}
    done = subprocess.run([sys.executable, "-I", "-c", script], env=clean, capture_output=True, text=True, check=True)
    loaded = frozenset(done.stdout.split())
    assert not loaded & _HEAVY
    assert words[0] == "logs" or not loaded & {"re", "enum", "json", "typing", "signal", "socket"}
