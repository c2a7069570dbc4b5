"""What does the world look like from outside? Its records as plain JSON data, with the names that scripts rely on (CLI.md).

Pure: worlds, processes and the time come in, documents go out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from supervisor.kernel.port import Glimpse, Person, Sight
from supervisor.model.effect import Edge
from supervisor.model.reason import Reason
from supervisor.model.request import Outcome
from supervisor.model.service import Backoff, Done, Ended, Running, Service, Starved
from supervisor.model.signals import signal_name
from supervisor.model.spec import ReadySpec
from supervisor.model.words import Instant, TicketId, Wall
from supervisor.model.world import Links

__all__ = ["Document", "edge_view", "is_ready", "outcome_view", "process_view", "rfc3339", "service_view"]

Document: TypeAlias = Mapping[str, Any]  # Any: JSON, which Python's types cannot say


def rfc3339(wall: float) -> str:
    """UTC, to the millisecond: 2026-11-22T09:14:00.123Z."""
    seconds, fraction = divmod(round(wall * 1000), 1000)
    return f"{_to_the_second(seconds)}.{fraction:03d}Z"


@lru_cache(maxsize=256)  # a thousand services have often started within a second
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def is_ready(service: Service) -> bool:
    """Running and ready, or a job that is done."""
    state = service.state
    return isinstance(state, Done) or (isinstance(state, Running) and state.ready)


def service_view(
    service: Service, links: Links, main: int | None, processes: Sequence[Sight], now: Instant, brief: bool = False
) -> dict[str, Any]:
    """One SERVICE, with what people are shown besides; `brief`: without what a row of a table has no room for."""
    row = _row(service, main, processes, now)
    if brief:
        return row
    spec = service.plan.spec
    return {
        **row,
        "health": None,
        "wanted": service.needed,
        "last_exit": None if service.last is None else _last_exit(service.last),
        "description": spec.description,
        "type": spec.type,
        "groups": list(spec.groups),
        "needs": [
            {"name": name, "condition": edge.condition, "required": edge.required} for name, edge in links.needs.items()
        ],
        "needed_by": list(links.needed_by),
        "after": list(links.after),
    }


def _row(service: Service, main: int | None, processes: Sequence[Sight], now: Instant) -> dict[str, Any]:
    spec, state = service.plan.spec, service.state
    return {
        "name": service.name,
        "phase": state.phase,
        "ready": is_ready(service),
        "reason": _reason(state.reason),
        "since": rfc3339(state.since.wall),
        "run": service.run,
        "restarts": service.restarts,
        "pid": main,
        "processes": [process.pid for process in processes],
        "status_text": None,
        "next_start": _next_start(service, now),
        "defined_at": service.plan.defined_at,
        "cpu_seconds": round(sum(process.cpu_seconds for process in processes), 2),
        "memory_bytes": sum(process.memory_bytes for process in processes),
        "ready_by": None if spec.ready is None else _ready_by(spec.ready),
    }


def process_view(person: Person, seen: Glimpse, service: str | None, role: str) -> dict[str, Any]:
    """One row of `ps`."""
    return {
        "pid": person.pid,
        "ppid": person.ppid,
        "service": service,
        "role": role,
        "comm": person.comm,
        "args": list(seen.args),
        "state": seen.state,
        "uid": person.uid,
        "ns_pids": list(seen.ns_pids),
    }


def edge_view(edge: Edge) -> dict[str, Any]:
    return {
        "at": rfc3339(edge.at.wall),
        "kind": "edge",
        "service": edge.service,
        "run": edge.run,
        "from": edge.origin,
        "to": edge.to,
        "reason": _reason(edge.reason),
    }


def outcome_view(ticket: TicketId, outcome: Outcome | None) -> dict[str, Any]:
    """How a request stands; without an outcome it is pending."""
    if outcome is None:
        return {"ticket": ticket, "verdict": "pending", "code": "", "text": "", "service": "", "also": []}
    return {
        "ticket": ticket,
        "verdict": outcome.verdict,
        "code": outcome.code,
        "text": outcome.text,
        "service": outcome.service,
        "also": list(outcome.also),
    }


def _reason(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text}


def _last_exit(ended: Ended) -> dict[str, Any]:
    how = ended.exit
    return {
        "code": None if how is None else how.code,
        "signal": None if how is None or how.signal is None else signal_name(how.signal),
        "core": how is not None and how.core,
        "result": ended.result,
        "at": rfc3339(ended.at),
        "text": ended.detail,
    }


def _next_start(service: Service, now: Instant) -> str | None:
    if isinstance(service.state, Backoff | Starved):
        return rfc3339(Wall(now.wall + max(0.0, service.state.until - now.mono)))
    return None


def _ready_by(ready: ReadySpec) -> str:
    for kind in ("tcp", "unix", "http", "file", "log"):
        if (value := getattr(ready, kind)) is not None:
            return f"{kind} {value}"
    if ready.exec is not None:
        return f"exec {ready.exec[0]}"
    return f"after {ready.after:g}s" if ready.after is not None else ""
