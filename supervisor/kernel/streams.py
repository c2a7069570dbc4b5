"""How do bytes get from a pipe into memory without ever being nowhere, and out again without waiting?

Each function is one call to Linux, but for `reopen`, which goes through /proc.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from supervisor.kernel.libc import call

__all__ = ["PAGE", "capacity", "forward", "memory_file", "move", "punch", "reopen", "waiting"]

_MFD_NOEXEC_SEAL = 0x8  # <linux/memfd.h>; Linux 6.3
_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE = 0x1, 0x2  # <linux/falloc.h>
PAGE = os.sysconf("SC_PAGESIZE")
_INT = struct.Struct("i")
_ZERO = bytes(_INT.size)


def memory_file(name: str) -> int:
    """A new, empty file that exists only in memory, close-on-exec and not executable (memfd_create(2))."""
    try:
        return os.memfd_create(name, os.MFD_CLOEXEC | _MFD_NOEXEC_SEAL)
    except OSError as error:
        if error.errno != 22:  # EINVAL: a kernel that does not know the second flag
            raise
    return os.memfd_create(name, os.MFD_CLOEXEC)


def waiting(pipe: int) -> int:
    """How many bytes can be read from the pipe now (FIONREAD, pipe(7))."""
    (count,) = _INT.unpack(fcntl.ioctl(pipe, termios.FIONREAD, _ZERO))
    return int(count)


def move(pipe: int, file: int, offset: int, count: int) -> int:
    """Move up to `count` bytes from a pipe into a file, at `offset`; returns how many went. They are in the pipe until they
    are in the file, and the caller's death at any moment changes nothing about that. Raises BlockingIOError when the pipe
    is empty (splice(2))."""
    return os.splice(pipe, file, count, offset_dst=offset, flags=os.SPLICE_F_NONBLOCK)


def forward(pipe: int, goal: int, count: int) -> int:
    """Move up to `count` bytes from a pipe to another file that need not be seekable; returns how many went. They are in the
    pipe until they have arrived. Raises BlockingIOError when the goal is a full pipe, or full and opened with O_NONBLOCK;
    EINVAL for a goal that does not work that way (splice(2))."""
    return os.splice(pipe, goal, count, flags=os.SPLICE_F_NONBLOCK)


def capacity(pipe: int) -> int:
    """How many bytes the pipe takes when it is empty (F_GETPIPE_SZ, fcntl(2))."""
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


def punch(file: int, start: int, end: int) -> bool:
    """Give the memory of these bytes of a memory file back; offsets and size stay, they read as zeros. False when that is not
    to be had here (FALLOC_FL_PUNCH_HOLE, fallocate(2))."""
    try:
        call("fallocate", file, _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE, start, end - start)
    except OSError:
        return False
    return True


def reopen(fd: int) -> int:
    """The pipe or terminal behind `fd`, opened anew for writing without waiting. Whoever shares `fd` with us — the user's
    shell — does not see O_NONBLOCK, because the flag belongs to the open file description, and this is another one (open(2)).
    Raises OSError when there is no /proc, the file is not ours to open, or is no such file."""
    return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
