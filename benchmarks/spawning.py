"""What does it cost to start a process, and how does that grow with our size? For docs/decisions/spawning.md.

Starts `/bin/true` by each way, with the present size and with ballast, and says how long the caller was away.
Run: `python benchmarks/spawning.py`.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable

_TRUE = "/bin/true"
_ROUNDS = 200
_BALLAST = 200  # MB


def _by_posix_spawn() -> int:
    every = set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}
    return os.posix_spawn(_TRUE, [_TRUE], {}, setsid=True, setsigmask=(), setsigdef=every)


def _by_popen() -> int:
    process = subprocess.Popen([_TRUE], env={}, start_new_session=True)
    process.returncode = 0  # it is reaped here, not by subprocess
    return process.pid


def _by_fork() -> int:
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.execve(_TRUE, [_TRUE], {})
    return pid


def _milliseconds(way: Callable[[], int]) -> float:
    """How long the caller is away: PID 1 can do nothing else meanwhile."""
    times = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        pid = way()
        times.append(time.perf_counter() - begun)
        os.waitpid(pid, 0)
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    ways = (("posix_spawn", _by_posix_spawn), ("Popen", _by_popen), ("fork", _by_fork))
    small = [_milliseconds(way) for _, way in ways]
    ballast = bytearray(os.urandom(1 << 20) * _BALLAST)
    large = [_milliseconds(way) for _, way in ways]
    print(f"{'':14}{'as it is (ms)':>16}{f'+{_BALLAST} MB (ms)':>16}")
    for (name, _), first, second in zip(ways, small, large):
        print(f"{name:14}{first:16.2f}{second:16.2f}")
