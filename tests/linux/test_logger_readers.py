"""Do those who read along, or wait for a line, get what they asked for at nobody else's cost?"""

from __future__ import annotations

import os
import resource
import signal
import time

from supervisor.logger.ring import CHUNK
from tests.eventually import eventually
from tests.isolation import isolated
from tests.linux.logstage import LogStage, run_of

WEB, DB = run_of("web"), run_of("db")


def cpu(pid: int) -> float:
    """Seconds of processor time."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wakeups(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)


@isolated
def test_two_followers_with_different_wishes_each_get_theirs() -> None:
    stage = LogStage()
    stage.write(WEB, b"old 1\nold 2\nold 3\n")
    stage.until(lambda: len(stage.out.lines("web")) == 3)
    all_of_it = stage.ask(follow=True)
    some = stage.ask(services=["web"], follow=True, lines=1, grep=r"\d$")
    stage.until(lambda: some.lines == ["old 3"])
    stage.write(DB, b"new 1\n")
    stage.write(WEB, b"new 2\nother\n")
    stage.until(lambda: len(all_of_it.lines) == 6)
    assert all_of_it.lines[:3] == ["old 1", "old 2", "old 3"]
    stage.until(lambda: some.lines == ["old 3", "new 2"])
    some.close()
    stage.write(WEB, b"new 3\n")
    stage.until(lambda: all_of_it.lines[-1] == "new 3")


@isolated
def test_a_moment_can_be_chosen() -> None:
    stage = LogStage()
    stage.write(WEB, b"before\n")
    stage.until(lambda: stage.ask().whole() == ["before"])
    moment = time.time()
    stage.write(WEB, b"after\n")
    assert stage.ask(since=moment).whole() == ["after"]


@isolated
def test_a_follower_that_does_not_read_is_told_what_it_missed_and_holds_nobody_up() -> None:
    stage = LogStage()
    slow, quick = stage.ask(follow=True), stage.ask(follow=True)
    code = "import os\nfor n in range(30000): os.write(1, b'%0100d\\n' % n)"
    pid = stage.python(WEB, code)
    gone: list[int] = []

    def ended() -> bool:
        found, _ = os.waitpid(pid, os.WNOHANG) if not gone else (0, 0)
        gone.extend([found] if found else [])
        quick.records  # noqa: B018  # reads on
        return bool(gone)

    stage.until(ended)
    stage.until(lambda: quick.lines and int(quick.lines[-1]) == 29_999)
    stage.until(lambda: slow.lines and int(slow.lines[-1]) == 29_999)
    lost = sum(record.get("lost", 0) for record in slow.records)
    numbers = [int(line) for line in slow.lines]
    assert lost > 0
    assert lost + len(numbers) == 30_000
    assert numbers == sorted(set(numbers))
    stage.until(lambda: len(stage.out.lines("web")) == 30_000)


@isolated
def test_a_question_about_a_service_that_has_said_nothing_is_answered_when_it_speaks() -> None:
    stage = LogStage()
    assert stage.ask(services=["web"]).whole() == []
    follower = stage.ask(services=["web"], follow=True)
    stage.write(DB, b"not this one\n")
    stage.write(WEB, b"at last\n")
    stage.until(lambda: follower.lines == ["at last"])


@isolated
def test_a_question_that_makes_no_sense_gets_an_answer_that_says_so() -> None:
    stage = LogStage()
    answer = stage.ask(grep="(")
    assert answer.whole() == []
    assert answer.records[0]["error"]["code"] == "bad-query"


@isolated
def test_too_many_readers_are_refused_and_the_others_go_on() -> None:
    stage = LogStage()
    followers = [stage.ask(follow=True) for _ in range(64)]
    stage.write(WEB, b"1\n")
    stage.until(lambda: all(follower.lines == ["1"] for follower in followers))
    refused = stage.ask()
    assert refused.whole() == []
    assert "error" in refused.records[0]
    followers.pop().close()
    stage.until(lambda: stage.ask().whole() == ["1"])


@isolated
def test_the_line_that_means_ready_is_found_on_either_stream() -> None:
    stage = LogStage()
    found: list[str] = []
    stage.logs.open(WEB)
    stage.logs.watch(WEB, r"^listening on \d+$", lambda: found.append("web"))
    leave = stage.logs.watch(DB, "ready", lambda: found.append("never: it has no pipes"))
    stage.write(WEB, b"starting\n")
    stage.write(WEB, b"listening on 8080\nlistening on 8081\n", 1)
    stage.until(lambda: found == ["web"])
    leave()
    stage.logs.open(DB)
    stage.logs.watch(DB, "ready", lambda: found.append("db"))()
    stage.write(DB, b"ready\n")
    stage.until(lambda: stage.out.lines("db") == [b"ready"])
    assert found == ["web"]


@isolated
def test_patterns_that_take_for_ever_do_not_stall_other_services() -> None:
    stage = LogStage()
    found: list[str] = []
    bombs = [run_of(f"bomb-{number}") for number in range(3)]
    for run in bombs:
        stage.logs.open(run)
        stage.logs.watch(run, "^(a+)+$", lambda: found.append("bomb"))
        stage.write(run, (b"a" * 40 + b"!\n") * 1000)
    stage.logs.open(WEB)
    stage.logs.watch(WEB, "ready", lambda: found.append("web"))
    for number in range(10):
        began = time.monotonic()
        stage.write(WEB, b"%d\n" % number)
        stage.until(lambda: len(stage.out.lines("web")) == number + 1)  # noqa: B023  # called before the next turn
        assert time.monotonic() - began < 5  # seconds; the bombs together are worth 150 of processor time
    stage.write(WEB, b"ready\n")
    stage.until(lambda: found == ["web"])
    stage.until(lambda: any(b"bomb-0: matching ready.log took" in line for line in stage.err.lines("pidone")))


@isolated
def test_without_free_descriptors_it_waits_and_loses_nothing() -> None:
    stage = LogStage()
    stage.write(WEB, b"before\n")
    stage.until(lambda: stage.out.lines("web") == [b"before"])
    logger = stage.logs.logger_pid
    soft, hard = resource.prlimit(logger, resource.RLIMIT_NOFILE)
    in_use = len(os.listdir(f"/proc/{logger}/fd"))
    resource.prlimit(logger, resource.RLIMIT_NOFILE, (in_use + 1, hard))
    runs = [run_of(f"late-{number}") for number in range(5)]
    for run in runs:
        stage.write(run, b"waited\n")
        stage.write(run, b"end", 1)
        stage.logs.end(run)
    stage.write(WEB, b"goes on\n")
    stage.until(lambda: stage.out.lines("web") == [b"before", b"goes on"])
    busy, began = cpu(logger), time.monotonic()
    eventually(lambda: time.monotonic() > began + 1)  # some time passes, in which it must not spin
    assert cpu(logger) - busy < 0.5
    resource.prlimit(logger, resource.RLIMIT_NOFILE, (soft, hard))
    for run in runs:
        name = run.service
        stage.until(lambda: stage.out.lines(name) == [b"waited"] and stage.err.lines(name) == [b"end"])  # noqa: B023
    assert stage.loggers == [logger]


@isolated
def test_an_idle_logger_never_wakes_up() -> None:
    stage = LogStage()
    stage.write(WEB, b"once\n")
    stage.ask(follow=True)
    stage.logs.watch(WEB, "never", lambda: None)
    stage.until(lambda: stage.out.lines("web") == [b"once"])
    logger = stage.logs.logger_pid
    before = 0

    def settled() -> bool:
        nonlocal before
        last, before = before, wakeups(logger)
        return last == before

    eventually(settled)
    began = time.monotonic()
    calm = wakeups(logger)
    eventually(lambda: time.monotonic() > began + 1.5)
    assert wakeups(logger) == calm


@isolated
def test_the_ring_of_a_service_that_is_gone_is_given_back_when_it_is_written_out() -> None:
    stage = LogStage()
    stage.write(WEB, b"farewell\n")
    stage.logs.end(WEB)
    stage.until(lambda: stage.out.lines("web") == [b"farewell"])
    stage.until(lambda: "web" in stage.logs.rings)
    stage.logs.forget(WEB.service)
    assert "web" not in stage.logs.rings
    assert stage.ask().whole() == []
    held = f"/proc/{stage.logs.logger_pid}/fd"
    stage.until(lambda: not any("log:web" in os.readlink(f"{held}/{fd}") for fd in os.listdir(held)))
    again = run_of("web", 9)
    stage.write(again, b"back\n")
    assert stage.ask().whole() == ["back"]


@isolated
def test_one_service_at_full_speed_leaves_room_for_the_others() -> None:
    stage = LogStage()
    flood = stage.python(WEB, f"import os\nwhile True: os.write(1, b'x' * {CHUNK - 1} + b'\\n')")
    for number in range(20):
        stage.write(DB, b"%d\n" % number)
        stage.until(lambda: stage.out.lines("db") == [b"%d" % number], timeout=5)  # noqa: B023
        stage.out.forget()
    os.kill(flood, signal.SIGKILL)
    stage.ended(flood)
