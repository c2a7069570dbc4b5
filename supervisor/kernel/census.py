"""Who is below us, and what do they use? One look at everybody for `status`, at the price of one small file each.

Rules: everybody is read once, from /proc/PID/stat; who vanishes meanwhile is left out. Where the machine has many more
processes than we have, ours are found by the kernel's lists of children instead of reading them all.
"""

from __future__ import annotations

import os

from supervisor.kernel.family import children, walk
from supervisor.kernel.fds import even_when_full
from supervisor.kernel.port import Sight
from supervisor.kernel.procfs import gone, numbers

__all__ = ["census"]

_FILE = os.O_RDONLY | os.O_CLOEXEC
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ENOUGH = 512  # bytes: the 24 fields we read, with a name of 15 and numbers of 20
_FOREIGN = 4  # so many processes of others for each child of ours are read as fast as the lists of children


def census() -> tuple[Sight, ...]:
    """All processes below us, in no order. Raises OSError when /proc cannot be used."""
    us = os.getpid()
    all_numbers = numbers()
    if us != 1 and len(all_numbers) > _FOREIGN * (len(children()) + 64):
        return tuple(sight for pid in walk((us,)) if (sight := _sight(pid)) is not None)
    children_of: dict[int, list[Sight]] = {}
    for pid in all_numbers:
        if pid != us and (sight := _sight(pid)) is not None:
            children_of.setdefault(sight.ppid, []).append(sight)
    found: list[Sight] = []
    front = [us]
    while front:
        born = children_of.pop(front.pop(), [])  # taken out: a circle, which reused numbers can make, ends
        found += born
        front += [sight.pid for sight in born]
    return tuple(found)


@even_when_full
def _sight(pid: int) -> Sight | None:
    try:
        fd = os.open(f"/proc/{pid}/stat", _FILE)
    except OSError as error:
        if gone(error):
            return None
        raise
    try:
        line = os.read(fd, _ENOUGH)
    except OSError as error:
        if gone(error):
            return None
        raise
    finally:
        os.close(fd)
    words = line[line.rindex(b")") + 2 :].split(None, 22)
    return Sight(
        pid,
        int(words[1]),
        words[0].decode(),
        (int(words[11]) + int(words[12])) / _TICKS,
        int(words[21]) * _PAGE,
    )
