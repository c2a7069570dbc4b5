"""Is JSON by the C halves the same as by the json module, in both directions and in what is refused?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.wire import plainjson

_HALVES = {"c": plainjson._c_halves(), "whole": plainjson._whole_module()}
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture(params=_HALVES)
def half(request: pytest.FixtureRequest) -> Any:  # Any: a pair of functions over anything
    return _HALVES[request.param]


@given(_values)
def test_what_is_written_is_what_json_writes_and_is_read_again(value: Any) -> None:
    for write, read in _HALVES.values():
        text = write(value)
        assert text == json.dumps(value, separators=(",", ":"))
        assert read(text) == value


@given(st.text() | _values.map(json.dumps).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end])))
def test_what_json_refuses_is_refused(text: str) -> None:
    try:
        meant: Any = json.loads(text, parse_constant=plainjson._refuse)
    except ValueError:
        meant = ValueError
    for _, read in _HALVES.values():
        if meant is ValueError:
            with pytest.raises(ValueError):  # noqa: PT011 - where it is does not matter to a client
                read(text)
        else:
            assert read(text) == meant


@pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "nul", '"\\x"', "1 2", "NaN", "[Infinity]", "{}]", '{"a" 1}'])
def test_what_is_no_json_is_an_error_of_values(half: Any, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        half[1](text)


def test_blanks_around_it_are_nothing(half: Any) -> None:
    assert half[1](' \n{"a": [1, 2]}\r\n\t') == {"a": [1, 2]}


def test_nobody_can_say_nan_nor_a_circle(half: Any) -> None:
    circle: list[Any] = []
    circle.append(circle)
    for value in (float("nan"), float("inf"), circle):
        with pytest.raises(ValueError):  # noqa: PT011
            half[0](value)


def test_a_lone_surrogate_of_a_file_name_passes(half: Any) -> None:
    assert half[1](half[0]("\udcff")) == "\udcff"


def test_bytes_are_utf_8() -> None:
    assert plainjson.loads('"ü"'.encode()) == "ü"
    with pytest.raises(ValueError):  # noqa: PT011
        plainjson.loads(b'"\xff"')
