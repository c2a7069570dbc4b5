"""Which methods are there? A table of name, access, parameters, what comes back, and who does it.

A method is found by its name in this table and nowhere else: nothing is evaluated, nothing is looked up by attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supervisor.control import methods
from supervisor.control.access import Access
from supervisor.control.parameters import (
    ChangeParameters,
    EventsParameters,
    KillParameters,
    LogsParameters,
    NoParameters,
    ServiceParameters,
    ShutdownParameters,
    StatusParameters,
    StopParameters,
    WaitParameters,
)
from supervisor.model.record import Record

__all__ = ["ROUTES", "Route"]

_TICKET = "ticket, verdict (done, failed, superseded, refused, pending), code, text, service, also, names"


class Route(Record):
    name: str
    access: Access
    parameters: type[Record]
    result: str
    """The members of what comes back."""
    perform: methods.Method[Any]  # Any: each takes its own record, which `parameters` names


_TABLE = (
    Route("version", "read", NoParameters, "schema, name, version, pid, pid_ns", methods.version),
    Route("status", "read", StatusParameters, "the document of `status --json`, and exit_code", methods.status),
    Route("ps", "read", NoParameters, "schema, pid_ns, processes", methods.ps),
    Route("why", "read", ServiceParameters, "the document of `why --json`", methods.why),
    Route("show", "read", ServiceParameters, "the document of `show --json`", methods.show),
    Route("graph", "read", NoParameters, "the document of `graph --json`", methods.graph),
    Route(
        "events", "read", EventsParameters, "schema, events, count; with `follow` only notifications", methods.events
    ),
    Route("wait", "read", WaitParameters, "verdict (done, failed), service, code, text, names", methods.wait),
    Route(
        "logs", "read", LogsParameters, "names; a file descriptor with the lines comes along (unix(7))", methods.logs
    ),
    Route("start", "admin", ChangeParameters, _TICKET, methods.start),
    Route("stop", "admin", StopParameters, _TICKET, methods.stop),
    Route("restart", "admin", ChangeParameters, _TICKET, methods.restart),
    Route("kill", "admin", KillParameters, _TICKET, methods.kill),
    Route("shutdown", "admin", ShutdownParameters, _TICKET, methods.shutdown),
)

ROUTES: Mapping[str, Route] = {route.name: route for route in _TABLE}
