"""What do `ps` and `status` show of a process besides who it is?"""

from __future__ import annotations

import contextlib
import os

from supervisor.kernel.fds import even_when_full
from supervisor.kernel.port import Glimpse
from supervisor.kernel.procfs import gone, read_at, read_stat

__all__ = ["glimpse", "pss"]

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_ARGS_MAX = 4096  # bytes of the command line; nobody reads more in a table
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_NSPID = b"\nNSpid:"
_PSS = b"\nPss:"


@even_when_full
def glimpse(pid: int) -> Glimpse | None:
    """What can be seen of it; None when there is no such process. Raises OSError when /proc itself cannot be used."""
    try:
        directory = os.open(f"/proc/{pid}", _DIRECTORY)
    except OSError as error:
        if gone(error):
            return None
        raise
    try:
        stat = read_stat(directory)
        return Glimpse(
            pid=pid,
            args=_arguments(directory),
            state=stat.state,
            ns_pids=_ns_pids(read_at(directory, "status", 16384)) or (pid,),
            cpu_seconds=stat.ticks / _TICKS,
            memory_bytes=stat.pages * _PAGE,
            wchan=_wchan(directory),
        )
    except OSError as error:
        if gone(error):
            return None
        raise
    finally:
        os.close(directory)


@even_when_full
def pss(pid: int) -> int | None:
    """Its proportional set size in bytes: shared memory is divided among those who share it. Costs a walk through its page
    tables. None when it is gone or may not be read (proc_pid_smaps(5), smaps_rollup)."""
    try:
        directory = os.open(f"/proc/{pid}", _DIRECTORY)
    except OSError as error:
        if gone(error):
            return None
        raise
    try:
        text = read_at(directory, "smaps_rollup")
    except OSError as error:
        if gone(error):
            return None
        raise
    finally:
        os.close(directory)
    at = text.find(_PSS)
    return int(text[at + len(_PSS) :].split(None, 1)[0]) * 1024 if at >= 0 else None


def _arguments(directory: int) -> tuple[str, ...]:
    """Empty for a zombie, for a process that wiped it, and for one of a user whom we may not look at."""
    try:
        text = read_at(directory, "cmdline", _ARGS_MAX)
    except PermissionError:
        return ()
    if not text:
        return ()
    return tuple(word.decode(errors="replace") for word in text.rstrip(b"\0").split(b"\0"))


def _ns_pids(status: bytes) -> tuple[int, ...]:
    at = status.find(_NSPID)
    if at < 0:  # Linux before 4.1, or a sandbox
        return ()
    return tuple(map(int, status[at + len(_NSPID) : status.index(b"\n", at + 1)].split()))


def _wchan(directory: int) -> str:
    with contextlib.suppress(OSError):  # only for those who may trace it
        text = read_at(directory, "wchan", 64).decode(errors="replace")
        return "" if text == "0" else text
    return ""
