"""Does a world look on one screen as the documentation shows it?"""

from __future__ import annotations

from typing import Any

from supervisor.cli.output import Look
from supervisor.cli.status_table import overview
from tests.fakes.backend import service

NOON = 1769860800.0  # 2026-01-31T12:00:00Z

BEFORE = {
    "3d": "2026-01-28T08:00:00Z",
    "2h": "2026-01-31T09:48:55Z",
    "3s": "2026-01-31T11:59:57Z",
    "41s": "2026-01-31T11:59:19Z",
}


def _document(*services: dict[str, Any], **more: Any) -> dict[str, Any]:
    whole = {"version": "0.1.0", "pid": 1, "state": "running", "name": "default", "uptime": 273_600.5}
    return {**whole, "orphans": {"adopted": 300, "reaped": 212, "alive": 0}, "services": list(services), **more}


def _shown(document: dict[str, Any], wide: bool = False, **look: Any) -> list[str]:
    return overview(document, Look(**look), NOON, wide, "pidone")


def test_status_looks_like_this() -> None:
    assert _shown(
        _document(
            service("postgres", since=BEFORE["3d"], ready_by="notify", status_text="accepting connections"),
            service("web", since=BEFORE["2h"], pid=941, restarts=3, cpu_seconds=173.1, memory_bytes=118 << 20),
            service(
                "worker",
                "starting",
                since=BEFORE["3s"],
                ready_by="log",
                pid=977,
                processes=[977],
                memory_bytes=40 << 20,
            ),
            service("mailer", "failed", since=BEFORE["41s"], restarts=5, reason={"code": "limit", "text": "gave up"}),
            service(
                "api", "backoff", reason={"code": "exit", "text": "exit status 1"}, next_start="2026-01-31T12:00:09Z"
            ),
            service("migrate", "done", since=BEFORE["41s"], reason={"code": "success", "text": "ended successfully"}),
            service("backup", "waiting", run=0, reason={"code": "order", "text": "starts after web"}),
        )
    ) == [
        "pidone 0.1.0 · pid 1 · up 3d 4h · 7 services: 2 running, 1 starting, 1 backoff, 1 waiting, 1 done, 1 failed"
        " · 212 orphans reaped",
        "   NAME      PHASE     PID  UPTIME  ↻  CPU   MEM   READY       NOTE",
        "●  postgres  running    12  3d 4h   0  0.0%  64M   notify      accepting connections",
        "●  web       running   941  2h 11m  3  2.2%  118M  -           -",
        "◐  worker    starting  977  3s      0  -     40M   waits: log  it is starting",
        "✗  mailer    failed      -  -       5  -     -     -           gave up, 41s ago",
        "↻  api       backoff     -  -       0  -     -     -           exit status 1 (in 9s)",
        "✓  migrate   done        -  -       0  -     -     -           ended successfully, 41s ago",
        "○  backup    waiting     -  -       -  -     -     -           starts after web",
        "hint: pidone why mailer",
    ]


def test_a_world_with_a_name_and_trouble_says_both() -> None:
    (line,) = _shown(_document(name="shop", state="stopping", orphans={"reaped": 1}))
    assert line == "pidone 0.1.0 · shop · pid 1 · up 3d 4h · stopping · 0 services · 1 orphan reaped"


def test_from_another_namespace_our_own_numbers_stand_beside_theirs() -> None:
    document = _document(service("web", host_pid=4711), service("off", "inactive", host_pid=None))
    _, head, web, off = _shown(document)
    place = head.index("HOST PID") + len("HOST PID")
    assert web[:place].endswith("    4711")
    assert off[:place].endswith("-")


def test_a_service_that_runs_without_being_ready_does_not_look_well() -> None:
    (_, _, line) = _shown(_document(service("web", ready=False, reason={"code": "job", "text": "its job runs"})))
    assert line.startswith("◐  web   running")
    assert line.endswith("no     its job runs")


def test_a_terminal_is_not_overrun() -> None:
    document = _document(service("web", "failed", reason={"code": "x", "text": "very " * 50 + "long"}))
    _, *lines = _shown(document, width=60)
    assert [len(line) <= 60 for line in lines] == [True] * 3
    assert lines[1].endswith("…")
    assert "long" in _shown(document)[2]
