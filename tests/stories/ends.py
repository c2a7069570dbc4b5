"""How does a world come to its end by itself? When all is done, or with the command in the foreground. Told once, as `stories`."""

from __future__ import annotations

from supervisor.model.event import PlanAccepted
from supervisor.model.plan import Plan, PlannedService
from supervisor.model.record import replace
from supervisor.model.spec import DependencySpec, SystemSpec
from supervisor.model.words import Seconds, ServiceName
from supervisor.programs.command import in_foreground
from tests.stories.stage import NEVER_AGAIN, Stage, fake_story, story

__all__: list[str] = []


def _begin(stage: Stage, *services: PlannedService) -> None:
    stage.runtime.loop.feed(PlanAccepted(Plan(services, SystemSpec(exit_when_done=True)), Seconds(5.0)))


@story
async def a_world_ends_when_its_last_job_is_done(stage: Stage) -> None:
    _begin(
        stage,
        stage.service("build", "exit:0", type="oneshot", restart=NEVER_AGAIN),
        stage.service(
            "test",
            "exit:0",
            type="oneshot",
            restart=NEVER_AGAIN,
            depends_on={ServiceName("build"): DependencySpec("completed")},
        ),
    )
    assert (await stage.until_end()).status == 0
    assert stage.passed("test")[-1] == "done"


@story
async def a_world_whose_job_fails_ends_with_1_and_nobody_is_left(stage: Stage) -> None:
    _begin(
        stage,
        stage.service("daemon", "sleep", type="oneshot", restart=NEVER_AGAIN, start_timeout=Seconds(0.3)),
        stage.service("test", "daemon:sleep", "exit:3", type="oneshot", restart=NEVER_AGAIN),
    )
    assert (await stage.until_end()).status == 1
    assert (stage.phase("daemon"), stage.phase("test")) == ("failed", "failed")
    assert stage.pids() == []


@fake_story
async def the_command_in_front_has_our_own_descriptors_and_its_end_is_the_worlds(stage: Stage) -> None:
    """The terminal itself is no story: see `tests/outside/test_command.py`."""
    plan = in_foreground(Plan((stage.service("db", "sleep"),)), stage.command("after:1", "exit:7"))
    assert isinstance(plan, Plan)
    *others, main = plan.services
    known = replace(main.launch, executables=(main.spec.command[0][0],))
    stage.begin(*others, replace(main, launch=known))
    assert (await stage.until_end()).status == 7
    db, front = stage.fake.orders
    assert (front.stdin, front.stdout, front.stderr, front.foreground) == ("inherit", 1, 2, True)
    assert (db.stdin, db.foreground) == ("null", False)
    assert [edge.service for edge in stage.edges if edge.to in ("stopping", "failed")] == ["main", "db"]
