"""Would the suite notice? Each deliberate mistake in core makes every test fail that is named beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.mutants import MUTANTS, Mutant

_ROOT = Path(__file__).parents[2]
_FAILED = re.compile(r"(\d+) failed")


def test_there_are_enough_of_them_in_enough_places() -> None:
    assert len(MUTANTS) >= 12
    assert len({mutant.file for mutant in MUTANTS}) >= 8


@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=lambda number: f"{number}-{MUTANTS[number].file}")
def test_the_suite_notices(number: int) -> None:
    mutant: Mutant = MUTANTS[number]
    done = subprocess.run(
        [sys.executable, "-m", "tests.laws.mutants", str(number), *mutant.noticed_by],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, f"{mutant.old!r} → {mutant.new!r} was not noticed\n{done.stdout}{done.stderr}"
    failed = _FAILED.search(done.stdout)
    assert failed is not None
    assert int(failed[1]) >= len(mutant.noticed_by), f"only some of {mutant.noticed_by} failed\n{done.stdout}"
