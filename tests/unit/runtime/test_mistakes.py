"""Does the log say what went wrong inside, and where?"""

from __future__ import annotations

import pytest

from supervisor.model.signals import signal_number
from supervisor.runtime.mistakes import trace


def _raise() -> None:
    try:
        int("x")
    except ValueError as cause:
        raise KeyError("outer") from cause


def test_it_says_what_and_where_and_what_was_behind_it() -> None:
    try:
        _raise()
    except KeyError as mistake:
        lines = list(trace(mistake))
    assert lines[0] == "KeyError: 'outer'"
    assert lines[1].endswith(" in _raise")
    assert "after" in lines
    assert any(line.startswith("ValueError: ") for line in lines)


def test_it_looks_into_groups_but_not_for_ever() -> None:
    deep: Exception = ZeroDivisionError("innermost")
    for depth in range(3):
        deep = ExceptionGroup(f"group {depth}", [deep])
    assert "ZeroDivisionError: innermost" in list(trace(deep))
    for depth in range(100):
        deep = ExceptionGroup(f"group {depth}", [deep, deep])
    assert len(list(trace(deep))) < 200


def test_a_file_of_ours_is_named_from_our_house_on() -> None:
    with pytest.raises(ValueError, match="nonsense") as mistake:
        signal_number("nonsense")
    assert list(trace(mistake.value))[1].startswith("  at model/signals.py:")
