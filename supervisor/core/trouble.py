"""How are the services, in one number? The exit codes of `status`, `is-active`, `is-failed`, `is-ready` (CLI.md)."""

from __future__ import annotations

from collections.abc import Iterable

from supervisor.model.service import Backoff, Done, Failed, Inactive, Running, Service, Starting, Starved, Waiting

__all__ = ["is_active", "is_failed", "readiness", "status_code"]

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


def is_active(services: Iterable[Service]) -> int:
    """0 when all are running or are finished jobs, else 3."""
    active = all(
        isinstance(service.state, Running) or (isinstance(service.state, Done) and service.plan.spec.type == "oneshot")
        for service in services
    )
    return _OK if active else _NOT_YET


def is_failed(services: Iterable[Service]) -> int:
    """0 when one has failed, else 1 (as systemctl(1) is-failed)."""
    return _OK if any(isinstance(service.state, Failed) for service in services) else _FAILED


def readiness(services: Iterable[Service]) -> int:
    """1 if one has failed, 3 while some are on their way, else 0; done, stopped and unwanted ones are fine."""
    code = _OK
    for service in services:
        match service.state:
            case Failed():
                return _FAILED
            case Running(ready=True) | Done() | Inactive():
                pass
            case Waiting(reason=reason) if reason.code == "dependency-stopped":
                pass
            case _:
                code = _NOT_YET
    return code
