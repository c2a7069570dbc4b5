"""Do the laws hold in every small world? The exhaustive part: all that can happen, to a bound that nothing is cut off by."""

from __future__ import annotations

from functools import cache

import pytest

from supervisor.core import table
from tests.laws.explorer import Findings, Scenario, explore
from tests.laws.scenarios import ALONE, PAIRS, TRIOS

_ALL = {scenario.name: scenario for scenario in (*ALONE, *PAIRS, *TRIOS)}


@cache
def _explored(name: str) -> Findings:
    return explore(_ALL[name])


@pytest.mark.parametrize("name", _ALL)
def test_every_law_holds_in_every_world_of(name: str) -> None:
    found = _explored(name)
    assert not found.broken, "\n".join(found.broken)
    assert found.places > 100, "the search ended before it began"


def test_every_way_of_the_table_is_taken_and_no_other() -> None:
    taken = set[tuple[str, str, str]]().union(*(_explored(name).ways for name in _ALL))
    assert taken == set(table.every_way())


def test_requests_end_in_every_way_that_can_be_met_in_a_small_world() -> None:
    ends = set[tuple[str, str]]().union(*(_explored(name).outcomes for name in _ALL))
    assert ends == {
        ("done", ""),
        ("failed", "start-failed"),
        ("failed", "dependency-failed"),
        ("failed", "unkillable"),
        ("superseded", "superseded"),
        ("refused", "not-running"),
    }


def test_a_broken_law_is_found_and_the_way_to_it_is_told() -> None:
    """The search itself: a scenario that no honest environment can live through is reported with its events."""
    impossible = Scenario("too-small", _ALL["daemon"].plan)
    found = explore(impossible, most=3)
    assert found.broken == ["too-small: more than 3 places"]
