"""Where can a world be found? Its directory under a name, held by a lock, and its socket, which listens from now on.

Who finds no directory that is safely his own is refused: a world that nobody can ask would help nobody. But one whose socket
the operator has placed himself can be asked there, and needs no other place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from supervisor.control.listener import Listener, NotListening, close_listener, open_listener
from supervisor.kernel import worlds
from supervisor.model.plan import Plan
from supervisor.wire.worlds import DEFAULT_NAME, SOCKET, bases, outer_uid

__all__ = ["NoPlace", "Place", "claim_place", "uid_map"]


class NoPlace(Exception):
    """There is none; says why in a sentence, and what would help."""


class Place:
    """Where the world can be found."""

    def __init__(self, name: str, directory: worlds.WorldDir | None, listener: Listener) -> None:
        self.name = name
        self.listener = listener
        self._directory = directory

    def leave(self) -> None:
        """Take away what can be found. Raises OSError."""
        close_listener(self.listener)
        if self._directory is not None:
            worlds.release(self._directory)


def claim_place(
    name: str, socket: str, plan: Plan, environment: Mapping[str, str], warn: Callable[[str], None]
) -> Place:
    """`name` and `socket` are what the command line says, or "". Raises NoPlace."""
    control = plan.system.control
    name, socket = name or plan.system.name or DEFAULT_NAME, socket or control.socket
    directory = _claim(name, environment, socket, warn)
    here = "" if directory is None else f"{directory.path}/{SOCKET}"
    path = os.path.abspath(socket or here)
    mode = _socket_mode(plan)
    listener = open_listener(path, mode, plan.control_gid)
    if isinstance(listener, NotListening):
        if directory is not None:
            worlds.release(directory)
        hint = f"; {listener.hint}" if listener.hint else ""
        raise NoPlace(f"cannot listen at {listener.path}: {listener.text}{hint}")
    if directory is not None:
        if path != here:
            worlds.link_socket(directory, SOCKET, path)
        if mode & 0o077:
            worlds.admit_others(directory)
    return Place(name, directory, listener)


def _claim(
    name: str, environment: Mapping[str, str], socket: str, warn: Callable[[str], None]
) -> worlds.WorldDir | None:
    uid = os.geteuid()
    directory = worlds.claim(name, bases(uid, outer_uid(uid, uid_map()), environment))
    if isinstance(directory, worlds.WorldDir):
        return directory
    if directory.code == "taken":
        raise NoPlace(f"a world named {name} is alive already ({directory.path}); take another name: --name NAME")
    why = f"cannot make {directory.path or 'a directory for the world'}: {directory.text}"
    if not socket:
        raise NoPlace(f"{why}; set XDG_RUNTIME_DIR to a directory of your own, or place the socket: --socket PATH")
    warn(f"{why}; the world has no name then and is found only by --socket")
    return None


def _socket_mode(plan: Plan) -> int:
    """Who is listed must be able to knock: a mode for us alone would turn him away before anybody looks who he is."""
    mode = plan.system.control.mode
    listed = plan.read_uids or plan.admin_uids
    return 0o666 if listed and not mode & 0o077 else mode


def uid_map() -> str:
    """The text of /proc/self/uid_map."""
    try:
        with open("/proc/self/uid_map") as file:
            return file.read()
    except OSError:  # a kernel without user namespaces
        return "0 0 4294967295"
