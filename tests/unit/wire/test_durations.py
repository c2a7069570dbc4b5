"""Is a duration read as people write it, and nothing else taken for one?"""

from __future__ import annotations

import pytest

from supervisor.wire.durations import duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("10s", 10.0),
        ("1m30s", 90.0),
        ("2h", 7200.0),
        ("1d2h3m4s5ms", 93784.005),
        ("0", 0.0),
        ("2", 2.0),
        ("0.5", 0.5),
        ("1.5h", 5400.0),
        (" 3s ", 3.0),
    ],
)
def test_a_duration_is_its_seconds(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "-1",
        "1s1m",
        "1s1s",
        "1 s",
        "5x",
        "1e3",
        "..s",
        "1.2.3",
        "1_0",
        "nan",
        "inf",
        "1m30",
        "1ss",
        "9" * 12,
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        duration(text)
