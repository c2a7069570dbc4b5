"""Is a world's directory safely ours, and only ours while we live?"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from supervisor.kernel.worlds import Unclaimable, WorldDir, admit_others, claim, link_socket, release


def _claim(name: str, *bases: Path) -> WorldDir:
    world = claim(name, [str(base) for base in bases])
    assert isinstance(world, WorldDir), world
    return world


def _refused(name: str, *bases: Path) -> Unclaimable:
    refused = claim(name, [str(base) for base in bases])
    assert isinstance(refused, Unclaimable), refused
    return refused


def _mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_it_is_made_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        world = _claim("w", tmp_path / "base")
    finally:
        os.umask(before)
    assert world.path == str(tmp_path / "base" / "w")
    assert (_mode(world.path), _mode(tmp_path / "base")) == (0o700, 0o700)
    release(world)


def test_a_second_live_one_with_that_name_is_refused(tmp_path: Path) -> None:
    world = _claim("w", tmp_path)
    assert _refused("w", tmp_path).code == "taken"
    other = _claim("v", tmp_path)
    release(world)
    release(_claim("w", tmp_path))
    release(other)


def test_one_that_died_without_a_word_does_not_hold_the_name(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        claim("w", [str(tmp_path)])
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "w").exists()
    release(_claim("w", tmp_path))


def test_the_lock_is_not_inherited_by_what_is_executed(tmp_path: Path) -> None:
    world = _claim("w", tmp_path)
    assert not os.get_inheritable(world.lock)
    release(world)


def test_release_takes_everything_away(tmp_path: Path) -> None:
    world = _claim("w", tmp_path)
    (tmp_path / "w" / "control.sock").write_text("")
    release(world)
    assert os.listdir(tmp_path) == []


def test_release_spares_what_it_does_not_know_how_to_remove(tmp_path: Path) -> None:
    world = _claim("w", tmp_path)
    (tmp_path / "w" / "folder").mkdir()
    release(world)
    assert (tmp_path / "w" / "folder").is_dir()
    release(_claim("w", tmp_path))


def test_release_spares_the_world_that_has_taken_its_place(tmp_path: Path) -> None:
    first = _claim("w", tmp_path)
    shutil.rmtree(tmp_path / "w")  # as somebody who clears /tmp up does
    second = _claim("w", tmp_path)
    (tmp_path / "w" / "control.sock").write_text("")
    release(first)
    assert sorted(os.listdir(tmp_path / "w")) == ["control.sock"]
    assert _refused("w", tmp_path).code == "taken"
    release(second)
    assert os.listdir(tmp_path) == []


def test_where_nothing_can_be_made_the_next_place_is_taken(tmp_path: Path) -> None:
    world = _claim("w", Path("/proc/nowhere"), tmp_path / "missing" / "parent", tmp_path)
    assert world.path == str(tmp_path / "w")
    release(world)


def test_nowhere_is_a_value_that_says_why(tmp_path: Path) -> None:
    refused = _refused("w", tmp_path / "missing" / "parent")
    assert (refused.code, refused.path) == ("unusable", str(tmp_path / "missing" / "parent" / "w"))
    assert "No such file" in refused.text


def test_of_several_places_the_preferred_one_is_named_first(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir(0o700)
    (tmp_path / "w").chmod(0o770)
    refused = _refused("w", tmp_path / "missing" / "parent", tmp_path)
    assert refused.path == str(tmp_path / "missing" / "parent" / "w")
    assert refused.text == f"No such file or directory; nor {tmp_path / 'w'}: others may write to it (mode 0770)"


@pytest.mark.parametrize("place", ["base", "base/w"])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, place: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(tmp_path / "elsewhere")
    assert _refused("w", tmp_path / "base").code == "unusable"
    assert os.listdir(tmp_path / "elsewhere") == []


def test_nothing_that_somebody_could_remove_makes_the_name_free(tmp_path: Path) -> None:
    world = _claim("w", tmp_path)
    for file in (tmp_path / "w").iterdir():
        file.unlink()
    assert _refused("w", tmp_path).code == "taken"
    release(world)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("place", ["base", "base/w"])
def test_a_place_that_others_may_write_to_is_refused(tmp_path: Path, place: str, mode: int) -> None:
    (tmp_path / "base" / "w").mkdir(parents=True)
    (tmp_path / "base").chmod(0o700)
    (tmp_path / place).chmod(mode)
    refused = _refused("w", tmp_path / "base")
    assert refused.code == "unusable"
    assert "others may write" in refused.text


def test_a_place_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    refused = _refused("w", tmp_path)
    assert refused.code == "unusable"
    assert f"belongs to uid {owner}" in refused.text


def test_others_are_admitted_only_when_asked_and_not_for_ever(tmp_path: Path) -> None:
    world = _claim("w", tmp_path / "base")
    admit_others(world)
    assert (_mode(world.path), _mode(tmp_path / "base")) == (0o711, 0o711)
    release(world)
    world = _claim("w", tmp_path / "base")
    assert _mode(world.path) == 0o700
    release(world)


def test_who_is_refused_the_name_shuts_nobody_out_of_it(tmp_path: Path) -> None:
    world = _claim("w", tmp_path / "base")
    admit_others(world)
    assert _refused("w", tmp_path / "base").code == "taken"
    assert _mode(world.path) == 0o711
    release(world)


def test_a_world_is_found_by_its_name_although_its_socket_is_elsewhere(tmp_path: Path) -> None:
    world = _claim("w", tmp_path)
    for target in ("first", "second"):
        link_socket(world, "control.sock", str(tmp_path / target))
        assert os.readlink(tmp_path / "w" / "control.sock") == str(tmp_path / target)
    assert sorted(os.listdir(tmp_path / "w")) == ["control.sock"]
    release(world)
