"""What is not measured: the explorer takes millions of steps, which take three times as long under coverage, and would cover
core without looking at any line of it; and the deliberate mistakes are no code of ours. The tests in `tests/unit/core` and
`tests/stories` are measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):  # what children would be measured by
        monkeypatch.delenv(name, raising=False)
    coverage = sys.modules.get("coverage")
    running = coverage.Coverage.current() if coverage is not None else None
    if running is not None:
        running.stop()
    yield
    if running is not None:
        running.start()
