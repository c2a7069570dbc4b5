"""What does the minimal init cost beside C's? Start to end of `true`, and the memory that stays, for docs/decisions/tini.md.

Run: `python benchmarks/tini.py`. tini and dumb-init are measured where they are installed (Debian: apt-get install tini dumb-init).
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import statistics
import sysconfig
import time
from collections.abc import Sequence

_ROUNDS = 40
_SETTLED = 0.5  # seconds
_SHOWN = ("Rss", "Pss", "Private_Dirty")

_PIDONE = os.path.join(sysconfig.get_path("scripts"), "pidone")
_CONTENDERS: dict[str, Sequence[str]] = {
    "nothing between": (),
    "tini": ("tini", "-s", "--"),
    "dumb-init": ("dumb-init",),
    "pidone init": (_PIDONE, "init", "--"),
}


def _start(words: Sequence[str]) -> int:
    return os.posix_spawnp(words[0], list(words), os.environ)


def _milliseconds(before: Sequence[str]) -> float:
    times = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        os.waitpid(_start((*before, "/bin/true")), 0)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def _memory(before: Sequence[str]) -> dict[str, int]:
    """kB by kind, once it stands still."""
    pid = _start((*before, "sleep", "1000"))
    select.select([], [], [], _SETTLED)
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            rows = [line.split() for line in file]
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[0].rstrip(":") in _SHOWN}


def main() -> None:
    print(f"{'':16} {'true (ms)':>10} " + " ".join(f"{kind + ' (kB)':>18}" for kind in _SHOWN))
    for name, before in _CONTENDERS.items():
        if before and not shutil.which(before[0]):
            print(f"{name:16} not installed")
            continue
        memory = _memory(before) if before else {}
        print(f"{name:16} {_milliseconds(before):10.1f} " + " ".join(f"{memory.get(kind, 0):18}" for kind in _SHOWN))


if __name__ == "__main__":
    main()
