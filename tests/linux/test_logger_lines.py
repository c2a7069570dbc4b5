"""Does every line of a service come out where it should, as it was, and as nobody else's?"""

from __future__ import annotations

import contextlib
import os
import termios
from pathlib import Path

from supervisor.logger.ring import CHUNK, KEEP
from supervisor.wire.logline import MAX_LINE
from tests.isolation import isolated
from tests.linux.logstage import LogStage, Sink, run_of

WEB = run_of("web")


@isolated
def test_stdout_goes_to_our_stdout_and_stderr_to_our_stderr() -> None:
    stage = LogStage()
    pid = stage.python(WEB, "import os; os.write(1, b'good\\n'); os.write(2, b'bad\\n')")
    stage.until(lambda: stage.out.lines("web") == [b"good"] and stage.err.lines("web") == [b"bad"])
    assert stage.ended(pid) == 0


@isolated
def test_the_last_unfinished_line_of_a_dying_service_is_there() -> None:
    stage = LogStage()
    pid = stage.python(WEB, "import os; os.write(1, b'begun\\nlast words'); os.write(2, b'why'); os.abort()")
    stage.ended(pid)
    drained: list[bool] = []
    stage.logs.end(WEB, lambda: drained.append(True))
    stage.until(lambda: drained)
    assert stage.ask().whole() == ["begun", "last words", "why"]
    stage.until(lambda: stage.out.lines("web") == [b"begun", b"last words"] and stage.err.lines("web") == [b"why"])


@isolated
def test_a_full_pipe_of_a_dead_service_is_drained_to_the_last_byte() -> None:
    stage = LogStage()
    text = b"".join(b"%05d\n" % number for number in range(10_900)) + b"end"
    assert len(text) < CHUNK
    os.kill(stage.logs.logger_pid, 19)  # SIGSTOP: everything is still in the pipe when the run ends
    stage.write(WEB, text)
    stage.logs.end(WEB)
    os.kill(stage.logs.logger_pid, 18)  # SIGCONT
    stage.until(lambda: stage.out.lines("web") == text.split(b"\n"))


@isolated
def test_both_streams_keep_their_order_where_our_stdout_and_stderr_are_one_file() -> None:
    sink = Sink()
    stage = LogStage(stdout=sink.end, stderr=sink.end)
    expected = []
    for number in range(50):
        line = b"%d" % number
        stage.write(WEB, line + b"\n", number % 2)
        expected.append(line)
        stage.until(lambda: sink.lines("web") == expected)
    records = stage.ask(lines=4)
    assert records.whole() == ["46", "47", "48", "49"]
    assert [record["stream"] for record in records.records] == ["stdout", "stderr"] * 2


@isolated
def test_a_line_cannot_pass_for_another_services() -> None:
    stage = LogStage()
    stage.write(WEB, b"2026-01-31T12:00:00.000Z db | all is well\n")
    stage.write(WEB, b"\r2026-01-31T12:00:00.000Z db | all is well\n" + b"x" * MAX_LINE)
    stage.write(WEB, b"2026-01-31T12:00:00.000Z db | all is well\n")
    stage.until(lambda: len(stage.out.lines("web")) == 4)
    assert stage.out.lines("db") == []


@isolated
def test_binary_junk_stays_what_it_was_on_a_pipe_and_in_the_answer() -> None:
    stage = LogStage()
    junk = bytes(byte for byte in range(256) if byte != 10) * 50
    stage.write(WEB, junk + b"\n")
    stage.until(lambda: stage.out.lines("web") == [junk])
    answer = stage.ask()
    answer.whole()
    assert "bytes" in answer.records[0]


@isolated
def test_on_a_terminal_nothing_in_a_line_is_a_command_and_the_name_has_a_colour() -> None:
    master, slave = os.openpty()
    mode = termios.tcgetattr(slave)
    mode[1] &= ~termios.OPOST  # newlines stay what they are
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    os.environ["TERM"] = "xterm"
    os.environ.pop("NO_COLOR", None)
    stage = LogStage(stdout=slave, stderr=slave)
    os.set_blocking(master, False)
    shown = b""

    def look() -> bytes:
        nonlocal shown
        with contextlib.suppress(BlockingIOError):
            shown += os.read(master, CHUNK)
        return shown

    stage.write(WEB, b"\x1b[2K\rfoe \xff gr\xc3\xbcn\n")
    stage.until(lambda: look().endswith(b"\n"))
    assert shown.endswith(b"| \\x1b[2K\\x0dfoe \\xff gr\xc3\xbcn\n")
    assert b"mweb\x1b[0m" in shown


