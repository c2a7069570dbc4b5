"""What does PID 1 tell its loggers, when, and what if there is none?"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock

from supervisor.model.process import Exit
from supervisor.model.words import RunId, ServiceName
from supervisor.runtime.logs import Logs
from supervisor.wire import logmessages as message
from supervisor.wire.logmessages import Downward

WEB = RunId(ServiceName("web"), 1)
NOBODY = 1 << 22  # above pid_max: nobody has these numbers
KILLED, MISTAKEN = Exit(signal=9), Exit(code=70)


class Nursery:
    """Where loggers would come from; the test plays them."""

    def __init__(self) -> None:
        self.born: list[int] = []
        self.refuses = False
        self.logs = Logs(self.fork)
        self.logs.start()

    def fork(self, control: int, stages: object) -> int:
        if self.refuses:
            raise OSError(errno.EAGAIN, "no processes")
        self.born.append(NOBODY + len(self.born))
        return self.born[-1]

    def told(self) -> list[Downward]:
        """What the logger has been told since it last looked; it keeps no descriptors."""
        self.logs._link.flush()
        letters: list[Downward] = []
        while True:
            try:
                data, _, _, _ = self.logs._link.theirs.recvmsg(1 << 17, 0, 64)  # MSG_DONTWAIT; descriptors are dropped
            except BlockingIOError:
                return letters
            letters += [letter for letter, _ in message.unpack(data, ())[0]]  # type: ignore[misc]

    def say(self, letter: message.Upward, *fds: int) -> None:
        """As the logger would."""
        import socket

        socket.send_fds(self.logs._link.theirs, [message.encode(letter)], fds)

    def die(self, exit: Exit = KILLED) -> None:
        self.logs.logger_died(exit)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    before = set(os.listdir("/proc/self/fd"))
    made = Nursery()
    yield made
    made.logs._link.close()
    for fd in set(os.listdir("/proc/self/fd")) - before:  # the pipes of runs that the test did not end
        with contextlib.suppress(OSError):  # the directory that was just read
            os.close(int(fd))


def kinds(letters: list[Downward]) -> list[str]:
    return [type(letter).__name__ for letter in letters]


def test_a_run_gets_the_same_pipes_until_it_ends_and_the_logger_is_told_once(nursery: Nursery) -> None:
    logs = nursery.logs
    pipes = logs.open(WEB)
    assert logs.open(WEB) == pipes
    logs.end(WEB)
    logs.end(WEB)
    assert nursery.told() == [message.Begin(), message.Open(WEB, 1, 0), message.Open(WEB, 2, 1), message.End(WEB)]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(pipes[0])


def test_read_ends_are_kept_until_nobody_can_write_any_more(nursery: Nursery) -> None:
    logs = nursery.logs
    write = os.dup(logs.open(WEB)[0])
    nursery.told()  # the read end that travels with it is dropped
    drained: list[bool] = []
    logs.end(WEB, lambda: drained.append(True))
    for channel in (1, 2):
        nursery.say(message.Drained(channel, channel == 2))
    logs.drain()
    assert drained == [True]
    os.write(write, b"nobody gets a broken pipe")
    nursery.say(message.Drained(1, True))
    logs.drain()
    assert drained == [True]
    with pytest.raises(BrokenPipeError):
        os.write(write, b"nobody is there to read it")
    os.close(write)
    logs.end(WEB, lambda: drained.append(False))
    assert drained == [True, False]  # of an unknown run there is nothing to wait for


def test_without_descriptors_opening_fails_and_leaves_none_behind(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = os.pipe2, []

    def pipe2(flags: int) -> tuple[int, int]:
        if made:
            raise OSError(errno.EMFILE, "no more")
        made.extend(real(flags))
        return made[0], made[1]

    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe2", pipe2)
        with pytest.raises(OSError, match="no more"):
            nursery.logs.open(WEB)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(made[0])
    assert nursery.logs.open(WEB)


def test_a_successor_is_told_everything_and_then_what_was_left_unread(nursery: Nursery) -> None:
    logs = nursery.logs
    logs.open(WEB)
    logs.open(RunId(ServiceName("db"), 4))
    logs.watch(WEB, "ready", lambda: None)
    ring = os.memfd_create("ring")
    nursery.say(message.Made(ServiceName("web")), ring)
    os.close(ring)
    logs.drain()
    nursery.told()
    logs.end(RunId(ServiceName("db"), 4))
    logs.say("unread")
    os.close(logs.stream({"services": ["web"]}))
    logs.hurry()
    nursery.die()
    letters = nursery.told()
    assert kinds(letters) == [
        "Ring",
        *("Open", "Open", "Watch"),
        *("Open", "Open", "End"),
        *("Hurry", "Begin"),
        *("Say", "Ask", "Say"),
    ]
    assert [letter.text for letter in letters if isinstance(letter, message.Say)] == [
        "unread",
        "the logger has ended (SIGKILL); another one takes over",
    ]
    assert nursery.born == [NOBODY, NOBODY + 1]


def test_a_match_is_told_once_and_only_while_somebody_waits(nursery: Nursery) -> None:
    logs = nursery.logs
    found: list[str] = []
    logs.open(WEB)
    logs.watch(WEB, "ready", lambda: found.append("first"))
    for _ in range(2):
        nursery.say(message.Matched(WEB))
    logs.drain()
    assert found == ["first"]
    leave = logs.watch(WEB, "ready", lambda: found.append("second"))
    leave()
    nursery.say(message.Matched(WEB))
    logs.drain()
    assert found == ["first"]
    assert kinds(nursery.told())[-3:] == ["Watch", "Watch", "Unwatch"]


def test_a_channel_whose_descriptor_was_lost_is_sent_again(nursery: Nursery) -> None:
    nursery.logs.open(WEB)
    nursery.told()
    nursery.say(message.Want(2))
    nursery.say(message.Want(77))
    nursery.logs.drain()
    assert nursery.told() == [message.Open(WEB, 2, 1)]


def test_a_mistake_of_the_logger_is_said(nursery: Nursery) -> None:
    nursery.say(message.Failed("KeyError: 3 (loop.py:7)"))
    nursery.die(MISTAKEN)
    said = [letter.text for letter in nursery.told() if isinstance(letter, message.Say)]
    assert said == [
        "the logger has made a mistake: KeyError: 3 (loop.py:7)",
        "the logger has ended (status 70); another one takes over",
    ]


def test_rings_on_which_loggers_make_mistakes_again_and_again_are_given_up(nursery: Nursery) -> None:
    ring = os.memfd_create("ring")
    nursery.say(message.Made(ServiceName("web")), ring)
    os.close(ring)
    nursery.logs.drain()
    for _ in range(4):
        nursery.die(MISTAKEN)
        nursery.logs.revive()
    assert nursery.logs.rings
    nursery.die(MISTAKEN)
    assert not nursery.logs.rings


def test_who_kills_loggers_does_not_cost_the_rings(nursery: Nursery) -> None:
    ring = os.memfd_create("ring")
    nursery.say(message.Made(ServiceName("web")), ring)
    os.close(ring)
    for _ in range(9):
        nursery.die()
        nursery.logs.revive()
    assert nursery.logs.rings
    assert nursery.logs.deaths == 9


async def test_quick_deaths_are_answered_at_once_then_with_growing_pauses(
    nursery: Nursery, autojump_clock: MockClock
) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(nursery.logs.serve)
        pauses = []
        for _ in range(10):
            began = trio.current_time()
            nursery.die()
            while not nursery.logs.logger_pid:
                await trio.testing.wait_all_tasks_blocked()
                await trio.sleep(0.001)
            pauses.append(round(trio.current_time() - began, 1))
        tasks.cancel_scope.cancel()
    assert pauses == [0.0, 0.0, 0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]


async def test_when_no_process_is_to_be_had_it_is_tried_again(nursery: Nursery, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(nursery.logs.serve)
        nursery.refuses = True
        nursery.die()
        assert nursery.logs.logger_pid == 0
        assert nursery.logs.pids() == ()
        nursery.logs.open(WEB)
        nursery.logs.say("meanwhile")
        await trio.sleep(1)
        nursery.refuses = False
        await trio.sleep(10)
        assert nursery.logs.pids() == (NOBODY + 1,)
        assert kinds(nursery.told())[-5:] == ["Open", "Open", "Begin", "Say", "Say"]
        tasks.cancel_scope.cancel()


async def test_nobody_waits_for_a_last_line_for_ever(nursery: Nursery, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as tasks:
        tasks.start_soon(nursery.logs.serve)
        drained: list[float] = []
        began = trio.current_time()
        nursery.logs.open(WEB)
        nursery.logs.end(WEB, lambda: drained.append(trio.current_time() - began))
        await trio.sleep(60)
        assert len(drained) == 1
        assert 4 < drained[0] < 12
        tasks.cancel_scope.cancel()


async def test_what_does_not_fit_is_sent_in_order_when_there_is_room(nursery: Nursery) -> None:
    logs = nursery.logs
    with trio.fail_after(20):
        async with trio.open_nursery() as tasks:
            tasks.start_soon(logs.serve)
            runs = [RunId(ServiceName("web"), number) for number in range(1, 101)]
            for run in runs:
                logs.open(run)
                logs.watch(run, "x" * 8000, lambda: None)
            letters = nursery.told()
            assert len(letters) < 300
            while len(letters) < 301:
                await trio.lowlevel.wait_readable(logs._link.theirs.fileno())
                letters += nursery.told()
            tasks.cancel_scope.cancel()
    assert [letter.channel for letter in letters if isinstance(letter, message.Open)] == list(range(1, 201))
    for run in runs:
        logs.end(run)


def test_too_many_messages_are_thrown_away_and_counted(nursery: Nursery) -> None:
    logs = nursery.logs
    for number in range(5000):
        logs.say(str(number))
    assert 0 < logs.dropped < 5000
    heard: list[str] = []
    for _ in range(50):
        heard += [letter.text for letter in nursery.told() if isinstance(letter, message.Say)]
        logs.drain()
    assert heard == [str(number) for number in range(len(heard))]
    assert len(heard) + logs.dropped == 5000
    lost = logs.dropped
    logs.say("again")
    assert [letter.text for letter in nursery.told() if isinstance(letter, message.Say)] == [
        f"{lost} messages of pidone were lost here",
        "again",
    ]


def test_a_message_that_is_too_long_is_cut(nursery: Nursery) -> None:
    nursery.logs.say("x" * 1_000_000)
    (letter,) = (letter for letter in nursery.told() if isinstance(letter, message.Say))
    assert 1000 < len(letter.text) < 20_000


def test_forgetting_a_service_gives_its_ring_back(nursery: Nursery) -> None:
    logs = nursery.logs
    ring = os.memfd_create("ring")
    nursery.say(message.Made(ServiceName("web")), ring)
    nursery.say(message.Made(ServiceName("web")), ring)
    os.close(ring)
    logs.drain()
    (held,) = logs.rings.values()
    logs.forget(ServiceName("web"))
    logs.forget(ServiceName("web"))
    assert not logs.rings
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(held)
    assert kinds(nursery.told()) == ["Begin", "Forget", "Forget"]


def test_outputs_can_be_tried_again(nursery: Nursery) -> None:
    nursery.logs.reopen()
    assert kinds(nursery.told()) == ["Begin", "Reopen"]


async def test_at_the_end_a_logger_that_does_not_end_is_not_waited_for(
    nursery: Nursery, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    nursery.logs.open(WEB)
    await nursery.logs.drain_and_stop(1.0)
    assert trio.current_time() - began < 2
    assert kinds(nursery.told())[-1] == "Finish"
    nursery.die()
    assert len(nursery.born) == 1


def test_without_a_loop_the_last_words_are_not_waited_for_long(nursery: Nursery) -> None:
    nursery.logs.open(WEB)
    nursery.logs.say("something has fallen")
    nursery.logs.last_words(0.01)  # nobody reads here: it returns all the same
    assert kinds(nursery.told())[-2:] == ["Say", "Finish"]
    nursery.die()
    assert len(nursery.born) == 1


def test_without_a_loop_and_without_a_logger_there_are_no_last_words(nursery: Nursery) -> None:
    nursery.refuses = True
    nursery.die()
    nursery.logs.last_words()
    assert len(nursery.born) == 1
