"""What is not measured for coverage, where that would cost more than the test itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):  # what children would be measured by
        monkeypatch.delenv(name, raising=False)
    tracer = sys.gettrace()
    sys.settrace(
        None
    )  # not Coverage.stop and start: every start patches os._exit once more, and every patch saves once more
    yield
    sys.settrace(tracer)
