"""Which world does `pidone up` make for whom, where something is missing? Every combination that this machine can play.

Who: root, root without some capabilities (as in a container), an ordinary user, nobody. What is missing: user namespaces, PID
namespaces, a whole /proc, unshare(2) itself. What was asked: each option that says how much is to be isolated.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from supervisor.model.spec import NamespaceSpec, SystemSpec
from supervisor.programs.monitor import UpOptions
from tests import lacks
from tests.isolation import isolated
from tests.linux.monitors import SYSTEM, nothing, start_up

_SOMEBODY, _NOBODY = 4321, 65534

# A shell, for an ordinary user may not be allowed to execute the interpreter of the tests.
_SHOW = """
[ $$ = 1 ] && where=inside || where=outside
echo "$where $(id -u) $(readlink /proc/self/ns/user) $(readlink /proc/self/ns/net) $(tr -s ' \\n' ' ' < /proc/self/uid_map)"
echo "loaded for $2 $3"
"""

DEFAULT = UpOptions()
ROOTLESS = UpOptions(rootless=True)
USER = UpOptions(user=True)
OPEN = UpOptions(no_namespace=True)
AUTO = UpOptions(namespace_auto=True)
AUTO_NET = UpOptions(namespace_auto=True, net=True)
AUTO_ROOTLESS = UpOptions(namespace_auto=True, rootless=True)


class _Seen(NamedTuple):
    """What the stand-in for init has seen of its world, and what the monitor has said before."""

    said: list[str]
    isolated: bool
    uid: int
    own_users: bool
    """In a user namespace that is not ours."""
    own_net: bool
    users: str
    loaded_for: str


def _see(options: UpOptions, prepare: Callable[[], None] = nothing, system: SystemSpec = SYSTEM) -> _Seen:
    up = start_up("", options, prepare=prepare, system=system, command=("/bin/sh", "-c", _SHOW))
    status = up.ends()
    *said, seen, loaded = up.rest().splitlines()
    assert status == 0, said
    where, uid, users, net, *rows = seen.split()
    here = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("user", "net")}
    return _Seen(
        [line for line in said if line],
        where == "inside",
        int(uid),
        users != here["user"],
        net != here["net"],
        " ".join(rows),
        loaded.removeprefix("loaded for ").strip(),
    )


def _refused(options: UpOptions, prepare: Callable[[], None]) -> str:
    """The one line that says why not, and what would help."""
    up = start_up("", options, prepare=prepare, command=("/bin/sh", "-c", _SHOW))
    assert up.ends() == 1
    said = up.rest()
    assert said.startswith("pidone up: cannot ")
    assert said.count("\n") == 1
    assert "--no-namespace" in said
    return said


def _everybody() -> str:
    """The map of a user namespace in which everybody who exists here is himself."""
    rows = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return " ".join(f"{inside} {inside} {count}" for inside, _, count in rows)


without_sys_admin = partial(lacks.drop_capabilities, lacks.SYS_ADMIN)
without_setuid = partial(lacks.drop_capabilities, lacks.SYS_ADMIN, lacks.SETUID)
powerless = lacks.drop_capabilities
somebody = partial(lacks.be_somebody, _SOMEBODY)
nobody = partial(lacks.be_somebody, _NOBODY)
without_users = partial(lacks.forbid_namespaces, "user")
without_pids = partial(lacks.forbid_namespaces, "pid")
filtered = partial(lacks.refuse_unshare, errno.EPERM)
filtered_as_unknown = partial(lacks.refuse_unshare, errno.ENOSYS)


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        second()

    return both


# --- what root gets


@pytest.mark.parametrize("prepare", [nothing, lacks.cover_proc], ids=["whole", "covered /proc"])
@isolated
def test_root_needs_no_user_namespace(prepare: Callable[[], None]) -> None:
    seen = _see(DEFAULT, prepare)
    assert (seen.isolated, seen.uid, seen.own_users, seen.loaded_for, seen.said) == (True, 0, False, "here", [])


@pytest.mark.parametrize("way", ["option", "configuration"])
@isolated
def test_with_user_root_takes_everybody_along(way: str) -> None:
    system = SystemSpec(namespace=NamespaceSpec(user=way == "configuration"))
    seen = _see(UpOptions(user=way == "option"), system=system)
    assert (seen.isolated, seen.uid, seen.own_users, seen.loaded_for) == (True, 0, True, "here")
    assert seen.users == _everybody()
    assert seen.said == []


@isolated
def test_rootless_root_is_alone_in_his_world() -> None:
    seen = _see(ROOTLESS)
    assert (seen.isolated, seen.uid, seen.own_users, seen.users) == (True, 0, True, "0 0 1")
    assert seen.loaded_for == "rootless"
    assert seen.said == []


@pytest.mark.parametrize(
    "prepare", [nothing, powerless, somebody, filtered], ids=["root", "powerless", "user", "filtered"]
)
@isolated
def test_without_namespaces_everybody_stays_where_he_is(prepare: Callable[[], None]) -> None:
    seen = _see(OPEN, prepare)
    assert (seen.isolated, seen.own_users, seen.loaded_for, seen.said) == (False, False, "here", [])


# --- root in a container


@pytest.mark.parametrize(
    ("prepare", "options", "users", "noted"),
    [
        (without_sys_admin, DEFAULT, "everybody", "--user"),
        (without_sys_admin, AUTO, "everybody", "--user"),
        (without_sys_admin, USER, "everybody", "--user"),
        (without_sys_admin, ROOTLESS, "alone", ""),
        (without_setuid, DEFAULT, "alone", "--rootless"),
        (without_setuid, USER, "alone", "--rootless"),
        (without_setuid, ROOTLESS, "alone", ""),
    ],
)
@isolated
def test_root_without_sys_admin_takes_the_way_of_those_who_are_not_root(
    prepare: Callable[[], None], options: UpOptions, users: str, noted: str
) -> None:
    seen = _see(options, prepare)
    assert (seen.isolated, seen.uid, seen.own_users) == (True, 0, True)
    assert seen.users == (_everybody() if users == "everybody" else "0 0 1")
    assert seen.loaded_for == ("here" if users == "everybody" else "rootless")
    if noted:
        assert len(seen.said) == 1
        assert seen.said[0].startswith("pidone up: note: the capability SYS_ADMIN is not ours")
        assert noted in seen.said[0]
    else:
        assert seen.said == []


@isolated
def test_root_without_any_capability_cannot_even_keep_his_number() -> None:
    said = _refused(DEFAULT, powerless)
    assert "SETFCAP" in said
    assert "another user" in said


@isolated
def test_a_container_that_covers_proc_is_told_what_it_must_allow() -> None:
    for options in (DEFAULT, USER, ROOTLESS):
        said = _refused(options, _both(lacks.cover_proc, without_sys_admin))
        assert "parts of the one we have are covered (/proc/fs)" in said
        assert "systempaths=unconfined" in said
        assert "pidone init" in said


# --- ordinary users


@pytest.mark.parametrize("options", [DEFAULT, ROOTLESS, USER, AUTO], ids=["", "rootless", "user", "auto"])
@isolated
def test_an_ordinary_user_is_alone_in_his_world_under_his_own_number(options: UpOptions) -> None:
    if not lacks.exists(_SOMEBODY):  # nobody else exists here: then a root without a right is turned away
        options = UpOptions(rootless=True)
        assert "SETFCAP" in _refused(options, somebody)
        return
    seen = _see(options, somebody)
    assert (seen.isolated, seen.uid, seen.own_users) == (True, _SOMEBODY, True)
    assert seen.users == f"{_SOMEBODY} {_SOMEBODY} 1"
    assert (seen.loaded_for, seen.said) == ("rootless", [])


@isolated
def test_nobody_is_root_in_his_world() -> None:
    if not lacks.exists(_NOBODY):
        assert "SETFCAP" in _refused(DEFAULT, nobody)
        return
    seen = _see(DEFAULT, nobody)
    assert (seen.isolated, seen.uid, seen.users, seen.loaded_for) == (True, 0, f"0 {_NOBODY} 1", "rootless")
    assert seen.said == []


@isolated
def test_an_ordinary_user_can_have_a_network_of_his_own() -> None:
    prepare = somebody if lacks.exists(_SOMEBODY) else nothing
    assert _see(UpOptions(net=True), prepare).own_net


# --- what cannot be had


@pytest.mark.parametrize(
    ("prepare", "options", "words"),
    [
        (lacks.cover_proc, ROOTLESS, ("/proc/fs", "systempaths=unconfined")),
        (without_users, ROOTLESS, ("switched off", "sysctl user.max_user_namespaces")),
        (without_users, USER, ("switched off", "sysctl user.max_user_namespaces")),
        (_both(without_users, without_sys_admin), DEFAULT, ("SYS_ADMIN is not ours", "switched off")),
        (without_pids, DEFAULT, ("sysctl user.max_pid_namespaces",)),
        (without_pids, ROOTLESS, ("too many already",)),
        (filtered, DEFAULT, ("PID namespace", "seccomp filter", "seccomp=unconfined")),
        (filtered, ROOTLESS, ("user namespace", "seccomp filter", "seccomp=unconfined")),
        (filtered, USER, ("user namespace", "seccomp filter")),
        (filtered_as_unknown, ROOTLESS, ("user namespace", "seccomp filter")),
        (_both(without_sys_admin, filtered), DEFAULT, ("SYS_ADMIN is not ours", "seccomp filter")),
    ],
)
@isolated
def test_what_cannot_be_isolated_is_one_line_with_the_way_out(
    prepare: Callable[[], None], options: UpOptions, words: tuple[str, ...]
) -> None:
    said = _refused(options, prepare)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("prepare", "options", "isolated_all_the_same", "loaded_for"),
    [
        (without_users, AUTO_ROOTLESS, True, "rootless here"),
        (without_pids, AUTO, False, "here"),
        (without_pids, AUTO_ROOTLESS, False, "rootless here"),
        (powerless, AUTO, False, "rootless here"),
        (filtered, AUTO_NET, False, "here"),
    ],
)
@isolated
def test_auto_goes_on_with_what_can_be_had_and_says_so(
    prepare: Callable[[], None], options: UpOptions, isolated_all_the_same: bool, loaded_for: str
) -> None:
    seen = _see(options, prepare)
    assert seen.isolated is isolated_all_the_same
    assert seen.loaded_for == loaded_for  # who else exists there is asked anew
    assert len(seen.said) == 1
    assert seen.said[0].startswith("pidone up: warning: cannot ")
    assert "goes on with" in seen.said[0]


@isolated
def test_auto_has_a_network_of_its_own_where_that_can_be_had() -> None:
    seen = _see(AUTO_NET)
    assert (seen.isolated, seen.own_net, seen.said) == (True, True, [])
