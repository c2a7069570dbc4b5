"""What does every test of the logger's parts leave behind? No open file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.logger.bench import clear


@pytest.fixture(autouse=True)
def _cleared() -> Iterator[None]:
    yield
    clear()
