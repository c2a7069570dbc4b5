"""What does the logger cost? Memory with 1, 100 and 1000 services, processor time per line, and how soon a killed one is replaced.

    python benchmarks/logger.py

Forks a real logger from a process that has loaded what PID 1 loads, writes to it through real pipes, and reads /proc. It shows
what the logger adds to PID 1; it does not show what services, a terminal or a slow disk cost.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable

import supervisor.control.server
import supervisor.runtime.assembly  # noqa: F401  # what PID 1 has loaded when it forks
from supervisor.kernel.libc import load
from supervisor.model.process import Exit
from supervisor.model.words import RunId, ServiceName
from supervisor.programs.logger import fork
from supervisor.runtime.logs import Logs

_TICK = os.sysconf("SC_CLK_TCK")
_LINE = b"2026-01-31 12:00:00 INFO request handled in 12 ms, status 200, 5120 bytes from 192.0.2.17 GET /\n"


class Bench:
    """Logs, with our stdout replaced by a pipe that a child empties."""

    def __init__(self) -> None:
        self.report = os.fdopen(os.dup(1), "w", buffering=1)
        out, end = os.pipe()
        self.reader = os.fork()
        if self.reader == 0:
            os.close(end)
            while os.read(out, 1 << 20):
                pass
            os._exit(0)
        os.close(out)
        os.dup2(end, 1)
        os.dup2(end, 2)
        os.close(end)
        load()
        gc.collect()
        gc.freeze()
        self.logs = Logs(fork)
        self.logs.start()
        self.runs: list[RunId] = []

    def services(self, count: int) -> None:
        while len(self.runs) < count:
            self.runs.append(RunId(ServiceName(f"service-{len(self.runs):04d}"), 1))
            self.logs.open(self.runs[-1])
            if not len(self.runs) % 50:
                self.settle()
        self.settle()

    def settle(self) -> None:
        """Until the logger has taken everything that was written."""
        fd = self.logs.stream({"services": ["nobody"]})
        answer = select.poll()
        answer.register(fd, select.POLLIN)
        while not any(mask & select.POLLIN for _, mask in answer.poll(10)):
            self.logs.drain()
        os.close(fd)

    def cpu(self) -> float:
        with open(f"/proc/{self.logs.logger_pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9

    def pss(self) -> dict[str, int]:
        """KiB: all of it, and what is its own."""
        found = {}
        with open(f"/proc/{self.logs.logger_pid}/smaps_rollup") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name in ("Pss", "Private_Dirty"):
                    found[name] = int(rest.split()[0])
        return found

    def wakeups(self) -> int:
        with open(f"/proc/{self.logs.logger_pid}/status") as file:
            return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)

    def say(self, text: str) -> None:
        self.report.write(text + "\n")


def memory(bench: Bench) -> None:
    bench.say("memory of the logger in KiB (Pss; of that its own)")
    for count in (1, 100, 1000):
        bench.services(count)
        time.sleep(0.1)
        silent = bench.pss()
        bench.say(f"  {count:5} services, silent            {silent['Pss']:7} {silent['Private_Dirty']:7}")
    for run in bench.runs:
        os.write(bench.logs.open(run)[0], _LINE)
    bench.settle()
    time.sleep(0.5)
    spoken = bench.pss()
    bench.say(f"   1000 services, one line each      {spoken['Pss']:7} {spoken['Private_Dirty']:7}")
    began, calm = time.monotonic(), bench.wakeups()
    time.sleep(3)
    bench.say(f"  idle wake-ups in {time.monotonic() - began:.1f} s               {bench.wakeups() - calm:7}")


def measured(bench: Bench, what: str, lines: int, work: Callable[[], None]) -> None:
    cpu, began = bench.cpu(), time.monotonic()
    work()
    bench.settle()
    took, spent = time.monotonic() - began, bench.cpu() - cpu
    bench.say(f"  {what:42} {spent / lines * 1e6:8.2f} µs CPU/line {lines / took:12.0f} lines/s")


def lines(bench: Bench) -> None:
    bench.say(f"lines of {len(_LINE)} bytes, prefixed, to a pipe")
    one = bench.logs.open(bench.runs[0])[0]
    chunk = _LINE * (65536 // len(_LINE))
    chunks = 1500
    total = chunks * (65536 // len(_LINE))

    def flood() -> None:
        for _ in range(chunks):
            os.write(one, chunk)

    def steady() -> None:
        for _ in range(300):
            for _ in range(50):
                os.write(one, _LINE)
            time.sleep(0.01)

    def trickle() -> None:
        for _ in range(200):
            os.write(one, _LINE)
            time.sleep(0.02)

    def everybody() -> None:
        for _ in range(10):
            for run in bench.runs:
                os.write(bench.logs.open(run)[0], _LINE)
            time.sleep(0.1)

    measured(bench, "one service as fast as it can", total, flood)
    measured(bench, "one service, 50 lines every 10 ms", 15_000, steady)
    measured(bench, "one service, one line every 20 ms", 200, trickle)
    measured(bench, "1000 services, one line every 100 ms each", 10_000, everybody)


def successor(bench: Bench) -> None:
    took = []
    for _ in range(5):
        time.sleep(1.1)
        victim = bench.logs.logger_pid
        began = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        bench.logs.logger_died(Exit(signal=9))
        forked = time.monotonic() - began
        bench.settle()
        took.append((forked, time.monotonic() - began))
    forked, ready = (sorted(column)[len(took) // 2] * 1000 for column in zip(*took))
    bench.say(f"SIGKILL to successor, 1000 services: forked {forked:.1f} ms, has everything and answers {ready:.1f} ms")


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bench = Bench()
    bench.say(f"Python {sys.version.split()[0]}, Linux {os.uname().release}, {os.cpu_count()} CPUs")
    try:
        memory(bench)
        lines(bench)
        successor(bench)
    except Exception as mistake:  # our stderr is the logger's now
        bench.say(f"failed: {type(mistake).__name__}: {mistake}")
    finally:
        os.kill(bench.logs.logger_pid, signal.SIGKILL)
        for fd in (1, 2):
            with contextlib.suppress(OSError):
                os.close(fd)
        os.kill(bench.reader, signal.SIGKILL)


if __name__ == "__main__":
    main()
