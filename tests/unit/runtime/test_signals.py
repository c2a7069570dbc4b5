"""What does each signal mean to init, and what a word of the monitor?"""

from __future__ import annotations

import signal
import socket
from typing import NamedTuple

import pytest
import trio
import trio.testing

from supervisor.model.event import Event, StopAsked
from supervisor.runtime.signals import Ears, Signals, hear_monitor

RTMIN = 34
STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGPWR, RTMIN + 3, RTMIN + 4}


class _Heard(NamedTuple):
    signals: Signals
    events: list[Event]
    said: list[str]
    done: list[str]


def _listen(hangup_stops: bool = False) -> _Heard:
    events: list[Event] = []
    said: list[str] = []
    done: list[str] = []
    ears = Ears.__new__(Ears)  # nothing is read in these tests
    signals = Signals(
        ears, events.append, said.append, lambda: done.append("dump"), lambda: done.append("reopen"), hangup_stops
    )
    return _Heard(signals, events, said, done)


@pytest.mark.parametrize("number", sorted(STOPS))
def test_these_ask_for_an_ordered_end(number: int) -> None:
    heard = _listen()
    heard.signals.came(number)
    (event,) = heard.events
    assert isinstance(event, StopAsked)
    assert (event.fast, event.reboot, event.count) == (False, False, 1)
    assert event.by.startswith("SIG")


def test_quit_is_fast_and_rtmin_5_asks_for_a_reboot() -> None:
    heard = _listen()
    heard.signals.came(signal.SIGQUIT)
    heard.signals.came(RTMIN + 5)
    assert heard.events == [StopAsked("SIGQUIT", fast=True), StopAsked("SIGRTMIN+5", reboot=True)]


def test_a_hang_up_ends_only_the_world_of_a_terminal() -> None:
    plain, foreground = _listen(), _listen(hangup_stops=True)
    plain.signals.came(signal.SIGHUP)
    foreground.signals.came(signal.SIGHUP)
    assert (plain.events, len(plain.said)) == ([], 1)
    assert foreground.events == [StopAsked("SIGHUP")]


def test_usr1_reopens_and_usr2_dumps() -> None:
    heard = _listen()
    heard.signals.came(signal.SIGUSR1)
    heard.signals.came(signal.SIGUSR2)
    assert (heard.done, heard.events) == (["reopen", "dump"], [])


def test_every_other_one_is_counted_and_changes_nothing() -> None:
    heard = _listen()
    meant = STOPS | {
        signal.SIGQUIT,
        RTMIN + 5,
        signal.SIGHUP,
        signal.SIGUSR1,
        signal.SIGUSR2,
        RTMIN + 25,
        signal.SIGCONT,
    }
    others = set(signal.valid_signals()) - meant
    for number in others:
        heard.signals.came(number)
    assert heard.signals.ignored == dict.fromkeys(others, 1)
    assert (heard.events, heard.said, heard.done) == ([], [], [])


def test_every_signal_is_told_with_what_it_means_and_who_sent_it() -> None:
    told: list[tuple[object, ...]] = []

    def tell(signal: str, meaning: str, pid: int = 0, uid: int = 0, count: int = 0) -> None:
        told.append((signal, meaning, pid, uid, count))

    ears = Ears.__new__(Ears)
    signals = Signals(ears, lambda event: None, lambda text: None, lambda: None, lambda: None, False, tell=tell)
    signals.came(signal.SIGTERM, 7, 1000)
    signals.came(signal.SIGWINCH)
    assert told == [("SIGTERM", "stop", 7, 1000, 0), ("SIGWINCH", "ignored", 0, 0, 0)]


async def test_the_monitors_counts_arrive_and_nonsense_does_not() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    events: list[Event] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear_monitor, theirs.fileno(), events.append)
        for words in (b"stop TERM 1", b"go away", b"stop INT x", b"stop INT 2"):
            ours.send(words)
        with trio.fail_after(5):
            while len(events) < 2:
                await trio.testing.wait_all_tasks_blocked()
        assert events == [StopAsked("SIGTERM", count=1), StopAsked("SIGINT", count=2)]
        ours.close()
    assert events[-1] == StopAsked("the death of its monitor", count=3)
    theirs.close()
