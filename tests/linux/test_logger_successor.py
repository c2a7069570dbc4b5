"""Is a killed logger replaced, and nothing lost that a service had written?"""

from __future__ import annotations

import os
import signal

from supervisor.wire import logmessages as message
from tests.eventually import eventually
from tests.isolation import isolated
from tests.linux.logstage import LogStage, run_of

WEB = run_of("web")
# writes numbered lines on both streams until told to stop, then says how far it came
COUNTING = """
import os, select, sys
stop = int(sys.argv[1])
number = 0
while not select.select([stop], [], [], 0)[0]:
    os.write(1, b"".join(b"%08d\\n" % n for n in range(number, number + 200)))
    os.write(2, b"".join(b"%08d\\n" % n for n in range(number, number + 50)))
    number += 200
os.write(stop + 1, b"%d" % number)
"""


@isolated
def test_lines_that_were_still_in_the_pipe_are_all_there_once() -> None:
    stage = LogStage()
    stage.write(WEB, b"before\n")
    stage.until(lambda: stage.out.lines("web") == [b"before"])
    victim = stage.logs.logger_pid
    os.kill(victim, signal.SIGSTOP)
    numbers = [b"%05d" % number for number in range(10_000)]
    stage.write(WEB, b"\n".join(numbers) + b"\n")
    stage.kill()
    stage.until(lambda: stage.out.lines("web") == [b"before", *numbers])
    assert stage.loggers == [victim, stage.logs.logger_pid]


@isolated
def test_killed_again_and_again_under_load_nothing_is_lost_and_the_order_is_kept() -> None:
    stage = LogStage()
    inbox, outbox = os.pipe(), os.pipe()
    stop = 100
    os.dup2(inbox[0], stop)
    os.dup2(outbox[1], stop + 1)
    pid = stage.python(WEB, COUNTING, str(stop))
    for round_number in range(1, 21):
        seen = stage.out.size
        stage.until(lambda: stage.out.size > seen + 5000 * round_number)  # noqa: B023  # called before the next turn
        stage.kill()
    os.write(inbox[1], b"!")
    assert stage.ended(pid) == 0
    written = int(os.read(outbox[0], 20))
    stage.logs.end(WEB)
    stage.until(lambda: stage.out.lines("web")[-1:] == [b"%08d" % (written - 1)])
    assert [int(line) for line in stage.out.lines("web")] == list(range(written))
    assert stage.err.lines("web") != []
    answer = stage.ask(services=["web"])
    answer.whole()
    kept = [int(record["line"]) for record in answer.records if record["stream"] == "stdout"]
    assert kept == list(range(kept[0], written))  # in the ring every line is once


@isolated
def test_a_line_that_was_begun_before_is_finished_after() -> None:
    stage = LogStage()
    stage.write(WEB, b"half a ")
    stage.until(lambda: stage.logs.rings)
    stage.kill()
    stage.write(WEB, b"line\n")
    stage.until(lambda: stage.out.lines("web") == [b"half a line"])


@isolated
def test_one_killed_while_our_stdout_was_stuck_in_a_line_is_followed_by_the_rest_of_it() -> None:
    stage = LogStage()
    stage.reading = False
    lines = [b"%03d" % number + b"x" * 996 for number in range(200)]
    stage.write(WEB, b"\n".join(lines) + b"\n")
    stage.until(lambda: stuck(stage))
    for _ in range(3):
        stage.kill()
        stage.until(lambda: stuck(stage))
    stage.until(lambda: stage.out.lines("web") == lines)


def stuck(stage: LogStage) -> bool:
    """Our stdout is full, and the logger waits for that to change and for nothing else."""
    with open(f"/proc/{stage.logs.logger_pid}/wchan") as wchan, open(f"/proc/{stage.logs.logger_pid}/stat") as stat:
        return "poll" in wchan.read() and stat.read().rpartition(")")[2].split()[0] == "S"


@isolated
def test_messages_and_questions_that_it_had_not_read_are_answered_by_its_successor() -> None:
    stage = LogStage()
    stage.write(WEB, b"line\n")
    stage.until(lambda: stage.out.lines("web") == [b"line"])
    os.kill(stage.logs.logger_pid, signal.SIGSTOP)
    stage.logs.say("unread")
    answer = stage.ask(services=["web"])
    stage.kill()
    stage.logs.say("later")
    assert answer.whole() == ["line"]
    stage.until(lambda: stage.err.lines("pidone")[-1:] == [b"later"])
    assert stage.err.lines("pidone") == [
        b"unread",
        b"the logger has ended (SIGKILL); another one takes over",
        b"later",
    ]


