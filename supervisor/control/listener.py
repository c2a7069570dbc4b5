"""How does the socket get its name? Under a temporary one first, with its mode set; under its own when it listens.

So nobody ever finds a socket that does not answer, or one that is open wider than it shall be. Plain calls: trio binds paths
in a thread, and PID 1 has none.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from typing import NamedTuple

from supervisor.model.record import Record

__all__ = ["BACKLOG", "Listener", "NotListening", "close_listener", "open_listener"]

BACKLOG = 64  # connections that may wait while one turn of the loop is under way

_PATH_MAX = 107  # bytes of sun_path, less the zero behind it (unix(7))
_TOO_LONG = f"a socket's path has room for {_PATH_MAX} bytes: choose a shorter --socket"


class Listener(NamedTuple):
    socket: socket.socket
    path: str
    identity: tuple[int, int]
    """Device and inode of the name, so that nobody else's is taken away in the end."""


class NotListening(Record):
    path: str
    text: str
    """What failed and why, in words."""
    hint: str = ""


def open_listener(path: str, mode: int = 0o600, gid: int = -1) -> Listener | NotListening:
    """A socket that listens at `path`. Whatever dead socket stood there is replaced in one step; anything else is spared."""
    if len(os.fsencode(path)) > _PATH_MAX:
        return NotListening(path, "the path is too long", _TOO_LONG)
    if refusal := _occupied(path):
        return refusal
    temporary = f"{os.path.dirname(path) or '.'}/.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777)  # bind(2) makes the file with what the umask leaves: nothing, until chmod
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        listener.bind(temporary)
        os.chown(temporary, -1, gid)
        os.chmod(temporary, mode)
        listener.listen(BACKLOG)
        seen = os.lstat(temporary)
        os.rename(temporary, path)
    except OSError as error:
        listener.close()
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if error.errno is None:  # Python's own check of the length has no errno
            return NotListening(path, str(error), _TOO_LONG)
        return NotListening(path, os.strerror(error.errno))
    finally:
        os.umask(before)
    listener.setblocking(False)
    return Listener(listener, path, (seen.st_dev, seen.st_ino))


def close_listener(listener: Listener) -> None:
    """Stop listening and take the name away, unless it is somebody else's by now."""
    with contextlib.suppress(OSError):
        seen = os.lstat(listener.path)
        if (seen.st_dev, seen.st_ino) == listener.identity:
            os.unlink(listener.path)
    listener.socket.close()


def _occupied(path: str) -> NotListening | None:
    try:
        seen = os.lstat(path)
    except OSError:
        return None  # what is wrong with it, bind will say
    if not stat.S_ISSOCK(seen.st_mode) and not stat.S_ISLNK(seen.st_mode):
        return NotListening(
            path, "something else is there that is no socket", "move it away or choose another --socket"
        )
    if _answers(path):
        return NotListening(path, "another process listens there", "choose another --socket")
    return None


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as question:
        question.setblocking(False)  # a full queue of a live one answers EAGAIN
        return question.connect_ex(path) not in (errno.ECONNREFUSED, errno.ENOENT)
