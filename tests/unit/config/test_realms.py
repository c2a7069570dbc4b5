"""Who cannot be had in a world is an error when the configuration is read: at its place, with the ids that are there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.model.plan import Plan
from supervisor.model.realm import EVERYBODY, Realm
from supervisor.model.record import replace
from supervisor.programs.planning import plan_of
from supervisor.wire.state import unwrap
from tests.unit.config.reading import ENVIRON

US = os.geteuid(), os.getegid()
ALONE = Realm(
    uids=((4321, 1),),
    gids=((4300, 1),),
    uid=4321,
    gid=4300,
    groups=(7,),
    any_user=False,
    any_group=False,
    limit="rootless",
)
PARTLY = Realm(uids=((0, 1000),), gids=((0, 1000),), uid=0, gid=0)
UNPRIVILEGED = Realm(uid=4321, gid=4300, groups=(7, 8), any_user=False, any_group=False)


def _answer(folder: Path, realm: Realm, keys: str, system: str = "{}") -> dict[str, Any]:
    (folder / "a.yaml").write_text(f"system: {system}\nservices:\n  a: {{command: [/bin/true], {keys}}}\n")
    return plan_of([str(folder / "a.yaml")], ENVIRON, realm)


def _identity(folder: Path, realm: Realm, keys: str) -> tuple[int, int, set[int]]:
    answer = _answer(folder, realm, keys)
    assert answer["ok"], answer
    identity = unwrap(Plan, answer["plan"]).services[0].identity
    assert identity is not None
    return identity.uid, identity.gid, set(identity.groups)


@pytest.mark.parametrize(
    ("realm", "keys", "code", "words"),
    [
        (ALONE, "user: '5000'", "rootless-id", ("user 5000", "only uid 4321", "--rootless", "run as uid 4321")),
        (ALONE, "user: root", "rootless-id", ("user root (uid 0)", "only uid 4321")),
        (ALONE, "group: '5000'", "rootless-id", ("group 5000", "only gid 4300")),
        (ALONE, "user: '4321', group: '7'", "rootless-id", ("group 7", "only gid 4300")),
        (ALONE, "user: '4321'", "rootless-id", ("group of 4321 (gid 4321)", "only gid 4300")),
        (ALONE, "extra_groups: ['7', '8']", "rootless-id", ("group 8", "only gid 4300")),
        (PARTLY, "user: '5000'", "namespace-id", ("user 5000", "only uids 0-999", "mapped")),
        (PARTLY, "user: '500', group: '5000'", "namespace-id", ("group 5000", "only gids 0-999")),
        (PARTLY, "extra_groups: ['5000']", "namespace-id", ("group 5000",)),
        (UNPRIVILEGED, "user: '5000'", "foreign-id", ("user 5000", "we are uid 4321", "SETUID")),
        (UNPRIVILEGED, "group: '5000'", "foreign-id", ("group 5000", "we are gid 4300", "SETGID")),
        (UNPRIVILEGED, "extra_groups: ['7', '9']", "foreign-id", ("group 9", "SETGID")),
    ],
)
def test_who_cannot_be_had_is_one_error_at_its_place(
    tmp_path: Path, realm: Realm, keys: str, code: str, words: tuple[str, ...]
) -> None:
    answer = _answer(tmp_path, realm, keys)
    assert [error["code"] for error in answer["errors"]] == [code]
    error = answer["errors"][0]
    line = (tmp_path / "a.yaml").read_text().splitlines()[error["line"] - 1]
    assert error["line"] == 3
    assert line[error["column"] - 1 :].lstrip("'[").split(",")[0].rstrip("'}]") in error["message"]
    for word in words:
        assert word in f"{error['message']}; {error['hint']}"


@pytest.mark.parametrize("realm", [ALONE, PARTLY, UNPRIVILEGED])
def test_who_asks_is_only_warned_where_somebody_else_may_start_it(tmp_path: Path, realm: Realm) -> None:
    answer = _answer(tmp_path, replace(realm, certain=False), "user: '5000'")
    assert answer["ok"]
    assert [one["message"].split(":")[0] for one in answer["warnings"]] == ["user 5000"]


def test_the_defaults_are_told_once_however_many_inherit_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "defaults: {user: '5000'}\nservices: {a: {command: /bin/true}, b: {command: /bin/true}}\n"
    )
    answer = plan_of([str(tmp_path / "a.yaml")], ENVIRON, ALONE)
    assert [(error["code"], error["line"], error["column"]) for error in answer["errors"]] == [("rootless-id", 1, 18)]


@pytest.mark.parametrize(
    ("realm", "keys", "identity"),
    [
        (ALONE, "user: '4321', group: '4300'", (4321, 4300, set())),
        (ALONE, "group: '4300'", (4321, 4300, set())),
        # what we have is kept although it has no number in there; to name it there would fail
        (ALONE, "extra_groups: ['7']", (4321, 4300, set())),
        (PARTLY, "user: '500'", (500, 500, set())),
        (PARTLY, "user: '500', extra_groups: ['600']", (500, 500, {600})),
        (UNPRIVILEGED, "user: '4321', group: '4300', extra_groups: ['8']", (4321, 4300, {8})),
    ],
)
def test_who_can_be_had_is(tmp_path: Path, realm: Realm, keys: str, identity: tuple[int, int, set[int]]) -> None:
    if "user" in keys:
        assert _identity(tmp_path, realm, keys) == identity
    else:  # and of the groups that we have in truth no more than exist there
        assert _identity(tmp_path, realm, keys)[:2] == identity[:2]
        assert _identity(tmp_path, realm, keys)[2] <= {*identity[2], realm.gid}


def test_nobody_outside_is_told_his_number_inside(tmp_path: Path) -> None:
    inside = replace(ALONE, uids=((US[0] + 1, 1),), uid=US[0] + 1)
    error = _answer(tmp_path, inside, "user: '5000'")["errors"][0]
    assert f"uid {US[0] + 1}, which is uid {US[0]} outside" in error["hint"]


@pytest.mark.parametrize(
    ("realm", "group", "code"),
    [
        (ALONE, "7", "rootless-id"),
        (ALONE, "4300", ""),
        (PARTLY, "5000", "namespace-id"),
        (UNPRIVILEGED, "8", ""),
        (UNPRIVILEGED, "9", "foreign-id"),
    ],
)
def test_the_group_of_the_control_socket_must_be_one_that_it_can_have(
    tmp_path: Path, realm: Realm, group: str, code: str
) -> None:
    answer = _answer(tmp_path, realm, "", f"{{control: {{group: '{group}'}}}}")
    if code:
        assert [(error["code"], error["line"]) for error in answer["errors"]] == [(code, 1)]
    else:
        assert unwrap(Plan, answer["plan"]).control_gid == int(group)


def test_a_listed_user_who_cannot_be_recognised_is_mentioned(tmp_path: Path) -> None:
    answer = _answer(tmp_path, ALONE, "", "{control: {read: ['4321', '5000'], admin: ['6000']}}")
    assert answer["ok"]
    assert [(one["code"], one["message"].split()[0]) for one in answer["warnings"]] == [
        ("unknown-peer", "`5000`"),
        ("unknown-peer", "`6000`"),
    ]
    assert unwrap(Plan, answer["plan"]).read_uids == (4321, 5000)


def test_nobody_in_a_list_is_mentioned_for_no_list_lets_him_in(tmp_path: Path) -> None:
    answer = _answer(tmp_path, EVERYBODY, "", "{control: {read: [root], admin: ['65534']}}")
    assert answer["ok"]
    assert [one["code"] for one in answer["warnings"]] == ["nameless-peer"]
