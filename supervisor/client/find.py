"""Which pidone is meant? --socket, else --name, else $PIDONE_SOCKET, else the only live world that we may reach.

Live is what answers a connect(2). A directory that is neither ours nor root's is not looked into: anybody may make one in
/tmp. What was written by hand counts before what a service inherited.
"""

from __future__ import annotations

import _socket  # socket.py makes enums of every constant for 1.9 ms; a client runs for 15
import errno
import os
import stat

from supervisor.client.trouble import Trouble
from supervisor.wire.worlds import SYSTEM_BASE, is_name, looked_at, outer_uid, socket_path

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["connect", "find", "live_worlds"]

_START_ONE = "pidone up starts one; --socket PATH or --name WORLD says which is meant"
_PATIENCE = 5.0  # seconds for connect(2), which waits only when the queue of a live one is full


def find(socket: str, name: str, environ: Mapping[str, str]) -> _socket.socket:
    """A connection to the world that is meant. Raises Trouble: unreachable, refused, several, usage."""
    if socket:
        return connect(socket, f"no pidone listens at {socket}")
    if name:
        return _by_name(name, environ)
    if inherited := environ.get("PIDONE_SOCKET"):
        return connect(inherited, f"no pidone listens at {inherited}, where $PIDONE_SOCKET points")
    return _the_only_one(environ)


def connect(path: str, nobody: str) -> _socket.socket:
    """A connection to this socket. `nobody` is what to say when nobody listens there."""
    peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    peer.settimeout(_PATIENCE)
    try:
        peer.connect(path)
    except OSError as error:
        peer.close()
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Trouble("refused", f"{path}: permission denied", "ask as root or as the user that runs it") from None
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
            raise Trouble("unreachable", nobody, _START_ONE) from None
        raise Trouble("unreachable", f"{path}: {error.strerror or error}") from None
    return peer


def live_worlds(environ: Mapping[str, str]) -> list[tuple[str, str, _socket.socket]]:
    """(name, path of the socket, connection) of every world that we may reach."""
    found = []
    for base in _bases(environ):
        for name in _names(base):
            path = socket_path(base, name)
            try:
                found.append((name, path, connect(path, "")))
            except Trouble:
                continue
    return found


def _by_name(name: str, environ: Mapping[str, str]) -> _socket.socket:
    if not is_name(name):
        raise Trouble("usage", f"no world can be called {name!r}", "letters, digits, _ . - and at most 64 of them")
    nobody = f"no pidone of the name {name!r} runs"
    refused = None
    for base in _bases(environ):
        try:
            return connect(socket_path(base, name), nobody)
        except Trouble as trouble:
            if trouble.code == "refused":
                refused = trouble
    raise refused or Trouble("unreachable", nobody, "pidone worlds lists those that run")


def _the_only_one(environ: Mapping[str, str]) -> _socket.socket:
    worlds = live_worlds(environ)
    if not worlds:
        raise Trouble("unreachable", "no pidone is running that you may reach", _START_ONE)
    if len(worlds) > 1:
        for _, _, peer in worlds:
            peer.close()
        names = ", ".join(sorted(name for name, _, _ in worlds))
        raise Trouble("several", f"several worlds are running: {names}", "--name WORLD says which; see pidone worlds")
    return worlds[0][2]


def _bases(environ: Mapping[str, str]) -> list[str]:
    """Where worlds may be that we can trust: our own places, and root's."""
    uid = os.geteuid()
    try:
        with open("/proc/self/uid_map") as file:
            outside = outer_uid(uid, file.read())
    except (OSError, ValueError):
        outside = uid
    places = dict.fromkeys((*looked_at(uid, outside, environ), SYSTEM_BASE))
    return [base for base in places if _belongs_to(base, {0, uid})]


def _belongs_to(path: str, uids: set[int]) -> bool:
    try:
        seen = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid in uids


def _names(base: str) -> Iterator[str]:
    try:
        entries = sorted(os.listdir(base))
    except OSError:
        return
    for entry in entries:
        if is_name(entry):
            yield entry
