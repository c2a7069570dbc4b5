"""What can be seen of a contender's processes from outside? /proc, CPU clocks, and the end of everything that was started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["adopt", "cpu", "end", "family", "number_outside", "own", "pause", "pss", "until", "wakeups"]

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_CPU_CLOCK = 2  # CPUCLOCK_SCHED, of the whole process: clock_getcpuclockid(3)


def adopt() -> None:
    """From now on, who loses his parent becomes our child, so that `end` finds everybody. PR_SET_CHILD_SUBREAPER(2const)"""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def pause(seconds: float) -> None:
    select.select([], [], [], seconds)


def until(there: Callable[[], bool], patience: float, step: float = 0.002) -> bool:
    """Is it so before the patience ends?"""
    deadline = time.monotonic() + patience
    while not there():
        if time.monotonic() > deadline:
            return False
        pause(step)
    return True


def family(root: int) -> dict[int, list[bytes]]:
    """Everything below and including `root`, without zombies: pid → arguments."""
    known: dict[int, tuple[int, list[bytes]]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                state, parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    known[int(entry)] = int(parent), Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
    children: dict[int, list[int]] = {}
    for pid, (mother, _) in known.items():
        children.setdefault(mother, []).append(pid)
    found: dict[int, list[bytes]] = {}
    front = [root]
    while front:
        pid = front.pop()
        if pid in known:
            found[pid] = known[pid][1]
            front += children.get(pid, [])
    return found


def own(root: int, is_service: Callable[[list[bytes]], bool], looks: int = 1) -> list[int]:
    """The supervisor's own processes. With several looks, a child that is about to become a service does not count."""
    seen: set[int] | None = None
    for look in range(looks):
        if look:
            pause(0.1)
        now = {pid for pid, line in family(root).items() if not is_service(line)}
        seen = now if seen is None else seen & now
    return sorted(seen or ())


def number_outside(root: int, inner: int, patience: float) -> int:
    """The number out here of the one below `root` that calls itself `inner` in its own PID namespace."""
    found: list[int] = []

    def there() -> bool:
        for pid in family(root):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("NSpid:") and int(line.split()[-1]) == inner and pid != root:
                        found.append(pid)
        return bool(found)

    if not until(there, patience):
        raise TimeoutError(f"nobody calls himself {inner}")
    return found[0]


def pss(pids: Iterable[int]) -> float:
    """Megabytes, what is shared counted once. proc_pid_smaps(5)"""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def cpu(pids: Iterable[int]) -> float:
    """Seconds they used so far, without their children. The ticks in /proc would be too coarse for a thousand small processes."""
    return sum(time.clock_gettime((~pid << 3) | _CPU_CLOCK) for pid in pids)


def wakeups(pids: Iterable[int]) -> int:
    """How often they went to sleep so far: each wake-up ends so."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def end(process: subprocess.Popen[bytes], how: signal.Signals, patience: float, inside: bool) -> None:
    """End the contender as it likes to be ended, then whatever it left, by number; `inside`: it is the only child of what we started.

    Needs `adopt`. A child of ours keeps its number until we have reaped it, so nobody else can be hit.
    """
    if process.poll() is None:
        for pid in _children(process.pid) if inside else [process.pid]:
            os.kill(pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.poll() is None:
        process.kill()
        process.wait()
    until(_nobody_left, patience=1.0)
    while not _nobody_left():
        for child in _children(os.getpid()):
            os.kill(child, signal.SIGKILL)
        pause(0.01)


def _nobody_left() -> bool:
    """No child of ours is left; those that ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _children(pid: int) -> list[int]:
    """Of a process with one thread."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
