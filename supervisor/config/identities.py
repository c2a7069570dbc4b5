"""Who is meant by a user's or a group's name? The databases of users and groups, asked once per name (passwd(5), group(5)).

Names must be known. A number need not be: containers often run as a uid without an entry; its group is then the same number,
as systemd has it. But in a world where not everybody exists, or where we may not become everybody, whoever cannot be had is an
error here and not when the service starts.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
from collections.abc import Callable
from functools import cache

from supervisor.config.findings import Findings, Refused
from supervisor.config.nodes import Map, Node, Seq, Text
from supervisor.model.plan import Identity
from supervisor.model.realm import EVERYBODY, Realm, has, in_words
from supervisor.model.spec import ServiceSpec

__all__ = ["control_gid", "identity_of", "uid_of", "uids_in"]

_NUMBER = re.compile(r"\d{1,10}", re.ASCII)
_LAST_ID = 2**32 - 2  # -1 means "leave it" to setuid(2)
_NAMELESS = 65534  # /proc/sys/kernel/overflowuid as every distribution leaves it (user_namespaces(7))


@cache
def _user(word: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(int(word)) if _NUMBER.fullmatch(word) else pwd.getpwnam(word)
    except (KeyError, OverflowError, ValueError):
        return None


@cache
def _groups_of(user: str, gid: int) -> tuple[int, ...]:
    return tuple(os.getgrouplist(user, gid))


def _number(word: str) -> int | None:
    if not _NUMBER.fullmatch(word):
        return None
    if int(word) > _LAST_ID:
        raise Refused("id-too-large", text=word)
    return int(word)


def uid_of(word: str) -> int:
    """The number of a user; raises Refused."""
    number = _number(word)
    if number is not None:
        return number
    entry = _user(word)
    if entry is None:
        name, colon, group = word.partition(":")
        raise Refused("user-and-group", user=name, group=group) if colon else Refused("unknown-user", name=word[:40])
    return entry.pw_uid


@cache
def _gid(word: str) -> int:
    number = _number(word)
    if number is not None:
        return number
    try:
        return grp.getgrnam(word).gr_gid
    except (KeyError, ValueError):
        raise Refused("unknown-group", name=word[:40]) from None


def identity_of(spec: ServiceSpec, written: Map, findings: Findings, realm: Realm = EVERYBODY) -> Identity | None:
    """Who a service runs as; None when it says nothing about it. What is unknown or cannot be had goes to `findings`."""
    if not (spec.user or spec.group or spec.extra_groups):
        return None
    entry = _user(spec.user) if spec.user else None
    uid = _uid(spec, written, findings, realm)
    gid = entry.pw_gid if entry else uid or 0 if spec.user else os.getgid() if realm.gid < 0 else realm.gid
    if spec.group:
        try:
            gid = _gid(spec.group)
        except Refused as refusal:
            findings.refused(refusal, written[Text("group")])
        else:
            _can_be("group", gid, spec.group, realm, written[Text("group")], findings)
    elif spec.user and uid is not None:
        _can_be("group", gid, f"of {spec.user}", realm, written[Text("user")], findings)
    own = _groups_of(entry.pw_name, gid) if entry else () if spec.user else tuple(os.getgroups())
    extra = _extra(written[Text("extra_groups")], realm, findings) if spec.extra_groups else ()
    if uid is None:
        return None
    return Identity(
        uid=uid,
        gid=gid,
        groups=tuple(dict.fromkeys((*(one for one in own if _is_settable(one, realm)), *extra))),
        user=entry.pw_name if entry else spec.user,
        home=entry.pw_dir if entry else "",
        shell=entry.pw_shell if entry else "",
    )


def _uid(spec: ServiceSpec, written: Map, findings: Findings, realm: Realm) -> int | None:
    """The number of a service's user; None, and told, when he is unknown or cannot be had."""
    if not spec.user:
        return os.getuid() if realm.uid < 0 else realm.uid
    try:
        uid = uid_of(spec.user)
    except Refused as refusal:
        findings.refused(refusal, written[Text("user")])
        return None
    return uid if _can_be("user", uid, spec.user, realm, written[Text("user")], findings) else None


def _extra(names: Node, realm: Realm, findings: Findings) -> tuple[int, ...]:
    """The numbers of the further groups that a service is to have."""
    assert isinstance(names, Seq)
    numbers = []
    for name, number in _each(names, _gid, findings):
        # those that we have already are kept, whether they have a number in that world or not
        if number in realm.groups or _can_be("group", number, str(name), realm, name, findings):
            numbers.append(number)
    return tuple(number for number in numbers if _is_settable(number, realm))


def _is_settable(gid: int, realm: Realm) -> bool:
    """Whether setgroups(2) may be told of it. Where it may not be called, what we have stays; to name more would fail."""
    return has(realm.gids, gid) and (realm.any_group or gid in realm.groups or gid == realm.gid)


def _can_be(kind: str, number: int, name: str, realm: Realm, at: Node, findings: Findings) -> bool:
    """Whether a process of that world can have this user or group; if not, that is told."""
    uid = kind == "user"
    exist, ours = (realm.uids, realm.uid) if uid else (realm.gids, realm.gid)
    anybody = realm.any_user if uid else realm.any_group
    if has(exist, number) and (anybody or number == ours):
        return True
    code = "foreign-id" if has(exist, number) else f"{realm.limit}-id"
    word = "uid" if uid else "gid"
    what = f"{kind} {number}" if name == str(number) else f"{kind} {name} ({word} {number})"
    outside = os.geteuid() if uid else os.getegid()
    findings.judge(
        realm.certain,
        at,
        code,
        what=what,
        there=in_words(word, exist),
        ours=f"{word} {ours}" + (f", which is {word} {outside} outside" if ours != outside else ""),
        capability="SETUID" if uid else "SETGID",
    )
    return False


def control_gid(at: Node, findings: Findings, realm: Realm = EVERYBODY) -> int:
    """The group that the control socket shall have; -1 when it cannot have that one."""
    word = str(at)
    try:
        gid = _gid(word)
    except Refused as refusal:
        findings.refused(refusal, at)
        return -1
    # a socket of ours may be given to every group of ours (chown(2)); besides, who may give himself a group may give it that
    if _is_settable(gid, realm) or _can_be("group", gid, word, realm, at, findings):
        return gid
    return -1


def uids_in(names: Node, findings: Findings, realm: Realm = EVERYBODY) -> tuple[int, ...]:
    """The numbers of these users. Who does not exist in that world, or has no name there, is only mentioned: he harms
    nobody."""
    numbers = _each(names, uid_of, findings)
    for name, number in numbers:
        if number == _NAMELESS:
            findings.warning(name, "nameless-peer", name=name)
        elif not has(realm.uids, number):
            findings.warning(name, "unknown-peer", name=name, there=in_words("uid", realm.uids))
    return tuple(number for _, number in numbers)


def _each(names: Node, number_of: Callable[[str], int], findings: Findings) -> list[tuple[Node, int]]:
    assert isinstance(names, Seq)
    numbers = []
    for name in names:
        try:
            numbers.append((name, number_of(str(name))))
        except Refused as refusal:
            findings.refused(refusal, name)
    return numbers
