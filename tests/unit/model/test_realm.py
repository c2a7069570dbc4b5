"""Are numbers found in their ranges, and told as people read them?"""

from __future__ import annotations

import pytest

from supervisor.model.realm import EVERYBODY, Ranges, has, in_words


@pytest.mark.parametrize(("number", "there"), [(0, True), (1, False), (9, False), (10, True), (14, True), (15, False)])
def test_a_range_begins_with_its_first_and_has_so_many(number: int, there: bool) -> None:
    assert has(((0, 1), (10, 5)), number) is there


def test_everybody_exists_but_minus_one() -> None:
    assert has(EVERYBODY.uids, 0)
    assert has(EVERYBODY.uids, 2**32 - 2)
    assert not has(EVERYBODY.uids, 2**32 - 1)


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ((), "no uid"),
        (((1000, 1),), "uid 1000"),
        (((0, 65536),), "uids 0-65535"),
        (((0, 1), (100, 2)), "uids 0, 100-101"),
        (((0, 1), (2, 1), (4, 1), (6, 1)), "uids 0, 2, 4, …"),
    ],
)
def test_ranges_in_words(ranges: Ranges, words: str) -> None:
    assert in_words("uid", ranges) == words
