"""Why can a namespace not be had here, and what is the way out? One honest sentence for each refusal."""

from __future__ import annotations

import errno
import os

from supervisor.kernel.mounts import covered_proc
from supervisor.kernel.namespaces import Isolation, Refusal

__all__ = ["explain"]

_WHAT = {
    "user": "make a user namespace",
    "map": "keep our user in a new user namespace",
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

_AS_ITS_INIT = "or pidone init as the container's own command"
_DENIED = (errno.EPERM, errno.EACCES)


def explain(refused: Refusal, wanted: Isolation) -> str:
    """What cannot be done, why as far as can be known, and what would help; without a full stop."""
    why, cure = _cause(refused, wanted)
    why = why or os.strerror(refused.errno).lower()
    return f"cannot {_WHAT[refused.step]}: {why}" + (f"; {cure}" if cure else "")


def _cause(refused: Refusal, wanted: Isolation) -> tuple[str, str]:
    """The cause, or "" for what errno says; and the cure, or ""."""
    step, number = refused.step, refused.errno
    if wanted.user == "own" and (cure := _switched_off()):
        return "user namespaces are switched off on this machine", f"as root: {cure}"
    if step == "hostname":
        return ("a host name has at most 64 bytes" if number == errno.EINVAL else ""), ""
    if number == errno.ENOSPC:
        return "there are too many already, or 32 inside each other", ""
    if step == "private" and number == errno.EINVAL:
        return "/ is not a mount point, as in a chroot", "mount --rbind / / before the chroot, or --no-namespace"
    if number in (errno.EINVAL, errno.ENOSYS):
        return "this kernel has none", ""
    if number not in _DENIED:
        return "", ""
    if step == "proc" and (covered := covered_proc()):
        return (
            f"parts of the one we have are covered ({', '.join(covered[:2])}{', …' if covered[2:] else ''})",
            f"docker run --security-opt systempaths=unconfined, podman run --security-opt unmask=ALL, {_AS_ITS_INIT}",
        )
    if wanted.user == "own":
        return "", f"in a container docker run --security-opt seccomp=unconfined, {_AS_ITS_INIT}"
    return (
        "the capability SYS_ADMIN is not ours" if number == errno.EPERM else "a security module forbids it",
        f"try --rootless, in a container docker run --cap-add SYS_ADMIN, {_AS_ITS_INIT}",
    )


def _switched_off() -> str:
    """The command that allows user namespaces where a switch of the kernel forbids them; "" where none does."""
    for path, off, cure in _SWITCHES:
        try:
            with open(path) as file:
                if file.read().strip() == off:
                    return cure
        except OSError:
            continue
    return ""