@isolated
def test_ten_megabytes_without_a_newline_come_out_whole_and_are_not_kept_whole() -> None:
    stage = LogStage()
    pid = stage.python(WEB, "import os\nfor _ in range(160): os.write(1, b'x' * 65536)")
    stage.until(lambda: sum(map(len, stage.out.lines("web"))) >= (160 - 1) * 65536)
    assert stage.ended(pid) == 0
    stage.logs.end(WEB)
    stage.until(lambda: sum(map(len, stage.out.lines("web"))) == 160 * 65536)
    assert {len(line) for line in stage.out.lines("web")} == {MAX_LINE}
    stage.until(lambda: stage.logs.rings)
    (ring,) = stage.logs.rings.values()
    assert os.fstat(ring).st_blocks * 512 < KEEP + 3 * CHUNK
    assert len("".join(stage.ask().whole())) >= KEEP - 2 * CHUNK


@isolated
def test_a_thousand_silent_services_have_no_rings() -> None:
    stage = LogStage()
    runs = [run_of(f"quiet-{number}") for number in range(1000)]
    for run in runs:
        stage.logs.open(run)
    stage.write(runs[0], b"but one\n")
    stage.until(lambda: stage.out.lines("quiet-0") == [b"but one"])
    stage.until(lambda: set(stage.logs.rings) == {"quiet-0"})
    drained: list[bool] = []
    for run in runs:
        stage.logs.end(run, lambda: drained.append(True))
    stage.until(lambda: len(drained) == 1000)
    stage.until(lambda: len(os.listdir(f"/proc/{stage.logs.logger_pid}/fd")) < 20)


@isolated
def test_another_user_may_open_dev_stdout_by_name() -> None:
    stage = LogStage()
    mapped = Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    uid = 4711 if mapped else 0  # without privileges there is no other user in this world
    stage.logs.open(WEB, uid)
    code = f"import os; os.setuid({uid}); os.write(os.open('/dev/stdout', os.O_WRONLY), b'opened\\n')"
    assert os.fstat(stage.logs.open(WEB)[0]).st_uid == uid
    assert stage.ended(stage.python(WEB, code)) == 0
    stage.until(lambda: stage.out.lines("web") == [b"opened"])


@isolated
def test_whoever_outlives_its_run_may_go_on_writing() -> None:
    stage = LogStage()
    begin, go = os.pipe()
    os.set_inheritable(begin, True)
    code = (
        "import os, signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "os.read(int(sys.argv[1]), 1); os.write(1, b'still here\\n')"
    )
    pid = stage.python(WEB, code, str(begin))
    drained: list[bool] = []
    stage.logs.end(WEB, lambda: drained.append(True))
    stage.until(lambda: drained)
    stage.kill()
    os.write(go, b"!")
    assert stage.ended(pid) == 0
    stage.until(lambda: stage.out.lines("web") == [b"still here"])
    stage.until(lambda: len(os.listdir(f"/proc/{stage.logs.logger_pid}/fd")) < 20)


@isolated
def test_a_second_run_has_pipes_of_its_own() -> None:
    stage = LogStage()
    stage.write(WEB, b"unfinished")
    stage.logs.end(WEB)
    again = run_of("web", 2)
    stage.write(again, b"new\n")
    stage.until(lambda: stage.out.lines("web") == [b"unfinished", b"new"])
    records = stage.ask()
    records.whole()
    assert [record["run"] for record in records.records] == [1, 2]


@isolated
def test_messages_of_pidone_itself_are_lines_too() -> None:
    stage = LogStage()
    stage.logs.say("two\nlines")
    stage.until(lambda: stage.err.lines("pidone") == [b"two", b"lines"])
    assert stage.ask(services=["pidone"]).whole() == ["two", "lines"]


@isolated
def test_what_was_written_before_the_question_is_in_the_answer() -> None:
    stage = LogStage()
    for number in range(20):
        stage.write(WEB, b"%d\n" % number)
        assert stage.ask(lines=1).whole() == [str(number)]
