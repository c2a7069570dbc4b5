"""Which cgroups may we make, and who is in them? (cgroups(7), Documentation/admin-guide/cgroup-v2.rst)

Rules: we write only to a tree that is ours, and find out by trying: the root of our own cgroup namespace, one delegated to us
(user.delegate or trusted.delegate, as systemd marks it), or one in which every process is ours. Each run gets a group of its
own, never used twice: a group that was ever killed kills who is born into it. Processes join by themselves, in the child.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Collection, Iterator

from supervisor.kernel.family import descendants
from supervisor.kernel.fds import even_when_full
from supervisor.kernel.procfs import v2_path
from supervisor.model.record import Record

__all__ = ["Situation", "Tree", "find", "kill", "members", "populated"]

_INITIAL_NAMESPACE = 0xEFFFFFFB  # <linux/proc_ns.h> PROC_CGROUP_INIT_INO
_DELEGATED = ("user.delegate", "trusted.delegate")
_NOBODY = (
    errno.ENOENT,
    errno.ENODEV,
    errno.EOPNOTSUPP,
)  # it is gone; removed while open; threaded, its root lists them
_CHUNK = 1 << 16


class Tree:
    """A cgroup that is ours, in which runs get theirs."""

    def __init__(self, base: str, mount: str, root: str) -> None:
        """`base` is the directory of our own cgroup, `mount` where the hierarchy is mounted, `root` what of it is mounted there."""
        self.base = base
        self._mount = mount
        self._root = root.rstrip("/")
        self._token = os.urandom(4).hex()
        self._count = 0
        self._busy: set[str] = set()

    def directory_of(self, path: str) -> str:
        """The directory of a path that /proc/PID/cgroup shows; "" when it is outside of what is mounted."""
        if not path or path.startswith("/..") or not (path + "/").startswith(self._root + "/"):
            return ""
        return (self._mount + path[len(self._root) :]).rstrip("/")

    def new(self, name: str) -> str:
        """Make a group whose name nobody has or had; returns its directory, "" when that fails."""
        self._sweep()
        self._count += 1
        directory = f"{self.base}/{name.replace('/', '-')}.{self._token}.{self._count}"
        try:
            os.mkdir(directory, 0o755)
        except OSError:
            return ""
        return directory

    def remove(self, directory: str) -> None:
        """Remove a run's group with all below it; one that still has a dying process in it is removed with the next ones."""
        self._busy.add(directory)
        self._sweep()

    def _sweep(self) -> None:
        for directory in tuple(self._busy):
            if _removed(directory):
                self._busy.discard(directory)


class Situation(Record):
    """What we found."""

    tree: Tree | None
    line: str
    """For people, one line."""


def find() -> Situation:
    """Which tree is ours, if any. Makes a group and removes it again."""
    mounted = _mounted()
    if mounted is None:
        return Situation(None, "cgroup v2: none: it is not mounted")
    mount, root = mounted
    try:
        path = v2_path(_read("/proc/self/cgroup"))
    except OSError as error:
        return Situation(None, f"cgroup v2: none: /proc/self/cgroup: {error.strerror}")
    base = Tree("", mount, root).directory_of(path)
    if not base:
        return Situation(None, f"cgroup v2: none: our own group {path or '(none)'} is not below {mount}")
    why = _claim(base, path)
    if not why:
        return Situation(
            None,
            f"cgroup v2: none: {base} holds processes that are not ours; "
            "`systemd-run --scope -p Delegate=yes pidone …` gives us one",
        )
    trouble = _try(base)
    if trouble:
        return Situation(None, f"cgroup v2: none: {trouble}")
    controllers = _read_text(f"{base}/cgroup.controllers")
    return Situation(Tree(base, mount, root), f"cgroup v2: {base} ({why}; controllers: {controllers or 'none'})")


