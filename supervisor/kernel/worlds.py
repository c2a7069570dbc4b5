"""Whose is a world's directory? One live pidone per name: made 0700, owner checked, no symlink followed, held by a lock.

The lock is flock(2)'s, on the directory itself: there is no file that somebody could take away, and who clears up leaves a
directory alone that is locked (tmpfiles.d(5), AGE). It ends with its last holder, however that dies. Only who wants the name
takes it; whoever looks which worlds live asks their sockets, so that looking never makes a start fail.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from typing import Literal

from supervisor.model.record import Record

__all__ = ["Unclaimable", "WorldDir", "admit_others", "claim", "link_socket", "release"]

_MINE_ONLY, _PASSABLE, _PUBLIC = 0o700, 0o711, 0o755
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOBODY = 65534  # DEFAULT_OVERFLOWUID in <linux/highuid.h>
_TRIES = 3  # a predecessor that is just leaving takes its directory along


class WorldDir(Record):
    """A directory that is ours until `release`, or until we die."""

    path: str
    lock: int
    """The fd of the directory, by which it is held; ours."""


class Unclaimable(Record):
    """`taken`: a live pidone has this name. `unusable`: no directory could be made that is safely ours."""

    code: Literal["taken", "unusable"]
    path: str
    text: str
    """Why, in words."""


def claim(name: str, bases: Sequence[str]) -> WorldDir | Unclaimable:
    """Make BASE/NAME in the first base where that can be done, and lock it."""
    failures: dict[str, str] = {}
    for base in bases:
        path = f"{base}/{name}"
        for _ in range(_TRIES):
            try:
                lock = _claim_in(base, name)
            except _Taken:
                return Unclaimable("taken", path, "a live pidone holds it")
            except OSError as error:
                failures[path] = error.strerror or str(error)
                if not isinstance(error, FileNotFoundError) or not os.path.isdir(base):
                    break
            else:
                return WorldDir(path, lock)
    if not failures:
        return Unclaimable("unusable", "", "there is no place for it")
    (preferred, why), *others = failures.items()
    return Unclaimable("unusable", preferred, "; ".join((why, *(f"nor {path}: {text}" for path, text in others))))


def admit_others(world: WorldDir) -> None:
    """Let other users pass through to the socket (0711): who they may be is decided there."""
    os.chmod(world.path, _PASSABLE)
    base = os.path.dirname(world.path)
    if stat.S_IMODE(os.stat(base).st_mode) == _MINE_ONLY:
        os.chmod(base, _PASSABLE)


def link_socket(world: WorldDir, name: str, socket: str) -> None:
    """Let the world be found by its name although its socket is elsewhere: `name` in its directory points there."""
    temporary = f"{world.path}/.{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(socket, temporary)
    os.rename(temporary, f"{world.path}/{name}")


def release(world: WorldDir) -> None:
    """Take away what is left of the directory and let the name go. What somebody else put there stays."""
    with contextlib.suppress(OSError):  # the name is free all the same: the lock says so, not the directory
        # who took the directory away under us made room for another world of this name
        if os.path.samestat(os.fstat(world.lock), os.lstat(world.path)):
            for entry in os.listdir(world.path):
                os.unlink(f"{world.path}/{entry}")
            os.rmdir(world.path)
    os.close(world.lock)


class _Taken(Exception):
    pass


def _claim_in(base: str, name: str) -> int:
    """The fd of the locked directory. Raises _Taken, FileNotFoundError when the place vanished meanwhile, OSError when it
    cannot be had."""
    # /run/pidone may be looked into by everybody: a user listed in control.read finds his way by it
    base_fd = _directory(base, None, _PUBLIC if base.startswith("/run/") else _MINE_ONLY)
    try:
        world_fd = _directory(name, base_fd, _MINE_ONLY)
        try:
            _lock(world_fd, name, base_fd)
            os.fchmod(
                world_fd, _MINE_ONLY
            )  # a predecessor may have admitted others; not before we know that he is gone
        except BaseException:
            os.close(world_fd)
            raise
    finally:
        os.close(base_fd)
    return world_fd


def _directory(name: str, parent: int | None, mode: int) -> int:
    """Open it, made if it is missing; refused unless it is ours and nobody else may write to it."""
    try:
        os.mkdir(name, mode, dir_fd=parent)
        made = True
    except FileExistsError:
        made = False
    fd = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        seen = os.fstat(fd)
        if seen.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"it belongs to {_owner(seen.st_uid)}")
        if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(errno.EPERM, f"others may write to it (mode {stat.S_IMODE(seen.st_mode):04o})")
        if made:
            os.fchmod(fd, mode)  # whatever our umask made of it
    except BaseException:
        os.close(fd)
        raise
    return fd


def _owner(uid: int) -> str:
    return "somebody else" if uid == _NOBODY else f"uid {uid}"  # in a user namespace every stranger has that number


def _lock(world_fd: int, name: str, base_fd: int) -> None:
    try:
        fcntl.flock(world_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _Taken from None
    # what we locked may be the directory that a leaving predecessor has just removed: then the next try makes another
    if not os.path.samestat(os.fstat(world_fd), os.stat(name, dir_fd=base_fd, follow_symlinks=False)):
        raise FileNotFoundError(errno.ENOENT, "it was taken away meanwhile")
