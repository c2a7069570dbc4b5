"""Is it core that decides? With a `step` that orders nothing, nothing is started, signalled or restarted, by anybody."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest

from supervisor.core.step import Step, step
from supervisor.model.event import Event
from supervisor.model.spec import RestartSpec
from supervisor.model.words import Instant, Seconds
from supervisor.model.world import World
from supervisor.runtime import loop
from tests.isolation import isolated
from tests.stories.stage import Stage, Story, play_on_fake, play_on_real

_WATCHED = 0.5  # seconds; a spawn takes a hundredth of it


def _speechless(world: World, event: Event, now: Instant) -> Step:
    return step(world, event, now)._replace(effects=())


@contextlib.contextmanager
def _no_orders() -> Iterator[None]:
    loop.step = _speechless
    try:
        yield
    finally:
        loop.step = step


async def _nothing_is_started(stage: Stage) -> None:
    with _no_orders():
        stage.begin(stage.service("web", "sleep"), stage.service("job", "exit:0", type="oneshot"), shutdown=1.0)
        await stage.let_pass(_WATCHED)
        assert stage.pids() == []
    # what was decided meanwhile is lost: the end of the world finds nobody


async def _nothing_is_signalled_or_restarted(stage: Stage) -> None:
    again = RestartSpec(delay=Seconds(0.01))
    stage.begin(stage.service("web", "sleep"), stage.service("app", "sleep", restart=again), shutdown=1.0)
    await stage.until_phase("web", "running")
    await stage.until_phase("app", "running")
    web, app = stage.main_pid("web"), stage.main_pid("app")
    with _no_orders():
        stage.kernel.signal(app, -1, signal.SIGKILL)
        await stage.operator.submit("stop", ["web"], wait=False)
        await stage.let_pass(_WATCHED)
        assert stage.pids() == [web]


_STORIES = [_nothing_is_started, _nothing_is_signalled_or_restarted]
_EACH = pytest.mark.parametrize("told", _STORIES, ids=[told.__name__.strip("_") for told in _STORIES])


@_EACH
def test_on_the_fake_kernel(told: Story) -> None:
    play_on_fake(told)


@_EACH
@isolated(pid1=True)
def test_as_pid_1(told: Story) -> None:
    play_on_real(told)
