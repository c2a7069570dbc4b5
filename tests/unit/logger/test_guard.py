"""Is work that never ends ended?"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest

from supervisor.logger.guard import MATCH_TIME, TooSlow, compiled, install, within

BOMB = re.compile(r"(a+)+$")


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    before = signal.getsignal(signal.SIGVTALRM)
    install()
    yield
    signal.signal(signal.SIGVTALRM, before)


def test_a_match_that_takes_for_ever_is_given_up() -> None:
    with pytest.raises(TooSlow):
        within(MATCH_TIME, lambda: BOMB.search("a" * 40 + "b"))


def test_an_answer_in_time_is_the_answer_and_no_alarm_stays_behind() -> None:
    assert within(MATCH_TIME, lambda: BOMB.search("aaa")) is not None
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_an_alarm_that_comes_late_disturbs_nobody() -> None:
    signal.raise_signal(signal.SIGVTALRM)


def test_a_mistake_in_the_work_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        within(MATCH_TIME, lambda: 1 // 0)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_patterns_are_compiled_or_refused() -> None:
    assert compiled("rea+dy").search("really readdy reaady")
    with pytest.raises(re.error):
        compiled("(")
