"""Do lines look right on a terminal and off it?"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from supervisor.logger.style import Style, iso, style_for

NOON = 1_769_860_800_123_456_789  # 2026-01-31T12:00:00.123456789Z


@pytest.fixture
def terminal() -> Iterator[int]:
    master, slave = os.openpty()
    yield slave
    os.close(master)
    os.close(slave)


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert iso(NOON) == "2026-01-31T12:00:00.123Z"
    assert iso(NOON + 1_000_000_000) == "2026-01-31T12:00:01.123Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"


def test_piped_lines_have_full_time_service_and_their_own_bytes() -> None:
    assert Style().show(b"one\n\xff\x1b\n", "web", 0, NOON) == (
        b"2026-01-31T12:00:00.123Z web | one\n2026-01-31T12:00:00.123Z web | \xff\x1b\n"
    )


def test_a_terminal_gets_local_time_aligned_names_and_no_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    style = Style(terminal=True)
    style.widen("postgres")
    style.widen("a-name-that-is-much-too-long-to-be-waited-for")
    assert style.show(b"\x1b\n", "web", 1, NOON) == b"14:00:00.123 web              | \\x1b\n"
    monkeypatch.undo()
    time.tzset()


def test_colour_follows_the_option_then_the_environment_then_the_terminal(terminal: int) -> None:
    pipe = os.pipe()

    def coloured(fd: int, colour: str = "auto", **environment: str) -> bool:
        return b"\x1b[" in style_for(fd, colour, environment).show(b"x\n", "web", 0, NOON)  # type: ignore[arg-type]

    assert coloured(terminal)
    assert not coloured(terminal, TERM="dumb")
    assert not coloured(terminal, NO_COLOR="1")
    assert coloured(terminal, NO_COLOR="1", FORCE_COLOR="1")
    assert not coloured(terminal, "never", FORCE_COLOR="1")
    assert coloured(terminal, "always", NO_COLOR="1")
    assert not coloured(pipe[1])
    assert coloured(pipe[1], "always")
    for fd in pipe:
        os.close(fd)
