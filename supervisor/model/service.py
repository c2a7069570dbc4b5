"""Where can a service be? Each state is its own record with exactly its own facts; deadlines are fields, not timers."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from supervisor.model.plan import PlannedService
from supervisor.model.process import Exit, Result
from supervisor.model.reason import Phase, Reason
from supervisor.model.record import Record
from supervisor.model.words import NEVER, Instant, Monotonic, RunId, ServiceName, Wall

__all__ = [
    "Backoff",
    "Done",
    "Ended",
    "Failed",
    "Inactive",
    "Main",
    "Running",
    "Service",
    "Starting",
    "Starved",
    "State",
    "StopCause",
    "StopStage",
    "Stopping",
    "Waiting",
    "Want",
]

Want: TypeAlias = Literal["up", "none", "down"]
"""`up`: wanted at boot or by the operator. `none`: only if somebody wanted needs it. `down`: stopped by the operator."""

Main: TypeAlias = Literal["requested", "live", "gone"]
"""The main process of a run: its spawn was ordered, it lives, it has been reaped (or never was)."""

StopCause: TypeAlias = Literal[
    "operator", "restart", "shutdown", "dependency", "not-needed", "start-timeout", "leftovers"
]
StopStage: TypeAlias = Literal["spawning", "command", "signal", "rest", "kill", "overdue"]
"""Waiting for the ordered spawn to be known · stop.command runs · the stop signal was sent · SIGTERM was sent to what the
main process left · SIGKILL was sent · nothing more is tried."""


class Ended(Record):
    """How a run ended."""

    result: Result
    exit: Exit | None
    """None when nothing was executed."""
    at: Wall
    detail: str = ""
    """In words: `exit status 1`, `killed by SIGSEGV (core dumped)`, `exec /bin/x: No such file or directory`."""
    errno: int = 0
    """Why nothing was executed; 0 when something was."""


class Inactive(Record):
    phase: ClassVar[Phase] = "inactive"
    since: Instant
    reason: Reason


class Waiting(Record):
    """Wanted, but something must be true first."""

    phase: ClassVar[Phase] = "waiting"
    since: Instant
    reason: Reason
    trouble: bool = False
    """What it waits for has failed or was taken away: it will not come by itself."""


class Starved(Record):
    """Wanted, but the machine had no process, memory or file descriptor for it."""

    phase: ClassVar[Phase] = "waiting"
    since: Instant
    reason: Reason
    until: Monotonic
    tries: int


class Starting(Record):
    phase: ClassVar[Phase] = "starting"
    since: Instant
    reason: Reason
    run: RunId
    main: Main
    deadline: Monotonic = NEVER
    """When start_timeout is used up."""
    ready_at: Monotonic = NEVER
    """When `ready: {after}` comes true; known once the main process lives."""


class Running(Record):
    phase: ClassVar[Phase] = "running"
    since: Instant
    reason: Reason
    run: RunId
    ready: bool
    command: int = 0
    """Which of a oneshot's commands runs."""
    main: Main = "live"
    """`requested` between two commands of a oneshot."""
    deadline: Monotonic = NEVER
    """When a oneshot's start_timeout is used up."""


class Stopping(Record):
    phase: ClassVar[Phase] = "stopping"
    since: Instant
    reason: Reason
    run: RunId
    cause: StopCause
    stage: StopStage
    main: Main
    deadline: Monotonic
    """When the present stage's patience ends."""
    patience: float
    """The whole budget; the kill phase gets it once more."""
    ended: Ended | None = None
    """How the run ended by itself before anybody asked it to stop; None when it was asked first."""


class Backoff(Record):
    phase: ClassVar[Phase] = "backoff"
    since: Instant
    reason: Reason
    until: Monotonic


class Done(Record):
    phase: ClassVar[Phase] = "done"
    since: Instant
    reason: Reason
    run: RunId
    lingering: bool = False
    """Processes of a oneshot's run are still alive; they stay until it is stopped."""


class Failed(Record):
    phase: ClassVar[Phase] = "failed"
    since: Instant
    reason: Reason


State: TypeAlias = Inactive | Waiting | Starved | Starting | Running | Stopping | Backoff | Done | Failed


class Service(Record):
    """One service: what is wanted of it, where it is, what it has been through."""

    plan: PlannedService
    want: Want
    state: State
    run: int = 0
    """Number of the newest run; 0 before the first."""
    restarts: int = 0
    """Automatic restarts since it was last started by wish."""
    attempts: int = 0
    """Failed runs in a row: the exponent of the back-off."""
    window: tuple[Monotonic, ...] = ()
    """When the automatic restarts inside restart.limit's window happened."""
    last: Ended | None = None
    ready_since: Monotonic = NEVER
    """Since when the present run is ready."""
    struck: tuple[int, ...] = ()
    """Signals that the operator's `kill` sent to the present run and that would be a clean end without it."""
    starved: int = 0
    """How often in a row the machine had nothing for it."""
    again: Literal["", "start", "restart", "dependency"] = ""
    """Why it starts again when it is down, whatever the policy says: the operator asked while it was stopping, a restart was
    asked for, or a dependency with `restart: true` went away. Empty: it does not."""
    needed: bool = False
    """Derived: wanted itself, or required by one that is needed."""
    upright: bool = False
    """Derived: needed, the world is not ending, and nothing that it cannot run without is going down."""

    @property
    def name(self) -> ServiceName:
        return self.plan.name