def members(directory: str) -> tuple[int, ...]:
    """The processes of a group and of all groups below it; zombies are not among them. 0 stands for one that our PID namespace
    cannot see. () for a group that is gone."""
    found: list[int] = []
    for group in _groups(directory):
        try:
            found += map(int, _read(f"{group}/cgroup.procs").split())
        except OSError as error:
            if error.errno not in _NOBODY:
                raise
    return tuple(found)


def populated(directory: str) -> bool:
    """Whether a living process is in it or below; the zombies may still have to be reaped."""
    try:
        return b"populated 1" in _read(f"{directory}/cgroup.events")
    except OSError:
        return False


def kill(directory: str) -> bool:
    """SIGKILL to all in it and below, who is being forked too (cgroup.kill, Linux 5.14). False when it cannot be done this way."""
    return _write(f"{directory}/cgroup.kill", b"1") is None


def _mounted() -> tuple[str, str] | None:
    """Where the v2 hierarchy is mounted and what of it (proc_pid_mountinfo(5)); the last one wins, it lies on top."""
    found = None
    try:
        lines = _read("/proc/self/mountinfo").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(b" - ")
        if after.startswith(b"cgroup2 "):
            words = before.split()
            found = _unescaped(words[4]), _unescaped(words[3])
    return found


def _unescaped(word: bytes) -> str:
    """mountinfo writes space, tab, line end and backslash as octal."""
    for octal, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        word = word.replace(octal, char)
    return os.fsdecode(word)


def _claim(base: str, path: str) -> str:
    """Why this group is ours, in words; "" when it is not."""
    with contextlib.suppress(OSError):  # a kernel without cgroup namespaces
        if path == "/" and os.stat("/proc/self/ns/cgroup").st_ino != _INITIAL_NAMESPACE:
            return "the root of our cgroup namespace"
    for name in _DELEGATED:
        with contextlib.suppress(OSError):
            if os.getxattr(base, name) == b"1":
                return "delegated to us"
    if _all_ours(members(base)):
        return "every process in it is ours"
    return ""


def _all_ours(pids: Collection[int]) -> bool:
    ours = {os.getpid(), *(person.pid for person in descendants())}
    return bool(pids) and ours.issuperset(pids)


def _try(base: str) -> str:
    """Make a group, look whether one could join it, remove it again; returns what went wrong, "" when nothing."""
    if not os.access(f"{base}/cgroup.procs", os.W_OK):  # who joins a group needs this of the common ancestor
        return f"{base}/cgroup.procs: not writable"
    probe = f"{base}/pidone-probe.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.mkdir(probe)
    except OSError as error:
        return f"{base}: {error.strerror}"
    try:
        kind = _read_text(f"{probe}/cgroup.type")
        if kind not in ("domain", ""):
            return f"{base}: its groups are of type {kind}"
        if not os.access(f"{probe}/cgroup.procs", os.W_OK):
            return f"{probe}/cgroup.procs: not writable"
    finally:
        _removed(probe)
    return ""


def _groups(directory: str) -> Iterator[str]:
    """The group and all below it, the lower ones first."""
    for name in _below(directory):
        yield from _groups(f"{directory}/{name}")
    yield directory


@even_when_full
def _below(directory: str) -> tuple[str, ...]:
    try:
        with os.scandir(directory) as entries:
            return tuple(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return ()


def _removed(directory: str) -> bool:
    """Remove it and all below it. False while somebody is in it."""
    for group in _groups(directory):
        try:
            os.rmdir(group)
        except OSError as error:
            if error.errno != errno.ENOENT:
                return False
    return True


@even_when_full
def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    text = b""
    try:
        while piece := os.read(fd, _CHUNK):
            text += piece
    finally:
        os.close(fd)
    return text


def _read_text(path: str) -> str:
    """ "" when there is no such file."""
    try:
        return _read(path).decode(errors="replace").strip()
    except OSError:
        return ""


@even_when_full
def _open_for_writing(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CLOEXEC)


def _write(path: str, text: bytes) -> OSError | None:
    try:
        fd = _open_for_writing(path)
        try:
            os.write(fd, text)
        finally:
            os.close(fd)
    except OSError as error:
        return error
    return None
