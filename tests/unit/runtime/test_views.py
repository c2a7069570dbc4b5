"""Do views say what CLI.md promises?"""

from __future__ import annotations

import pytest

from supervisor.kernel.port import Glimpse
from supervisor.model.effect import Edge
from supervisor.model.plan import PlannedService
from supervisor.model.process import Exit
from supervisor.model.reason import Reason
from supervisor.model.record import replace
from supervisor.model.request import Outcome
from supervisor.model.service import Backoff, Done, Ended, Inactive, Running, Service, Starved
from supervisor.model.spec import DependencySpec, ReadySpec, ServiceSpec
from supervisor.model.words import Instant, Monotonic, RunId, Seconds, ServiceName, TicketId, Wall
from supervisor.model.world import Links
from supervisor.runtime.views import edge_view, is_ready, outcome_view, rfc3339, service_view

NOW = Instant(Monotonic(100.0), Wall(1_795_338_840.1234))
WEB = ServiceName("web")
LINKS = Links(
    needs={ServiceName("db"): DependencySpec()},
    needed_by={ServiceName("worker"): DependencySpec()},
    after=(ServiceName("db"),),
    before=(),
)
PROMISED = {
    "name", "phase", "ready", "health", "wanted", "reason", "since", "run", "restarts", "pid", "processes", "last_exit",
    "status_text", "next_start", "defined_at", "cpu_seconds", "memory_bytes",
}  # fmt: skip


def _service(state: object, **facts: object) -> Service:
    planned = PlannedService(WEB, ServiceSpec(command=(("web",),)), defined_at="web.yaml:3")
    return replace(Service(planned, "up", Inactive(NOW, Reason("x", "y")), needed=True), state=state, **facts)


def test_a_time_is_rfc_3339_to_the_millisecond() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_795_338_840.1234) == "2026-11-22T09:14:00.123Z"
    assert rfc3339(1_795_338_840.9996) == "2026-11-22T09:14:01.000Z"  # never .1000


def test_a_running_service() -> None:
    state = Running(NOW, Reason("ready", "it is ready"), RunId(WEB, 3), ready=True)
    seen = [Glimpse(12, ("web",), "S", (12,), 1.255, 1000), Glimpse(13, ("web",), "S", (13,), 0.5, 24)]
    view = service_view(_service(state, run=3, restarts=2), LINKS, 12, seen, NOW)
    assert view.keys() >= PROMISED
    assert view["processes"] == [12, 13]
    assert (view["pid"], view["run"], view["restarts"], view["wanted"], view["ready"]) == (12, 3, 2, True, True)
    assert (view["cpu_seconds"], view["memory_bytes"]) == (1.75, 1024)
    assert view["reason"] == {"code": "ready", "text": "it is ready"}
    assert view["needs"] == [{"name": "db", "condition": "ready", "required": True}]
    assert (view["needed_by"], view["after"]) == (["worker"], ["db"])
    assert (view["last_exit"], view["next_start"], view["health"]) == (None, None, None)


@pytest.mark.parametrize(
    "state",
    [
        Backoff(NOW, Reason("exit", "…"), Monotonic(102.5)),
        Starved(NOW, Reason("no-resources", "…"), Monotonic(102.5), 1),
    ],
)
def test_who_waits_for_a_time_says_which(state: object) -> None:
    assert service_view(_service(state), LINKS, None, [], NOW)["next_start"] == "2026-11-22T09:14:02.623Z"


def test_the_last_end() -> None:
    ended = Ended("core-dump", Exit(signal=11, core=True), Wall(0.0), "killed by SIGSEGV (core dumped)")
    view = service_view(_service(Inactive(NOW, Reason("x", "y")), last=ended), LINKS, None, [], NOW)["last_exit"]
    assert view["at"] == "1970-01-01T00:00:00.000Z"
    assert (view["code"], view["signal"], view["core"], view["result"]) == (None, "SIGSEGV", True, "core-dump")
    never = Ended("exec-failed", None, Wall(0.0))
    view = service_view(_service(Inactive(NOW, Reason("x", "y")), last=never), LINKS, None, [], NOW)["last_exit"]
    assert (view["code"], view["signal"], view["core"]) == (None, None, False)


def test_a_finished_job_is_ready_and_a_running_one_is_not() -> None:
    assert is_ready(_service(Done(NOW, Reason("success", "…"), RunId(WEB, 1))))
    assert not is_ready(_service(Running(NOW, Reason("job", "…"), RunId(WEB, 1), ready=False)))


@pytest.mark.parametrize(
    ("ready", "text"),
    [
        (ReadySpec(tcp="127.0.0.1:80"), "tcp 127.0.0.1:80"),
        (ReadySpec(http="http://127.0.0.1/"), "http http://127.0.0.1/"),
        (ReadySpec(exec=("curl", "-f")), "exec curl"),
        (ReadySpec(log="up"), "log up"),
        (ReadySpec(after=Seconds(2.0)), "after 2s"),
    ],
)
def test_how_readiness_is_seen(ready: ReadySpec, text: str) -> None:
    service = _service(Inactive(NOW, Reason("x", "y")))
    service = replace(service, plan=replace(service.plan, spec=replace(service.plan.spec, ready=ready)))
    assert service_view(service, LINKS, None, [], NOW)["ready_by"] == text


def test_an_edge() -> None:
    edge = Edge(WEB, "starting", "running", 3, NOW, Reason("ready", "it is ready"))
    assert edge_view(edge) == {
        "at": "2026-11-22T09:14:00.123Z",
        "kind": "edge",
        "service": "web",
        "run": 3,
        "from": "starting",
        "to": "running",
        "reason": {"code": "ready", "text": "it is ready"},
    }


def test_an_outcome_and_none() -> None:
    assert outcome_view(TicketId(3), None)["verdict"] == "pending"
    told = outcome_view(TicketId(3), Outcome("failed", "start-failed", "exit status 1", "web", (ServiceName("db"),)))
    assert told == {
        "ticket": 3,
        "verdict": "failed",
        "code": "start-failed",
        "text": "exit status 1",
        "service": "web",
        "also": ["db"],
    }
