"""Which services does an operator's word mean?"""

from __future__ import annotations

import pytest

from supervisor.core.select import Selection, Unknown, select, suggestion
from tests.laws.specs import simple
from tests.unit.core.story import Story

_WORLD = Story(
    web=simple(groups=("front",)), api=simple(groups=("front", "back")), db=simple(groups=("back",)), mail=simple()
).world


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["db"], ("db",)),
        (["db", "web", "db"], ("db", "web")),
        (["@front"], ("web", "api")),
        (["@back", "@front", "web"], ("api", "db", "web")),
        (["mail", "@back"], ("mail", "api", "db")),
        ([], ()),
    ],
)
def test_names_and_groups_in_the_order_of_the_words_each_once(words: list[str], names: tuple[str, ...]) -> None:
    assert select(_WORLD, words) == Selection(names)  # type: ignore[arg-type]


def test_everything_is_everything_in_the_order_of_definition() -> None:
    assert select(_WORLD, ["db"], everything=True) == Selection(("web", "api", "db", "mail"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "near"), [("wbe", "web"), ("@frnt", "@front"), ("nothing-like-it", ""), ("front", "@front")]
)
def test_a_word_that_means_nobody_gets_the_nearest_one_as_a_suggestion(word: str, near: str) -> None:
    chosen = select(_WORLD, [word])
    assert chosen.names == ()
    assert chosen.unknown == (Unknown(word, near),)


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("postgre", "postgres"),
        ("psotgres", "postgres"),
        ("postgrez", "postgres"),
        ("postgress", "postgres"),
        ("redsi", "redis"),
        ("x", ""),
        ("", ""),
        ("mysql", ""),
        ("Redis", "redis"),
    ],
)
def test_what_is_near_enough(word: str, near: str) -> None:
    assert suggestion(word, ("postgres", "redis")) == near


def test_what_is_many_slips_away_is_not_what_was_meant() -> None:
    assert suggestion("a-service-for-letters", ("a-service-for-lettres",)) == "a-service-for-lettres"
    assert suggestion("a-service-for-letters", ("another-service-for-numbers",)) == ""


def test_thousands_of_unknown_words_cost_no_more_than_one() -> None:
    chosen = select(_WORLD, ["wbe"] * 4096)
    assert [one.suggestion for one in chosen.unknown[:2]] == ["web", ""]


def test_the_nearest_of_several_is_suggested() -> None:
    assert suggestion("workr1", ("worker2", "worker1", "work")) == "worker1"
