"""How does a test get a process under the number it wants, and a namespace that is short of numbers?

Both belong to the PID namespace (pid_namespaces(7)), and are for bodies in a world of their own (`tests.isolation`).
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["FORKER", "Forker", "few_numbers"]

_LAST = Path("/proc/sys/kernel/ns_last_pid")
_MOST = Path("/proc/sys/kernel/pid_max")
_OF_NAMESPACES = (6, 14)  # Linux from which on pid_max is the namespace's own

# A service that bears processes under numbers that it is told: `child N`, which stays, or `orphan N STATUS`, which has ended
# and lost its parent when the answer comes.
FORKER = """
import os, select, signal, sys

def bear(number, status):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(number - 1))
    child = os.fork()
    if child == 0:
        if status is None:
            select.select([], [], [])
        os._exit(status)
    return child

with open(sys.argv[1]) as told, open(sys.argv[2], "w", buffering=1) as answers:
    for line in told:
        kind, number, *status = line.split()
        if kind == "child":
            print(bear(int(number), None), file=answers)
            continue
        inbox, outbox = os.pipe()
        middle = os.fork()
        if middle == 0:
            born = bear(int(number), int(status[0]))
            os.waitid(os.P_PID, born, os.WEXITED | os.WNOWAIT)
            os.write(outbox, b"%d" % born)
            os._exit(0)
        os.waitpid(middle, 0)
        print(os.read(inbox, 20).decode(), file=answers)
"""


class Forker:
    """The test's side of FORKER: two named pipes, whose names are the service's words."""

    def __init__(self, folder: Path) -> None:
        self.words = (str(folder / "told"), str(folder / "answers"))
        for path in self.words:
            os.mkfifo(path)
        # for both directions, so that nobody waits for the other in open(2) (fifo(7))
        self._tell, self._hear = (os.fdopen(os.open(path, os.O_RDWR), "r+b", buffering=0) for path in self.words)

    def bear(self, *words: object) -> int:
        """Have it born; the number it has got."""
        self._tell.write(" ".join(map(str, words)).encode() + b"\n")
        return int(self._hear.readline())


def few_numbers(most: int = 400) -> None:
    """Let there be no higher numbers here. Below 300 none is used twice (RESERVED_PIDS): so about a hundred go round."""
    version = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    assert version >= _OF_NAMESPACES, f"needs Linux 6.14: in {platform.release()} pid_max is the whole machine's"
    _MOST.write_text(str(most))
