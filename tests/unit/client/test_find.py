"""Is the right world found, and is nobody's trap taken for one?"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from supervisor.client.find import find, live_worlds
from supervisor.client.trouble import Trouble

# Worlds of root are in /run/pidone whatever the environment says: they are not part of these tests' small world.
pytestmark = pytest.mark.usefixtures("_without_roots_worlds")


@pytest.fixture
def _without_roots_worlds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import supervisor.client.find as module

    monkeypatch.setattr(module, "SYSTEM_BASE", str(tmp_path / "run"))
    monkeypatch.setattr(module, "looked_at", lambda uid, outside, environ: (f"{environ['XDG_RUNTIME_DIR']}/pidone",))


class Worlds:
    """Sockets where worlds have theirs."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.environ = {"XDG_RUNTIME_DIR": str(folder / "u")}
        self.base = folder / "u" / "pidone"
        self._stack = stack

    def make(self, name: str, listening: bool = True, base: Path | None = None) -> Path:
        path = (base or self.base) / name / "control.sock"
        path.parent.mkdir(parents=True)
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        if listening:
            listener.listen()
        return path

    def find(self, path: str = "", name: str = "", **environ: str) -> str:
        """Where the socket is that answers."""
        peer = find(path, name, {**self.environ, **environ})
        found: str = peer.getpeername()
        peer.close()
        return found

    def trouble(self, path: str = "", name: str = "", **environ: str) -> Trouble:
        with pytest.raises(Trouble) as trouble:
            find(path, name, {**self.environ, **environ})
        assert trouble.value.message
        return trouble.value


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Worlds]:
    with ExitStack() as stack:
        yield Worlds(tmp_path, stack)


def test_the_only_live_world_is_meant(worlds: Worlds) -> None:
    worlds.make("dead", listening=False)
    alive = worlds.make("alive")
    (worlds.base / "empty").mkdir()
    assert worlds.find() == str(alive)


def test_with_several_nobody_guesses(worlds: Worlds) -> None:
    worlds.make("one")
    worlds.make("two")
    trouble = worlds.trouble()
    assert trouble.code == "several"
    assert "one, two" in trouble.message
    assert "--name" in trouble.hint


def test_without_any_it_says_so(worlds: Worlds) -> None:
    assert worlds.trouble().code == "unreachable"
    worlds.make("dead", listening=False)
    assert worlds.trouble().code == "unreachable"


def test_what_was_typed_counts_before_what_was_inherited(worlds: Worlds) -> None:
    one, two, three = (str(worlds.make(name)) for name in ("one", "two", "three"))
    assert worlds.find(one, "two", PIDONE_SOCKET=three) == one
    assert worlds.find("", "two", PIDONE_SOCKET=three) == two
    assert worlds.find(PIDONE_SOCKET=three) == three


@pytest.mark.parametrize(("where", "says"), [("path", "/no"), ("name", "'no'"), ("env", "PIDONE_SOCKET")])
def test_what_was_asked_for_and_is_not_there_is_named(worlds: Worlds, where: str, says: str) -> None:
    worlds.make("another")
    missing = str(worlds.base / "no")
    trouble = {
        "path": lambda: worlds.trouble(missing),
        "name": lambda: worlds.trouble(name="no"),
        "env": lambda: worlds.trouble(PIDONE_SOCKET=missing),
    }[where]()
    assert trouble.code == "unreachable"
    assert says in trouble.message


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "x" * 65])
def test_a_name_that_cannot_be_is_a_mistake_in_usage(worlds: Worlds, name: str) -> None:
    assert worlds.trouble(name=name).code == "usage"


def test_a_world_that_answers_too_slowly_to_connect_is_alive(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.client.find._PATIENCE", 0.05)
    path = worlds.make("full", listening=False)
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as waiting:
        os.unlink(path)
        listener.bind(str(path))
        listener.listen(0)
        waiting.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
        trouble = worlds.trouble(str(path))
    assert trouble.code == "unreachable"
    assert str(path) in trouble.message


def test_a_socket_that_we_may_not_open_is_refused(worlds: Worlds) -> None:
    if os.geteuid() == 0:
        path = str(worlds.make("closed"))
        for place in (worlds.base.parent, *worlds.base.parent.parents[:-1]):
            place.chmod(place.stat().st_mode | 0o011)
        os.chmod(path, 0o600)
        os.seteuid(1)
        try:
            trouble = worlds.trouble(path)
        finally:
            os.seteuid(0)
    else:
        path = str(worlds.make("closed"))
        os.chmod(path, 0)
        trouble = worlds.trouble(path)
    assert trouble.code == "refused"


def test_a_directory_of_somebody_else_is_not_looked_into(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds.make("trap")
    if os.geteuid() == 0:
        os.chown(worlds.base, 1, 1)
    else:
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert worlds.trouble().code == "unreachable"
    assert worlds.trouble(name="trap").code == "unreachable"


def test_a_linked_base_is_not_followed(worlds: Worlds, tmp_path: Path) -> None:
    worlds.make("trap", base=tmp_path / "elsewhere")
    worlds.base.parent.mkdir()
    worlds.base.symlink_to(tmp_path / "elsewhere")
    assert worlds.trouble().code == "unreachable"


def test_roots_worlds_are_seen_beside_ones_own(worlds: Worlds, tmp_path: Path) -> None:
    worlds.make("mine")
    worlds.make("roots", base=tmp_path / "run")
    found = live_worlds(worlds.environ)
    for _, _, peer in found:
        peer.close()
    assert [name for name, _, _ in found] == ["mine", "roots"]
