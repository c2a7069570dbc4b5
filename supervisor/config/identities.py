"""Who is meant by a user's or a group's name? The databases of users and groups, asked once per name (passwd(5), group(5)).

Names must be known. A number need not be: containers often run as a uid without an entry; its group is then the same number,
as systemd has it.
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
from supervisor.model.spec import ServiceSpec

__all__ = ["gid_of", "gids_in", "identity_of", "uid_of", "uids_in"]

_NUMBER = re.compile(r"\d{1,10}", re.ASCII)
_LAST_ID = 2**32 - 2  # -1 means "leave it" to setuid(2)


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


def gid_of(word: str) -> int:
    """The number of a group; raises Refused."""
    return _gid(word)


def identity_of(spec: ServiceSpec, written: Map, findings: Findings) -> Identity | None:
    """Who a service runs as; None when it says nothing about it. What is unknown goes to `findings`."""
    if not (spec.user or spec.group or spec.extra_groups):
        return None
    try:
        uid = uid_of(spec.user) if spec.user else os.getuid()
    except Refused as refusal:
        findings.refused(refusal, written[Text("user")])
        return None
    entry = _user(spec.user) if spec.user else None
    gid = entry.pw_gid if entry else uid if spec.user else os.getgid()
    if spec.group:
        try:
            gid = gid_of(spec.group)
        except Refused as refusal:
            findings.refused(refusal, written[Text("group")])
    own = _groups_of(entry.pw_name, gid) if entry else () if spec.user else tuple(os.getgroups())
    extra = gids_in(written[Text("extra_groups")], findings) if spec.extra_groups else ()
    return Identity(
        uid=uid,
        gid=gid,
        groups=tuple(dict.fromkeys((*own, *extra))),
        user=entry.pw_name if entry else spec.user,
        home=entry.pw_dir if entry else "",
        shell=entry.pw_shell if entry else "",
    )


def gids_in(names: Node, findings: Findings) -> tuple[int, ...]:
    """The numbers of these groups."""
    return _each(names, gid_of, findings)


def uids_in(names: Node, findings: Findings) -> tuple[int, ...]:
    """The numbers of these users."""
    return _each(names, uid_of, findings)


def _each(names: Node, number_of: Callable[[str], int], findings: Findings) -> tuple[int, ...]:
    assert isinstance(names, Seq)
    numbers = []
    for name in names:
        try:
            numbers.append(number_of(str(name)))
        except Refused as refusal:
            findings.refused(refusal, name)
    return tuple(numbers)
