from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

from supervisor.model.plan import Identity
from supervisor.programs.planning import plan_of
from tests.unit.config.reading import service


def test_nothing_written_is_pidones_own(tmp_path: Path) -> None:
    assert service(tmp_path, "umask: '077'").identity is None
    assert service(tmp_path, "user: '', group: '', extra_groups: []").identity is None


def test_a_user_comes_with_group_groups_home_and_shell(tmp_path: Path) -> None:
    entry = pwd.getpwnam("daemon")
    expected = Identity(
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(os.getgrouplist("daemon", entry.pw_gid)),
        user="daemon",
        home=entry.pw_dir,
        shell=entry.pw_shell,
    )
    assert service(tmp_path, "user: daemon").identity == expected
    assert service(tmp_path, f"user: {entry.pw_uid}").identity == expected


def test_a_group_and_more_groups_are_added_to_those_of_the_user(tmp_path: Path) -> None:
    mail = grp.getgrnam("mail").gr_gid
    identity = service(tmp_path, "user: daemon, group: mail, extra_groups: [tty, '4242', mail]").identity
    assert identity is not None
    assert identity.gid == mail
    assert set(identity.groups) == {*os.getgrouplist("daemon", mail), grp.getgrnam("tty").gr_gid, 4242, mail}
    assert len(identity.groups) == len(set(identity.groups))


def test_a_number_without_an_entry_is_a_user_whose_group_has_the_same_number(tmp_path: Path) -> None:
    assert service(tmp_path, "user: 54321").identity == Identity(54321, 54321, (), "54321")
    assert service(tmp_path, "user: 54321, group: 7").identity == Identity(54321, 7, (), "54321")


def test_without_a_user_it_is_ours_with_other_groups(tmp_path: Path) -> None:
    identity = service(tmp_path, "group: mail, extra_groups: ['4242']").identity
    assert identity is not None
    assert (identity.uid, identity.gid, identity.user) == (os.getuid(), grp.getgrnam("mail").gr_gid, "")
    assert set(identity.groups) == {*os.getgroups(), 4242}


def test_the_groups_of_an_unknown_user_are_looked_up_too(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(
        "services: {a: {command: sleep 1, user: no-such-user, group: no-such-group, extra_groups: [no-such]}}\n"
    )
    answer = plan_of([str(path)], {})
    assert [error["code"] for error in answer["errors"]] == ["unknown-user", "unknown-group", "unknown-group"]
