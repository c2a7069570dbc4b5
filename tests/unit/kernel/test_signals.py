"""Are signals known by all their names?"""

from __future__ import annotations

import signal

import pytest

from supervisor.kernel import signals
from supervisor.kernel.signals import decode_mask, name_of, number_of


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("SIGTERM", 15),
        ("term", 15),
        (" Hup ", 1),
        ("9", 9),
        ("SIGCLD", signal.SIGCHLD),
        ("RTMIN", signal.SIGRTMIN),
        ("SIGRTMIN+3", signal.SIGRTMIN + 3),
        ("rtmax-1", signal.SIGRTMAX - 1),
        ("SIGRTMAX", signal.SIGRTMAX),
        ("SIGNOTHING", None),
        ("SIGRTMIN+99", None),
        ("0", None),
        ("32", None),
        ("-15", None),
        ("", None),
        ("²", None),
    ],
)
def test_a_signal_is_known_by_its_names_and_number(word: str, number: int | None) -> None:
    assert number_of(word) == number


def test_every_signal_has_one_full_name_that_leads_back_to_it() -> None:
    for number in signal.valid_signals():
        name = name_of(number)
        assert name.startswith("SIG")
        assert number_of(name) == number
    assert name_of(signal.SIGRTMIN + 3) == "SIGRTMIN+3"
    assert name_of(32) == "signal 32"


def test_all_but_two_signals_can_be_caught() -> None:
    assert set(signals.CATCHABLE) == set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}


def test_what_is_held_arrives_afterwards() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        with signals.held():
            signal.raise_signal(signal.SIGUSR1)
            assert seen == []
        assert seen == [signal.SIGUSR1]
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_blocking_all_holds_all_and_unblocking_lets_one_through() -> None:
    try:
        signals.block_all()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= {signal.SIGTERM, signal.SIGHUP, signal.SIGRTMAX}
        signals.unblock([signal.SIGTERM])
        assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def test_a_mask_of_proc_is_decoded() -> None:
    assert decode_mask("0000000000000000") == ()
    assert decode_mask("8000000000004001") == (1, 15, 64)
