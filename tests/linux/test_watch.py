"""What does the monitor's last program do with signals and with init's end? In this interpreter; executed by its own file it is
what tests/linux/test_monitor.py looks at."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Sequence

from supervisor.kernel.signals import block_all
from supervisor.programs.watch import LAST_RESORT, Init, command, watch
from tests.isolation import isolated


def _child(act: Callable[[], int]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = act()
        finally:
            os._exit(status)
    return pid


def _watched(init: Callable[[socket.socket], int], sent: Sequence[int], single: bool = True) -> int:
    """The status of a watcher over this init, to which these signals come one after the other, each when init says `next`."""
    block_all()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    inbox, outbox = os.pipe()

    def live() -> int:
        os.dup2(outbox, 2)
        return init(theirs)

    def monitor() -> int:
        child = _child(live)
        for number in sent:
            os.kill(os.getpid(), number)  # blocked, and kept until it is taken
        return watch(Init(child, ours.fileno(), single))

    watcher = _child(monitor)
    os.close(outbox)
    _, status = os.waitpid(watcher, 0)
    os.close(inbox)
    return os.waitstatus_to_exitcode(status)


@isolated
def test_each_stop_signal_is_told_with_its_count_and_the_end_is_passed_on() -> None:
    def init(pair: socket.socket) -> int:
        told = {pair.recv(64), pair.recv(64)}
        return (
            33
            if {word[:-1] for word in told} == {b"stop TERM ", b"stop INT "}
            and {word[-1:] for word in told} == {b"1", b"2"}
            else 1
        )

    assert _watched(init, [signal.SIGTERM, signal.SIGINT]) == 33


@isolated
def test_what_init_shall_know_itself_reaches_it_as_it_is() -> None:
    def init(pair: socket.socket) -> int:
        return 10 if signal.sigwait({signal.SIGUSR2, signal.SIGQUIT}) == signal.SIGUSR2 else 1

    assert _watched(init, [signal.SIGUSR2]) == 10


@isolated
def test_one_that_was_killed_ends_us_as_shells_say_it() -> None:
    def init(pair: socket.socket) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    assert _watched(init, []) == 128 + signal.SIGKILL


@isolated
def test_who_has_stopped_reading_is_killed_at_the_last_request_and_not_before() -> None:
    def init(pair: socket.socket) -> int:
        pair.close()
        return signal.sigwait({signal.SIGUSR1})

    many = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPWR, 37]
    assert len(many) == LAST_RESORT
    assert _watched(init, many) == 128 + signal.SIGKILL
    assert _watched(init, [*many, signal.SIGUSR1], single=False) == signal.SIGUSR1  # others would be left behind


def test_it_is_executed_with_all_that_it_must_know() -> None:
    words = command(Init(17, 5, single=True, asked=2), [1, 2], ["pidone", "up"])
    assert words[1:3] == ["-I", "-S"]
    assert words[4:] == ["17", "5", "1", "2", "1,2", "--", "pidone", "up"]
    assert os.path.samefile(words[3], watch.__code__.co_filename)
