"""What happens to services, from their first start to the end of their world? Told once, played on both kernels."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
from collections import Counter
from itertools import cycle, pairwise, product

import pytest
import trio

from supervisor.control.access import Rules
from supervisor.control.server import serve
from supervisor.model.event import Requested, StopAsked, Swept
from supervisor.model.process import SpawnFailure
from supervisor.model.request import StopRequest
from supervisor.model.spec import DependencySpec, ReadySpec, RestartSpec, StopSpec
from supervisor.model.words import Seconds, ServiceName, TicketId
from supervisor.runtime.reaper import BATCH
from tests.fakes.logs import FakeLogs
from tests.stories.stage import NEVER_AGAIN, Stage, fake_story, story

__all__: list[str] = []


@story
async def a_service_runs_until_it_is_stopped(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    pid = stage.main_pid("web")
    assert stage.pids() == [pid]
    answer = await stage.operator.submit("stop", ["web"])
    assert answer["verdict"] == "done"
    assert (stage.phase("web"), stage.pids()) == ("inactive", [])
    last = stage["web"].last
    assert last is not None
    assert last.exit is not None
    assert last.exit.signal == signal.SIGTERM


@story
async def a_killed_service_comes_back_as_another_run(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", restart=RestartSpec(delay=Seconds(0.01), jitter=0.0)))
    await stage.until_phase("web", "running")
    first = stage.main_pid("web")
    stage.kernel.signal(first, -1, signal.SIGKILL)
    await stage.until(lambda: stage["web"].run == 2 and stage.phase("web") == "running")
    assert stage.main_pid("web") != first
    assert stage["web"].restarts == 1
    assert stage.passed("web") == ["starting", "running", "backoff", "starting", "running"]


@story
async def a_dependent_waits_until_a_line_says_that_the_other_is_ready(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "print:up sleep", depends_on={ServiceName("db"): DependencySpec()}),
        stage.service("db", "after:0.1 print:accepting-connections sleep", ready=ReadySpec(log="accepting")),
    )
    await stage.until_phase("db", "starting")
    assert stage.phase("web") == "waiting"
    await stage.until_phase("web", "running")
    order = [(edge.service, edge.to) for edge in stage.edges]
    assert order.index(("db", "running")) < order.index(("web", "starting"))


@story
async def the_world_has_started_when_everybody_is_up_or_waits_for_somebody_in_trouble(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "sleep", depends_on={ServiceName("db"): DependencySpec()}),
        stage.service("db", "after:0.1 exit:1", restart=NEVER_AGAIN, ready=ReadySpec(log="accepting")),
    )
    assert stage.operator.state() == "starting"
    await stage.until_phase("db", "failed")
    assert (stage.phase("web"), stage.operator.state()) == ("waiting", "running")


@story
async def a_daemon_that_hides_is_counted_to_its_service_and_stopped_with_it(stage: Stage) -> None:
    """Double fork, new session, empty environment, another name; and the one that left it goes on."""
    stage.begin(stage.service("web", "daemon:sleep print:left sleep"))
    await stage.until(lambda: stage.operator.status()["orphans"]["adopted"] == 1)
    status = stage.operator.status()
    (web,) = status["services"]
    assert sorted(web["processes"]) == stage.pids()
    assert status["orphans"] == {"adopted": 1, "reaped": 0, "alive": 1}
    assert {row["role"] for row in stage.operator.processes() if row["service"] == "web"} == {"main", "member"}
    answer = await stage.operator.submit("stop", ["web"])
    assert answer["verdict"] == "done"
    assert stage.pids() == []
    assert stage.operator.status()["orphans"] == {"adopted": 1, "reaped": 1, "alive": 0}


@story
async def what_a_dead_service_left_is_stopped_before_its_next_run(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "daemon:sleep after:0.05 exit:1", restart=RestartSpec(delay=Seconds(0.01), jitter=0.0))
    )
    await stage.until(lambda: stage["web"].run == 3 and stage.phase("web") == "running")
    await stage.until(lambda: len(stage.pids()) == 2)  # never more than one main process and its one daemon
    assert stage.passed("web")[:4] == ["starting", "running", "stopping", "backoff"]
    assert stage.edges[2].reason.code == "leftovers"


@story
async def who_ignores_its_stop_signal_is_killed_with_all_it_started(stage: Stage) -> None:
    stage.begin(
        stage.service(
            "web",
            "ignore:TERM child:ignore:TERM,sleep print:up sleep",
            stop=StopSpec(timeout=Seconds(0.2)),
            ready=ReadySpec(log="up"),
        )
    )
    await stage.until_phase("web", "running")
    await stage.until(lambda: len(stage.pids()) == 2)
    assert (await stage.operator.submit("stop", ["web"]))["verdict"] == "done"
    last = stage["web"].last
    assert last is not None
    assert (last.result, stage.pids()) == ("timeout", [])


@story
async def a_signal_for_all_reaches_grandchildren_too(stage: Stage) -> None:
    stage.begin(
        stage.service(
            "web",
            "child:child:sleep,sleep child:daemon:sleep,print:up,sleep sleep",
            stop=StopSpec(scope="all"),
            ready=ReadySpec(log="up"),
        )
    )
    await stage.until_phase("web", "running")
    await stage.until(lambda: len(stage.pids()) == 5)
    assert (await stage.operator.submit("kill", ["web"], signal=signal.SIGKILL))["verdict"] == "done"
    await stage.until(lambda: stage["web"].last is not None)
    last = stage["web"].last
    assert last is not None
    assert last.exit is not None
    assert last.exit.signal == signal.SIGKILL


@story
async def with_main_only_the_others_live_on_and_are_nobodys(stage: Stage) -> None:
    stage.begin(
        stage.service("sshd", "child:sleep print:up sleep", stop=StopSpec(scope="main-only"), ready=ReadySpec(log="up"))
    )
    await stage.until_phase("sshd", "running")
    await stage.until(lambda: len(stage.pids()) == 2)
    assert (await stage.operator.submit("stop", ["sshd"]))["verdict"] == "done"
    (session,) = stage.pids()
    (row,) = [row for row in stage.operator.processes() if row["pid"] == session]
    assert (row["role"], row["service"]) == ("orphan", None)
    await stage.shut_down()
    assert stage.pids() == []


@story
async def a_job_runs_its_commands_one_after_the_other(stage: Stage) -> None:
    stage.begin(
        stage.service("job", "print:one", "after:0.05 print:two", "print:three", type="oneshot", restart=NEVER_AGAIN),
        stage.service("web", "sleep", depends_on={ServiceName("job"): DependencySpec("completed")}),
    )
    await stage.until_phase("web", "running")
    assert stage.passed("job") == ["starting", "running", "done"]
    assert stage.printed() == ["one", "two", "three"]
    assert stage["job"].run == 1


@story
async def a_command_that_fails_ends_the_job(stage: Stage) -> None:
    stage.begin(stage.service("job", "exit:0", "exit:3", "print:never", type="oneshot", restart=NEVER_AGAIN))
    await stage.until_phase("job", "failed")
    last = stage["job"].last
    assert last is not None
    assert (last.detail, stage.printed()) == ("exit status 3", [])


@story
async def what_a_job_leaves_stays_until_it_is_stopped(stage: Stage) -> None:
    stage.begin(stage.service("job", "daemon:sleep exit:0", type="oneshot", restart=NEVER_AGAIN))
    await stage.until_phase("job", "done")
    assert len(stage.pids()) == 1
    assert (await stage.operator.submit("stop", ["job"]))["verdict"] == "done"
    assert stage.pids() == []


@story
async def a_program_that_is_not_there_fails_the_attempt_with_its_reason(stage: Stage) -> None:
    stage.begin(
        stage.missing("fast", way="fast"),
        stage.missing("safe", way="safe"),
    )
    for name in ("fast", "safe"):
        await stage.until_phase(name, "failed")
        last = stage[name].last
        assert last is not None
        assert last.result == "exec-failed"
        assert "/nowhere/at/all" in last.detail
    await stage.until(lambda: not stage.runtime.table.runs())


@story
async def the_stop_command_of_a_finished_job_undoes_it(stage: Stage) -> None:
    stage.begin(
        stage.service(
            "net", "print:up", type="oneshot", restart=NEVER_AGAIN, stop=StopSpec(command=stage.command("print:down"))
        )
    )
    await stage.until_phase("net", "done")
    assert (await stage.operator.submit("stop", ["net"]))["verdict"] == "done"
    assert stage.printed() == ["up", "down"]


@story
async def a_line_written_just_before_the_end_still_makes_it_ready(stage: Stage) -> None:
    """Order is correctness: what was there to be read goes before the exit."""
    stage.begin(stage.service("web", "print:ready exit:0", ready=ReadySpec(log="ready"), restart=NEVER_AGAIN))
    await stage.until_phase("web", "done")
    assert stage.passed("web") == ["starting", "starting", "running", "done"]


@story
async def an_exec_probe_is_tried_until_it_succeeds(stage: Stage) -> None:
    ready = ReadySpec(exec=stage.command("child:sleep", "daemon:sleep", "exit:0"), interval=Seconds(0.02))
    stage.begin(stage.service("web", "sleep", ready=ready))
    await stage.until_phase("web", "running")
    await stage.until(lambda: stage.pids() == [stage.main_pid("web")])  # what the probe left is gone


@story
async def a_probe_that_never_succeeds_uses_up_the_start_timeout(stage: Stage) -> None:
    ready = ReadySpec(exec=stage.command("sleep"), interval=Seconds(0.02))
    stage.begin(stage.service("web", "sleep", ready=ready, start_timeout=Seconds(0.2), restart=NEVER_AGAIN))
    await stage.until_phase("web", "failed")
    last = stage["web"].last
    assert last is not None
    assert last.result == "timeout"
    await stage.until(lambda: stage.pids() == [])


@story
async def the_world_ends_in_the_reverse_order_of_starting(stage: Stage) -> None:
    stage.begin(
        stage.service(
            "web",
            "on:TERM=exit:0 print:up sleep",
            depends_on={ServiceName("db"): DependencySpec()},
            ready=ReadySpec(log="up"),
        ),
        stage.service("db", "on:TERM=exit:0 print:up sleep", ready=ReadySpec(log="up")),
    )
    await stage.until_phase("web", "running")
    ending = await stage.shut_down()
    assert (ending.status, ending.reboot, stage.pids()) == (0, False, [])
    order = [(edge.service, edge.to) for edge in stage.edges if edge.to in ("stopping", "inactive")]
    assert order == [("web", "stopping"), ("web", "inactive"), ("db", "stopping"), ("db", "inactive")]


@story
async def a_second_stop_request_forces_and_a_third_kills_at_once(stage: Stage) -> None:
    stage.begin(
        stage.service(
            "web", "ignore:TERM print:up sleep", stop=StopSpec(timeout=Seconds(60)), ready=ReadySpec(log="up")
        ),
        shutdown=120.0,
    )
    await stage.until_phase("web", "running")
    stage.runtime.loop.feed(StopAsked("SIGINT", count=1))
    stage.runtime.loop.feed(StopAsked("SIGINT", count=2))
    assert stage.pids() != []
    stage.runtime.loop.feed(StopAsked("SIGINT", count=3))
    assert (await stage.until_end()).status == 0
    assert stage.pids() == []


@story
async def the_end_comes_with_the_status_of_the_service_it_hangs_on(stage: Stage) -> None:
    stage.begin(
        stage.service("main", "after:0.05 exit:42", shutdown_on="exit", restart=NEVER_AGAIN),
        stage.service("other", "sleep"),
    )
    assert (await stage.until_end()).status == 42


@story
async def at_any_moment_of_its_life_a_service_can_be_ended(stage: Stage) -> None:
    """Before exec, starting, ready, stopping and in backoff: the end leaves nobody."""
    slow = StopSpec(timeout=Seconds(0.3))
    stage.begin(
        stage.service("ready", "daemon:sleep sleep"),
        stage.service("starting", "daemon:sleep sleep", ready=ReadySpec(log="never")),
        stage.service(
            "stopping", "daemon:ignore:TERM,sleep ignore:TERM print:up sleep", stop=slow, ready=ReadySpec(log="up")
        ),
        stage.service("backoff", "daemon:sleep exit:1", restart=RestartSpec(delay=Seconds(30))),
        stage.service("safe", "sleep", way="safe"),
        shutdown=3.0,
    )
    await stage.until_phase("backoff", "backoff")
    await stage.until_phase("stopping", "running")
    await stage.operator.submit("stop", ["stopping"], wait=False)
    await stage.operator.submit("restart", ["safe"], wait=False)
    assert (await stage.shut_down()).status == 0
    assert stage.pids() == []


# --- what Linux does not do when it is asked to


@fake_story
async def a_shortage_of_ours_is_waited_out_and_not_counted(stage: Stage) -> None:
    stage.fake.refusals = [SpawnFailure("fork", errno.EAGAIN, ours=True)] * 3
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    assert stage.passed("web") == ["starting", *["waiting", "starting"] * 3, "running"]
    assert stage["web"].restarts == 0
    waits = [later.at.mono - edge.at.mono for edge, later in pairwise(stage.edges) if edge.to == "waiting"]
    assert waits == pytest.approx([0.1, 0.2, 0.4], abs=0.01)


@fake_story
async def no_pipe_to_be_had_is_a_shortage_too(stage: Stage) -> None:
    logs = stage.logs
    assert isinstance(logs, FakeLogs)
    logs.refuse = OSError(errno.EMFILE, "Too many open files")
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    assert "waiting" in stage.passed("web")


@fake_story
async def a_working_directory_that_does_not_answer_holds_nobody_up(stage: Stage) -> None:
    """The child hangs before exec and does not even die of SIGKILL; everything else goes on."""
    stage.fake.hanging = {"/nfs"}
    stage.begin(
        stage.service(
            "stuck",
            "sleep",
            way="safe",
            working_dir="/nfs",
            start_timeout=Seconds(1),
            restart=NEVER_AGAIN,
            stop=StopSpec(timeout=Seconds(1)),
        ),
        stage.service("web", "sleep"),
    )
    await stage.until_phase("web", "running")
    assert stage.phase("stuck") == "starting"
    await stage.until(lambda: stage["stuck"].state.reason.code == "unkillable")
    stage.fake.go_on()
    stage.fake.signal(stage.main_pid("stuck"), -1, signal.SIGKILL)
    await stage.until_phase("stuck", "failed")


@fake_story
async def a_stop_while_exec_is_under_way_is_kept_until_it_can_be_done(stage: Stage) -> None:
    stage.fake.hanging = {"/nfs"}
    stage.begin(stage.service("web", "sleep", way="safe", working_dir="/nfs"))
    await stage.until_phase("web", "starting")
    await stage.operator.submit("stop", ["web"], wait=False)
    await stage.until_phase("web", "stopping")
    stage.fake.go_on()
    await stage.until_phase("web", "inactive")
    assert stage.pids() == []


@fake_story
async def a_spawn_whose_service_was_stopped_before_its_turn_is_not_performed(stage: Stage) -> None:
    loop = stage.runtime.loop
    stage.begin(stage.service("web", "sleep"))
    loop.feed(Requested(StopRequest(TicketId(1), (ServiceName("web"),))))  # nobody was served between the two
    await stage.until_phase("web", "inactive")
    assert stage.fake.orders == []


@fake_story
async def who_was_asleep_himself_does_not_blame_the_services(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "sleep", ready=ReadySpec(log="up"), start_timeout=Seconds(60), restart=NEVER_AGAIN)
    )
    await stage.until_phase("web", "starting")
    stage.sleep_through(300.0)
    await stage.let_pass(30.0)
    assert stage.phase("web") == "starting"
    await stage.let_pass(31.0)
    assert stage.phase("web") == "failed"


@fake_story
async def an_absence_that_is_known_counts_though_no_deadline_is_long_past(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", ready=ReadySpec(log="up"), start_timeout=Seconds(3), restart=NEVER_AGAIN))
    await stage.until_phase("web", "starting")
    await stage.let_pass(1.0)
    stage.sleep_through(2.5)
    stage.runtime.loop.away(Seconds(2.5))
    await stage.let_pass(1.5)
    assert stage.phase("web") == "starting"
    await stage.let_pass(1.0)
    assert stage.phase("web") == "failed"


@fake_story
async def an_idle_world_never_wakes_up(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"), stage.service("job", "exit:0", type="oneshot", restart=NEVER_AGAIN))
    await stage.until_phase("job", "done")
    await trio.testing.wait_all_tasks_blocked()
    before = trio.lowlevel.current_statistics().seconds_to_next_deadline
    assert before == float("inf")


@fake_story
async def between_two_batches_of_the_dead_everybody_else_is_served(stage: Stage) -> None:
    class Steps(trio.abc.Instrument):
        """Counts how often somebody's turn began."""

        count = 0

        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            self.count += 1

    steps, reaped, reap = Steps(), Counter[int](), stage.fake.reap

    def counted(pid: int, pidfd: int = -1) -> None:
        reaped[steps.count] += 1
        reap(pid, pidfd)

    stage.fake.reap = counted  # type: ignore[method-assign]
    trio.lowlevel.add_instrument(steps)
    stage.begin(stage.service("storm", "daemon:exit:0 " * 300 + "sleep"))
    await stage.until(lambda: stage.runtime.table.reaped == 300)
    trio.lowlevel.remove_instrument(steps)
    assert max(reaped.values()) == BATCH


