"""How are the services, in one number? The exit code of `status` (CLI.md)."""

from __future__ import annotations

from collections.abc import Iterable

from supervisor.model.service import Backoff, Failed, Service, Starting, Starved, Waiting

__all__ = ["status_code"]

_OK, _FAILED, _NOT_YET = 0, 1, 3


def status_code(services: Iterable[Service]) -> int:
    """1 if something has failed, else 3 if a wanted service is starting (or would be, had the machine anything for it), in
    backoff or waiting for a dependency in trouble, else 0. What waits for a service that the operator stopped is where it
    should be."""
    code = _OK
    for service in services:
        if isinstance(service.state, Failed):
            return _FAILED
        if isinstance(service.state, Starting | Starved | Backoff) or _waits_in_trouble(service):
            code = _NOT_YET
    return code


def _waits_in_trouble(service: Service) -> bool:
    state = service.state
    return isinstance(state, Waiting) and state.trouble and state.reason.code != "dependency-stopped"
