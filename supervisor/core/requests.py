"""What does an operator's request change? It changes what is wanted; settling does the rest. The last request wins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from supervisor.core import ending, tickets
from supervisor.core.claims import holds_processes, is_live, must_outlive
from supervisor.core.draft import Draft
from supervisor.core.settle import resume
from supervisor.model.effect import Answer, Signal
from supervisor.model.record import replace
from supervisor.model.request import (
    KillRequest,
    Outcome,
    Request,
    RestartRequest,
    ShutdownRequest,
    StartRequest,
    StopRequest,
)
from supervisor.model.service import Backoff, Done, Failed, Running, Service, Starting, Starved, Stopping
from supervisor.model.words import ServiceName, TicketId

__all__ = ["requested"]


def requested(draft: Draft, request: Request) -> None:
    if isinstance(request, ShutdownRequest):
        ending.begin(draft, "operator", status=0)
        tickets.open_ticket(draft, request.ticket, "shutdown", ())
        return
    unknown = next((name for name in request.names if name not in draft), None)
    if unknown is not None:
        tickets.refuse(draft, request.ticket, "unknown-service", f"there is no service {unknown}", unknown)
    elif isinstance(request, KillRequest):
        _kill(draft, request)
    elif isinstance(request, StopRequest):
        _stop(draft, request)
    elif draft.world.shutdown is not None:
        tickets.refuse(draft, request.ticket, "shutting-down", "the world is shutting down; nothing starts any more")
    elif isinstance(request, StartRequest):
        _start(draft, request.ticket, request.names)
    elif isinstance(request, RestartRequest):
        _restart(draft, request.ticket, request.names)
    else:
        assert_never(request)


def _start(draft: Draft, ticket: TicketId, names: tuple[ServiceName, ...]) -> None:
    tickets.supersede(draft, names, ("stop",), "start")
    for name in names:
        draft.put(replace(draft[name], want="up"))
    also = _raise_requirements(draft, names)
    tickets.open_ticket(draft, ticket, "start", names, also)
    for name in (*also, *names):
        _start_now(draft, draft[name])


def _raise_requirements(draft: Draft, names: Iterable[ServiceName]) -> tuple[ServiceName, ...]:
    """What they require and what the operator had stopped, or what had given up, gets a new chance with them."""
    raised: dict[ServiceName, None] = {}
    front = list(names)
    seen = set(front)
    while front:
        for other, edge in draft.links(front.pop()).needs.items():
            if not edge.required or other in seen:
                continue
            seen.add(other)
            front.append(other)
            service = draft[other]
            if service.want == "down":
                draft.put(replace(service, want="none"))
                raised[other] = None
            elif isinstance(service.state, Failed | Backoff):
                raised[other] = None
    return tuple(raised)


def _start_now(draft: Draft, service: Service) -> None:
    """With counters reset; what runs is left alone, what is stopping starts again afterwards."""
    fresh = replace(service, attempts=0, window=(), restarts=0, starved=0)
    match service.state:
        case Failed() | Backoff() | Starved():
            draft.put(replace(fresh, needed=True))
            resume(draft, draft[service.name])
        case Stopping():
            draft.put(replace(fresh, again=service.again or "start"))
        case Done() if service.plan.spec.type != "oneshot":
            draft.put(replace(fresh, again="start"))
        case _:
            pass


def _restart(draft: Draft, ticket: TicketId, names: tuple[ServiceName, ...]) -> None:
    tickets.supersede(draft, names, ("stop",), "restart")
    for name in names:
        service = draft[name]
        if service.want == "down" or not service.needed:
            draft.put(replace(service, want="up"))
    also = _raise_requirements(draft, names)
    tickets.open_ticket(draft, ticket, "restart", names, also)
    for name in (*also, *names):
        service = draft[name]
        if isinstance(service.state, Starting | Running | Done | Stopping) and name not in also:
            draft.put(replace(service, again="restart", attempts=0, window=(), restarts=0))
        else:
            _start_now(draft, service)


def _stop(draft: Draft, request: StopRequest) -> None:
    along = _dependents(draft, request.names)
    if along and not request.dependents:
        names = ", ".join(along)
        text = f"{names} would have to stop first; leave out --no-dependents, or stop them yourself"
        tickets.refuse(draft, request.ticket, "has-dependents", text, along[0])
        return
    tickets.supersede(draft, request.names, ("start", "restart"), "stop")
    for name in request.names:
        draft.put(replace(draft[name], want="down", again=""))
    tickets.open_ticket(draft, request.ticket, "stop", request.names, along)


def _dependents(draft: Draft, names: tuple[ServiceName, ...]) -> tuple[ServiceName, ...]:
    """Who runs and cannot go on when these are stopped."""
    found: dict[ServiceName, None] = {}
    front = [name for name in names if holds_processes(draft[name])]
    while front:
        for other, edge in draft.links(front.pop()).needed_by.items():
            if must_outlive(edge) and other not in found and other not in names and is_live(draft[other]):
                found[other] = None
                front.append(other)
    return tuple(found)


def _kill(draft: Draft, request: KillRequest) -> None:
    """Hits the processes and changes nothing that is wanted: what dies of it has failed."""
    signals = []
    for name in request.names:
        state = draft[name].state
        if isinstance(state, Done) and state.lingering and not request.main_only:
            signals.append(Signal(state.run, request.signal, "all"))
        elif isinstance(state, Starting | Running | Stopping) and (
            state.main == "live" or (isinstance(state, Stopping) and not request.main_only)
        ):
            signals.append(Signal(state.run, request.signal, "main" if request.main_only else "all"))
        else:
            tickets.refuse(draft, request.ticket, "not-running", f"{name} has no process to signal", name)
            return
    draft.effects += signals
    draft.effects.append(Answer(request.ticket, Outcome("done")))