@fake_story
async def what_is_asked_while_a_batch_is_reaped_is_answered_before_the_next(stage: Stage) -> None:
    """On an old line and on a new one, a look at everybody and a request."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("")  # the kernel finds a name (unix(7))
    listener.listen()
    listener.setblocking(False)
    old, asked, unanswered = _line(listener), list[tuple[str, socket.socket]](), list[str]()
    questions = cycle(product(("status", "version", "start"), (True, False)))
    batch = stage.runtime.reaper.reap

    def batch_with_a_question() -> int:
        for method, line in asked[-1:]:
            if not select.select([line], [], [], 0)[0] or b"result" not in line.recv(1 << 20):
                unanswered.append(method)
        reaped = batch()
        if reaped == BATCH:
            method, fresh = next(questions)
            line = _line(listener) if fresh else old
            parameters = {"names": ["web"]} if method == "start" else {}
            line.sendall(
                json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode() + b"\n"
            )
            asked.append((method, line))
        return reaped

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, listener, stage.operator, Rules(os.geteuid()), stage.logs.say)
        await trio.testing.wait_all_tasks_blocked()
        stage.runtime.reaper.reap = batch_with_a_question  # type: ignore[method-assign]
        stage.begin(stage.service("web", "sleep"), stage.service("storm", "daemon:exit:0 " * 2000 + "sleep"))
        await stage.until(lambda: stage.runtime.table.reaped == 2000)
        stage.runtime.reaper.reap = batch  # type: ignore[method-assign]
        nursery.cancel_scope.cancel()
    assert len(asked) >= 2000 // BATCH
    assert not unanswered, unanswered
    for line in {old, *(line for _, line in asked)}:
        line.close()


def _line(listener: socket.socket) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.connect(listener.getsockname())
    return line


@fake_story
async def an_exit_that_nobody_has_told_us_of_wins_against_a_timer(stage: Stage) -> None:
    """SIGCHLD is late, and the time for the stop is over."""
    stage.begin(
        stage.service(
            "web", "on:TERM=exit:0 print:up sleep", stop=StopSpec(timeout=Seconds(1)), ready=ReadySpec(log="up")
        )
    )
    await stage.until_phase("web", "running")
    heard, stage.fake.child_ended = stage.fake.child_ended, lambda: None
    await stage.operator.submit("stop", ["web"], wait=False)
    await stage.until_phase("web", "inactive")
    stage.fake.child_ended = heard
    last = stage["web"].last
    assert last is not None
    assert (last.result, [number for _, number in stage.fake.sent]) == ("success", [signal.SIGTERM, signal.SIGCONT])


@fake_story
async def a_stranger_from_outside_is_swept_out_too(stage: Stage) -> None:
    """Who entered the namespace is nobody's child; the end of the world ends him."""
    stage.begin(stage.service("web", "sleep"))
    stage.fake.enter("ignore:TERM", "sleep")
    stage.fake.enter("sleep")
    await stage.until_phase("web", "running")
    await stage.shut_down()
    assert stage.pids() == []
    assert any("killed at the end: actor" in line for line in stage.logs.said)


