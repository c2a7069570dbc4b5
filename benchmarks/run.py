"""How does pidone compare? Measures it beside supervisord and runit, in one run, and prints one table.

    python benchmarks/run.py                # everything, about ten minutes
    python benchmarks/run.py --quick        # 1 and 100 services, three seconds of idling

What the rows show and do not show is in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from contenders import SLEEP, Contender, contenders

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 180.0  # seconds, for 1000 services of the slowest
_KILLS = 5
_ASKED = 5


def _processes(root: int) -> dict[int, tuple[str, bytes]]:
    """Everything below and including `root`: pid → (state, command line)."""
    parents: dict[int, tuple[int, str, bytes]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                parents[int(entry)] = int(stat[1]), stat[0], Path(f"/proc/{entry}/cmdline").read_bytes()
    family: dict[int, tuple[str, bytes]] = {}
    front = [root]
    while front:
        pid = front.pop()
        if pid in parents:
            family[pid] = parents[pid][1], parents[pid][2]
            front += [child for child, (parent, _, _) in parents.items() if parent == pid]
    return family


def _is_service(line: bytes) -> bool:
    return line == f"sleep\0{SLEEP}\0".encode()


def _sleepers() -> int:
    """How many services live anywhere on the machine."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                count += _is_service(Path(f"/proc/{entry}/cmdline").read_bytes())
    return count


def _own(root: int) -> list[int]:
    """The supervisor's own processes."""
    return [pid for pid, (state, line) in _processes(root).items() if state != "Z" and not _is_service(line)]


def _until(there: Callable[[], bool], pause: float = 0.002) -> float:
    """Seconds until this is so."""
    begun = time.perf_counter()
    while not there():
        if time.perf_counter() - begun > _PATIENCE:
            raise TimeoutError
        select.select([], [], [], pause)
    return time.perf_counter() - begun


def _pss(pids: list[int]) -> float:
    """Megabytes."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def _cpu(pids: list[int]) -> float:
    """Seconds used so far."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / _TICKS


def _wakeups(pids: list[int]) -> int:
    """How often they were put to sleep so far: each wake-up ends so."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


@contextlib.contextmanager
def _running(
    who: Contender, number: int, fifo: bool = False
) -> Iterator[tuple[Path, subprocess.Popen[bytes], float, int]]:
    """The contender with N services just being started: its folder, its process, when it was started, the FIFO."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        inbox = -1
        if fifo:
            os.mkfifo(folder / "fifo")
            inbox = os.open(folder / "fifo", os.O_RDWR)
        who.configure(folder, number, str(folder / "fifo") if fifo else "")
        with open(folder / "output", "wb") as output:
            begun = time.perf_counter()
            process = subprocess.Popen(
                who.start(folder),
                cwd=folder,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            yield folder, process, begun, inbox
        except TimeoutError:
            raise SystemExit(f"{who.name} did not get there:\n{(folder / 'output').read_text()[-2000:]}") from None
        finally:
            _end(process, who.stop_signal)
            if inbox >= 0:
                os.close(inbox)


def _end(process: subprocess.Popen[bytes], how: str) -> None:
    """End the contender and everything it started, by their numbers and only while they are still themselves."""
    family = _processes(process.pid) if process.poll() is None else {}
    if family:
        process.send_signal(getattr(signal, how))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)

    def left() -> list[int]:
        found = []
        for pid, (_, line) in family.items():
            with contextlib.suppress(OSError):
                if line and Path(f"/proc/{pid}/cmdline").read_bytes() == line:
                    found.append(pid)
        return found

    with contextlib.suppress(TimeoutError):
        _until(lambda: not left(), 0.05)
    for pid in left():
        os.kill(pid, signal.SIGKILL)
    process.wait()


