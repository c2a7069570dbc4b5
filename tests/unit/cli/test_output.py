"""Does it look right: colours, symbols, times, sizes, columns, and nothing that steers a terminal?"""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cli.moments import epoch, since
from supervisor.cli.output import (
    Look,
    columns,
    escape,
    human_duration,
    human_size,
    speaks_utf8,
    wants_colour,
)


@pytest.mark.parametrize(
    ("color", "terminal", "environ", "wanted"),
    [
        ("", True, {}, True),
        ("", False, {}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("", True, {"NO_COLOR": "1"}, False),
        ("", True, {"NO_COLOR": ""}, True),
        ("", False, {"FORCE_COLOR": "1"}, True),
        ("", True, {"FORCE_COLOR": "0"}, False),
        ("", False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True),
        ("", False, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_who_decides_about_colours(color: str, terminal: bool, environ: dict[str, str], wanted: bool) -> None:
    assert wants_colour(color, terminal, environ) is wanted


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "C"}, False),
        ({}, False),
        ({"LC_ALL": "C", "LANG": "C.UTF-8"}, False),
        ({"LC_ALL": "", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "C.UTF-8"}, False),
    ],
)
def test_which_locales_can_show_symbols(environ: dict[str, str], utf8: bool) -> None:
    assert speaks_utf8(environ) is utf8


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0.4, "0s"),
        (41.9, "41s"),
        (60, "1m 0s"),
        (7871, "2h 11m"),
        (86400 * 3 + 3600 * 4 + 59, "3d 4h"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1.0K"), (61 << 20, "61M"), (3 << 29, "1.5G"), (5 << 40, "5.0T")],
)
def test_sizes_are_short(count: int, text: str) -> None:
    assert human_size(count) == text


@given(st.text())
def test_nothing_that_is_escaped_steers_a_terminal(text: str) -> None:
    shown = escape(text)
    assert not [
        letter for letter in shown if ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 or letter in "\u202e\u2028"
    ]


def test_plain_text_stays_as_it_is() -> None:
    assert escape("wéb ● 1 %") == "wéb ● 1 %"
    assert escape("a\x1b[31m\n\u202e") == "a\\x1b[31m\\x0a\\u202e"


def test_columns_are_aligned_and_clipped_only_on_a_terminal() -> None:
    rows = [["NAME", "PID", "NOTE"], ["a", "7", "long enough"]]
    assert columns(rows, frozenset({1}), Look()) == ["NAME  PID  NOTE", "a       7  long enough"]
    assert columns(rows, frozenset({1}), Look(width=16), taken=2) == ["NAME  PID  NO…", "a       7  lo…"]
    assert columns(rows, frozenset(), Look(width=10, utf8=False))[1] == "a     7..."


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), st.sampled_from(["Z", "+00:00", "+05:30", "-08:00"]))
def test_moments_are_read_as_datetime_reads_them(moment: datetime, offset: str) -> None:
    text = moment.isoformat() + offset
    assert epoch(text) == pytest.approx(datetime.fromisoformat(text).timestamp(), abs=1e-5)


@pytest.mark.parametrize("text", ["", "now", "2026-01-31", "2026-01-31 12:00", "2026-xx-31T12:00:00Z"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - ValueError is what it promises
        epoch(text)


NOON = 1769860800.0  # 2026-01-31T12:00:00Z, and the tests live in UTC


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("10m", 600),
        ("1h30m", 5400),
        ("11:30", 1800),
        ("11:59:30", 30),
        ("2026-01-31", 12 * 3600),
        ("2026-01-30 12:00", 86400),
        ("2026-01-31T11:59:59", 1),
        ("2026-01-31T11:59:59.500Z", 0.5),  # as `logs` and `events` print it
        ("2026-01-31T12:59:00+01:00", 60),
        ("11:59:59.250", 0.75),  # as they do on a terminal
    ],
)
def test_since_is_what_people_write(text: str, ago: float) -> None:
    assert since(text, NOON) == NOON - ago


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "25:00",
        "2026-13-01",
        "11:61",
        "2026-01",
        "1:2:3:4x",
        "-",
        "2026-13-01T00:00:00Z",
        "11:59.x",
        "11:59:00+0a:00",
    ],
)
def test_since_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - ValueError is what it promises
        since(text, NOON)
