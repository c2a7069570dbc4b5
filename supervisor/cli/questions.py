"""`pidone wait`, `is-active`, `is-failed`, `is-ready`: questions whose answer is the exit status."""

from __future__ import annotations

from supervisor.cli.errors import FAILED, NOT_RUNNING, OK
from supervisor.cli.output import escape, say_json
from supervisor.cli.session import address, open_caller
from supervisor.client.trouble import Trouble
from supervisor.wire.jsonrpc import SCHEMA

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from supervisor.cli.parse import Asked

    Service: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["is_active", "is_failed", "is_ready", "run"]

_ACTIVE = ("running", "reloading")
_COMING = ("starting", "backoff", "stopping")
_AT_REST = ("dependency-stopped",)  # of a waiting service: nobody will come until an operator wishes it


def run(asked: Asked) -> int:
    assert asked.command is not None  # the parser found this module by it
    if asked.command.name == "wait":
        return _wait(asked)
    services = open_caller(asked).ask("status", names=asked.words)["services"]
    everything = bool(asked.options.get("all"))
    status = _QUESTIONS[asked.command.name](services, everything)
    if asked.output == "json":
        keep = ("name", "phase", "ready", "wanted", "reason")
        shown = [{key: service[key] for key in keep} for service in services]
        say_json({"schema": SCHEMA, "answer": status == OK, "services": shown})
    elif not asked.options.get("quiet"):
        for service in services:
            named = f"{service['name']}: " if len(services) > 1 else ""
            ready = ", not ready" if service["phase"] == "running" and not service["ready"] else ""
            print(f"{escape(named)}{service['phase']}{ready}")
    return status


def is_active(services: Sequence[Service], everything: bool) -> int:
    """Of all services those that nobody wants are no reproach."""
    asked = [service for service in services if service["wanted"]] if everything else services
    return OK if all(service["phase"] in _ACTIVE or _is_finished_job(service) for service in asked) else NOT_RUNNING


def _is_finished_job(service: Service) -> bool:
    """A daemon that ended well is done too, but not there any more."""
    return bool(service["phase"] == "done" and service["type"] == "oneshot")


def is_failed(services: Sequence[Service], everything: bool) -> int:
    return OK if any(service["phase"] == "failed" for service in services) else FAILED


def is_ready(services: Sequence[Service], everything: bool) -> int:
    """A named one must be ready; of all, those at rest are fine and none at all is too."""
    if any(service["phase"] == "failed" for service in services):
        return FAILED
    fine = _is_fine if everything else _is_there
    return OK if all(map(fine, services)) else NOT_RUNNING


def _is_there(service: Service) -> bool:
    return bool(service["ready"]) or service["phase"] == "done"


def _is_fine(service: Service) -> bool:
    if service["phase"] == "running":
        return bool(service["ready"])
    if service["phase"] == "waiting":
        return service["reason"]["code"] in _AT_REST
    return service["phase"] not in _COMING


_QUESTIONS = {"is-active": is_active, "is-failed": is_failed, "is-ready": is_ready}


def _wait(asked: Asked) -> int:
    target = asked.options.get("target", "ready")
    answer = open_caller(asked).ask_long("wait", {"names": asked.words, "target": target})
    if answer["verdict"] != "done":
        name = answer["service"]
        text = f"{name} will not be {target} by itself: {answer['phase']}, {answer['text']}"
        raise Trouble("not-coming", text, f"{address(asked)} why {name}", {"service": name})
    if asked.output == "json":
        say_json({"schema": SCHEMA, **answer})
    return OK