@story
async def a_stop_command_that_goes_wrong_is_told_and_the_signal_follows(stage: Stage) -> None:
    stage.begin(
        stage.service("bad", "sleep", stop=StopSpec(command=stage.command("exit:3"))),
        stage.service("absent", "sleep", stop=StopSpec(command=("/nowhere/stop",))),
        stage.service("good", "sleep", stop=StopSpec(command=stage.command("exit:0"))),
    )
    for name in ("bad", "absent", "good"):
        await stage.until_phase(name, "running")
        assert (await stage.operator.submit("stop", [name]))["verdict"] == "done"
    assert "bad: stop.command: exit status 3" in stage.logs.said
    assert any(line.startswith("absent: stop.command: exec /nowhere/stop: ") for line in stage.logs.said)
    assert not any(line.startswith("good: stop.command") for line in stage.logs.said)


@fake_story
async def the_report_names_who_was_killed(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "ignore:TERM sleep", stop=StopSpec(timeout=Seconds(2))), stage.service("db", "sleep")
    )
    await stage.until_phase("web", "running")
    await stage.shut_down()
    lines = stage.runtime.report_of_the_end.lines(stage.runtime.loop.now())
    assert any("web was killed" in line for line in lines)
    assert any("waited for web (2s)" in line for line in lines)
    assert not any("db was killed" in line for line in lines)


