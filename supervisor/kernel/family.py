"""Whose child is who? Our children, all below us, everybody.

The kernel lists children per forking thread in /proc/PID/task/TID/children; where it was built without that
(CONFIG_PROC_CHILDREN), everybody's parent is looked up instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable

from supervisor.kernel.fds import even_when_full
from supervisor.kernel.port import Person
from supervisor.kernel.procfs import gone, numbers, people, read_stat

__all__ = ["children", "descendants", "everybody", "walk"]

Place = Callable[[str], str]

_CHUNK = 1 << 16
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class _NoLists(Exception):
    """This kernel lists no children."""


def children() -> tuple[int, ...]:
    """The numbers of our children, adopted ones and zombies included. Raises OSError when /proc cannot be used."""
    try:
        return _listed("self")
    except _NoLists:
        us = os.getpid()
        return tuple(pid for pid, parent in _parents().items() if parent == us)


def descendants(place: Place | None = None, of: Collection[int] = ()) -> tuple[Person, ...]:
    """All below us, or below these, in no order. Who is born or moves during the look may be missed: look twice where it
    matters."""
    return tuple(people(walk(tuple(of) or (os.getpid(),)), place))


def walk(roots: Collection[int]) -> list[int]:
    """The numbers of all below these."""
    try:
        return _below(roots, lambda pid: _listed("self" if pid == os.getpid() else str(pid)))
    except _NoLists:
        children: dict[int, list[int]] = {}
        for pid, parent in _parents().items():
            children.setdefault(parent, []).append(pid)
        return _below(roots, lambda pid: children.get(pid, ()))


def everybody(place: Place | None = None) -> tuple[Person, ...]:
    """All processes of our PID namespace but ourselves and kernel threads."""
    us = os.getpid()
    return tuple(people((pid for pid in numbers() if pid != us), place))


def _below(roots: Iterable[int], children_of: Callable[[int], Iterable[int]]) -> list[int]:
    front, known = list(roots), {os.getpid(), *roots}
    found = []
    while front:
        for pid in children_of(front.pop()):
            if pid not in known:  # else it was handed to another parent while we looked
                known.add(pid)
                found.append(pid)
                front.append(pid)
    return found


@even_when_full
def _listed(process: str) -> tuple[int, ...]:
    """The children of one process; () when it is gone, which `self` is not. A list is as good as its moment: the kernel skips an
    entry only when an earlier one is reaped during the read, and ours are reaped by us alone."""
    try:
        threads = os.listdir(f"/proc/{process}/task")
    except OSError as error:
        if gone(error) and process != "self":
            return ()
        raise
    text = b""
    for thread in threads:
        try:
            text += _read_list(f"/proc/{process}/task/{thread}")
        except OSError as error:
            if not gone(error):
                raise
    return tuple(map(int, text.split()))


def _read_list(thread: str) -> bytes:
    try:
        fd = os.open(f"{thread}/children", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if os.path.exists(f"{thread}/stat"):
            raise _NoLists from None
        raise
    text = b""
    try:
        while piece := os.read(fd, _CHUNK):
            text += piece
    finally:
        os.close(fd)
    return text


def _parents() -> dict[int, int]:
    """Everybody's parent."""
    parents = {}
    for pid in numbers():
        parent = _parent(pid)
        if parent is not None:
            parents[pid] = parent
    return parents


@even_when_full
def _parent(pid: int) -> int | None:
    try:
        directory = os.open(f"/proc/{pid}", _DIRECTORY)
    except OSError as error:
        if gone(error):
            return None
        raise
    try:
        return read_stat(directory).ppid
    except OSError as error:
        if gone(error):
            return None
        raise
    finally:
        os.close(directory)