@isolated
def test_a_wait_for_a_line_goes_on_and_sees_what_was_written_in_between() -> None:
    stage = LogStage()
    found: list[str] = []
    stage.write(WEB, b"starting\n")
    stage.logs.watch(WEB, "^ready", lambda: found.append("web"))
    stage.until(lambda: stage.out.lines("web") == [b"starting"])
    os.kill(stage.logs.logger_pid, signal.SIGSTOP)
    stage.write(WEB, b"ready\n")
    stage.kill()
    stage.until(lambda: found)
    assert found == ["web"]


@isolated
def test_a_run_that_ended_in_between_is_drained_by_its_successor() -> None:
    stage = LogStage()
    stage.write(WEB, b"one\n")
    stage.until(lambda: stage.out.lines("web") == [b"one"])
    os.kill(stage.logs.logger_pid, signal.SIGSTOP)
    drained: list[bool] = []
    stage.write(WEB, b"last words")
    stage.logs.end(WEB, lambda: drained.append(True))
    stage.kill()
    stage.until(lambda: drained)
    stage.until(lambda: stage.out.lines("web") == [b"one", b"last words"])


@isolated
def test_writers_never_notice() -> None:
    stage = LogStage()
    code = "import os, signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\nfor n in range(60000): os.write(1, b'%d\\n' % n)"
    pid = stage.python(WEB, code)
    for _ in range(5):
        stage.kill()
    assert stage.ended(pid) == 0
    stage.until(lambda: stage.out.lines("web")[-1:] == [b"59999"])


@isolated
def test_while_there_is_no_answer_from_it_pidone_goes_on_and_counts_what_it_could_not_say() -> None:
    stage = LogStage()
    os.kill(stage.logs.logger_pid, signal.SIGSTOP)
    for number in range(30000):
        stage.logs.say(f"message {number}")
    runs = [run_of(f"late-{number}") for number in range(500)]
    for run in runs:
        stage.logs.open(run)
    stage.write(runs[-1], b"late\n")
    assert 0 < stage.logs.dropped < 30000
    os.kill(stage.logs.logger_pid, signal.SIGCONT)
    stage.until(lambda: stage.out.lines("late-499") == [b"late"])
    dropped = stage.logs.dropped
    stage.logs.say("again")
    stage.until(lambda: stage.err.lines("pidone")[-1:] == [b"again"])
    assert b"%d messages of pidone were lost here" % dropped in stage.err.lines("pidone")
    assert len(stage.err.lines("pidone")) == 30000 - dropped + 2


@isolated
def test_signals_that_ask_do_not_end_it_and_it_is_no_part_of_our_session() -> None:
    stage = LogStage()
    logger = stage.logs.logger_pid
    for number in (
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGPIPE,
        signal.SIGUSR1,
        34,
        64,
    ):
        os.kill(logger, number)
    stage.write(WEB, b"still here\n")
    stage.until(lambda: stage.out.lines("web") == [b"still here"])
    assert os.getsid(logger) == logger
    assert stage.loggers == [logger]


@isolated
def test_it_holds_nothing_of_ours_but_what_it_needs() -> None:
    secret = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(secret, True)
    stage = LogStage()
    stage.logs.say("up")
    stage.until(lambda: stage.err.lines("pidone") == [b"up"])
    folder = f"/proc/{stage.logs.logger_pid}/fd"
    held = sorted(os.readlink(f"{folder}/{fd}").partition(":")[0] for fd in os.listdir(folder))
    assert held == sorted(["/dev/null", "/memfd", *["pipe"] * 6, "socket", "anon_inode", "anon_inode"])
    with open(f"/proc/{stage.logs.logger_pid}/comm") as comm:
        assert comm.read() == "pidone-logger\n"


@isolated
def test_when_pid_1_is_gone_it_writes_out_what_there_is_and_ends() -> None:
    stage = LogStage()
    stage.write(WEB, b"last\n")
    logger = stage.logs.logger_pid
    os.kill(logger, signal.SIGSTOP)
    stage.logs._link.close()
    os.kill(logger, signal.SIGCONT)
    assert eventually(lambda: os.waitid(os.P_PID, logger, os.WEXITED | os.WNOHANG)).si_status == 0
    assert stage.out.lines("web") == [b"last"]


@isolated
def test_one_that_makes_a_mistake_says_what_and_where_and_is_replaced() -> None:
    stage = LogStage()
    stage.write(WEB, b"before\n")
    stage.logs._post(message.Watch(WEB, 5))  # type: ignore[arg-type]  # no text, which is the mistake
    stage.until(lambda: stage.logs.deaths == 1)
    stage.write(WEB, b"after\n")
    stage.until(lambda: stage.out.lines("web") == [b"before", b"after"])
    stage.until(lambda: len(stage.err.lines("pidone")) == 2)
    assert b"TypeError" in stage.err.lines("pidone")[0]
    assert b"shelf.py:" in stage.err.lines("pidone")[0]
    assert stage.err.lines("pidone")[1] == b"the logger has ended (status 70); another one takes over"
