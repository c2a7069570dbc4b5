"""Which paths lie on file systems of this machine, so that looking at them cannot hang?

The kernel's own table of mounts (/proc/self/mountinfo, proc_pid_mountinfo(5)) says so without touching any of them: statfs(2)
on a network mount whose server is gone would sleep for ever, and so would stat. A path is therefore followed one name at a
time, and not a step further once it leaves what is local.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["LOCAL_TYPES", "Mounts", "Walk", "parse_mounts"]

_LOCAL = (
    "adfs affs aufs bcachefs bfs btrfs cramfs devpts devtmpfs efivarfs erofs exfat ext2 ext3 ext4 f2fs hfs "
    "hfsplus hugetlbfs iso9660 jffs2 jfs minix mqueue msdos nilfs2 ntfs3 overlay proc ramfs reiserfs romfs "
    "rootfs squashfs sysfs tmpfs ubifs udf ufs vfat xfs zfs"
)
LOCAL_TYPES = frozenset(_LOCAL.split())
"""What the kernel answers by itself. Not here: nfs, cifs, 9p, virtiofs, ceph, autofs, and everything that is FUSE."""

_LINKS = 40  # as many symbolic links as path_resolution(7) allows
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Walk(NamedTuple):
    """Where following a path led."""

    path: str
    """Without symbolic links; the rest as it was from where we did not go on."""
    local: bool
    """Every step was on a local file system: the path may be looked at."""


class Mounts:
    """The mounts of this process when it looked."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types
        self._known: dict[str, Walk] = {}

    @classmethod
    def here(cls, table: str = "/proc/self/mountinfo") -> Mounts:
        """Those of now; without /proc nothing is known to be local."""
        try:
            with open(table, encoding="utf-8", errors="surrogateescape") as lines:
                return cls(parse_mounts(lines))
        except OSError:
            return cls({})

    def walk(self, path: str) -> Walk:
        """Follow an absolute path as far as it is local. What does not exist is as local as the folder it is missing in."""
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._walk(path)
        return found

    def _walk(self, path: str) -> Walk:
        here, links = "/", 0
        ahead = path.split("/")[::-1]
        if not self._is_local("/"):
            return Walk(path, False)
        while ahead:
            name = ahead.pop()
            if name in ("", "."):
                continue
            if name == "..":
                here = os.path.dirname(here)
                continue
            there = here.rstrip("/") + "/" + name
            if not self._is_local(there):
                return Walk(os.path.join(there, *ahead[::-1]), False)
            try:
                linked = os.readlink(there) if stat.S_ISLNK(os.lstat(there).st_mode) else None
            except (OSError, ValueError):
                return Walk(os.path.join(there, *ahead[::-1]), True)
            if linked is None:
                here = there
                continue
            links += 1
            if links > _LINKS:
                return Walk(there, True)
            ahead += linked.split("/")[::-1]
            if linked.startswith("/"):
                here = "/"
        return Walk(here, True)

    def _is_local(self, point: str) -> bool:
        """Whether this name, if something is mounted on it, is still local; the folder it is in is."""
        kind = self._types.get(point)
        if kind is not None:
            return kind in LOCAL_TYPES
        # in a chroot the table says nothing of /: it is where our own interpreter lives, if that hangs so do we
        return point != "/" or bool(self._types)


def parse_mounts(lines: Iterable[str]) -> dict[str, str]:
    """Mount point → type; of several on one point the last one, which hides the others."""
    types = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            point = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4])
            types[point] = after.split(" ", 1)[0]
    return types
