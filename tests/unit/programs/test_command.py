"""What does the command after `--` become in the plan, and when can it not be there?"""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.core.graph import problems
from supervisor.model.plan import Plan, PlannedService
from supervisor.model.spec import DependencySpec, ServiceSpec
from supervisor.model.words import ServiceName
from supervisor.programs.command import NAME, in_foreground
from supervisor.wire.diagnostics import render


def _planned(name: str, **keys: Any) -> PlannedService:
    return PlannedService(ServiceName(name), ServiceSpec((("x",),), **keys), defined_at="services.d/all.yaml:7")


def _main(*others: PlannedService) -> PlannedService:
    plan = in_foreground(Plan(others), ("sleep", "10"))
    assert isinstance(plan, Plan)
    assert plan.services[:-1] == others
    assert problems(plan) == ()
    return plan.services[-1]


def test_it_waits_for_everybody_who_is_enabled() -> None:
    main = _main(_planned("db"), _planned("migrate", type="oneshot"), _planned("extra", enabled=False))
    assert main.name == NAME
    assert main.spec.depends_on == {"db": DependencySpec("ready"), "migrate": DependencySpec("ready")}


def test_it_has_what_we_have_and_its_end_is_the_worlds() -> None:
    main = _main()
    assert main.spec.command == (("sleep", "10"),)
    assert main.foreground
    assert (main.spec.stdin, main.spec.shutdown_on, main.spec.restart.policy) == ("inherit", "exit", "never")


@pytest.mark.parametrize(
    ("other", "code"),
    [(_planned("main"), "main-taken"), (_planned("shell", stdin="inherit"), "stdin-shared")],
)
def test_who_is_in_its_way_is_named_with_the_place(other: PlannedService, code: str) -> None:
    found = in_foreground(Plan((_planned("db"), other)), ("true",))
    assert not isinstance(found, Plan)
    assert [one.code for one in found] == [code]
    assert render(found).startswith("services.d/all.yaml:7: error: ")


def test_all_who_are_in_its_way_are_named() -> None:
    found = in_foreground(Plan((_planned("shell", stdin="inherit"), _planned("main"))), ("true",))
    assert not isinstance(found, Plan)
    assert [one.code for one in found] == ["stdin-shared", "main-taken"]
