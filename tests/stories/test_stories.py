"""Does the whole runtime do what the stories tell, on the fake kernel and on the real one, as PID 1 and as subreaper?"""

from __future__ import annotations

import pytest

import tests.stories.ends
import tests.stories.stories  # noqa: F401  # importing tells them
from tests.isolation import isolated
from tests.stories.stage import FAKE_ONLY, STORIES, Story, play_on_fake, play_on_real


def _each(stories: list[Story]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("told", stories, ids=[told.__name__ for told in stories])


@_each(STORIES + FAKE_ONLY)
def test_on_the_fake_kernel(told: Story) -> None:
    play_on_fake(told)


@_each(STORIES)
@isolated(pid1=True)
def test_as_pid_1(told: Story) -> None:
    play_on_real(told)


@_each(STORIES)
@isolated
def test_as_subreaper(told: Story) -> None:
    play_on_real(told)
