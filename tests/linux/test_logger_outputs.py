"""Does a bad reader of our output hurt anybody but himself?"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import termios
from pathlib import Path

import pytest

from supervisor.kernel import streams
from supervisor.kernel.libc import call
from supervisor.logger.output import Output
from supervisor.logger.ring import CHUNK, KEEP
from tests.eventually import eventually
from tests.isolation import isolated
from tests.linux.logstage import LogStage, Sink, run_of

WEB, DB = run_of("web"), run_of("db")
LINE = b"x" * 1018 + b"\n"
# writes lines as long as it can, and says each time that it could
CHATTY = """
import os, sys
for number in range(2000):
    os.write(1, b"%04d" % number + b"x" * 1018 + b"\\n")
    os.write(int(sys.argv[1]), b".")
"""


def blocked_in_write(pid: int) -> bool:
    with open(f"/proc/{pid}/wchan") as wchan:
        return "pipe" in wchan.read()


@isolated
def test_a_service_goes_on_as_far_as_pipe_and_ring_allow_then_waits_and_loses_nothing() -> None:
    stage = LogStage()
    stage.reading = False
    count, end = os.pipe()
    os.set_inheritable(end, True)
    os.set_blocking(count, False)
    pid = stage.python(WEB, CHATTY, str(end))
    written = 0

    def so_far() -> int:
        nonlocal written
        with contextlib.suppress(BlockingIOError):
            written += len(os.read(count, CHUNK))
        return written

    stage.until(lambda: so_far() * 1024 > KEEP - CHUNK and blocked_in_write(pid))
    assert so_far() * 1024 < KEEP + 4 * CHUNK
    answer = stage.ask(services=["web"], lines=1)
    assert len(answer.whole()) == 1  # supervision and questions are not held up
    stage.write(DB, b"to the same full output\n")
    assert stage.ask(services=["db"]).whole() == ["to the same full output"]
    stage.reading = True
    assert stage.ended(pid) == 0
    stage.until(lambda: len(stage.out.lines("web")) == 2000)
    assert [line[:4] for line in stage.out.lines("web")] == [b"%04d" % number for number in range(2000)]
    assert stage.out.lines("db") == [b"to the same full output"]


@isolated
def test_in_a_hurry_nobody_waits_and_what_is_missing_is_counted() -> None:
    stage = LogStage()
    stage.reading = False
    null = os.open("/dev/null", os.O_WRONLY)
    os.set_inheritable(null, True)
    pid = stage.python(WEB, CHATTY, str(null))
    stage.until(lambda: blocked_in_write(pid))
    stage.logs.hurry()
    assert stage.ended(pid) == 0
    stage.logs.end(WEB)
    stage.reading = True
    stage.until(lambda: stage.out.lines("web")[-1:] == [b"1999" + b"x" * 1018])
    notices = stage.out.lines("pidone")
    lost = sum(int(notice.split()[0]) for notice in notices)
    assert lost > 0
    assert lost + len(stage.out.lines("web")) == 2000


@isolated
def test_a_stuck_output_stays_stuck_for_a_successor_in_a_hurry_too() -> None:
    stage = LogStage()
    stage.reading = False
    null = os.open("/dev/null", os.O_WRONLY)
    os.set_inheritable(null, True)
    pid = stage.python(WEB, CHATTY, str(null))
    stage.until(lambda: blocked_in_write(pid))
    stage.logs.hurry()
    stage.kill()
    assert stage.ended(pid) == 0


@isolated
def test_a_reader_that_goes_away_costs_only_what_it_would_have_read() -> None:
    stage = LogStage()
    stage.write(WEB, b"heard\n")
    stage.until(lambda: stage.out.lines("web") == [b"heard"])
    os.close(stage.out.out)
    stage.reading = False
    pid = stage.python(WEB, "import os\nfor n in range(9000): os.write(1, b'%0100d\\n' % n)")
    assert stage.ended(pid) == 0
    stage.until(lambda: stage.ask(services=["web"], lines=1).whole() == [f"{8999:0100d}"])
    stage.until(lambda: stage.err.lines("pidone"))
    assert b"our stdout cannot be written to any more (Broken pipe)" in stage.err.lines("pidone")[0]
    assert stage.loggers == [stage.logs.logger_pid]


@isolated
def test_the_flags_of_what_we_share_with_the_shell_stay_as_they_were() -> None:
    sink, (master, slave) = Sink(), os.openpty()
    stage = LogStage(stdout=sink.end, stderr=slave)
    stage.write(WEB, b"out\n")
    stage.write(WEB, b"err\n", 1)
    stage.until(lambda: sink.lines("web") == [b"out"])
    os.set_blocking(master, False)
    eventually(lambda: select.select([master], [], [], 0)[0])
    for fd in (1, 2, sink.end, slave):
        assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK


@isolated
def test_a_terminal_that_is_held_with_ctrl_s_is_waited_for_without_waiting() -> None:
    master, slave = os.openpty()
    stage = LogStage(stdout=slave)
    termios.tcflow(slave, termios.TCOOFF)  # what Ctrl-S does
    stage.write(WEB, b"held\n")
    stage.write(WEB, b"not held\n", 1)
    stage.until(lambda: stage.err.lines("web") == [b"not held"])
    assert stage.ask(services=["web"], lines=1).whole()
    assert not select.select([master], [], [], 0)[0]
    termios.tcflow(slave, termios.TCOON)
    eventually(lambda: select.select([master], [], [], 0)[0])
    assert b"held" in os.read(master, CHUNK)


@isolated
def test_a_file_is_appended_to_beside_others_who_share_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(file, b"the shell's line\n")
    stage = LogStage(stdout=file, stderr=file)
    stage.write(WEB, b"ours\n")
    stage.until(lambda: b"ours" in path.read_bytes())
    os.write(file, b"the shell's last line\n")
    stage.write(WEB, b"err\n", 1)
    stage.until(lambda: path.read_bytes().count(b"\n") == 4)
    lines = path.read_bytes().splitlines()
    assert [line.rpartition(b" | ")[2] for line in lines] == [
        *(b"the shell's line", b"ours", b"the shell's last line", b"err")
    ]


@isolated
def test_a_socket_can_be_our_stdout() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    stage = LogStage(stdout=theirs.fileno())
    stage.write(WEB, b"over a socket\n")
    eventually(lambda: select.select([ours], [], [], 0)[0])
    assert ours.recv(CHUNK).endswith(b"web | over a socket\n")
    assert not fcntl.fcntl(theirs.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
    pid = stage.python(WEB, CHATTY, "2")
    stage.until(lambda: blocked_in_write(pid))
    os.kill(pid, signal.SIGKILL)
    stage.ended(pid)
    assert stage.ask(services=["web"], lines=1).whole()


@isolated
def test_a_full_disk_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    call("mount", b"none", str(tmp_path).encode(), b"tmpfs", 0, b"size=64k")
    filler, log = tmp_path / "filler", tmp_path / "log"
    file = os.open(log, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as full:
        for _ in range(32):
            full.write(b"x" * 4096)
    stage = LogStage(stdout=file)
    stage.write(WEB, b"no room\n")
    assert stage.ask(services=["web"]).whole() == ["no room"]
    stage.write(WEB, b"err\n", 1)
    stage.until(lambda: stage.err.lines("web") == [b"err"])
    assert log.read_bytes() == b""
    filler.unlink()
    stage.until(lambda: log.read_bytes().endswith(b"web | no room\n"))
    assert stage.err.lines("pidone") == []


@isolated
def test_an_output_that_has_gone_can_be_tried_again() -> None:
    stage = LogStage()
    os.close(stage.out.out)
    stage.reading = False
    for attempt in (1, 2):
        stage.write(WEB, b"unheard\n")
        stage.until(lambda: len(stage.err.lines("pidone")) == attempt)  # noqa: B023  # called before the next turn
        stage.logs.reopen()
    assert stage.ask(services=["web"]).whole() == ["unheard", "unheard"]


def fill(output: Output) -> bytes:
    """Write until there is no room; what was taken."""
    text = taken = b""
    with contextlib.suppress(BlockingIOError):
        for number in range(100_000):
            if not output.left:
                text = b"%07d " % number
                output.put(memoryview(text))
            count = output.push()
            taken, text = taken + text[:count], text[count:]
    assert output.left == len(text)
    return taken


def arrived(fd: int) -> bytes:
    os.set_blocking(fd, False)
    text = b""
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(fd, CHUNK):
            text += piece
    return text


def test_a_pipe_never_makes_us_wait_and_keeps_its_flags() -> None:
    stage, (out, end) = os.pipe(), os.pipe()
    output = Output(end, stage)
    assert output.durable
    taken = fill(output)
    assert os.get_blocking(end)
    assert arrived(out) == taken
    left = output.left
    assert Output(end, stage).inherited == left
    assert output.push() == left
    for fd in (*stage, out, end):
        os.close(fd)


@pytest.mark.parametrize("refused", [False, True])
def test_a_terminal_never_makes_us_wait_even_where_it_cannot_be_opened_anew(
    refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int) -> int:
        raise PermissionError(13, "not yours")

    if refused:
        monkeypatch.setattr("supervisor.logger.output.reopen", refuse)
    stage, (master, slave) = os.pipe(), os.openpty()
    output = Output(slave, stage)
    assert (output.fd == slave) is refused
    taken = fill(output)
    assert os.get_blocking(slave)
    assert arrived(master) == taken
    assert output.push()
    output.close()
    for fd in (*stage, master, slave):
        os.close(fd)


def test_what_a_goal_does_not_take_through_a_pipe_is_written_by_hand_and_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for flags in (os.O_WRONLY | os.O_CREAT | os.O_APPEND, os.O_WRONLY):
        stage, file = os.pipe(), os.open(path, flags, 0o600)
        output = Output(file, stage)
        output.put(memoryview(b"one line\n"))
        while output.left:
            output.push()
        for fd in (*stage, file):
            os.close(fd)
        assert path.read_bytes() == b"one line\n"
    stage, full = os.pipe(), os.open("/dev/full", os.O_WRONLY)
    output = Output(full, stage)
    output.put(memoryview(b"one line\n"))
    with pytest.raises(OSError, match="No space"):
        output.push()
    assert output.left == 9
    assert output.drop() == b"one line\n"
    assert output.left == 0
    for fd in (*stage, full):
        os.close(fd)


def test_what_is_reopened_is_the_same_pipe() -> None:
    out, end = os.pipe()
    again = streams.reopen(end)
    os.write(again, b"x")
    assert os.read(out, 2) == b"x"
    assert not os.get_inheritable(again)
    for fd in (out, end, again):
        os.close(fd)