def _first_service(who: Contender) -> float:
    """Milliseconds from starting the supervisor to the first instruction of its first service."""
    times = []
    for _ in range(_ASKED):
        with _running(who, 1, fifo=True) as (_, _, begun, inbox):
            os.read(inbox, 100)
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def _successor(who: Contender) -> float:
    """Milliseconds from SIGKILL of a service to the first instruction of its next run."""
    times = []
    with _running(who, 1, fifo=True) as (_, _, _, inbox):
        pid = int(os.read(inbox, 100))
        outer = _outer(pid)
        for _ in range(_KILLS):
            begun = time.perf_counter()
            os.kill(outer, signal.SIGKILL)
            pid = int(os.read(inbox, 100))
            times.append(time.perf_counter() - begun)
            outer = _outer(pid)
    return statistics.median(times) * 1e3


def _outer(inner: int) -> int:
    """The number out here of the one service, which calls itself `inner`; as soon as it has become `sleep`."""
    found: list[int] = []

    def there() -> bool:
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    if _is_service(Path(f"/proc/{entry}/cmdline").read_bytes()):
                        numbers = next(
                            line.split()[1:]
                            for line in Path(f"/proc/{entry}/status").read_text().splitlines()
                            if line.startswith("NSpid")
                        )
                        if int(numbers[-1]) == inner:
                            found[:] = [int(entry)]
        return bool(found)

    _until(there)
    return found[0]


def _at(who: Contender, number: int, idle: float) -> dict[str, float]:
    """All that is measured with N idle services."""
    seen: dict[str, float] = {}
    with _running(who, number) as (folder, process, begun, _):
        _until(lambda: _sleepers() == number, 0.01)
        seen["all started (ms)"] = (time.perf_counter() - begun) * 1e3
        _until(lambda: subprocess.run(who.status(folder), capture_output=True, check=False).returncode == 0, 0.1)
        own = _own(process.pid)
        seen["own processes"] = len(own)
        seen["PSS (MB)"] = _pss(own)
        before = _cpu(own), _wakeups(own)
        select.select([], [], [], idle)
        seen["idle CPU (ms/s)"] = (_cpu(own) - before[0]) / idle * 1e3
        seen["idle wake-ups (/s)"] = (_wakeups(own) - before[1]) / idle
        times = []
        for _ in range(_ASKED):
            asked = time.perf_counter()
            subprocess.run(who.status(folder), capture_output=True, check=False)
            times.append(time.perf_counter() - asked)
        seen["status (ms)"] = statistics.median(times) * 1e3
        stopped = time.perf_counter()
        process.send_signal(getattr(signal, who.stop_signal))
        process.wait(_PATIENCE)
        _until(lambda: _sleepers() == 0, 0.005)
        seen["stop (ms)"] = (time.perf_counter() - stopped) * 1e3
    return seen


def _print(title: str, rows: dict[str, dict[str, float]], names: list[str]) -> None:
    print(f"\n{title}")
    print(f"{'':28}" + "".join(f"{name:>22}" for name in names))
    for label, values in rows.items():
        ours = values["pidone"]
        cells = ""
        for name in names:
            value = values[name]
            ratio = f" ({value / ours:.2f}x)" if name != "pidone" and ours else ""
            cells += f"{f'{value:.1f}{ratio}':>22}"
        print(f"{label:28}{cells}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1 and 100 services, three seconds of idling")
    parser.add_argument("--tools", type=Path, default=Path(tempfile.gettempdir()) / "pidone-benchmark-tools")
    chosen = parser.parse_args()
    if _sleepers():
        sys.exit(f"there is a `sleep {SLEEP}` already: end it first, it would be counted")
    everybody = contenders(chosen.tools)
    names = [who.name for who in everybody]
    print(f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} cores, uid {os.getuid()}")
    for who in everybody:
        print(f"{who.name}: {who.note}")
    rows = {
        "start to first service (ms)": {who.name: _first_service(who) for who in everybody},
        "SIGKILL to successor (ms)": {who.name: _successor(who) for who in everybody},
    }
    _print("1 service", rows, names)
    for number in (1, 100) if chosen.quick else (1, 100, 1000):
        seen = {who.name: _at(who, number, 3.0 if chosen.quick else 10.0) for who in everybody}
        labels = next(iter(seen.values()))
        _print(
            f"{number} idle services", {label: {name: seen[name][label] for name in names} for label in labels}, names
        )


if __name__ == "__main__":
    main()
