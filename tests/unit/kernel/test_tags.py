"""Are tags unique, high, and never our own limit?"""

from __future__ import annotations

import resource

from supervisor.kernel.tags import Tags


def test_tags_are_unique_and_high_and_below_the_hard_limit() -> None:
    tags = Tags((4000, 4000), start=1990)
    drawn = [tags.new() for _ in range(2000)]
    assert len(set(drawn)) == 2000
    assert min(drawn) >= 2000
    assert max(drawn) < 4000


def test_when_all_are_taken_there_is_none_until_one_is_freed() -> None:
    tags = Tags((2048, 2048), start=0)
    drawn = [tags.new() for _ in range(1024)]
    assert tags.new() == 0
    tags.free(drawn[7])
    assert tags.new() == drawn[7]
    assert tags.new() == 0


def test_a_freed_tag_is_not_the_next_one() -> None:
    tags = Tags((4000, 4000), start=5)
    first = tags.new()
    tags.free(first)
    assert tags.new() != first


def test_our_own_limit_is_nobodys_tag() -> None:
    tags = Tags((2000, 4000), start=0)
    assert 2000 not in [tags.new() for _ in range(2000)]


def test_a_small_limit_has_no_tags_and_an_infinite_one_has_bounds() -> None:
    assert Tags((100, 100)).new() == 0
    assert 1 << 19 <= Tags((-1, -1)).new() < 1 << 20


def test_two_worlds_draw_different_first_tags() -> None:
    assert len({Tags((1 << 20, 1 << 20)).new() for _ in range(20)}) > 10


def test_by_default_our_own_limit_is_what_counts() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)
    tag = Tags().new()
    assert tag < (1 << 20 if hard == resource.RLIM_INFINITY else hard)
