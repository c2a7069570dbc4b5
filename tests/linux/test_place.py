"""What does a world do whose directory somebody else has taken before? (/tmp/pidone-UID can be made by anybody.)"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.kernel.libc import call
from supervisor.model.plan import Plan
from supervisor.programs import init
from supervisor.wire.state import dump
from supervisor.wire.worlds import outer_uid
from tests import lacks
from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import Started

_SOMEBODY = 54321
_BIND = 4096  # MS_BIND (mount(2))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place into which other users may look, with a short name."""
    path = Path(tempfile.mkdtemp(prefix="pido-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _planted() -> Path:
    """A directory where our worlds would be, and it is not ours."""
    if lacks.exists(_SOMEBODY):
        path = Path(f"/tmp/pidone-{_SOMEBODY}")
        path.mkdir(exist_ok=True)
        return path
    path = Path(f"/tmp/pidone-{outer_uid(0, Path('/proc/self/uid_map').read_text())}")
    path.mkdir(mode=0o700, exist_ok=True)
    call("mount", b"/usr", str(path).encode(), None, _BIND, None)  # in this test's own mount namespace
    return path


def _start(**environment: str) -> Started:
    """An init without services, of the user whose place was taken."""
    out, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return Started(pid, out)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for fd in (1, 2):
            os.dup2(write_end, fd)
        os.close(write_end)
        plan = os.memfd_create("plan")
        os.write(plan, dump(Plan()))
        os.lseek(plan, 0, os.SEEK_SET)
        os.environ.pop("XDG_RUNTIME_DIR", None)
        path = environment.pop("socket", "")
        os.environ.update(environment)
        init._import_the_rest()  # while we may read it
        if lacks.exists(_SOMEBODY):
            lacks.be_somebody(_SOMEBODY)
        os._exit(init.run(init.InitOptions(plan_fd=plan, name="test", socket=path)))
    finally:
        os._exit(99)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(path)) == 0


@isolated
def test_a_world_that_nobody_could_ask_is_not_begun(folder: Path) -> None:
    taken = _planted()
    try:
        world = _start()
        assert world.ends() == 1
        said = world.rest()
    finally:
        if lacks.exists(_SOMEBODY):
            taken.rmdir()
    assert said.count("\n") == 1
    assert f"{taken}/test" in said
    assert "belongs to" in said
    assert "XDG_RUNTIME_DIR" in said
    assert "--socket PATH" in said


@pytest.mark.parametrize("way", ["XDG_RUNTIME_DIR", "socket"])
@isolated
def test_each_way_out_that_it_names_is_one(folder: Path, way: str) -> None:
    taken = _planted()
    try:
        path = folder / "pidone" / "test" / "control.sock" if way == "XDG_RUNTIME_DIR" else folder / "c.sock"
        world = _start(**{way: str(folder if way == "XDG_RUNTIME_DIR" else path)})
        eventually(lambda: _answers(path), timeout=20)
        world.signal(signal.SIGTERM)
        assert world.ends() == 0
        said = world.rest().splitlines()
    finally:
        if lacks.exists(_SOMEBODY):
            taken.rmdir()
    if way == "socket":
        assert said[0].startswith("pidone init: warning: cannot make ")
        assert "only by --socket" in said[0]
    else:
        assert "warning" not in said[0]
