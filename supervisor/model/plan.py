"""What did the loader find out? The plan: everything PID 1 needs to run the services, as plain data.

The loader makes it, PID 1 only reads it: names are resolved to numbers, files are read, commands are looked up. It crosses
processes as versioned JSON (`wire/state`).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.record import Record
from supervisor.model.spec import ServiceSpec, SystemSpec
from supervisor.model.words import ServiceName

__all__ = ["PLAN_VERSION", "Identity", "Launch", "Plan", "PlannedService", "SpawnWay"]

PLAN_VERSION = 1

SpawnWay: TypeAlias = Literal["fast", "safe"]


class Identity(Record):
    """Who a service runs as: resolved from `user`, `group`, `extra_groups`."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    user: str = ""
    home: str = ""
    shell: str = ""


class Launch(Record):
    """How its programs may be executed. `fast` promises that working directory, binaries and interpreters are on local
    file systems, so that a vfork cannot sleep on a hung mount."""

    way: SpawnWay = "safe"
    executables: tuple[str, ...] = ()
    """Absolute path for each of `command`, or "" where the lookup found nothing: then the child looks again."""


class PlannedService(Record):
    name: ServiceName
    spec: ServiceSpec
    defined_at: str = ""
    """file:line of its definition."""
    identity: Identity | None = None
    """None: pidone's own."""
    launch: Launch = Launch()
    foreground: bool = False
    """The command of `init -c … -- CMD`: our stdin, stdout, stderr and terminal are its. What it depends on it waits for only
    at the beginning: nobody takes it along later."""


class Plan(Record):
    services: tuple[PlannedService, ...] = ()
    """In the order of their definition."""
    system: SystemSpec = SystemSpec()
    version: int = PLAN_VERSION
    admin_uids: tuple[int, ...] = ()
    """`system.control.admin`, resolved."""
    read_uids: tuple[int, ...] = ()
    """`system.control.read`, resolved."""
    control_gid: int = -1
    """`system.control.group`, resolved; -1: leave it."""
