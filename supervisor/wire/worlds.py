"""Where does a world of this name live? Pure naming rules that init and every client share.

A world owns `BASE/NAME/`. The base is /run/pidone for root, $XDG_RUNTIME_DIR/pidone or /tmp/pidone-UID for others; who is
root only of a user namespace finds /run closed and goes on like the user he is outside.
"""

from __future__ import annotations

TYPE_CHECKING = False  # clients import this: see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_NAME", "SOCKET", "SYSTEM_BASE", "bases", "is_name", "looked_at", "outer_uid", "socket_path"]

DEFAULT_NAME = "default"
SYSTEM_BASE = "/run/pidone"
SOCKET = "control.sock"

_MAX_NAME = 64
_NOBODY = 65534  # DEFAULT_OVERFLOWUID in <linux/highuid.h>
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def is_name(text: str) -> bool:
    """Letters, digits, `_`, `.` and `-`, up to 64, none of the last two in front: a file name that is never special."""
    return 0 < len(text) <= _MAX_NAME and text[0] not in ".-" and _LETTERS.issuperset(text)


def bases(uid: int, outside: int, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The directories in which this user's worlds may be made, in the order of preference.

    `uid` is the effective one, `outside` the same as the parent user namespace sees it (`outer_uid`).
    """
    found = [SYSTEM_BASE] if uid == 0 else []
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):  # a relative one is to be ignored (XDG Base Directory Specification)
        found.append(runtime.rstrip("/") + "/pidone")
    # only root of a user namespace is somebody else outside; where he looks from there, his world must be
    return (*found, _in_tmp(outside if uid == 0 else uid))


def looked_at(uid: int, outside: int, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The directories in which this user's worlds are: those, and where a namespace in a namespace of his makes them. There
    nobody is 0, and is 0 outside too."""
    places = (*bases(uid, outside, environ), *([_in_tmp(0)] if uid in (0, _NOBODY) else ()))
    return tuple(dict.fromkeys(places))


def _in_tmp(uid: int) -> str:
    return f"/tmp/pidone-{uid}"


def socket_path(base: str, name: str) -> str:
    return f"{base}/{name}/{SOCKET}"


def outer_uid(uid: int, uid_map: str) -> int:
    """Who this user is outside, by the text of /proc/self/uid_map (user_namespaces(7)); the same one if it does not say."""
    for line in uid_map.splitlines():
        inside, outside, count = (int(field) for field in line.split())
        if inside <= uid < inside + count:
            return outside + uid - inside
    return uid
