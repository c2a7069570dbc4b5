"""A service that leaves COUNT orphans behind: `orphans.py INBOX GO COUNT SECONDS`. What does it say, and when?

1. It says the number of a process group in which there is one process so far, and waits for a byte in the FIFO GO.
2. Parents in that group, two at a time, fork a hundred children each and end. Each child lives until its parent is dead,
   and ends as an orphan.
3. When the last parent has ended, it ends the group's first process and says what time that was (CLOCK_MONOTONIC, ns).
   The group exists as long as one orphan has not been reaped: kill(2) with 0.
4. It becomes `sleep SECONDS`, so that the service lives on.
"""

from __future__ import annotations

import os
import sys
import time

_BATCH = 100
_PARENTS = 2


def _parent(group: int, orphans: int) -> None:
    os.setpgid(0, group)
    ear, mouth = os.pipe()
    for _ in range(orphans):
        if os.fork() == 0:
            os.close(mouth)
            os.read(ear, 1)  # its end says that the parent is dead
            os._exit(0)
    os._exit(0)


def main() -> None:
    inbox, go, count, seconds = sys.argv[1:]
    report = os.open(inbox, os.O_WRONLY)
    held, release = os.pipe()
    first = os.fork()
    if first == 0:
        os.setpgid(0, 0)
        os.read(held, 1)
        os._exit(0)
    os.setpgid(first, first)
    os.write(report, b"%d\n" % first)
    os.read(os.open(go, os.O_RDONLY), 1)

    left, parents = int(count), 0
    while left or parents:
        if left and parents < _PARENTS:
            orphans = min(left, _BATCH)
            if os.fork() == 0:
                _parent(first, orphans)
            left -= orphans
            parents += 1
        else:
            os.wait()  # a parent: the first of the group does not end before it is released
            parents -= 1
    ended = time.monotonic_ns()
    os.write(release, b".")
    os.waitpid(first, 0)
    os.write(report, b"%d\n" % ended)
    os.execvp("sleep", ["sleep", seconds])


if __name__ == "__main__":
    main()