@fake_story
async def who_had_died_by_itself_was_not_killed_by_the_shutdown(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", shutdown_on="exit", restart=NEVER_AGAIN), stage.service("db", "sleep"))
    await stage.until_phase("db", "running")
    stage.fake.signal(stage.main_pid("web"), -1, signal.SIGKILL)
    assert (await stage.until_end()).status == 128 + signal.SIGKILL
    lines = stage.runtime.report_of_the_end.lines(stage.runtime.loop.now())
    assert not any("was killed" in line for line in lines)


@fake_story
async def the_report_counts_what_was_waited_for_since_the_shutdown_began(stage: Stage) -> None:
    slow = StopSpec(timeout=Seconds(3))
    web, db = (stage.service(name, "ignore:TERM sleep", stop=slow) for name in ("web", "db"))
    stage.begin(web, db, shutdown=10.0)
    await stage.until_phase("db", "running")
    stage.runtime.loop.feed(Requested(StopRequest(TicketId(1), (web.name,))))
    await stage.until_phase("web", "inactive")
    stage.runtime.loop.feed(Requested(StopRequest(TicketId(2), (db.name,))))
    await stage.let_pass(1)
    await stage.shut_down()
    (said,) = (line for line in stage.runtime.report_of_the_end.lines(stage.runtime.loop.now()) if "waited" in line)
    assert said == "shutdown: waited for db (2s)"


@fake_story
async def a_number_that_is_another_s_at_once_is_not_taken_for_the_dead_one(stage: Stage) -> None:
    """The moment it is reaped somebody else is born under it, ends, and comes to us: within the same batch."""
    stage.begin(stage.service("web", "sleep", restart=NEVER_AGAIN))
    await stage.until_phase("web", "running")
    number, reap = stage.main_pid("web"), stage.fake.reap

    def reap_and_reuse(pid: int, pidfd: int = -1) -> None:
        reap(pid, pidfd)
        if pid == number:
            stage.fake.reap = reap  # type: ignore[method-assign]
            stage.fake.bear(number, "exit:5")

    stage.fake.reap = reap_and_reuse  # type: ignore[method-assign]
    stage.fake.signal(number, -1, signal.SIGKILL)
    await stage.until_phase("web", "failed")
    last = stage["web"].last
    assert last is not None
    assert last.detail == "killed by SIGKILL"
    await stage.until(lambda: stage.runtime.table.reaped == 1)
    assert stage.runtime.table.find(number) is None


@fake_story
async def without_orders_from_core_nothing_is_started_signalled_or_ended(stage: Stage) -> None:
    """The runtime decides nothing by itself."""
    with stage.no_orders():
        stage.begin(stage.service("web", "sleep"), stage.service("job", "exit:0", type="oneshot"))
        for verb in ("start", "restart", "stop"):
            await stage.operator.submit(verb, ["web"], wait=False)  # type: ignore[arg-type]
        await stage.operator.submit("kill", ["web"], signal=signal.SIGKILL, wait=False)
        stage.runtime.loop.feed(StopAsked("SIGTERM"))
        await stage.let_pass(60)
        assert stage.fake.orders == []
        assert stage.fake.sent == []
        assert stage.exit is None
    stage.runtime.loop.feed(Swept())  # for the story must end


# --- mistakes of our own


@fake_story
async def a_mistake_in_deciding_leaves_the_old_world_and_says_so(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    before = stage.runtime.loop.world
    with stage.mistake("supervisor.runtime.loop.step"):
        answer = await stage.operator.submit("stop", ["web"], wait=False)
    assert answer["verdict"] == "pending"
    assert stage.runtime.loop.world is before
    assert stage.operator.status()["state"] == "impaired"
    assert any("internal error" in line for line in stage.logs.said)
    assert (await stage.operator.submit("stop", ["web"]))["verdict"] == "done"


@fake_story
async def a_mistake_about_a_deadline_is_tried_again_and_does_not_spin(stage: Stage) -> None:
    stage.begin(stage.service("web", "exit:1", restart=RestartSpec(delay=Seconds(10), jitter=0.0)))
    await stage.until_phase("web", "backoff")
    with stage.mistake("supervisor.runtime.loop.step"):
        await stage.let_pass(12.5)
    assert stage.runtime.loop.faults == 3
    await stage.until(lambda: stage["web"].run == 2)


@fake_story
async def a_mistake_in_performing_ends_the_world_in_order_with_status_70(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    with stage.mistake("supervisor.runtime.reach.Reach.flush", times=1):
        await stage.operator.submit("kill", ["web"], signal=signal.SIGUSR1)
    assert (await stage.until_end()).status == 70
    assert stage.pids() == []


@fake_story
async def a_mistake_in_spawning_is_a_shortage_of_ours(stage: Stage) -> None:
    with stage.mistake("supervisor.runtime.launch.Launcher.order", times=1):
        stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    assert stage.passed("web")[:2] == ["starting", "waiting"]


@fake_story
async def a_task_that_fails_is_started_anew_for_the_ordered_end(stage: Stage) -> None:
    stage.begin(stage.service("web", "after:1 exit:0"), stage.service("db", "sleep"))
    await stage.until_phase("web", "running")
    with stage.mistake("supervisor.runtime.reaper.Reaper.reap", times=1):
        await stage.let_pass(2)
    assert (await stage.until_end()).status == 70
    assert stage.pids() == []
