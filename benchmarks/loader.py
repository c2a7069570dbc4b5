"""What does reading the configuration cost? The loader child as a whole, and where its time goes.

python benchmarks/loader.py [SERVICES…]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_RUNS = 7
_SERVICE = """\
  s{number}:
    command: [/usr/bin/env, sleep, "{number}"]
    description: service number {number}
    environment: {{PORT: {number}, MODE: production, NAME: "${{service}}"}}
    restart: {{policy: on-failure, delay: 1s}}
    stop: {{timeout: 5s, signal: SIGINT}}
    ready: {{tcp: "127.0.0.1:{port}"}}
"""
_STEPS = {
    "interpreter": "pass",
    "+ yaml": "import yaml",
    "+ pydantic_core": "import yaml, pydantic_core",
    "+ our modules": "import supervisor.config.configuration, supervisor.programs.planning",
    "instead: pydantic's classes": "import yaml, pydantic; from pydantic import BaseModel",
}


def measured(*command: str) -> tuple[float, float]:
    """The least wall and processor time of several runs, in milliseconds."""
    walls, busy = [], []
    for _ in range(_RUNS):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        walls.append(time.perf_counter() - begun)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(walls) * 1000, min(busy) * 1000


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [1, 100, 1000]
    print(f"{'':32}{'wall ms':>9}{'CPU ms':>9}")
    for name, statement in _STEPS.items():
        print("{:32}{:9.1f}{:9.1f}".format(name, *measured(sys.executable, "-I", "-c", statement)))
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            path = Path(folder, f"{count}.yaml")
            rows = [_SERVICE.format(number=number, port=20_000 + number % 40_000) for number in range(count)]
            path.write_text("".join(["services:\n", *rows]))
            loader = (sys.executable, "-I", "-m", "supervisor.programs.loader", os.fspath(path))
            print("{:32}{:9.1f}{:9.1f}".format(f"loader, {count} services", *measured(*loader)))


if __name__ == "__main__":
    main()
