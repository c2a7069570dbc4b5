"""What is not measured: the explorer takes millions of steps, which take three times as long under coverage, and would cover
core without looking at any line of it. The tests in `tests/unit/core` and `tests/stories` are measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def unmeasured() -> Iterator[None]:
    coverage = sys.modules.get("coverage")
    running = coverage.Coverage.current() if coverage is not None else None
    if running is not None:
        running.stop()
    yield
    if running is not None:
        running.start()
