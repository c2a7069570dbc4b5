"""Do init and clients look for a world in the same places?"""

from __future__ import annotations

import pytest

from supervisor.wire.worlds import bases, is_name, looked_at, outer_uid, socket_path


@pytest.mark.parametrize("name", ["a", "default", "my-world_2.x", "x" * 64, "0"])
def test_a_name_is_a_plain_file_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "-x", "a/b", "a b", "ä", "x" * 65, "a\n", "a\0"])
def test_nothing_else_is_a_name(name: str) -> None:
    assert not is_name(name)


def test_roots_worlds_are_in_run() -> None:
    assert bases(0, 0, {})[0] == "/run/pidone"


def test_a_users_worlds_are_in_his_runtime_directory_else_in_tmp() -> None:
    assert bases(7, 7, {"XDG_RUNTIME_DIR": "/run/user/7/"}) == ("/run/user/7/pidone", "/tmp/pidone-7")
    assert bases(7, 7, {}) == ("/tmp/pidone-7",)


def test_a_relative_runtime_directory_is_ignored() -> None:
    assert bases(7, 7, {"XDG_RUNTIME_DIR": "here"}) == ("/tmp/pidone-7",)


def test_who_is_root_of_a_user_namespace_only_is_found_where_the_user_looks() -> None:
    inside = bases(0, outer_uid(0, "         0       1000          1\n"), {})
    assert inside == ("/run/pidone", "/tmp/pidone-1000")
    assert bases(1000, 1000, {}) == ("/tmp/pidone-1000",)
    assert bases(1000, outer_uid(1000, "1000 0 1\n"), {}) == ("/tmp/pidone-1000",)  # in a user namespace himself


@pytest.mark.parametrize(
    ("where", "uid", "outside"),
    [
        ("nobody's shell", 65534, 65534),
        ("nobody's world", 0, outer_uid(0, "0 65534 1\n")),
        ("a world in nobody's world", 0, outer_uid(0, "0 0 1\n")),
    ],
)
def test_a_world_in_a_world_is_found_from_outside(where: str, uid: int, outside: int) -> None:
    (made,) = {path for path in bases(0, outer_uid(0, "0 0 1\n"), {}) if path.startswith("/tmp")}
    assert made in looked_at(uid, outside, {})
    assert bases(uid, outside, {})[-1] in looked_at(uid, outside, {})


def test_nobody_else_looks_where_worlds_of_others_may_be() -> None:
    assert looked_at(1000, 1000, {}) == bases(1000, 1000, {})
    assert looked_at(0, 0, {}) == bases(0, 0, {})


@pytest.mark.parametrize(
    ("uid", "text", "outside"),
    [
        (0, "         0          0 4294967295\n", 0),
        (1000, "         0          0 4294967295\n", 1000),
        (0, "0 1000 1\n", 1000),
        (5, "0 1000 1\n1 100000 65536\n", 100004),
        (7, "0 1000 1\n", 7),
        (7, "", 7),
    ],
)
def test_the_uid_outside_comes_from_the_map(uid: int, text: str, outside: int) -> None:
    assert outer_uid(uid, text) == outside


def test_the_socket_is_in_the_worlds_directory() -> None:
    assert socket_path("/run/pidone", "web") == "/run/pidone/web/control.sock"
