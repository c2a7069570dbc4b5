"""What is there to tell when somebody asks why, what happened, and who needs whom? Plain JSON data, as CLI.md says.

Pure: worlds, events and the time come in, documents go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from supervisor.core.why import Link, account
from supervisor.model.plan import PlannedService
from supervisor.model.process import Exit
from supervisor.model.reason import Reason
from supervisor.model.service import Service
from supervisor.model.signals import signal_name
from supervisor.model.words import Instant, ServiceName
from supervisor.model.world import World
from supervisor.runtime.history import Asked, Happened, OrphanEnded, SignalCame, Taken
from supervisor.runtime.views import is_ready, rfc3339, service_view

__all__ = ["event_view", "graph_view", "taken_view", "why_view"]

_SCHEMA = "pidone/v1"
_OF_SERVICE = (
    "phase",
    "ready",
    "wanted",
    "reason",
    "since",
    "run",
    "restarts",
    "last_exit",
    "next_start",
    "defined_at",
)  # what `why` says as `status` does
_OF_LINK = ("phase", "ready", "reason", "since", "next_start")


def why_view(world: World, name: ServiceName, past: Iterable[Taken], now: Instant) -> dict[str, Any]:
    """The document of `why NAME --json`. Raises KeyError for a service that is not there."""
    told = account(world, name, now)
    seen = service_view(world.services[name], world.graph[name], None, (), now)
    return {
        "schema": _SCHEMA,
        "service": name,
        **{key: seen[key] for key in _OF_SERVICE},
        "fate": None if told.fate is None else _reason(told.fate),
        "history": [taken_view(taken) for taken in past],
        "waits_for": [_link(world, link, link.other in told.roots, now) for link in told.waits_for],
        "waited_by": [{"service": link.waiter, "until": link.until} for link in told.waited_by],
        "left_out": told.left_out,
        "changes": [{"service": one, "text": text} for one, text in told.changes],
    }


def _link(world: World, link: Link, is_root: bool, now: Instant) -> dict[str, Any]:
    seen = service_view(world.services[link.other], world.graph[link.other], None, (), now)
    told = {key: seen[key] for key in _OF_LINK}
    return {"service": link.other, "until": link.until, "for": link.waiter, "root": is_root, **told}


def taken_view(taken: Taken) -> dict[str, Any]:
    """One transition of a service whose name is known."""
    return {
        "at": rfc3339(taken.at),
        "run": taken.run,
        "from": taken.origin,
        "to": taken.to,
        "reason": _reason(taken.reason),
    }


def event_view(event: Happened) -> dict[str, Any]:
    """One line of `events -o jsonl`."""
    head = {"schema": _SCHEMA, "at": rfc3339(event.at), "kind": event.kind, "number": event.number}
    match event.what:
        case Taken() as taken:
            return {**head, **taken_view(taken), "service": taken.service}
        case OrphanEnded(pid, comm, service, rule, exit):
            return {**head, "pid": pid, "comm": comm, "service": service, "rule": rule, "exit": _exit(exit)}
        case Asked(ticket, verb, services, uid, outcome):
            asked = {**head, "ticket": ticket, "verb": verb, "services": list(services), "uid": uid}
            if outcome is None:
                return {**asked, "verdict": "pending", "code": "", "text": "", "service": None, "also": []}
            told = {"verdict": outcome.verdict, "code": outcome.code, "text": outcome.text}
            return {**asked, **told, "service": outcome.service or None, "also": list(outcome.also)}
        case SignalCame(signal, meaning, pid, uid, counted):
            return {**head, "signal": signal, "meaning": meaning, "pid": pid, "uid": uid, "count": counted}
        case what:
            assert_never(what)


def graph_view(plans: Iterable[PlannedService], services: Mapping[ServiceName, Service] | None) -> dict[str, Any]:
    """The document of `graph --json`. Without `services` nothing runs: these are only planned."""
    return {"schema": _SCHEMA, "services": [_node(planned, services) for planned in plans]}


def _node(planned: PlannedService, services: Mapping[ServiceName, Service] | None) -> dict[str, Any]:
    spec = planned.spec
    service = None if services is None else services[planned.name]
    return {
        "name": planned.name,
        "type": spec.type,
        "enabled": spec.enabled,
        "phase": None if service is None else service.state.phase,
        "ready": None if service is None else is_ready(service),
        "needs": [
            {"name": name, "condition": edge.condition, "required": edge.required, "restart": edge.restart}
            for name, edge in spec.depends_on.items()
        ],
        "after": list(spec.after),
        "before": list(spec.before),
    }


def _reason(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text}


def _exit(exit: Exit) -> dict[str, Any]:
    signal = None if exit.signal is None else signal_name(exit.signal)
    return {"code": exit.code, "signal": signal, "core": exit.core}
