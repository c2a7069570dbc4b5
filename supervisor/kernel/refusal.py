"""Why can a namespace not be had here, and what is the way out? One honest sentence for each refusal."""

from __future__ import annotations

import errno
import os

from supervisor.kernel.ids import SYS_ADMIN, may
from supervisor.kernel.mounts import covered_proc, has_whole_proc
from supervisor.kernel.namespaces import Isolation, Refusal

__all__ = ["explain"]

_WHAT = {
    "user": "make a user namespace",
    "map": "keep our user in a new user namespace",
    "root": "keep uid 0 in a new user namespace",
    "pid": "make a PID namespace",
    "mount": "make a mount namespace",
    "private": "keep mounts to ourselves",
    "proc": "mount a fresh /proc",
    "uts": "make a UTS namespace",
    "ipc": "make an IPC namespace",
    "net": "make a network namespace",
    "cgroup": "make a cgroup namespace",
    "hostname": "set the host name",
    "loopback": "bring up the loopback interface",
}
_SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
"""Where distributions forbid user namespaces, the value that says so, and what root types against it."""

_LIMITS = {"mount": "mnt"}
"""How /proc/sys/user calls what we call by another word: max_mnt_namespaces (namespaces(7))."""

_WHOLE_PROC = "docker run --security-opt systempaths=unconfined, podman run --security-opt unmask=ALL"
_ENGINE = "in a container docker run --security-opt seccomp=unconfined"
_AS_ITS_INIT = "or pidone init as the container's own command"
_DENIED = (errno.EPERM, errno.EACCES)


def explain(refused: Refusal, wanted: Isolation) -> str:
    """What cannot be done, why as far as can be known, and what would help; without a full stop."""
    why, cure = _cause(refused, wanted)
    why = why or os.strerror(refused.errno).lower()
    return f"cannot {_what(refused, wanted)}: {why}" + (f"; {cure}" if cure else "")


def _what(refused: Refusal, wanted: Isolation) -> str:
    if refused.step == "map" and wanted.user == "all":
        return "keep every user in a new user namespace"
    if refused.step == "user" and os.geteuid() == 0 and not may(SYS_ADMIN):
        return "make a user namespace, which is needed where the capability SYS_ADMIN is not ours"
    return _WHAT[refused.step]


def _cause(refused: Refusal, wanted: Isolation) -> tuple[str, str]:
    """The cause, or "" for what errno says; and the cure, or ""."""
    step, number = refused.step, refused.errno
    if step == "hostname":
        return ("a host name has at most 64 bytes" if number == errno.EINVAL else ""), ""
    if step == "private" and number == errno.EINVAL:
        return "/ is not a mount point, as in a chroot", "mount --rbind / / before the chroot, or --no-namespace"
    if step == "proc" and number in _DENIED and (hidden := _hidden_proc()):
        return hidden, f"{_WHOLE_PROC}, {_AS_ITS_INIT}"
    if step == "root" and number in _DENIED:
        cure = f"start it as another user, or docker run --cap-add SETFCAP, {_AS_ITS_INIT}"
        return "the capability SETFCAP is not ours", cure
    if wanted.user != "none" and number in (*_DENIED, errno.ENOSPC) and (cure := _switched_off()):
        return "user namespaces are switched off on this machine", f"as root: {cure}"
    if number in (errno.ENOSPC, errno.EUSERS):
        return _too_many(step)
    if number in _DENIED or (number == errno.ENOSYS and _is_filtered()):
        return _forbidden(refused, wanted)
    return ("this kernel has none" if number in (errno.EINVAL, errno.ENOSYS) else ""), ""


def _too_many(step: str) -> tuple[str, str]:
    limit = f"user.max_{_LIMITS.get(step, step)}_namespaces"
    if _reads(f"/proc/sys/{limit.replace('.', '/', 1)}") == "0":
        return "this machine allows none", f"as root: sysctl {limit}=10000"
    return f"there are too many already ({limit}, here or outside), or 32 inside each other", ""


def _forbidden(refused: Refusal, wanted: Isolation) -> tuple[str, str]:
    """Which of several gates was closed the kernel does not say: the likeliest."""
    if refused.step == "map" and wanted.user == "all":
        return "the capabilities SETUID, SETGID and SETFCAP are not all ours", "try --rootless, which maps only us"
    if refused.errno == errno.EACCES:  # seccomp and capabilities say EPERM
        cure = f"in a container docker run --security-opt apparmor=unconfined, {_AS_ITS_INIT}"
        return "a security module forbids it", cure
    if _is_filtered():
        return "most likely the seccomp filter on us forbids it", f"{_ENGINE}, {_AS_ITS_INIT}"
    if wanted.user != "none":
        return "a security module or a chroot forbids it", f"{_ENGINE}, {_AS_ITS_INIT}"
    cure = f"try --rootless, in a container docker run --cap-add SYS_ADMIN, {_AS_ITS_INIT}"
    return "a security module forbids it" if may(SYS_ADMIN) else "the capability SYS_ADMIN is not ours", cure


def _hidden_proc() -> str:
    """Why the kernel mounts no /proc in a user namespace: it shows nobody there more than he saw before; "" if it is not that."""
    if covered := covered_proc():
        return f"parts of the one we have are covered ({', '.join(covered[:2])}{', …' if covered[2:] else ''})"
    return "" if has_whole_proc() else "the one we have is missing, read-only or does not show everything"


def _is_filtered() -> bool:
    """Whether system calls of ours go through a seccomp filter (proc_pid_status(5))."""
    return "\nSeccomp:\t2\n" in _reads("/proc/self/status")


def _switched_off() -> str:
    """The command that allows user namespaces where a switch of the kernel forbids them; "" where none does."""
    return next((cure for path, off, cure in _SWITCHES if _reads(path) == off), "")


def _reads(path: str) -> str:
    """What stands in this file of the kernel; "" when there is none."""
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""
