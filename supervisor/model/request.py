"""What may an operator ask for? Requests are values; each is answered exactly once, by an Answer with its ticket."""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.record import Record
from supervisor.model.words import ServiceName, TicketId

__all__ = [
    "KillRequest",
    "Outcome",
    "Request",
    "RestartRequest",
    "ShutdownRequest",
    "StartRequest",
    "StopRequest",
    "Verdict",
]

Verdict: TypeAlias = Literal["done", "failed", "superseded", "refused"]


class Outcome(Record):
    """How a request ended. `code` is stable and empty for `done`; `service` says which one decided it."""

    verdict: Verdict
    code: str = ""
    """unknown-service, has-dependents, not-running, shutting-down, start-failed, dependency-failed, unkillable, superseded."""
    text: str = ""
    service: str = ""
    also: tuple[ServiceName, ...] = ()
    """Services that were touched besides the named ones: dependents stopped first, requirements started."""


class StartRequest(Record):
    ticket: TicketId
    names: tuple[ServiceName, ...]


class StopRequest(Record):
    ticket: TicketId
    names: tuple[ServiceName, ...]
    dependents: bool = True
    """False refuses when a running dependent would have to stop first."""


class RestartRequest(Record):
    ticket: TicketId
    names: tuple[ServiceName, ...]


class KillRequest(Record):
    ticket: TicketId
    names: tuple[ServiceName, ...]
    signal: int
    main_only: bool = False


class ShutdownRequest(Record):
    ticket: TicketId


Request: TypeAlias = StartRequest | StopRequest | RestartRequest | KillRequest | ShutdownRequest
