"""May this peer ask, and how much? The kernel says who it is (SO_PEERCRED, unix(7)); the decision is a pure function.

Root and pidone's own user may everything; others what the lists say; nobody else anything. uid 65534 stands for every uid
that our user namespace cannot name and so matches no list, and ourselves only where every uid has a name. pid 0 is a peer
that our PID namespace cannot see: its uid is good, so root and our own user pass – `pidone status` beside a `pidone up` –,
but it matches no list.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Literal, TypeAlias

from supervisor.model.record import Record

__all__ = ["UNKNOWN_UID", "Access", "Guest", "Peer", "Rules", "access_of", "own_uid", "peer_of", "permits"]

Access: TypeAlias = Literal["read", "admin"]

UNKNOWN_UID = 65534  # /proc/sys/kernel/overflowuid as every distribution leaves it (user_namespaces(7))
_EVERYBODY = 2**32 - 1  # uids that the map of the first user namespace names

_PERMITTED: Mapping[Access, frozenset[Access]] = {
    "admin": frozenset({"admin", "read"}),
    "read": frozenset({"read"}),
}
_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid


class Peer(Record):
    pid: int
    uid: int


class Guest(Record):
    """Somebody who was let in."""

    uid: int
    """As our user namespace names him; 65534 stands for whom it cannot name."""
    access: Access


class Rules(Record):
    own_uid: int
    """Effective uid of pidone; -1 when nobody can be told to be the same user."""
    admin: tuple[int, ...] = ()
    read: tuple[int, ...] = ()


def own_uid(uid: int, uid_map: str) -> int:
    """Our effective uid as `Rules` wants it. `uid_map` is /proc/self/uid_map (user_namespaces(7)): nobody who runs pidone on a
    whole machine is himself, nobody of a namespace may be anybody."""
    names_everybody = [int(field) for field in uid_map.split()] == [0, 0, _EVERYBODY]
    return -1 if uid == UNKNOWN_UID and not names_everybody else uid


def access_of(peer: Peer, rules: Rules) -> Access | None:
    """What this peer may; None: not even speak."""
    if peer.uid in (0, rules.own_uid):
        return "admin"
    if peer.pid == 0 or peer.uid == UNKNOWN_UID:
        return None
    if peer.uid in rules.admin:
        return "admin"
    return "read" if peer.uid in rules.read else None


def permits(granted: Access, needed: Access) -> bool:
    return needed in _PERMITTED[granted]


def peer_of(connection: socket.socket) -> Peer:
    """Who connected, at the moment of connect(2). Raises OSError."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(credentials)
    return Peer(pid, uid)
