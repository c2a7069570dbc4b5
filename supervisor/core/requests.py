"""What does an operator's request change? It changes what is wanted; settling does the rest. The last request wins."""

from __future__ import annotations

from typing import assert_never

from supervisor.core import ending, restart, tickets
from supervisor.core.claims import goes_along, is_done_job, is_live
from supervisor.core.draft import Draft
from supervisor.model.effect import Answer, Signal
from supervisor.model.process import Exit
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
from supervisor.model.service import (
    Backoff,
    Done,
    Failed,
    Inactive,
    Running,
    Service,
    Starting,
    Starved,
    Stopping,
    Waiting,
)
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
    also = _call_up(draft, names, "start")
    tickets.open_ticket(draft, ticket, "start", names, also)
    for name in names:
        draft.put(_afresh(replace(draft[name], want="up")))


def _restart(draft: Draft, ticket: TicketId, names: tuple[ServiceName, ...]) -> None:
    also = _call_up(draft, names, "restart")
    tickets.open_ticket(draft, ticket, "restart", names, also)
    for name in names:
        service = draft[name]
        if service.want == "down" or not service.needed:
            service = replace(service, want="up")
        if isinstance(service.state, Starting | Running | Stopping | Done):
            draft.put(replace(_reset(service), again="restart"))
        else:
            draft.put(_afresh(service))


def _call_up(draft: Draft, names: tuple[ServiceName, ...], by: str) -> tuple[ServiceName, ...]:
    """What they require comes up with them: what the operator had stopped, what had given up or ended, what nobody had needed.
    Nobody who waits for any of it to stop will see that. Answers who is not up yet."""
    required = _requirements(draft, names)
    tickets.supersede(draft, (*required, *names), ("stop",), by)
    called = []
    for name in required:
        service = draft[name]
        if service.want == "down":
            service = replace(service, want="none")
        if not isinstance(service.state, Starting | Running) and not is_done_job(service):
            service = _afresh(service)
            called.append(name)
        if service is not draft[name]:
            draft.put(service)
    return tuple(called)


def _requirements(draft: Draft, names: tuple[ServiceName, ...]) -> tuple[ServiceName, ...]:
    """Everything they require, directly or not, the farthest first."""
    found: dict[ServiceName, None] = {}
    front = list(names)
    while front:
        for other, edge in draft.links(front.pop()).needs.items():
            if edge.required and other not in found and other not in names:
                found[other] = None
                front.append(other)
    return tuple(reversed(found))


def _reset(service: Service) -> Service:
    """What was counted against it is forgotten: somebody asked for it."""
    return replace(service, attempts=0, window=(), restarts=0, starved=0)


def _afresh(service: Service) -> Service:
    """To be started now, with its counters reset; what runs is left alone, what is stopping starts again afterwards."""
    match service.state:
        case Starting() | Running():
            return service
        case Failed() | Backoff() | Starved() | Stopping():
            return replace(_reset(service), again=service.again or "start")
        case Done():
            return service if is_done_job(service) else replace(_reset(service), again="start")
        case Inactive() | Waiting():
            return _reset(service)
        case _:
            assert_never(service.state)


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
    """Who runs and cannot go on when these are stopped, also by way of those who do not run now. A finished job stands, and
    so does who needs only that."""
    found: dict[ServiceName, None] = {}
    seen = set(names)
    front = list(names)
    while front:
        for other, edge in draft.links(front.pop()).needed_by.items():
            if other in seen or not goes_along(draft[other], edge):
                continue
            seen.add(other)
            if is_live(draft[other]):
                found[other] = None
            if not isinstance(draft[other].state, Done):
                front.append(other)
    return tuple(found)


def _kill(draft: Draft, request: KillRequest) -> None:
    """Hits the processes and changes nothing that is wanted: what dies of it has failed."""
    signals, struck = [], []
    for name in request.names:
        service = draft[name]
        state = service.state
        if isinstance(state, Done) and state.lingering and not request.main_only:
            signals.append(Signal(state.run, request.signal, "all"))
        elif isinstance(state, Starting | Running | Stopping) and (
            state.main == "live" or (isinstance(state, Stopping) and not request.main_only)
        ):
            signals.append(Signal(state.run, request.signal, "main" if request.main_only else "all"))
            if restart.clean(service.plan.spec, Exit(signal=request.signal)) and request.signal not in service.struck:
                struck.append(replace(service, struck=(*service.struck, request.signal)))
        else:
            tickets.refuse(draft, request.ticket, "not-running", f"{name} has no process to signal", name)
            return
    for service in struck:
        draft.put(service)
    draft.effects += signals
    draft.effects.append(Answer(request.ticket, Outcome("done")))
