"""Does the comparison still run? The shortest of its rows, for pidone alone; the figures are nobody's business here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.outside.world import environment

_RUN = Path(__file__).parents[2] / "benchmarks/run.py"
_PATIENCE = 120  # seconds, for what takes three


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, str(_RUN), *words)
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=_PATIENCE)


def test_the_benchmark_measures_what_was_chosen_and_prints_a_table() -> None:
    done = _run("--quick", "--who", "pidone init", "--only", "start-up", "--only", "stop")
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")][2:]
    assert rows == ["start-up, 1 (ms)", "start-up, 100 (ms)", "stop, 1 (ms)", "stop, 100 (ms)"]
