"""Does the fake kernel keep the contract that the real one keeps?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.contract.kernel_contract import STORIES, Story
from tests.fakes.kernel import ACTOR, FakeKernel

_T = TypeVar("_T")


class _FakeStage:
    def __init__(self) -> None:
        self._time = 0.0
        self.kernel = FakeKernel(lambda: self._time)
        self.stdout = 7

    def actor(self, *words: str) -> tuple[tuple[str, ...], str]:
        return (ACTOR, *words), ACTOR

    def until(self, predicate: Callable[[], _T]) -> _T:
        for _ in range(1000):
            if answer := predicate():
                return answer
            due = self.kernel.next_due()
            assert due is not None, "nothing will ever happen"
            self._time = due
            self.kernel.play_until(due)
        raise AssertionError("it never came true")

    def printed(self) -> str:
        return "".join(f"{line}\n" for line in self.kernel.output.get(self.stdout, ()))


@pytest.mark.parametrize("story", STORIES, ids=[story.__name__ for story in STORIES])
def test_the_fake_keeps_the_contract(story: Story) -> None:
    story(_FakeStage())
