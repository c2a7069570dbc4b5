"""Would the suite notice? Each deliberate mistake makes every test fail that is named beside it, by an assertion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.everywhere import MUTANTS

_ROOT = Path(__file__).parents[2]
_PATIENCE = 600  # seconds for all of them; they take 20
_BY_ASSERTION = frozenset({"AssertionError", "Failed"})  # the second is pytest's, of what was to raise and did not


def test_there_are_enough_of_them_in_every_room_that_can_lose_a_process() -> None:
    rooms = Counter(mutant.room for mutant in MUTANTS)
    assert len(MUTANTS) >= 50
    assert rooms["core"] >= 20
    for room in ("runtime", "kernel", "logger", "wire", "config", "control", "programs"):
        assert rooms[room] >= 3, room
    assert len(set(MUTANTS)) == len(MUTANTS)


@pytest.fixture(scope="module")
def noticed(request: pytest.FixtureRequest) -> dict[int, dict[str, Any]]:
    """What the tests said to each mistake that is asked about."""
    numbers = [
        str(item.callspec.params["number"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_the_suite_notices.__name__
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", *numbers],
        cwd=_ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTEST"))},
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {said["number"]: said for said in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=lambda number: f"{number}-{MUTANTS[number].file}")
def test_the_suite_notices(number: int, noticed: dict[int, dict[str, Any]]) -> None:
    mutant, said = MUTANTS[number], noticed[number]
    what = f"{mutant.file}: {mutant.old!r} → {mutant.new!r}: {said}"
    assert said["status"] == pytest.ExitCode.TESTS_FAILED, what
    for name in mutant.noticed_by:
        ends = {end for test, end in said["ends"].items() if test == name or test.startswith(f"{name}[")}
        assert ends & _BY_ASSERTION, f"{name} did not notice {what}"
        assert ends <= _BY_ASSERTION | {"passed"}, f"{name} fails for another reason: {what}"
