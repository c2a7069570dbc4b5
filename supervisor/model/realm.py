"""Who can the processes of a world be? The users and groups that exist there, and those that we may become."""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.record import Record

__all__ = ["EVERYBODY", "Ranges", "Realm", "has", "in_words"]

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Numbers of users or of groups: the first, and how many (user_namespaces(7))."""

_EVERY: Ranges = ((0, 2**32 - 1),)
_SHOWN = 3  # ranges; nobody reads more


class Realm(Record):
    """What is known of it when the configuration is read. The default: everybody exists, and we may become anybody."""

    uids: Ranges = _EVERY
    gids: Ranges = _EVERY
    uid: int = -1
    """Who we are in there; -1: whoever we are here."""
    gid: int = -1
    groups: tuple[int, ...] = ()
    """The further groups that we have and keep, those included that have no number in there."""
    any_user: bool = True
    """We may become every user that exists there; else we stay who we are."""
    any_group: bool = True
    limit: Literal["rootless", "namespace"] = "namespace"
    """Why not everybody exists: the world is made without privileges, or we are in a user namespace ourselves."""
    certain: bool = True
    """The world will be this one; else only if whoever asks starts it."""


EVERYBODY = Realm()


def has(ranges: Ranges, number: int) -> bool:
    return any(first <= number < first + count for first, count in ranges)


def in_words(kind: str, ranges: Ranges) -> str:
    """`uid 1000`, `gids 0, 100-199, …`, `no uid`."""
    parts = [str(first) if count == 1 else f"{first}-{first + count - 1}" for first, count in ranges[:_SHOWN]]
    if not parts:
        return f"no {kind}"
    more = ", …" if len(ranges) > _SHOWN else ""
    one = len(ranges) == 1 and ranges[0][1] == 1
    return f"{kind}{'' if one else 's'} {', '.join(parts)}{more}"
