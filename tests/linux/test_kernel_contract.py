"""Does the real kernel keep the contract, as PID 1 and as a child subreaper?"""

from __future__ import annotations

import pytest

from tests.contract.kernel_contract import STORIES, Story
from tests.isolation import isolated
from tests.linux.stage import RealStage

_all = pytest.mark.parametrize("story", STORIES, ids=[story.__name__ for story in STORIES])


@_all
@isolated(pid1=True)
def test_as_pid_1(story: Story) -> None:
    story(RealStage())


@_all
@isolated
def test_as_subreaper(story: Story) -> None:
    story(RealStage())
