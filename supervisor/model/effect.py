"""What shall be done? Commands that `core.step` hands to the runtime, performed in order."""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.process import Role
from supervisor.model.reason import Phase, Reason
from supervisor.model.record import Record
from supervisor.model.request import Outcome
from supervisor.model.words import Instant, Monotonic, RunId, ServiceName, TicketId

__all__ = ["Answer", "Edge", "Effect", "ExitWorld", "Release", "Signal", "Spawn", "StartProbe", "StopProbe", "Sweep"]


class Spawn(Record):
    """Execute a process of the run: the `index`-th of its commands, or its stop command.

    Performing it feeds exactly one Spawned or SpawnFailed. When its turn comes and `core.spawn_is_wanted` is false any
    more, nothing is executed and SpawnFailed(cancelled) is fed.
    """

    run: RunId
    role: Role = "main"
    index: int = 0


class Signal(Record):
    """Send a signal to the run's main process or to all of its processes (the main one included while it lives)."""

    run: RunId
    signal: int
    to: Literal["main", "all"] = "main"


class StartProbe(Record):
    """Begin to look for the run's readiness, as `ready` says; success feeds BecameReady."""

    run: RunId


class StopProbe(Record):
    run: RunId


class Release(Record):
    """The run is over although processes of it may live on (`stop.scope: main-only`): they are nobody's from now on."""

    run: RunId


class Answer(Record):
    """The request with this ticket has ended."""

    ticket: TicketId
    outcome: Outcome


class Sweep(Record):
    """End every process that is left, by `until`: SIGTERM, then SIGKILL. Feeds Swept."""

    until: Monotonic


class ExitWorld(Record):
    """Drain the logger and exit with this status."""

    status: int
    reboot: bool = False


Effect: TypeAlias = Spawn | Signal | StartProbe | StopProbe | Release | Answer | Sweep | ExitWorld


class Edge(Record):
    """One transition that was taken: what `events` and the log show. `origin` is None when the service appeared."""

    service: ServiceName
    origin: Phase | None
    to: Phase
    run: int
    at: Instant
    reason: Reason
