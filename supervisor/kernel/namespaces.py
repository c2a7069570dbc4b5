"""How does a process leave the world it was started in, and why can it not? Namespaces (namespaces(7), unshare(2)).

Leaving takes two processes. Who starts a PID namespace stays outside: it calls `step_out`, and its next child is PID 1. That one
calls `settle` before anything else: a mount namespace taken earlier would hide the starter's own /proc. What is refused is a
value that names the step and the errno; `kernel/refusal` says it in words.

A user namespace of ours changes no number, but nobody's (docs/decisions/monitor.md).
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import struct
from typing import Literal, TypeAlias

from supervisor.kernel.ids import SETFCAP, may, stays
from supervisor.kernel.libc import call, load
from supervisor.kernel.mounts import keep_mounts_private, mount_proc
from supervisor.model.record import Record

__all__ = ["IdMap", "Isolation", "Refusal", "probe", "settle", "step_out"]

# <linux/sched.h>
_CLONE_NEWNS = 0x00020000
_CLONE_NEWCGROUP = 0x02000000
_CLONE_NEWUTS = 0x04000000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000

_OPTIONAL = {"uts": _CLONE_NEWUTS, "ipc": _CLONE_NEWIPC, "net": _CLONE_NEWNET, "cgroup": _CLONE_NEWCGROUP}

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1  # netdevice(7)
_IFREQ = struct.Struct("16sh14x")  # struct ifreq: the name, the flags

IdMap: TypeAlias = Literal["none", "own", "all"]
"""`own`: a user namespace in which only we exist, for who has no privilege. `all`: one with everybody in it, for who has."""


class Isolation(Record):
    """Which namespaces shall be new, besides PID and mount (one without the other would show another world's /proc)."""

    user: IdMap = "none"
    uts: bool = False
    ipc: bool = False
    net: bool = False
    """With its loopback interface up."""
    cgroup: bool = False
    hostname: str = ""
    """Needs `uts`."""


class Refusal(Record):
    """The step that failed, and its errno. Steps: user, map (root: of uid 0, without the capability SETFCAP), pid, mount, private,
    proc, uts, ipc, net, cgroup, hostname, loopback."""

    step: str
    errno: int


def step_out(wanted: Isolation) -> Refusal | None:
    """In the starter: a user namespace for ourselves, and a PID namespace for the children we fork from now on."""
    load()  # not in the child: between fork and exec nothing is imported
    step = "user"
    try:
        if wanted.user != "none":
            _unshare_user(wanted.user == "all")
        step = "pid"
        call("unshare", _CLONE_NEWPID)
    except _MapError as error:
        return error.refusal
    except OSError as error:
        return Refusal(step, error.errno or errno.EPERM)
    return None


def settle(wanted: Isolation) -> Refusal | None:
    """In the new PID 1: everything else."""
    step = "mount"
    try:
        call("unshare", _CLONE_NEWNS)
        for kind, flag in _OPTIONAL.items():
            if getattr(wanted, kind):
                step = kind
                call("unshare", flag)
        step = "private"
        keep_mounts_private()
        step = "proc"
        mount_proc()
        if wanted.hostname:
            step = "hostname"
            _socket.sethostname(wanted.hostname)
        if wanted.net:
            step = "loopback"
            _raise_loopback()
    except OSError as error:
        return Refusal(step, error.errno or errno.EPERM)
    return None


def probe(wanted: Isolation) -> Refusal | None:
    """Whether all of this can be had: tried by a child that ends at once. Nothing changes for us. Raises OSError for fork."""
    load()
    inbox, outbox = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            _try(wanted, outbox)
        os.waitpid(child, 0)
        os.set_blocking(inbox, False)
        try:
            step, _, number = os.read(inbox, 64).decode().partition(" ")
        except BlockingIOError:
            return Refusal("pid", errno.ECHILD)  # it was killed before it could say anything
    finally:
        os.close(inbox)
        os.close(outbox)
    return Refusal(step, int(number)) if step != "ok" else None


def _try(wanted: Isolation, outbox: int) -> None:
    """The child of `probe`, and its child: says "ok 0", or the step and errno of the first that says no."""
    try:
        refused = step_out(wanted)
        if refused is None and (inner := os.fork()):
            os.waitpid(inner, 0)
            os._exit(0)
        refused = refused or settle(wanted)
        os.write(outbox, f"{refused.step} {refused.errno}".encode() if refused else b"ok 0")
    finally:
        os._exit(0)


class _MapError(Exception):
    """The user namespace is there, but who is who in it could not be said: the step and the errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step, number)
        self.refusal = Refusal(step, number)


def _unshare_user(everybody: bool) -> None:
    """A user namespace in which numbers mean what they mean outside (user_namespaces(7))."""
    if everybody:
        maps = {name: _identity(name) for name in ("uid_map", "gid_map")}
        _unshare_mapped(maps)
        return
    inside, uid, gid = stays(), os.geteuid(), os.getegid()
    step = "root" if uid == 0 and not may(SETFCAP) else "map"  # what Linux 5.12 asks of who maps uid 0
    call("unshare", _CLONE_NEWUSER)
    try:
        _write("/proc/self/setgroups", "deny")  # an unprivileged process must, before it may map its group
        _write("/proc/self/uid_map", f"{inside[0]} {uid} 1")
        _write("/proc/self/gid_map", f"{inside[1]} {gid} 1")
    except OSError as error:
        raise _MapError(step, error.errno or errno.EPERM) from None


def _unshare_mapped(maps: dict[str, str]) -> None:
    """Only a process outside, with its privileges there, may map everybody: a helper that waits until we have left."""
    us = os.getpid()
    inbox, outbox = os.pipe()
    helper = os.fork()
    if helper == 0:
        status = errno.EPERM
        try:
            os.close(outbox)
            if os.read(inbox, 1):
                for name, text in maps.items():
                    _write(f"/proc/{us}/{name}", text)
            status = 0
        except OSError as error:
            status = error.errno or errno.EPERM
        finally:
            os._exit(status)
    os.close(inbox)
    try:
        call("unshare", _CLONE_NEWUSER)
        os.write(outbox, b"x")
    finally:
        os.close(outbox)
        status = os.waitstatus_to_exitcode(os.waitpid(helper, 0)[1])
    if status:
        raise _MapError("map", abs(status))


def _identity(name: str) -> str:
    """A map under which every number that exists here stays what it is."""
    with open(f"/proc/self/{name}") as file:
        rows = [line.split() for line in file]
    return "".join(f"{inside} {inside} {count}\n" for inside, _, count in rows)


def _raise_loopback() -> None:
    """A new network namespace has a loopback interface, but it is down (network_namespaces(7))."""
    interface = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        _, flags = _IFREQ.unpack(fcntl.ioctl(interface.fileno(), _SIOCGIFFLAGS, _IFREQ.pack(b"lo", 0)))
        fcntl.ioctl(interface.fileno(), _SIOCSIFFLAGS, _IFREQ.pack(b"lo", flags | _IFF_UP))
    finally:
        interface.close()


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
