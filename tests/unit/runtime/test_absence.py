"""Is it noticed how long we were away, and only that?"""

from __future__ import annotations

from supervisor.model.words import Monotonic, Seconds
from supervisor.runtime.absence import Absence


class _Waits:
    """A clock, and who waits by it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.told: list[Seconds] = []
        self.absence = Absence(lambda: Monotonic(self.now), self.told.append)

    def wait(self, planned: float, taken: float) -> None:
        self.absence.before_io_wait(planned)
        self.now += taken
        self.absence.after_io_wait(planned)


def test_a_wait_that_took_more_than_a_second_longer_was_an_absence() -> None:
    waits = _Waits()
    waits.wait(planned=0.5, taken=3.5)
    assert waits.told == [Seconds(3.5)]


def test_when_an_absence_began_is_not_known_and_it_counts_twice_at_most() -> None:
    waits = _Waits()
    waits.wait(planned=3.0, taken=4.5)
    assert waits.told == [Seconds(3.0)]


def test_who_comes_back_in_time_or_a_little_late_was_not_away() -> None:
    waits = _Waits()
    for planned, taken in ((0.5, 0.5), (0.5, 1.4), (10.0, 0.1), (86400.0, 7200.0)):
        waits.wait(planned, taken)
    assert waits.told == []


def test_what_happens_between_two_waits_is_work_and_no_absence() -> None:
    waits = _Waits()
    waits.wait(planned=0.5, taken=0.5)
    waits.now += 30.0
    waits.wait(planned=0.5, taken=0.5)
    assert waits.told == []
