"""What has happened? Facts that `core.step` is told, in the past tense.

A fact about a run carries its RunId; one about an older run changes nothing.
"""

from __future__ import annotations

from typing import TypeAlias

from supervisor.model.plan import Plan
from supervisor.model.process import Exit, Role, SpawnFailure
from supervisor.model.record import Record
from supervisor.model.request import Request
from supervisor.model.words import RunId, Seconds, ServiceName

__all__ = [
    "BecameReady",
    "Broke",
    "DeadlinePassed",
    "Emptied",
    "Event",
    "Exited",
    "Overslept",
    "PlanAccepted",
    "Requested",
    "ShutdownDue",
    "SpawnFailed",
    "Spawned",
    "StopAsked",
    "Swept",
]


class PlanAccepted(Record):
    """The loader's plan is valid: the world begins. With `wanted`, only these are wanted at boot."""

    plan: Plan
    shutdown_timeout: Seconds
    wanted: tuple[ServiceName, ...] | None = None


class Requested(Record):
    request: Request


class Spawned(Record):
    """The process was executed: exec succeeded."""

    run: RunId
    role: Role


class SpawnFailed(Record):
    run: RunId
    role: Role
    failure: SpawnFailure
    alone: bool = True
    """No process of the run is left. False when an earlier command of a oneshot left some: then Emptied follows."""


class Exited(Record):
    """A process of the run's own has ended and been reaped."""

    run: RunId
    role: Role
    exit: Exit
    alone: bool = False
    """It is known already that no process of the run is left: no Emptied follows."""


class Emptied(Record):
    """No process of the run is left, whatever its disguise. Told when the main process is gone and the
    fact that told so was not `alone`, and again after each later process (a stop command)."""

    run: RunId


class BecameReady(Record):
    """The run's readiness probe succeeded."""

    run: RunId


class DeadlinePassed(Record):
    """A deadline of this service's state has come."""

    service: ServiceName


class ShutdownDue(Record):
    """A deadline of the shutdown itself has come."""


class StopAsked(Record):
    """Somebody above asked the world to end: a signal to init, or the monitor.

    Each call after the first, a second or more later, is harder; `fast` begins with the second degree.
    """

    by: str
    """For people: `SIGTERM`, `monitor`."""
    fast: bool = False
    reboot: bool = False
    count: int = 1
    """How many the monitor had counted when it forwarded this one."""


class Broke(Record):
    """pidone itself failed at something it must be able to do: stop in order, exit status 70."""

    detail: str


class Overslept(Record):
    """The loop itself was away (SIGSTOP, suspend): services had no chance to act in the gap."""

    gap: Seconds


class Swept(Record):
    """No process is left in the world but ours."""


Event: TypeAlias = (
    PlanAccepted
    | Requested
    | Spawned
    | SpawnFailed
    | Exited
    | Emptied
    | BecameReady
    | DeadlinePassed
    | ShutdownDue
    | StopAsked
    | Broke
    | Overslept
    | Swept
)
