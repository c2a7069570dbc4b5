"""Does the logger end when it should, with everything written, and never later?"""

from __future__ import annotations

import os
import time

import trio

from supervisor.model.process import Exit
from tests.eventually import eventually
from tests.isolation import isolated
from tests.linux.logstage import LogStage, run_of

WEB = run_of("web")


def status_of(pid: int) -> int | None:
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    return None if ended is None else ended.si_status


@isolated
async def test_what_is_still_in_pipes_is_written_before_it_ends() -> None:
    stage = LogStage()
    stage.write(WEB, b"one\nlast words")
    stage.write(run_of("db"), b"bye\n", 1)
    stage.logs.say("the end")
    logger = stage.logs.logger_pid
    began = time.monotonic()
    await stage.logs.drain_and_stop()
    assert time.monotonic() - began < 0.9  # it had nothing to wait for
    assert status_of(logger) == 0
    assert stage.out.lines("web") == [b"one", b"last words"]
    assert stage.err.lines("db") == [b"bye"]
    assert stage.err.lines("pidone") == [b"the end"]


@isolated
async def test_a_reader_that_is_stuck_is_waited_for_a_second_at_most() -> None:
    stage = LogStage()
    stage.reading = False
    stage.logs.hurry()
    for _ in range(20):
        stage.write(WEB, b"x" * 60_000 + b"\n")
    logger = stage.logs.logger_pid
    began = time.monotonic()
    await stage.logs.drain_and_stop(0.3)
    assert 0.25 < time.monotonic() - began < 2
    assert status_of(logger) in (0, 9)  # it has ended by itself, or did not do so in time


@isolated
async def test_one_that_does_not_listen_is_killed() -> None:
    stage = LogStage()
    logger = stage.logs.logger_pid
    os.kill(logger, 19)  # SIGSTOP
    await stage.logs.drain_and_stop(0.1)
    assert status_of(logger) == 9


@isolated
async def test_a_follower_that_does_not_read_keeps_nobody() -> None:
    stage = LogStage()
    slow, quick = stage.ask(follow=True), stage.ask(follow=True)
    for number in range(20):
        stage.write(WEB, b"x" * 50_000 + b"%d\n" % number)
        stage.until(lambda: len(stage.out.lines("web")) == number + 1)  # noqa: B023  # called before the next turn
    stage.until(lambda: quick.lines[-1].endswith("x19"))
    began = time.monotonic()
    await stage.logs.drain_and_stop()
    assert time.monotonic() - began < 0.9
    eventually(lambda: quick.records is not None and quick.over)
    slow.close()


@isolated
async def test_its_work_goes_on_while_trio_runs_and_a_dead_one_is_replaced_there() -> None:
    stage = LogStage()
    found = trio.Event()
    with trio.fail_after(20):
        async with trio.open_nursery() as tasks:
            tasks.start_soon(stage.logs.serve)
            stage.logs.open(WEB)
            stage.logs.watch(WEB, "ready", found.set)
            stage.write(WEB, b"ready\n")
            await found.wait()
            for _ in range(3):
                victim = stage.logs.logger_pid
                pidfd = os.pidfd_open(victim)
                os.kill(victim, 9)
                await trio.lowlevel.wait_readable(pidfd)
                os.close(pidfd)
                os.waitpid(victim, 0)
                stage.logs.logger_died(Exit(signal=9))
            drained = trio.Event()
            stage.logs.end(WEB, drained.set)
            await drained.wait()
            tasks.cancel_scope.cancel()
    await stage.logs.drain_and_stop()
    assert stage.out.lines("web") == [b"ready"]
    assert stage.logs.deaths == 3
