"""Who is this process? What /proc still tells, of a zombie too.

Rules: one process is read through one descriptor of its directory, so that a number that changes hands in the middle gives
"gone", never a mixture of two; a process that vanishes while it is read is no error; nothing of it is trusted to be well
formed: its name may hold spaces, parentheses and line ends (proc(5)).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple

from supervisor.kernel.fds import even_when_full
from supervisor.kernel.port import Person

__all__ = ["Stat", "gone", "identify", "numbers", "people", "read_at", "read_stat", "v2_path"]

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_CLOEXEC
_PF_KTHREAD = 0x00200000  # <linux/sched.h>, as `flags` of /proc/PID/stat shows it
_PENDING = b"\nMax pending signals"
_GONE = (errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM)


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that anybody asked for."""

    comm: str
    state: str
    ppid: int
    pgid: int
    sid: int
    kernel_thread: bool
    ticks: int
    """User and system time."""
    start: int
    pages: int
    """Resident."""


def gone(error: OSError) -> bool:
    """Whether this error of /proc says that the process is not there, or not for us."""
    return error.errno in _GONE


def read_at(directory: int, name: str, size: int = 4096) -> bytes:
    """Up to `size` bytes of a file of one page below an open directory. Raises OSError."""
    fd = os.open(name, _FILE, dir_fd=directory)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)


def read_stat(directory: int) -> Stat:
    """/proc/PID/stat of the process whose directory is open. Raises OSError."""
    line = read_at(directory, "stat")
    after = line.rindex(b")")  # the name may have more of them, the numbers behind have none
    word = line[after + 2 :].split(None, 22)
    return Stat(
        comm=line[line.index(b"(") + 1 : after].decode(errors="replace"),
        state=word[0].decode(),
        ppid=int(word[1]),
        pgid=int(word[2]),
        sid=int(word[3]),
        kernel_thread=bool(int(word[6]) & _PF_KTHREAD),
        ticks=int(word[11]) + int(word[12]),
        start=int(word[19]),
        pages=int(word[21]),
    )


def v2_path(text: bytes) -> str:
    """The path in the v2 hierarchy out of /proc/PID/cgroup; "" when there is none (cgroups(7))."""
    at = text.find(b"0::") if text.startswith(b"0::") else text.find(b"\n0::") + 1
    if not text.startswith(b"0::", at):
        return ""
    end = text.find(b"\n", at)
    return os.fsdecode(text[at + 3 : end if end >= 0 else None].removesuffix(b" (deleted)"))


@even_when_full
def identify(pid: int, place: Callable[[str], str] | None = None, sessions: Container[int] = ()) -> Person | None:
    """Who this is; None when there is no such process. `place` maps a v2 path to what Person.cgroup says; without it the
    cgroup is not asked for, nor is it, or the tag, of who is in one of these sessions or process groups. Raises OSError when
    /proc itself cannot be used."""
    found = _look(pid, place, sessions)
    return found[0] if found is not None else None


def _look(pid: int, place: Callable[[str], str] | None, sessions: Container[int] = ()) -> tuple[Person, Stat] | None:
    try:
        directory = os.open(f"/proc/{pid}", _DIRECTORY)
    except OSError as error:
        if gone(error):
            return None
        raise
    try:
        stat = read_stat(directory)
        tag, cgroup = 0, ""
        if stat.sid not in sessions and stat.pgid not in sessions:
            tag = _soft_pending(read_at(directory, "limits"))
            cgroup = place(v2_path(read_at(directory, "cgroup", 16384))) if place is not None else ""
        # the directory belongs to the effective user, whoever may trace the process (proc(5), "/proc/[pid]")
        uid = os.fstat(directory).st_uid
    except OSError as error:
        if gone(error):
            return None
        raise
    finally:
        os.close(directory)
    person = Person(pid, stat.ppid, stat.comm, stat.state, stat.pgid, stat.sid, uid, tag, cgroup, stat.start)
    return person, stat


def _soft_pending(limits: bytes) -> int:
    at = limits.find(_PENDING)
    word = limits[at + len(_PENDING) :].split(None, 1)[0] if at >= 0 else b""
    return int(word) if word.isdigit() else -1  # unlimited


@even_when_full
def numbers() -> tuple[int, ...]:
    """The numbers of all processes that /proc shows."""
    return tuple(int(name) for name in os.listdir("/proc") if name.isdigit())


def people(among: Iterable[int], place: Callable[[str], str] | None) -> Iterator[Person]:
    """Those of them who are there and no kernel threads."""
    look = even_when_full(_look)
    for pid in among:
        found = look(pid, place)
        if found is not None and not found[1].kernel_thread:
            yield found[0]
