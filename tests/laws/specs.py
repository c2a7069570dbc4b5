"""How is a small world written down? A service in a line, without anything that lengthens or shortens a pause by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supervisor.model.plan import Plan, PlannedService
from supervisor.model.record import replace
from supervisor.model.spec import (
    Condition,
    DependencySpec,
    ReadySpec,
    RestartLimitSpec,
    RestartSpec,
    ServiceSpec,
    StopSpec,
)
from supervisor.model.words import Seconds, ServiceName

__all__ = [
    "AFTER",
    "ALWAYS",
    "FOLLOW",
    "LIMITED",
    "MAYBE",
    "MAYBE_FOLLOW",
    "NEVER",
    "ON_FAILURE",
    "TCP",
    "TWICE",
    "UNDO",
    "in_front",
    "job",
    "needs",
    "plan",
    "restarts",
    "simple",
    "stops",
]

_ONCE = (("x",),)
TWICE = (("x",), ("y",))
"""The commands of a job that has two."""


def restarts(policy: str = "always", **keys: Any) -> RestartSpec:  # Any: as a caller writes them
    """A restart key without growth and chance: pauses are 100 ms unless said otherwise."""
    return RestartSpec(policy, **{"jitter": 0.0, "factor": 1.0, **keys})  # type: ignore[arg-type]


def stops(**keys: Any) -> StopSpec:  # Any: as a caller writes them
    return StopSpec(**keys)


ALWAYS, NEVER, ON_FAILURE = restarts(), restarts("never"), restarts("on-failure")
LIMITED = restarts(limit=RestartLimitSpec(1, Seconds(100_000.0)))
UNDO = stops(command=("u",))
TCP = ReadySpec(tcp="127.0.0.1:1")
AFTER = ReadySpec(after=Seconds(2.0))
FOLLOW = DependencySpec(restart=True)
MAYBE = DependencySpec(required=False)
MAYBE_FOLLOW = DependencySpec(required=False, restart=True)


def simple(**keys: Any) -> ServiceSpec:  # Any: as a caller writes them
    """A daemon."""
    return ServiceSpec(_ONCE, **{"restart": ALWAYS, "start_timeout": None, **keys})


def job(**keys: Any) -> ServiceSpec:  # Any: as a caller writes them
    """A oneshot."""
    return ServiceSpec(**{"command": _ONCE, "restart": NEVER, "start_timeout": None, **keys}, type="oneshot")


def needs(**edges: DependencySpec | Condition) -> Mapping[ServiceName, DependencySpec]:
    """A depends_on key: a condition for each name, or all of an edge."""
    return {
        ServiceName(name): edge if isinstance(edge, DependencySpec) else DependencySpec(edge)
        for name, edge in edges.items()
    }


def plan(**services: ServiceSpec) -> Plan:
    return Plan(tuple(PlannedService(ServiceName(name), spec) for name, spec in services.items()))


def in_front(name: str, others: Plan) -> Plan:
    """The same plan, with this service in the foreground."""
    services = tuple(replace(one, foreground=True) if one.name == name else one for one in others.services)
    return replace(others, services=services)
