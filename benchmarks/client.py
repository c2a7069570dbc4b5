"""What does asking cost? Wall and CPU time of client commands, for docs/decisions/control.md.

Run in a checkout: `python benchmarks/client.py`. The world behind the socket is the tests' one in memory.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(_ROOT))

from tests.fakes.backend import service  # noqa: E402

_ROUNDS = 40
_PIDONE = os.path.join(sysconfig.get_path("scripts"), "pidone")
_COMMANDS: dict[str, Sequence[str]] = {
    "python, import re (an entry script)": (sys.executable, "-c", "import re, sys"),
    "pidone version": (_PIDONE, "version"),
    "pidone is-ready s0": (_PIDONE, "is-ready", "s0"),
    "pidone status": (_PIDONE, "status"),
    "pidone status --json": (_PIDONE, "status", "--json"),
}


def _cost(command: Sequence[str]) -> tuple[float, float, float]:
    """Milliseconds: least and median wall, mean CPU."""
    times = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        times.append((time.perf_counter() - begun) * 1e3)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return min(times), statistics.median(times), cpu * 1e3 / _ROUNDS


def main() -> None:
    for count in (4, 1000):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s")
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.fakes.backend", path],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps({"services": [service(f"s{number}") for number in range(count)]}).encode())
            server.stdin.close()
            server.stdout.read()  # its end says that the socket is there
            os.environ["PIDONE_SOCKET"] = path
            print(f"{count} services{'':28} {'least':>8} {'median':>8} {'CPU':>8}   (ms)")
            for name, command in _COMMANDS.items():
                least, median, cpu = _cost(command)
                print(f"{name:40} {least:8.1f} {median:8.1f} {cpu:8.1f}")
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
