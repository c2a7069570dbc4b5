"""Has a request got what it asked for? A ticket ends exactly once: done, failed, superseded or refused.

A start is done at ready and fails at the first failed attempt, although the service goes on trying; a stop is done when no
process of the service is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from supervisor.core.claims import has_undo, holds_processes, is_overdue
from supervisor.core.draft import Draft
from supervisor.core.obstacles import worst_obstacle
from supervisor.model.effect import Answer
from supervisor.model.record import replace
from supervisor.model.request import Outcome
from supervisor.model.service import Backoff, Done, Failed, Inactive, Running, Service, Stopping, Waiting
from supervisor.model.words import ServiceName, TicketId
from supervisor.model.world import Ticket, Verb

__all__ = ["open_ticket", "refuse", "review", "supersede"]

_State: TypeAlias = Literal["pending", "done"] | Outcome


def open_ticket(
    draft: Draft, id: TicketId, verb: Verb, names: Iterable[ServiceName], also: tuple[ServiceName, ...] = ()
) -> None:
    """Remember who is still to get there. It may be over at once: `review` finds out."""
    ticket = Ticket(id, verb, {name: draft[name].run for name in names}, also)
    draft.world = replace(draft.world, tickets=(*draft.world.tickets, ticket))


def refuse(draft: Draft, id: TicketId, code: str, text: str, service: str = "") -> None:
    draft.effects.append(Answer(id, Outcome("refused", code, text, service)))


def supersede(draft: Draft, names: Iterable[ServiceName], verbs: tuple[Verb, ...], by: str) -> None:
    """The last request wins: older ones of these kinds about these services end here. But a stop that is under way finishes,
    whatever comes after it, and whoever asked for it is told so."""
    gone = set(names)
    kept = []
    for ticket in draft.world.tickets:
        lost = (name for name in ticket.pending if name in gone and not _still_stops(draft, ticket, name))
        hit = next(lost, None) if ticket.verb in verbs else None
        if hit is None:
            kept.append(ticket)
        else:
            outcome = Outcome("superseded", "superseded", f"{hit}: superseded by {by}", hit, ticket.also)
            draft.effects.append(Answer(ticket.id, outcome))
    draft.world = replace(draft.world, tickets=tuple(kept))


def _still_stops(draft: Draft, ticket: Ticket, name: ServiceName) -> bool:
    return ticket.verb == "stop" and isinstance(draft[name].state, Stopping)


def review(draft: Draft) -> None:
    """Look at every open ticket that this step can have moved; answer those that have ended."""
    if not draft.world.tickets:
        return
    touched = draft.touched()
    kept = []
    for ticket in draft.world.tickets:
        moved = [name for name in touched if name in ticket.pending]
        looked = _looked_at(draft, ticket, moved) if moved else ticket
        if looked.pending or looked.verb == "shutdown":
            kept.append(looked)
        else:
            outcome = looked.failure or Outcome("done", also=looked.also)
            draft.effects.append(Answer(looked.id, outcome))
    if kept != [*draft.world.tickets]:
        draft.world = replace(draft.world, tickets=tuple(kept))


def _looked_at(draft: Draft, ticket: Ticket, moved: Iterable[ServiceName]) -> Ticket:
    pending = dict(ticket.pending)
    failure = ticket.failure
    for name in moved:
        service = draft[name]
        if is_overdue(service):
            state: _State = Outcome("failed", "unkillable", f"{name}: {service.state.reason.text}", name)
        elif ticket.verb == "stop":
            state = _stop_state(service, ticket.pending[name])
        else:
            state = _start_state(draft, service, ticket.verb, ticket.pending[name])
        if state != "pending":
            del pending[name]
        if isinstance(state, Outcome):
            failure = failure or replace(state, also=ticket.also)
    return replace(ticket, pending=pending, failure=failure)


def _stop_state(service: Service, run: int) -> _State:
    stands = service.run == run and (holds_processes(service) or has_undo(service))
    return "pending" if stands else "done"


def _start_state(draft: Draft, service: Service, verb: Verb, run: int) -> _State:
    if verb == "restart" and service.run == run and (service.again or isinstance(service.state, Stopping)):
        return "pending"
    name, text = service.name, service.state.reason.text
    match service.state:
        case Running(ready=True) | Done():
            return "done"
        case Backoff() | Failed():
            return Outcome("failed", "start-failed", f"{name}: {text}", name)
        case Waiting(trouble=True):
            return Outcome("failed", "dependency-failed", f"{name} waits: {text}{_cause(draft, service)}", name)
        case Inactive():
            return Outcome("superseded", "superseded", f"{name}: {text}", name)
        case _:
            return "pending"


def _cause(draft: Draft, service: Service) -> str:
    """How it is with the one that all wait for: whoever asked shall not have to ask again."""
    cause = service
    while isinstance(cause.state, Waiting) and (obstacle := worst_obstacle(draft, cause)) is not None:
        if obstacle.code == "dependency-stopped":
            return ""  # which says it all
        cause = draft[obstacle.other]
    return f" ({cause.name}: {cause.state.reason.text})" if cause is not service else ""
