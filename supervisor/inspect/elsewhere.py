"""Which number do we see for a process of another PID namespace? The kernel tells, or NSpid in our own /proc does
(pid_namespaces(7))."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # clients import this: see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["numbers_of", "our_pid_ns", "pids_here"]

_NS_GET_PID_FROM_PIDNS = 0x8004B706  # _IOR(0xb7, 6, int), <linux/nsfs.h>


def our_pid_ns() -> int:
    """The inode of our own PID namespace; 0 when /proc does not tell."""
    return _namespace_of("self")


def pids_here(pid_ns: int, pids: Collection[int], someone: int = 0) -> dict[int, int]:
    """For these processes of that namespace, by their numbers there: our numbers for those that we can see.

    `someone` is our number for any process in it; with it the kernel is asked (ioctl_nsfs(2), Linux 6.11). Else everybody's
    NSpid is read. Empty when the namespace is not below ours, or when its processes are not ours to look at (ptrace(2),
    PTRACE_MODE_READ).
    """
    if someone and (told := _ask_kernel(pid_ns, pids, someone)) is not None:
        return told
    every = _read_all(pid_ns)
    return {pid: every[pid] for pid in pids if pid in every}


def numbers_of(pid: int) -> list[int]:
    """The numbers of a process that we see, from the outermost namespace that we see to its own; [] when it is gone."""
    read = _numbers(str(pid))
    return [] if read is None else read[1]


def _ask_kernel(pid_ns: int, pids: Collection[int], someone: int) -> dict[int, int] | None:
    """None when it does not tell."""
    from fcntl import ioctl

    try:
        fd = os.open(f"/proc/{someone}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    found = {}
    try:
        if os.fstat(fd).st_ino != pid_ns:
            return None  # he is gone, and his number is another's
        for pid in pids:
            try:
                found[pid] = ioctl(fd, _NS_GET_PID_FROM_PIDNS, pid)
            except ProcessLookupError:
                continue
    except OSError:
        return None
    finally:
        os.close(fd)
    return found


def _read_all(pid_ns: int) -> dict[int, int]:
    """For each process in that namespace and below: its number there → its number here."""
    seen = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (numbers := _numbers(entry)) is not None:
            seen[int(entry)] = numbers
    inside = {pid for pid in seen if _namespace_of(str(pid)) == pid_ns}
    if not inside:
        return {}
    depth = min(len(seen[pid][1]) for pid in inside)
    return {
        numbers[depth - 1]: pid
        for pid, (_, numbers) in seen.items()
        if len(numbers) >= depth and _is_below(pid, inside, seen)
    }


def _is_below(pid: int, inside: set[int], seen: Mapping[int, tuple[int, list[int]]]) -> bool:
    """Whether it is in the namespace, or in one nested below: then an ancestor is."""
    while pid not in inside:
        if pid not in seen or seen[pid][0] == pid:
            return False
        pid = seen[pid][0]
    return True


def _numbers(entry: str) -> tuple[int, list[int]] | None:
    """Its parent, and its numbers from the outermost namespace visible to its own; None when it is gone."""
    try:
        with open(f"/proc/{entry}/status", "rb") as file:
            text = file.read()
    except OSError:
        return None
    fields = {}
    for line in text.splitlines():
        name, _, value = line.partition(b":")
        if name in (b"PPid", b"NSpid"):
            fields[name] = [int(number) for number in value.split()]
    if len(fields) != 2:
        return None
    return fields[b"PPid"][0], fields[b"NSpid"]


def _namespace_of(entry: str) -> int:
    try:
        return os.stat(f"/proc/{entry}/ns/pid").st_ino
    except OSError:
        return 0
