"""What do the kernel room's deeds cost? Spawning both ways, one exit from peek to reap, identities, looking at 1000 children.

Best of several rounds, wall time of the caller; nothing else should run beside it: `python benchmarks/kernel.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from supervisor.kernel.cgroups import find
from supervisor.kernel.linux import Linux
from supervisor.kernel.port import Born, SpawnOrder
from supervisor.model.plan import Identity
from supervisor.model.record import replace

_ROUNDS = 5
_SPAWNS = 100
_LOOKS = 2000
_CROWD = 1000


def _best(deed: Callable[[], object], times: int) -> float:
    """Microseconds per deed, in the best round."""
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(times):
            deed()
        best = min(best, (time.perf_counter() - begun) / times)
    return best * 1e6


def _say(what: str, microseconds: float) -> None:
    print(f"{what:58}{microseconds:10.1f} µs")


def _spawn(kernel: Linux, order: SpawnOrder) -> float:
    """Microseconds that the caller is away for one spawn."""
    best = float("inf")
    for _ in range(_ROUNDS):
        spent = 0.0
        for _ in range(_SPAWNS):
            begun = time.perf_counter()
            born = kernel.spawn(order)
            spent += time.perf_counter() - begun
            assert isinstance(born, Born), born
            if born.errors >= 0:
                os.set_blocking(born.errors, True)
                assert kernel.spawn_error(born.errors) is None
            os.waitid(os.P_PIDFD, born.pidfd, os.WEXITED)
            os.close(born.pidfd)
        best = min(best, spent / _SPAWNS)
    return best * 1e6


def _crowd() -> list[int]:
    crowd = []
    for _ in range(_CROWD):
        pid = os.fork()
        if pid == 0:
            signal.pause()
        crowd.append(pid)
    return crowd


def _disperse(crowd: list[int]) -> None:
    for pid in crowd:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _zombies(count: int) -> None:
    for _ in range(count):
        if os.fork() == 0:
            os._exit(0)
    time.sleep(0.2)


def _exits(kernel: Linux, identified: bool) -> float:
    """Microseconds from peek to reap, for one exit."""
    best = float("inf")
    for _ in range(_ROUNDS):
        _zombies(_SPAWNS)
        begun = time.perf_counter()
        while (zombie := kernel.peek()) is not None:
            pidfd = kernel.open_pidfd(zombie.pid)
            if identified:
                kernel.identify(zombie.pid)
            kernel.reap(zombie.pid, pidfd)
            os.close(pidfd)
        best = min(best, (time.perf_counter() - begun) / _SPAWNS)
    return best * 1e6


def _import_time(module: str) -> float:
    """Microseconds of a bare interpreter that imports this, less one that imports nothing."""

    def run(code: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", code], check=True)
        return time.perf_counter() - begun

    return (min(run(f"import {module}") for _ in range(20)) - min(run("pass") for _ in range(20))) * 1e6


def main() -> None:
    kernel = Linux()
    order = SpawnOrder(("/bin/true",), "/bin/true", {"PATH": "/bin"}, "/", 1, 2, tag=kernel.new_tag())
    _say("spawn fast", _spawn(kernel, order))
    _say("spawn safe", _spawn(kernel, replace(order, way="safe")))
    if os.getuid() == 0:
        _say("spawn safe, as another user", _spawn(kernel, replace(order, identity=Identity(65534, 65534))))
    _say("one exit: peek, pidfd, reap", _exits(kernel, identified=False))
    _say("one exit: peek, pidfd, identify, reap", _exits(kernel, identified=True))
    _say("identify", _best(lambda: kernel.identify(os.getpid()), _LOOKS))
    tree = find().tree
    print("cgroups:", find().line)
    if tree is not None:
        with_groups = Linux(tree=tree)
        _say("identify with cgroup", _best(lambda: with_groups.identify(os.getpid()), _LOOKS))
    _say("glimpse", _best(lambda: kernel.glimpse(os.getpid()), _LOOKS))
    crowd = _crowd()
    try:
        _say(f"children, of {_CROWD}", _best(lambda: kernel.children(), 20))
        _say(f"descendants, {_CROWD} identified", _best(lambda: kernel.descendants(), 3))
        _say(f"everybody, {_CROWD} and the machine's", _best(lambda: kernel.everybody(), 3))
        _say(f"one exit among {_CROWD} living: peek, pidfd, reap", _exits(kernel, identified=False))
    finally:
        _disperse(crowd)
    _say("import supervisor.kernel.linux", _import_time("supervisor.kernel.linux"))
    _say(
        "import supervisor.kernel.linux and load ctypes",
        _import_time("supervisor.kernel.libc as x; x.load(); import supervisor.kernel.linux"),
    )


if __name__ == "__main__":
    main()
