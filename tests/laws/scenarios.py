"""In which small worlds are the laws tried? Each shows one rule against everything that may happen."""

from __future__ import annotations

from supervisor.model.record import replace
from supervisor.model.spec import DependencySpec, SystemSpec
from supervisor.model.words import Seconds
from tests.laws.explorer import Scenario
from tests.laws.reality import BAD, GOOD, Temper
from tests.laws.specs import (
    AFTER,
    FOLLOW,
    LIMITED,
    MAYBE,
    MAYBE_FOLLOW,
    NEVER,
    ON_FAILURE,
    TCP,
    TWICE,
    UNDO,
    in_front,
    job,
    needs,
    plan,
    simple,
    stops,
)

__all__ = ["ALONE", "PAIRS", "ROUGH", "TRIOS"]

SOON = Seconds(60.0)
CRASHES = Temper(exits=(BAD,), leaves=False, cannot=False, late=False)
ROUGH = Temper(exits=(GOOD, BAD), leaves=True, starves=True, cannot=True)

ALL = ("start", "stop", "restart", "kill", "shutdown", "broke")
DAEMON = simple(ready=TCP)

ALONE: tuple[Scenario, ...] = tuple(
    Scenario(name, plan(a=spec), ROUGH, ALL, signals=3, tickets=2)
    for name, spec in {
        "daemon": simple(ready=TCP, restart=LIMITED, start_timeout=SOON),
        "daemon-on-failure": simple(ready=TCP, restart=ON_FAILURE, start_timeout=SOON),
        "daemon-once": simple(ready=TCP, restart=NEVER, start_timeout=SOON),
        "stop-command": simple(stop=stops(command=("s",)), start_timeout=SOON),
        "kill-false": simple(stop=stops(kill=False), start_timeout=SOON),
        "main-only": simple(stop=stops(command=("s",), scope="main-only"), start_timeout=SOON),
        "scope-all": simple(ready=AFTER, stop=stops(scope="all", timeout=Seconds(0.0)), start_timeout=SOON),
        "job": job(command=TWICE, stop=UNDO),
        "job-retried": job(command=TWICE, restart=LIMITED, start_timeout=SOON),
        "job-main-only": job(command=TWICE, stop=stops(command=("u",), scope="main-only")),
        "shutdown-on": simple(ready=TCP, restart=NEVER, shutdown_on="failure", start_timeout=SOON),
    }.items()
)
"""One service, and everything that may happen to it."""

UNTIL_DONE = SystemSpec(exit_when_done=True)
WELL = Temper(exits=(GOOD,), leaves=False, cannot=False, late=False)
EITHER = Temper(leaves=False, cannot=False, late=False)

PAIRS: tuple[Scenario, ...] = (
    Scenario(
        "needs-ready",
        plan(a=simple(ready=TCP, start_timeout=SOON), b=simple(depends_on=needs(a="ready"))),
        CRASHES._replace(late=True),
        signals=3,
        tickets=1,
    ),
    Scenario(
        "needs-started", plan(a=simple(enabled=False, ready=TCP), b=simple(depends_on=needs(a="started"))), CRASHES
    ),
    Scenario("follows", plan(a=DAEMON, b=simple(depends_on=needs(a=FOLLOW))), CRASHES),
    Scenario("may-follow", plan(a=DAEMON, b=simple(depends_on=needs(a=MAYBE_FOLLOW))), CRASHES._replace(late=True)),
    Scenario("may-need", plan(a=simple(ready=TCP, restart=NEVER), b=simple(depends_on=needs(a=MAYBE))), CRASHES),
    Scenario("after", plan(a=DAEMON, b=simple(restart=NEVER, after=("a",))), CRASHES),
    Scenario("job-after", plan(a=DAEMON, b=job(after=("a",))), WELL),
    Scenario("after-job", plan(a=job(), b=simple(after=("a",))), EITHER._replace(leaves=True)),
    Scenario("needs-job", plan(a=job(stop=UNDO), b=simple(depends_on=needs(a="completed"))), EITHER),
    Scenario(
        "needs-job-ready", plan(a=job(stop=UNDO), b=simple(depends_on=needs(a="ready"))), WELL._replace(leaves=True)
    ),
    Scenario(
        "until-done",
        replace(
            plan(a=job(restart=LIMITED), b=simple(ready=TCP, restart=NEVER, depends_on=needs(a="completed"))),
            system=UNTIL_DONE,
        ),
        EITHER._replace(leaves=True, starves=True),
    ),
    Scenario(
        "foreground",
        in_front(
            "b", plan(a=simple(ready=TCP), b=simple(restart=NEVER, shutdown_on="exit", depends_on=needs(a="ready")))
        ),
        CRASHES,
    ),
    Scenario("ended", plan(a=job(enabled=False), b=job(depends_on=needs(a="ended"))), EITHER, tickets=1),
)
"""Two services, and what one means to the other."""

TRIOS: tuple[Scenario, ...] = (
    Scenario(
        "chain",
        plan(
            a=simple(enabled=False),
            b=simple(enabled=False, ready=TCP, depends_on=needs(a="ready")),
            c=simple(depends_on=needs(b="started")),
        ),
        CRASHES,
        names=("a", "c"),
    ),
    Scenario(
        "taken-along",
        plan(
            a=simple(restart=NEVER),
            b=simple(ready=TCP, depends_on=needs(a=FOLLOW)),
            c=simple(depends_on=needs(b="started")),
        ),
        CRASHES,
        names=("a", "b"),
    ),
    Scenario(
        "job-taken-along",
        plan(
            a=simple(restart=NEVER),
            b=job(depends_on=needs(a=FOLLOW)),
            c=simple(depends_on=needs(b=DependencySpec("started", restart=True))),
        ),
        EITHER,
        names=("a", "b"),
    ),
    Scenario(
        "job-undone-along",
        plan(
            a=simple(restart=NEVER),
            b=job(stop=UNDO, depends_on=needs(a=FOLLOW)),
            c=simple(depends_on=needs(b=DependencySpec("started", restart=True))),
        ),
        WELL,
        names=("a", "c"),
    ),
    Scenario(
        "ordered",
        plan(a=DAEMON, b=simple(ready=TCP, after=("a",)), c=simple(depends_on=needs(b="started"))),
        CRASHES,
        names=("a", "b"),
    ),
    Scenario(
        "maybe-between",
        plan(
            a=simple(), b=simple(restart=NEVER, depends_on=needs(a=MAYBE_FOLLOW)), c=simple(depends_on=needs(b=MAYBE))
        ),
        CRASHES,
    ),
    Scenario(
        "two-follow",
        plan(a=simple(), b=simple(depends_on=needs(a=FOLLOW)), c=simple(depends_on=needs(a="started"))),
        CRASHES,
        names=("a", "b"),
    ),
    Scenario("gap", plan(a=simple(), b=simple(enabled=False, after=("a",)), c=simple(after=("b",))), CRASHES),
    Scenario(
        "job-between",
        plan(a=simple(), b=job(depends_on=needs(a="ready")), c=simple(depends_on=needs(b="ready"))),
        WELL,
        names=("a", "b"),
    ),
)
"""Three services: what reaches through the one in the middle."""
