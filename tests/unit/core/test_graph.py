"""Which mistakes show only across services, and how are services linked?"""

from __future__ import annotations

import pytest

from supervisor.core.graph import Problem, build, problems
from supervisor.model.plan import Plan
from supervisor.model.spec import RestartLimitSpec
from supervisor.model.words import Seconds
from tests.laws.specs import NEVER, ON_FAILURE, job, needs, plan, restarts, simple


def _codes(plan: Plan) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(problem.code, problem.path) for problem in problems(plan)]


def test_every_edge_stands_at_both_ends() -> None:
    graph = build(
        plan(db=simple(), a=simple(depends_on=needs(db="ready"), before=("c",)), b=simple(after=("db",)), c=simple())
    )
    assert graph["a"].needs == needs(db="ready")  # type: ignore[index]
    assert dict(graph["db"].needed_by) == {"a": needs(db="ready")["db"]}  # type: ignore[index]
    assert (graph["db"].before, graph["a"].after, graph["b"].after) == (("a", "b"), ("db",), ("db",))  # type: ignore[index]
    assert (graph["a"].before, graph["c"].after) == (("c",), ("a",))  # type: ignore[index]


def test_everybody_ranks_behind_those_it_starts_after_and_in_the_order_of_definition() -> None:
    graph = build(
        plan(c=simple(depends_on=needs(b="ready")), x=simple(), b=simple(after=("a",)), a=simple(), y=simple())
    )
    assert sorted(graph, key=lambda name: graph[name].rank) == ["x", "a", "y", "b", "c"]


def test_a_sound_plan_has_no_problem() -> None:
    assert (
        problems(plan(db=simple(), m=job(), a=simple(depends_on=needs(db="ready", m="completed"), after=("m",)))) == ()
    )


def test_a_name_that_does_not_exist_is_told_where_it_stands() -> None:
    found = problems(plan(a=simple(depends_on=needs(db="ready"), after=("b",), before=("c",))))
    assert [problem.path for problem in found] == [
        ("services", "a", "depends_on", "db"),
        ("services", "a", "after", "b"),
        ("services", "a", "before", "c"),
    ]
    assert {problem.code for problem in found} == {"unknown-service"}
    assert found[0].args == {"name": "db", "service": "a"}
    assert build(plan(a=simple(depends_on=needs(db="ready"))))["a"].needs == {}  # type: ignore[index]


def test_a_cycle_is_told_once_with_the_way_around_it() -> None:
    found = problems(
        plan(
            a=simple(depends_on=needs(c="ready")),
            b=simple(after=("a",)),
            c=simple(after=("b",)),
            d=simple(depends_on=needs(a="ready")),
        )
    )
    assert found == (Problem(("services", "b", "after", "a"), "cycle", {"cycle": "a → b → c → a"}),)


def test_a_cycle_by_before_is_told_where_it_is_written() -> None:
    assert _codes(plan(a=simple(before=("b",)), b=simple(before=("a",)))) == [
        ("cycle", ("services", "a", "before", "b"))
    ]


def test_who_waits_for_itself_is_a_cycle() -> None:
    found = problems(plan(a=simple(depends_on=needs(a="ready"))))
    assert [(problem.code, problem.args["cycle"]) for problem in found] == [("cycle", "a → a")]


def test_every_knot_is_told() -> None:
    found = problems(
        plan(a=simple(after=("b",)), b=simple(after=("a",)), c=simple(after=("d",)), d=simple(after=("c",)))
    )
    assert [problem.args["cycle"] for problem in found] == ["a → b → a", "c → d → c"]


def test_a_knot_has_its_shortest_way_told() -> None:
    found = problems(
        plan(
            a=simple(after=("b", "d")),
            b=simple(after=("c",)),
            c=simple(after=("a",)),
            d=simple(after=("a",)),
        )
    )
    assert [problem.args["cycle"] for problem in found] == ["a → d → a"]


def test_a_long_chain_is_no_matter() -> None:
    chain = {f"s{number}": simple(after=(f"s{number - 1}",) if number else ()) for number in range(3000)}
    assert problems(plan(**chain)) == ()
    assert build(plan(**chain))["s2999"].rank == 2999  # type: ignore[index]


@pytest.mark.parametrize(
    ("condition", "other", "fine"),
    [
        ("completed", simple(), False),
        ("ended", simple(), False),
        ("ended", simple(restart=restarts(limit=RestartLimitSpec(3, Seconds(60.0)))), True),
        ("completed", simple(restart=restarts(limit=RestartLimitSpec(3, Seconds(60.0)))), False),
        ("completed", simple(restart=restarts(never_on=("0",))), True),
        ("completed", simple(restart=restarts(never_on=("1",))), False),
        ("completed", simple(restart=ON_FAILURE), True),
        ("completed", job(), True),
        ("ended", job(), True),
        ("completed", job(restart=restarts()), False),
        ("started", simple(), True),
        ("ready", simple(), True),
    ],
)
def test_a_condition_that_can_never_come_true_is_a_problem(condition: str, other: object, fine: bool) -> None:
    found = _codes(plan(a=other, b=simple(depends_on=needs(a=condition))))  # type: ignore[arg-type]
    assert found == ([] if fine else [("never-ends", ("services", "b", "depends_on", "a"))])


@pytest.mark.parametrize(
    ("on", "policy", "fires"),
    [
        ("never", restarts(), True),
        ("exit", restarts(), False),
        ("success", restarts(), False),
        ("failure", restarts(), False),
        ("failure", restarts(limit=RestartLimitSpec(3, Seconds(60.0))), True),
        ("success", restarts(limit=RestartLimitSpec(3, Seconds(60.0))), False),
        ("success", restarts(never_on=("0",)), True),
        ("failure", ON_FAILURE, False),
        ("success", ON_FAILURE, True),
        ("exit", ON_FAILURE, True),
        ("failure", restarts("on-abnormal"), True),
        ("failure", NEVER, True),
        ("failure", restarts("on-failure", never_on=("7",)), True),
    ],
)
def test_a_shutdown_on_that_can_never_fire_is_a_problem(on: str, policy: object, fires: bool) -> None:
    found = _codes(plan(a=simple(shutdown_on=on, restart=policy)))
    assert found == ([] if fires else [("never-fires", ("services", "a", "shutdown_on"))])


def test_our_standard_input_suits_one() -> None:
    found = problems(plan(a=simple(stdin="inherit"), b=simple(stdin="null"), c=simple(stdin="inherit")))
    assert found == (Problem(("services", "c", "stdin"), "stdin-shared", {"name": "a"}),)
