"""Does the isolation that other tests stand on hold?"""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.isolation import isolated


@isolated
def test_the_body_is_a_child_of_a_pid_1_with_its_own_proc() -> None:
    assert os.getpid() == 2
    assert os.getppid() == 1
    assert os.readlink("/proc/self") == "2"
    assert sorted(name for name in os.listdir("/proc") if name.isdigit()) == ["1", "2"]


@isolated(pid1=True)
def test_the_body_can_be_pid_1() -> None:
    assert os.getpid() == 1


@isolated
async def test_an_async_body_runs_in_trio() -> None:
    import trio

    assert trio.current_time() > 0


@isolated
def test_fixtures_reach_the_body(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert (tmp_path / "file").read_text() == "x"


@isolated
def _wrong() -> None:
    answer = 6 * 7
    assert answer == 41


@isolated
def _dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@isolated(timeout=0.1)
def _hangs() -> None:
    select.select([], [], [])


@pytest.mark.parametrize(
    ("body", "words"), [(_wrong, "assert answer == 41"), (_dies, "died before"), (_hangs, "the test's body hung")]
)
def test_what_goes_wrong_in_the_body_fails_the_test_in_words(body, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(pytest.fail.Exception, match=words):
        body()


def test_nothing_outlives_the_body() -> None:
    reader, writer = os.pipe()

    @isolated
    def body() -> None:
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            select.select([], [], [])

    body()
    os.close(writer)
    readable, _, _ = select.select([reader], [], [], 10)
    assert readable
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_eventually_gives_up_in_words() -> None:
    with pytest.raises(AssertionError, match="still says 0"):
        eventually(lambda: 0, timeout=0.02)


@isolated
def _signals_its_group() -> None:
    os.kill(0, signal.SIGKILL)


def test_a_body_that_signals_its_process_group_hits_nobody_else() -> None:
    with pytest.raises(pytest.fail.Exception, match="died before"):
        _signals_its_group()
