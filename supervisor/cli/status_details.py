"""How does one service look in full? Where it is defined, what runs, what it needs, how it ended, what it said last."""

from __future__ import annotations

from supervisor.cli.moments import epoch
from supervisor.cli.output import escape, human_duration, human_size
from supervisor.cli.process_tree import command_of, in_tree
from supervisor.cli.status_table import age_of, mark_of, note_of
from supervisor.client.trouble import Trouble

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from supervisor.cli.output import Look
    from supervisor.client.call import Caller

__all__ = ["details"]

_LOG_LINES = 10
_INDENT = " " * 14


def details(caller: Caller, document: Mapping[str, Any], look: Look, now: float) -> list[str]:
    """The lines of all services in the document, asking for their processes and last lines too."""
    processes = caller.ask("ps")["processes"]
    lines: list[str] = []
    for service in document["services"]:
        own = [process for process in processes if process["service"] == service["name"]]
        lines += ["", *_service(service, own, look, now), *_log(caller, service["name"])]
    return lines[1:]


def _service(service: Mapping[str, Any], processes: Sequence[Mapping[str, Any]], look: Look, now: float) -> list[str]:
    state = service["phase"]
    if state == "running":
        state += ", ready" if service["ready"] else ", not ready"
    name = look.paint(escape(service["name"]), "bold")
    title = f"{mark_of(service, look)} {name} {look.sign('·')} {state}"
    rows = [
        ("description", escape(service.get("description") or "")),
        ("defined at", escape(service["defined_at"])),
        ("since", f"{service['since']} ({human_duration(age_of(service, now))})"),
        ("because", note_of(service, now)),
        ("wanted", "yes" if service["wanted"] else "no"),
        ("ready by", escape(service.get("ready_by") or "")),
        ("run", _run(service)),
        ("last exit", _exit(service["last_exit"], now)),
        ("memory", human_size(service["memory_bytes"]) if processes and service.get("memory_bytes") else ""),
        ("needs", _names(_need(need) for need in service.get("needs", ()))),
        ("needed by", _names(map(escape, service.get("needed_by", ())))),
        ("after", _names(map(escape, service.get("after", ())))),
        ("main process", _main(service)),
    ]
    lines = [title, *(f"{label:>12}: {text}" for label, text in rows if text)]
    for place, (lead, process) in enumerate(in_tree(processes, look)):
        label = "   processes: " if place == 0 else _INDENT
        lines.append(f"{label}{lead}{process['pid']} {command_of(process)}")
    return lines


def _run(service: Mapping[str, Any]) -> str:
    """Which one it is, and how often it was started again by itself; nothing before the first."""
    restarts = service["restarts"]
    times = f", restarted {restarts} time{'' if restarts == 1 else 's'} by itself" if restarts else ""
    return f"{service['run']}{times}" if service["run"] else ""


def _main(service: Mapping[str, Any]) -> str:
    if service["pid"] is None:
        return ""
    here = service.get("host_pid")
    return f"{service['pid']}" + (f" (here {here})" if here is not None else "")


def _exit(ended: Mapping[str, Any] | None, now: float) -> str:
    if ended is None:
        return ""
    how = ended["result"]
    if ended["code"] is not None:
        how += f", status {ended['code']}"
    if ended["signal"]:
        how += f", {ended['signal']}" + (" (core dumped)" if ended["core"] else "")
    return escape(f"{how}, {human_duration(now - epoch(ended['at']))} ago")


def _need(need: Mapping[str, Any]) -> str:
    return escape(f"{need['name']} ({need['condition']}{'' if need['required'] else ', if it can'})")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def _log(caller: Caller, name: str) -> list[str]:
    """Its last lines; none when there is no logger to ask: the rest is worth showing all the same."""
    from supervisor.cli.logs import last_lines

    try:
        shown = last_lines(caller, name, _LOG_LINES)
    except Trouble:
        return []
    return ["         log:", *(f"    {line}" for line in shown)] if shown else []
