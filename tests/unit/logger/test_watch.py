"""Is the line found that means ready, and nobody held up by the search?"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator

import pytest

from supervisor.logger.guard import install
from supervisor.logger.ring import KEEP
from supervisor.logger.watch import Watch
from supervisor.model.words import RunId, ServiceName
from tests.unit.logger.bench import put, ring

RUN = RunId(ServiceName("web"), 2)


@pytest.fixture(autouse=True)
def _guarded() -> Iterator[None]:
    before = signal.getsignal(signal.SIGVTALRM)
    install()
    yield
    signal.signal(signal.SIGVTALRM, before)


def watch(pattern: str) -> tuple[Watch, list[Watch]]:
    woken: list[Watch] = []
    return Watch(RUN, re.compile(pattern), woken.append), woken


def look(at: Watch) -> int:
    turns = 0
    while at.busy:
        at.turn()
        turns += 1
    return turns


def test_a_matching_line_of_its_run_is_found() -> None:
    here = ring()
    wait, woken = watch(r"^listening on :\d+$")
    wait.attach(here)
    put(here, b"listening on :80\n", run=1)
    look(wait)
    assert not wait.matched
    put(here, b"starting\nlistening on", run=2, channel=3)
    look(wait)
    assert not wait.matched
    put(here, b" :8080\nmore\n", run=2, channel=3, flags=0)
    look(wait)
    assert wait.matched
    assert woken


def test_what_was_written_before_the_watch_counts() -> None:
    here = ring()
    put(here, b"ready\n", run=2)
    wait, woken = watch("ready")
    wait.attach(here)
    assert woken == [wait]
    look(wait)
    assert wait.matched


def test_only_the_first_4_kib_of_a_line_are_looked_at() -> None:
    here = ring()
    wait, _ = watch("ready")
    wait.attach(here)
    put(here, b"x" * 4092 + b"ready\n", run=2)
    look(wait)
    assert not wait.matched
    put(here, b"x" * 4091 + b"ready\n", run=2)
    look(wait)
    assert wait.matched


def test_a_pattern_that_takes_for_ever_costs_one_short_turn_per_line_and_no_line_behind_it() -> None:
    here = ring()
    wait, _ = watch(r"^(a+)+$|ready")
    wait.attach(here)
    put(here, (b"a" * 40 + b"!\n") * 3 + b"ready\n", run=2)
    longest = 0.0
    while wait.busy:
        before = time.process_time()
        wait.turn()
        longest = max(longest, time.process_time() - before)
    assert wait.matched
    assert wait.slow == 3
    assert longest < 0.5  # seconds; a turn is worth 0.05, and one such match alone would take years


def test_lines_it_has_not_looked_at_are_held_for_it() -> None:
    here = ring()
    wait, _ = watch("ready")
    wait.attach(here)
    while here.room > 20_000:
        put(here, b"x" * 9999 + b"\n", run=2)
    assert here.room < KEEP // 2
    look(wait)
    assert here.room > KEEP - 100


def test_one_that_has_left_holds_nothing() -> None:
    here = ring()
    wait, woken = watch("ready")
    wait.attach(here)
    wait.leave()
    put(here, b"ready\n", run=2)
    assert woken == []
    assert not wait.busy
    assert here.readers == set()
