"""Which signals have come? Blocked ones, read from a descriptor instead of being caught by handlers (signalfd(2)).

Nothing of ours runs in a handler, none interrupts a system call, and a descriptor that is not looked at costs nothing: in a
storm of SIGCHLD the kernel keeps one pending until it is read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from typing import NamedTuple

from supervisor.kernel.libc import call

__all__ = ["Arrived", "open_signalfd", "read_signals"]

_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC  # SFD_* have their values
_SET_BYTES = 128  # sizeof(sigset_t) in glibc and musl
_WORD = struct.Struct("@Q")
_RECORD = 128  # sizeof(struct signalfd_siginfo)
_HEAD = struct.Struct("@IiiII")  # ssi_signo, ssi_errno, ssi_code, ssi_pid, ssi_uid


class Arrived(NamedTuple):
    number: int
    pid: int
    """Who sent it, as we see it; 0 for the kernel, and for somebody we cannot see."""
    uid: int


def open_signalfd(numbers: Iterable[int]) -> int:
    """A descriptor that is readable while one of these is pending. They must be blocked. Raises OSError."""
    bits = 0
    for number in numbers:
        bits |= 1 << (number - 1)
    return call("signalfd", -1, _WORD.pack(bits).ljust(_SET_BYTES, b"\0"), _NONBLOCK | _CLOEXEC)


def read_signals(fd: int, most: int = 16) -> list[Arrived]:
    """What has come, oldest first; [] when nothing has."""
    try:
        data = os.read(fd, most * _RECORD)
    except BlockingIOError:
        return []
    found = []
    for at in range(0, len(data), _RECORD):
        number, _, _, pid, uid = _HEAD.unpack_from(data, at)
        found.append(Arrived(number, pid, uid))
    return found
