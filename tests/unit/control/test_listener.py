"""Does the socket appear complete, with its mode, and only where nobody else is?"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from supervisor.control.listener import Listener, NotListening, close_listener, open_listener


def _open(path: Path, mode: int = 0o600) -> Listener:
    listener = open_listener(str(path), mode)
    assert isinstance(listener, Listener), listener
    return listener


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_it_listens_under_its_name_with_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        listener = _open(tmp_path / "s", mode)
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == mode
    assert _connects(tmp_path / "s")
    assert os.listdir(tmp_path) == ["s"]
    close_listener(listener)
    assert os.listdir(tmp_path) == []


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    close_listener(_open(tmp_path / "s"))


def test_a_link_that_a_world_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "s").symlink_to("/nowhere/else")
    listener = _open(tmp_path / "s")
    assert not (tmp_path / "s").is_symlink()
    close_listener(listener)


def test_a_live_socket_is_spared(tmp_path: Path) -> None:
    listener = _open(tmp_path / "s")
    refused = open_listener(str(tmp_path / "s"))
    assert isinstance(refused, NotListening)
    assert "another process" in refused.text
    assert refused.hint
    assert _connects(tmp_path / "s")
    close_listener(listener)


def test_a_file_is_spared(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")
    assert isinstance(open_listener(str(tmp_path / "s")), NotListening)
    assert (tmp_path / "s").read_text() == "precious"


@pytest.mark.parametrize("path", ["nowhere/s", "x" * 120])
def test_a_place_that_cannot_be_is_a_value_that_says_why(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = open_listener(str(tmp_path / path))
    assert isinstance(refused, NotListening)
    assert refused.text
    assert os.listdir(tmp_path) == []


def test_a_relative_path_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    close_listener(_open(Path("s")))


def test_a_foreign_group_that_we_may_not_give_is_refused(tmp_path: Path) -> None:
    foreign = max(os.getgroups(), default=0) + 54321
    listener = open_listener(str(tmp_path / "s"), 0o660, foreign)
    if os.geteuid() == 0:
        assert isinstance(listener, Listener)
        assert (tmp_path / "s").stat().st_gid == foreign
        close_listener(listener)
    else:
        assert isinstance(listener, NotListening)
        assert os.listdir(tmp_path) == []


def test_a_successors_socket_is_not_taken_away(tmp_path: Path) -> None:
    listener = _open(tmp_path / "s")
    os.unlink(tmp_path / "s")
    successor = _open(tmp_path / "s")
    close_listener(listener)
    assert _connects(tmp_path / "s")
    close_listener(successor)
