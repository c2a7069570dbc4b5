"""How does a test take from itself what a machine may lack: capabilities, another identity, namespaces, a whole /proc?

Only for processes that end with the test (`tests.isolation`): nothing here can be undone.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

from supervisor.kernel.libc import call

__all__ = [
    "SETFCAP",
    "SETGID",
    "SETUID",
    "SYS_ADMIN",
    "be_somebody",
    "cover_proc",
    "drop_capabilities",
    "exists",
    "forbid_namespaces",
    "hide_proc",
    "refuse_unshare",
]

SETGID, SETUID, SYS_ADMIN, SETFCAP = 6, 7, 21, 31  # <linux/capability.h>
_VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3 (capget(2))
_NEWNS, _NEWUSER = 0x00020000, 0x10000000  # unshare(2)
_REC, _SLAVE = 0x4000, 0x80000  # mount(2)
_CAPBSET_DROP, _SET_SECCOMP, _NO_NEW_PRIVS = 24, 22, 38  # prctl(2)
_LAST = 63

_UNSHARE = {"x86_64": 272, "aarch64": 97, "riscv64": 97, "armv7l": 337, "ppc64le": 282, "s390x": 303}
"""The number of unshare(2) by machine (syscalls(2))."""
_LOAD_NUMBER, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # <linux/bpf_common.h>
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000  # seccomp(2)


def exists(uid: int) -> bool:
    """Whether this user is somebody in our user namespace."""
    rows = [[int(word) for word in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(inside <= uid < inside + count for inside, _, count in rows)


def drop_capabilities(*numbers: int) -> None:
    """For ever, exec included; none named: all of them."""
    gone = set(numbers) or set(range(_LAST + 1))
    for number in gone:
        try:
            call("prctl", _CAPBSET_DROP, number, 0, 0, 0)
        except OSError:  # beyond the last one of this kernel
            continue
    status = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1], 16) for line in status if line.startswith("CapPrm"))
    left = held & ~sum(1 << number for number in gone)
    low, high = left & 0xFFFFFFFF, left >> 32
    call("capset", struct.pack("Ii", _VERSION_3, 0), struct.pack("6I", low, low, 0, high, high, 0))


def be_somebody(uid: int) -> None:
    """An ordinary user; where nobody else exists, one who has no right."""
    if exists(uid):
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        call("prctl", 4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: else /proc/self would belong to root
    else:
        drop_capabilities()


def forbid_namespaces(kind: str) -> None:
    """No more of this kind, in a user namespace of its own: there the limit binds nobody else (namespaces(7))."""
    uid, gid = os.getuid(), os.getgid()
    call("unshare", _NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text)
    Path(f"/proc/sys/user/max_{kind}_namespaces").write_text("0")


def cover_proc() -> None:
    """As container engines do, in a mount namespace of its own."""
    call("unshare", _NEWNS)
    call("mount", b"none", b"/", None, _REC | _SLAVE, None)
    call("mount", b"none", b"/proc/fs", b"tmpfs", 0, None)


def hide_proc() -> None:
    """Nothing at /proc, in a mount namespace of its own."""
    call("unshare", _NEWNS)
    call("mount", b"none", b"/", None, _REC | _SLAVE, None)
    call("mount", b"none", b"/proc", b"tmpfs", 0, None)


def refuse_unshare(number: int) -> None:
    """A seccomp filter that answers unshare(2) with this errno, as container engines set one."""
    unshare = _UNSHARE[os.uname().machine]
    steps = (
        (_LOAD_NUMBER, 0, 0, 0),
        (_IF_EQUAL, 0, 1, unshare),
        (_RETURN, 0, 0, _ERRNO | number),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code)))
    call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", _SET_SECCOMP, 2, ctypes.addressof(program), 0, 0)
