"""What does a new mount namespace need before anybody may live in it? Mounts of its own, and a /proc that tells the truth."""

from __future__ import annotations

from supervisor.kernel.libc import call

__all__ = ["covered_proc", "has_whole_proc", "keep_mounts_private", "mount_proc"]

# <linux/mount.h>
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_SLAVE = 0x2, 0x4, 0x8, 0x4000, 0x80000

_KEPT_EMPTY = frozenset(("/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd", "/proc/xen", "/proc/openprom"))


def keep_mounts_private() -> None:
    """Nothing we mount shows outside from now on; what is mounted outside still comes in (mount_namespaces(7), MS_SLAVE).

    systemd makes / shared, and a new mount namespace stays in that peer group until this is done. Raises OSError.
    """
    call("mount", b"none", b"/", None, _MS_REC | _MS_SLAVE, None)


def mount_proc() -> None:
    """A fresh /proc of our PID namespace over the old one, which shows the numbers of another (proc(5)). Raises OSError.

    EPERM in a user namespace means that the /proc we came from is partly covered: the kernel will not show us more than that.
    """
    call("mount", b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None)


def covered_proc() -> tuple[str, ...]:
    """What is mounted over parts of /proc here, as container engines do (proc_pid_mountinfo(5)); () when nobody can say.

    Mounts on directories that the kernel keeps empty for them hide nothing (mount_too_revealing in fs/namespace.c).
    """
    return tuple(point for point, _, _ in _mounts() if point.startswith("/proc/") and point not in _KEPT_EMPTY)


def has_whole_proc() -> bool:
    """Whether a /proc is mounted here that shows everything and may be written to; only then may a user namespace have one."""
    return any(
        kind == "proc" and not {"ro", "subset=pid"}.intersection(options.split(",")) for _, kind, options in _mounts()
    )


def _mounts() -> list[tuple[str, str, str]]:
    """Where, of which type, and with which options, those of the file system behind those of the mount."""
    try:
        with open("/proc/self/mountinfo") as file:
            halves = [line.split(" - ", 1) for line in file]
    except OSError:
        return []
    rows = [(before.split(), behind.split()) for before, behind in halves]
    return [(before[4], behind[0], ",".join((before[5], *behind[2:]))) for before, behind in rows]
