"""Is it known who exists here and whom we may become?"""

from __future__ import annotations

import os

import pytest

from supervisor.kernel import ids
from supervisor.model.realm import EVERYBODY, has
from tests import lacks
from tests.isolation import isolated


def test_here_we_exist_ourselves() -> None:
    realm = ids.here()
    assert (realm.uid, realm.gid, realm.groups) == (os.geteuid(), os.getegid(), tuple(os.getgroups()))
    assert has(realm.uids, os.geteuid())
    assert has(realm.gids, os.getegid())


@isolated
def test_whom_we_may_become_is_a_question_of_capabilities() -> None:
    assert ids.here().any_user
    assert ids.may(ids.SETUID, ids.SETGID, ids.SYS_ADMIN)
    lacks.drop_capabilities(lacks.SETUID)
    assert not ids.here().any_user
    assert not ids.may(ids.SETGID, ids.SETUID)
    assert ids.may(ids.SETGID)
    lacks.drop_capabilities(lacks.SETGID)
    assert not ids.here().any_group


@isolated
def test_where_setgroups_is_denied_nobody_has_other_groups() -> None:
    lacks.forbid_namespaces("user")  # makes a user namespace without privileges
    realm = ids.here()
    assert (realm.uids, realm.gids) == (((0, 1),), ((0, 1),))
    assert realm.any_user
    assert not realm.any_group


def test_a_rootless_world_has_only_us() -> None:
    realm = ids.rootless()
    uid, gid = ids.stays()
    assert (realm.uids, realm.gids, realm.uid, realm.gid) == (((uid, 1),), ((gid, 1),), uid, gid)
    assert not realm.any_user
    assert not realm.any_group
    assert realm.groups == tuple(os.getgroups())


@pytest.mark.parametrize(("uid", "gid", "inside"), [(0, 0, (0, 0)), (1000, 100, (1000, 100)), (65534, 65534, (0, 0))])
def test_numbers_stay_what_they_are_but_nobody_s(
    uid: int, gid: int, inside: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(os, "getegid", lambda: gid)
    assert ids.stays() == inside


@isolated
def test_without_proc_the_kernel_will_say_it() -> None:
    lacks.hide_proc()
    realm = ids.here()
    assert (realm.uids, realm.gids) == (EVERYBODY.uids, EVERYBODY.gids)
    assert realm.any_user
    assert ids.stays() == (os.geteuid(), os.getegid())
