"""Is what has happened lately remembered, in bounds, and told to who listens?"""

from __future__ import annotations

import pytest

from supervisor.model.effect import Edge
from supervisor.model.process import Exit
from supervisor.model.reason import Reason
from supervisor.model.request import Outcome
from supervisor.model.words import Instant, Monotonic, ServiceName, TicketId, Wall
from supervisor.runtime.accounts import event_view
from supervisor.runtime.history import Happened, History

WEB = ServiceName("web")
NOW = Instant(Monotonic(5.0), Wall(1_795_334_400.0))


def _history() -> History:
    return History(lambda: NOW)


def _edge(run: int, service: str = "web") -> Edge:
    at = Instant(Monotonic(float(run)), Wall(NOW.wall + run))
    return Edge(ServiceName(service), "running", "backoff", run, at, Reason("exit", f"end {run}"))


def test_the_last_transitions_of_each_service_are_kept() -> None:
    history = _history()
    assert history.of(WEB) == ()
    for run in range(20):
        history.edge(_edge(run))
    history.edge(_edge(1, "db"))
    assert [taken.run for taken in history.of(WEB)] == list(range(12, 20))
    assert [taken.run for taken in history.of(ServiceName("db"))] == [1]


def test_a_history_costs_nothing_for_who_has_none() -> None:
    history = _history()
    before = history.of(ServiceName("nobody"))
    history.edge(_edge(1))
    assert history.of(ServiceName("nobody")) is before  # nothing is allocated by asking


def test_events_are_counted_and_bounded_and_a_storm_of_orphans_washes_nothing_away() -> None:
    history = _history()
    history.signal("SIGUSR2", "dump")
    for pid in range(1000):
        history.orphan(pid, "sh", None, "", Exit(code=0))
    for run in range(300):
        history.edge(_edge(run))
    events = history.events()
    assert [event.number for event in events] == sorted(event.number for event in events)
    assert sum(event.kind == "orphan" for event in events) == 64
    assert sum(event.kind == "edge" for event in events) == 256
    assert history.count == events[-1].number == 1301
    assert history.events(after=1300) == events[-1:]
    assert history.events(after=1301) == []
    assert [orphan.pid for orphan in history.orphans()] == list(range(936, 1000))


def test_a_request_is_told_when_it_is_asked_and_when_it_has_ended() -> None:
    history = _history()
    history.asked(TicketId(1), "stop", (WEB,), 1000)
    history.answered(TicketId(1), Outcome("failed", "unkillable", "does not die", "web", (ServiceName("worker"),)))
    history.answered(TicketId(1), Outcome("done"))  # nobody asked again
    asked, answered = map(event_view, history.events())
    assert asked["uid"] == answered["uid"] == 1000
    assert (asked["kind"], asked["verb"], asked["services"], asked["verdict"]) == (
        "request",
        "stop",
        ["web"],
        "pending",
    )
    assert (answered["verdict"], answered["code"], answered["text"]) == ("failed", "unkillable", "does not die")
    assert (answered["service"], answered["also"], answered["ticket"]) == ("web", ["worker"], 1)


def test_every_event_is_what_the_command_line_promises() -> None:
    history = _history()
    history.edge(_edge(3))
    history.orphan(14, "sh", WEB, "tag", Exit(signal=11, core=True))
    history.signal("SIGTERM", "stop", pid=7, uid=1000, count=2)
    edge, orphan, signal = map(event_view, history.events())
    at = "2026-11-22T08:00:03.000Z"
    reason = {"code": "exit", "text": "end 3"}
    moved = {"service": "web", "run": 3, "from": "running", "to": "backoff", "reason": reason}
    assert edge == {"schema": "pidone/v1", "at": at, "kind": "edge", "number": 1, **moved}
    exit = {"code": None, "signal": "SIGSEGV", "core": True}
    assert (
        orphan.items()
        >= {"kind": "orphan", "pid": 14, "comm": "sh", "service": "web", "rule": "tag", "exit": exit}.items()
    )
    assert (
        signal.items()
        >= {"kind": "signal", "signal": "SIGTERM", "meaning": "stop", "pid": 7, "uid": 1000, "count": 2}.items()
    )


@pytest.mark.parametrize("times", [1, 2])
def test_who_listens_hears_everything_until_he_leaves(times: int) -> None:
    history = _history()
    heard: list[Happened] = []
    leave = history.listen(heard.append)
    history.edge(_edge(1))
    for _ in range(times):  # leaving twice is harmless
        leave()
    history.edge(_edge(2))
    assert heard == history.events()[:1]
