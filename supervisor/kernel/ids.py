"""Who exists here, and whom may a process of ours become? Users and groups (user_namespaces(7), capabilities(7)).

Asked in a process that was executed like those it is asked for: exec decides which capabilities are left.
"""

from __future__ import annotations

import os

from supervisor.model.realm import Ranges, Realm
from supervisor.model.record import replace

__all__ = ["SETFCAP", "SETGID", "SETUID", "SYS_ADMIN", "capabilities", "here", "may", "rootless", "stays"]

SETGID, SETUID, SYS_ADMIN, SETFCAP = 6, 7, 21, 31  # <linux/capability.h>
_ALL = (1 << 64) - 1


def capabilities() -> int:
    """The effective ones as bits; all of them when nobody can say, for then the kernel will."""
    try:
        with open("/proc/self/status") as file:
            return next((int(line[8:], 16) for line in file if line.startswith("CapEff:")), _ALL)
    except (OSError, ValueError):
        return _ALL


def may(*needed: int) -> bool:
    """Whether all of these capabilities are ours."""
    effective = capabilities()
    return all(effective >> number & 1 for number in needed)


def here() -> Realm:
    """Where we are."""
    return Realm(
        uids=_mapped("uid_map"),
        gids=_mapped("gid_map"),
        uid=os.geteuid(),
        gid=os.getegid(),
        groups=tuple(os.getgroups()),
        any_user=may(SETUID),
        any_group=may(SETGID) and not _setgroups_is_denied(),
    )


def rootless() -> Realm:
    """A world that we make without any privilege: only ourselves exist there."""
    uid, gid = stays()
    alone = replace(here(), uids=((uid, 1),), gids=((gid, 1),), uid=uid, gid=gid, limit="rootless")
    return replace(alone, any_user=False, any_group=False)


def stays() -> tuple[int, int]:
    """Our user and group as a user namespace of our own shall name them.

    Numbers stay what they are, but nobody cannot stay nobody: inside, that is how everybody from outside looks, and they
    must not pass for him.
    """
    uid = os.geteuid()
    return (0, 0) if uid == _overflow_uid() else (uid, os.getegid())


def _overflow_uid() -> int:
    """How a user who does not exist in a user namespace looks there (proc_sys_kernel(5))."""
    try:
        with open("/proc/sys/kernel/overflowuid") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 65534  # DEFAULT_OVERFLOWUID in <linux/highuid.h>


def _mapped(name: str) -> Ranges:
    try:
        with open(f"/proc/self/{name}") as file:
            rows = [line.split() for line in file]
        return tuple((int(inside), int(count)) for inside, _, count in rows)
    except (OSError, ValueError):  # a kernel without user namespaces
        return Realm().uids


def _setgroups_is_denied() -> bool:
    """Whether this user namespace was made by somebody without privileges: there nobody has other groups than he came with."""
    try:
        with open("/proc/self/setgroups") as file:
            return file.read().strip() == "deny"
    except OSError:
        return False
