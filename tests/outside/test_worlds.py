"""Does pidone behave as people know it from other supervisors? Small worlds, each a folder in `worlds/`: `world.yaml` says what
runs, `session.txt` what is typed and what is answered (`tests/outside/session.py`), and its first line which manual says so.

The words that a session may use besides `pidone` and sh are those of `worlds/words.sh`. A session of `pidone init -- CMD` has no
`world.yaml`. Everything runs in a folder of its own; when the session is over nothing of it may be left.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.outside.session import as_script, as_text, parse, read_answers
from tests.outside.world import PIDONE, environment

_WORLDS = Path(__file__).parent / "worlds"
_NAMES = sorted(path.parent.name for path in _WORLDS.glob("*/session.txt"))
_TOOLS = (
    *("systemd", "supervisord", "s6", "runit", "dinit", "tini", "dumb-init"),
    *("docker", "compose", "process-compose", "kubernetes"),
)
_PATIENCE = 60.0  # seconds for a session, which takes about one


@pytest.fixture
def here() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pido-"))  # short: a socket's path has room for 107 bytes
    try:
        yield folder
    finally:
        eventually(lambda: not _killed(folder))
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", _NAMES)
def test_the_session_goes_as_it_is_written(name: str, here: Path) -> None:
    for file in (_WORLDS / name).iterdir():
        shutil.copy(file, here)
    steps = parse((here / "session.txt").read_text())
    answers = read_answers(_played(as_script(steps, _WORLDS / "words.sh"), here))
    for step, (printed, status) in zip(steps, answers):
        expected = as_text(step, step.printed, step.status)
        assert as_text(step, printed, status) == expected, f"{name}/session.txt:{step.line}\n{_log(here)}"
    assert len(answers) == len(steps) + 1, f"the shell did not come to the end of {name}/session.txt\n{_log(here)}"
    assert answers[-1] in (((), 0), (("ended with 0",), 0)), f"when {name} was over\n{_log(here)}"
    eventually(lambda: not list(_alive(here)))


@pytest.mark.parametrize("name", _NAMES)
def test_the_first_line_says_which_manual_is_proven(name: str) -> None:
    assert name.startswith(_TOOLS)
    manual, _, statement = (_WORLDS / name / "session.txt").read_text().partition("\n")[0].partition(": ")
    assert manual
    assert statement


def test_sixty_worlds_show_something_of_every_tool() -> None:
    assert len(_NAMES) >= 60
    assert [tool for tool in _TOOLS if not any(name.startswith(f"{tool}-") for name in _NAMES)] == []


def _played(script: str, here: Path) -> str:
    """What sh prints when it runs this."""
    measured = [
        f"{name}={os.environ[name]}" for name in ("COVERAGE_PROCESS_START", "COVERAGE_FILE") if name in os.environ
    ]
    surroundings = environment(
        {
            "HERE": str(here),
            "WORLD": f"t{secrets.token_hex(6)}",
            "PIDONE_SOCKET": str(here / "control.sock"),
            "PATH": f"{PIDONE.parent}:{os.environ['PATH']}",
            "TEST_WORLD_MEASURED": " ".join(measured),
        }
    )
    with open(here / "output", "w+b") as output:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", script],
            cwd=here,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            shell.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            shell.kill()
            shell.wait()
        output.seek(0)
        return output.read().decode(errors="replace")


def _log(here: Path) -> str:
    log = here / "log"
    return f"log:\n{log.read_text(errors='replace')}" if log.exists() else "no log"


def _alive(here: Path) -> Iterator[int]:
    """Every process that works in the folder, or was told of it by its environment or its command line."""
    mark = str(here).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                if mark in told or os.readlink(entry / "cwd").startswith(str(here)):
                    yield int(entry.name)


def _killed(here: Path) -> bool:
    """Whether there was anybody to kill."""
    found = list(_alive(here))
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(found)
