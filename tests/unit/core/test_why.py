"""Is what is told of a service true: whom it waits for, down to the root, who waits for it, and what follows?

(That every reason has its sentence and its story: tests/stories/test_reasons.py.)
"""

from __future__ import annotations

import pytest

from supervisor.core.why import Account, account, cure
from supervisor.model.words import ServiceName
from tests.laws.specs import NEVER, TCP, job, needs, restarts, simple, stops
from tests.unit.core.story import Story


def _account(story: Story, name: str) -> Account:
    return account(story.world, ServiceName(name), story.now)


def _cure(story: Story, name: str) -> str:
    return cure(story.world, ServiceName(name), story.now)


def _links(told: Account) -> list[tuple[str, str, str]]:
    return [tuple(link) for link in told.waits_for]  # type: ignore[misc]


def test_what_is_waited_for_is_followed_to_every_root() -> None:
    story = Story(
        web=simple(depends_on=needs(app="ready", cache="started")),
        app=simple(depends_on=needs(db="ready")),
        cache=simple(depends_on=needs(db="ready", log="ready")),
        db=simple(ready=TCP),
        log=simple(ready=TCP),
    )
    story.spawned("db", "log")
    told = _account(story, "web")
    assert _links(told) == [
        ("web", "app", "ready"),
        ("web", "cache", "started"),
        ("app", "db", "ready"),
        ("cache", "db", "ready"),
        ("cache", "log", "ready"),
    ]
    assert told.roots == ("db", "log")
    assert [name for name, _ in told.changes] == ["web", "db", "log"]
    assert [tuple(link) for link in _account(story, "db").waited_by] == [
        ("app", "db", "ready"),
        ("cache", "db", "ready"),
    ]
    story.ready("log")
    assert ("cache", "log", "ready") not in _links(_account(story, "web"))


def test_who_runs_waits_for_nobody() -> None:
    story = Story(web=simple(depends_on=needs(db="ready")), db=simple())
    story.comes_up("db", "web")
    told = _account(story, "web")
    assert (told.waits_for, told.waited_by, told.roots, told.fate) == ((), (), (), None)


def test_who_is_to_be_stopped_says_so_and_for_whom_he_stays() -> None:
    story = Story(db=simple(), app=simple(depends_on=needs(db="ready")), web=simple(depends_on=needs(app="ready")))
    story.comes_up("db", "app", "web")
    story.stop("db")
    told = _account(story, "db")
    assert told.fate is not None
    assert told.fate.text == "asked to stop by operator"
    assert _links(told) == [("db", "app", "stopped"), ("app", "web", "stopped")]
    assert told.roots == ("web",)
    assert told.changes[0][1] == "it is about to be stopped: asked to stop by operator; app must have stopped before"
    assert [tuple(link) for link in _account(story, "web").waited_by] == [("app", "web", "stopped")]
    story.exits("web")
    story.exits("app")
    assert _account(story, "db").fate is None


def test_a_job_that_is_to_be_undone_stays_for_whom_it_serves() -> None:
    story = Story(mount=job(stop=stops(command=("umount",))), web=simple(depends_on=needs(mount="completed")))
    story.spawned("mount")
    story.exits("mount")
    story.comes_up("web")
    story.shutdown()
    assert _links(_account(story, "mount")) == [("mount", "web", "stopped")]
    assert "the world is shutting down; web must have stopped before" in _cure(story, "mount")


def test_while_the_world_ends_nobody_is_told_to_start_anything() -> None:
    story = Story(web=simple(restart=NEVER), slow=simple(), db=simple(restart=restarts()), idle=simple(enabled=False))
    story.comes_up("web", "slow", "db")
    story.exits("web", 1)
    story.exits("db", 1)
    story.shutdown()
    for name in ("web", "db", "idle"):
        assert "pidone start" not in _cure(story, name)
        assert "nothing starts any more" in _cure(story, name)


def test_a_stop_far_away_is_named_as_what_to_start() -> None:
    story = Story(
        db=simple(), app=simple(depends_on=needs(db="ready")), web=simple(depends_on=needs(app="ready", db="ready"))
    )
    story.comes_up("db", "app", "web")
    story.stop("db")
    for name in ("web", "app", "db"):
        story.exits(name)
    assert _cure(story, "web") == "`pidone start db` brings both up, and so does `pidone start web`"
    assert _cure(story, "app") == "`pidone start db` brings both up, and so does `pidone start app`"


def test_the_stop_rule_is_told_step_by_step() -> None:
    story = Story(web=simple(stop=stops(command=("quit",), scope="all", signal="SIGINT")))
    story.comes_up("web")
    story.stop("web")
    assert _cure(story, "web").startswith("its stop.command runs, SIGKILL follows in 10s at the latest; when")
    story.spawned("web", role="stop")
    story.later(4)
    story.exits("web", role="stop", alone=False)
    assert _cure(story, "web").startswith("SIGINT was sent, SIGKILL follows in 6s; ")
    story.exits("web", alone=False)
    assert _cure(story, "web").startswith("SIGINT was sent to what is left, SIGKILL follows in 6s; ")
    story.passes(6)
    assert _cure(story, "web").startswith("SIGKILL was sent; when nothing of it is left, it is inactive")


def test_a_stop_before_exec_is_told() -> None:
    story = Story(web=simple())
    story.stop("web")
    assert _cure(story, "web").startswith("it is asked to end as soon as it is known whether")


def test_without_kill_no_kill_is_promised() -> None:
    story = Story(web=simple(stop=stops(command=("quit",), kill=False)))
    story.comes_up("web")
    story.stop("web")
    assert _cure(story, "web").startswith("its stop.command runs, no SIGKILL follows (stop.kill: false); when")


@pytest.mark.parametrize(
    ("policy", "limit", "how", "then"),
    [
        ("always", None, 1, "it starts again after a pause (restart: always)"),
        ("on-failure", None, 0, "it is done (restart: on-failure)"),
        ("never", None, 1, "it has failed (restart: never)"),
        ("always", 0, 1, "it has failed (restart: always)"),
    ],
)
def test_what_follows_an_end_that_left_others_behind(policy: str, limit: int | None, how: int, then: str) -> None:
    from supervisor.model.spec import RestartLimitSpec
    from supervisor.model.words import Seconds

    bound = None if limit is None else RestartLimitSpec(limit, Seconds(60))
    story = Story(web=simple(restart=restarts(policy, limit=bound)))
    story.comes_up("web")
    story.exits("web", how, alone=False)
    assert _cure(story, "web").endswith(f"when nothing of it is left, {then}")


def test_a_start_while_stopping_is_promised() -> None:
    story = Story(web=simple())
    story.comes_up("web")
    story.stop("web")
    story.start("web")
    assert _cure(story, "web").endswith("it starts again")


def test_more_links_than_anybody_reads_are_counted() -> None:
    names = [f"s{place}" for place in range(100)]
    story = Story(
        web=simple(depends_on=needs(**dict.fromkeys(names, "ready"))), **dict.fromkeys(names, simple(ready=TCP))
    )
    story.check = False
    told = _account(story, "web")
    assert (len(told.waits_for), told.left_out) == (64, 36)
    assert len(told.changes) == 9
    many = Story(db=simple(ready=TCP), **dict.fromkeys(names, simple(depends_on=needs(db="ready"))))
    told = _account(many, "db")
    assert (len(told.waited_by), told.left_out) == (64, 36)
