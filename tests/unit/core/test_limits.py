"""How long are the pauses between restarts, and when are there too many? SERVICES §4."""

from __future__ import annotations

from supervisor.core import restart
from supervisor.model.spec import RestartLimitSpec, RestartSpec
from supervisor.model.words import Seconds
from tests.laws.specs import TCP, needs, restarts, simple
from tests.unit.core.story import Story

# --- pauses


def test_pauses_grow_by_factor_up_to_max_delay() -> None:
    story = Story(a=simple(restart=RestartSpec(delay=Seconds(0.1), factor=3.0, max_delay=Seconds(2.0), jitter=0.0)))
    pauses = []
    for _ in range(6):
        story.spawned("a")
        story.exits("a", 1)
        pauses.append(story.due_in("a"))
        story.passes(2)
    assert pauses == [0.1, 0.3, 0.9, 2.0, 2.0, 2.0]
    assert story.service("a").restarts == 6


def test_a_crash_loop_never_ends_by_itself() -> None:
    story = Story(a=simple(restart=RestartSpec(delay=Seconds(0.0), factor=1.0, jitter=0.0)))
    for _ in range(500):
        story.spawned("a")
        story.exits("a", 1)
        story.passes(0)
    assert story.phase("a") == "starting"


def test_after_reset_after_of_ready_the_pause_is_back_at_the_start() -> None:
    story = Story(a=simple(ready=TCP, restart=restarts(delay=1.0, factor=2.0, reset_after=60.0)))
    for pause in (1.0, 2.0):
        story.comes_up("a")
        story.exits("a", 1)
        assert story.due_in("a") == pause
        story.passes(pause)
    story.spawned("a")
    story.passes(100)  # a long time, but not ready
    story.ready("a")
    story.passes(59)
    story.exits("a", 1)
    assert story.due_in("a") == 4.0
    story.passes(4)
    story.comes_up("a")
    story.passes(60)
    story.exits("a", 1)
    assert story.due_in("a") == 1.0


def test_jitter_lengthens_a_pause_by_up_to_its_share_and_is_no_chance() -> None:
    story = Story(a=simple())
    spec = RestartSpec(delay=Seconds(1.0), factor=1.0, jitter=0.5)
    service = story.service("a")
    pauses = {seed: restart.delay(spec, 1, seed, service) for seed in range(200)}
    assert all(1.0 <= pause < 1.5 for pause in pauses.values())
    assert max(pauses.values()) - min(pauses.values()) > 0.4
    assert pauses == {seed: restart.delay(spec, 1, seed, service) for seed in range(200)}


def test_jitter_differs_between_services_and_runs_of_one_world() -> None:
    story = Story(a=simple(), b=simple())
    spec = RestartSpec(jitter=0.5)
    first, other = story.service("a"), story.service("b")
    story.spawned("a")
    story.exits("a", 1)
    story.passes(1)
    second = story.service("a")
    assert len({restart.delay(spec, 1, 1, service) for service in (first, second, other)}) == 3


# --- the limit


def _crash(story: Story, name: str = "a") -> None:
    story.spawned(name)
    story.exits(name, 1)


def test_one_restart_more_than_the_limit_allows_and_the_service_has_failed() -> None:
    story = Story(a=simple(restart=restarts(delay=1.0, limit=RestartLimitSpec(2, Seconds(60.0)))))
    _crash(story)
    story.passes(1)
    _crash(story)
    story.passes(1)
    _crash(story)
    assert (story.phase("a"), story.code("a")) == ("failed", "limit")
    assert story.text("a") == "exit status 1; gave up: limit of 2 restarts in 1m"
    assert story.service("a").restarts == 2


def test_the_window_slides() -> None:
    story = Story(a=simple(restart=restarts(delay=0.0, limit=RestartLimitSpec(2, Seconds(60.0)))))
    for _ in range(8):  # at 0, 31, 62, 93 …: never three within 60 s
        _crash(story)
        assert story.phase("a") == "backoff"
        story.passes(31)
    assert len(story.service("a").window) <= 2


def test_what_is_exactly_as_old_as_the_window_counts_no_more() -> None:
    spec = restarts(limit=RestartLimitSpec(1, Seconds(60.0)))
    story = Story(a=simple(restart=spec))
    now = story.now.mono
    assert restart.exhausted(spec, (now,), now)
    story.later(59.9)
    assert restart.exhausted(spec, (now,), story.now.mono)
    story.later(0.1)
    assert not restart.exhausted(spec, (now,), story.now.mono)


def test_only_automatic_restarts_count() -> None:
    story = Story(a=simple(restart=restarts(limit=RestartLimitSpec(1, Seconds(600.0)))))
    for _ in range(5):
        story.restart("a")
        story.spawned("a")
        story.exits("a")
    _crash(story)
    assert story.phase("a") == "backoff"
    story.start("a")
    _crash(story)
    assert story.phase("a") == "backoff"
    story.passes(0.1)
    _crash(story)
    assert story.code("a") == "limit"


def test_a_limit_of_none_at_all_fails_at_the_first_end() -> None:
    story = Story(a=simple(restart=restarts(limit=RestartLimitSpec(0, Seconds(60.0)))))
    _crash(story)
    assert story.code("a") == "limit"


def test_a_restart_that_finds_its_dependency_stopped_counts_when_its_pause_ends() -> None:
    limit = RestartLimitSpec(1, Seconds(600.0))
    story = Story(db=simple(), a=simple(restart=restarts(delay=5.0, limit=limit), depends_on=needs(db="started")))
    story.spawned("db", "a")
    story.exits("a", 1)
    story.stop("db")
    assert (story.phase("a"), story.code("a")) == ("waiting", "dependency-stopped")
    assert (story.service("a").restarts, len(story.service("a").window)) == (1, 1)
    story.exits("db")
    story.start("db")
    story.spawned("db")
    _crash(story)
    assert story.code("a") == "limit"


def test_a_restart_that_finds_its_dependency_down_waits_for_it() -> None:
    story = Story(db=simple(restart=restarts(delay=30.0)), a=simple(depends_on=needs(db="started")))
    story.spawned("db", "a")
    story.exits("db", 1)
    assert story.phase("a") == "running"  # a dependency lost later does not touch who runs
    story.exits("a", 1)
    story.passes(0.1)
    assert (story.phase("a"), story.code("a")) == ("waiting", "dependency")
    story.passes(29.9)
    story.comes_up("db", "a")


def test_ceasing_to_be_needed_forgets_what_was_counted() -> None:
    story = Story(db=simple(enabled=False), a=simple(depends_on=needs(db="started")))
    story.spawned("db", "a")
    story.exits("db", 1)
    assert story.service("db").attempts == 1
    story.stop("a")
    story.exits("a")
    assert (story.phase("db"), story.service("db").attempts) == ("inactive", 0)
