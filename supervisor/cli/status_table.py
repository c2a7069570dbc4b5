"""How does a world look on one screen? One line about the whole, one per service, and what to type next."""

from __future__ import annotations

from supervisor.cli.moments import epoch
from supervisor.cli.output import columns, escape, human_duration, human_size

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from supervisor.cli.output import Look

    Service: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["age_of", "mark_of", "note_of", "overview"]

_MARKS = {
    "running": ("●", "green"),
    "reloading": ("●", "green"),
    "starting": ("◐", "yellow"),
    "stopping": ("◐", "yellow"),
    "backoff": ("↻", "yellow"),
    "waiting": ("○", "yellow"),
    "inactive": ("○", "dim"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
}
_ORDER = tuple(_MARKS)
_UNHEALTHY = ("impaired", "stopping")
_LIVE = ("running", "reloading", "starting", "stopping")


def overview(document: Mapping[str, Any], look: Look, now: float, wide: bool, address: str) -> list[str]:
    services = document["services"]
    lines = [_headline(document, look)]
    if services:
        elsewhere = any("host_pid" in service for service in services)
        lines += _table(services, look, now, wide, elsewhere)
    if failed := [service["name"] for service in services if service["phase"] == "failed"]:
        lines.append(f"{look.paint('hint:', 'dim')} {address} why {escape(failed[0])}")
    return lines


def mark_of(service: Service, look: Look) -> str:
    """The symbol of its phase, painted; a service that runs without being ready looks as if on its way."""
    symbol, colour = _MARKS.get(service["phase"], ("○", "dim"))
    if service["phase"] == "running" and not service["ready"]:
        symbol, colour = _MARKS["starting"]
    return look.paint(look.sign(symbol), colour)


def age_of(service: Service, now: float) -> float:
    """Seconds in its phase."""
    return max(0.0, now - epoch(service["since"]))


def note_of(service: Service, now: float) -> str:
    """Why it is where it is, unless it just runs."""
    phase = service["phase"]
    said: str = service["reason"]["text"]
    if phase == "running" and (service["ready"] or service.get("status_text")):
        said = service.get("status_text") or ""
    if phase == "backoff" and service.get("next_start"):
        said += f" (in {human_duration(max(0.0, epoch(service['next_start']) - now))})"
    elif phase in ("failed", "done"):
        said += f", {human_duration(age_of(service, now))} ago"
    return escape(said)


def _headline(document: Mapping[str, Any], look: Look) -> str:
    services = document["services"]
    counts = dict.fromkeys(_ORDER, 0)
    for service in services:
        counts[service["phase"]] = counts.get(service["phase"], 0) + 1
    parts = [f"pidone {escape(document['version'])}"]
    if document["name"] != "default":
        parts.append(escape(document["name"]))
    parts += [f"pid {document['pid']}", f"up {human_duration(document['uptime'])}"]
    if document["state"] in _UNHEALTHY:
        parts.append(look.paint(document["state"], "red"))
    number = f"{len(services)} service{'' if len(services) == 1 else 's'}"
    found = ", ".join(f"{count} {phase}" for phase, count in counts.items() if count)
    parts.append(f"{number}: {found}" if found else number)
    if reaped := document["orphans"]["reaped"]:
        parts.append(f"{reaped} orphan{'' if reaped == 1 else 's'} reaped")
    return f" {look.sign('·')} ".join(parts)


def _table(services: list[Service], look: Look, now: float, wide: bool, elsewhere: bool) -> list[str]:
    head = [
        "NAME",
        "PHASE",
        "PID",
        *(["HOST PID"] if elsewhere else []),
        "UPTIME",
        look.sign("↻"),
        "CPU",
        "MEM",
        "READY",
    ]
    right = {2, 3 if elsewhere else 2, head.index(look.sign("↻"))}
    if wide:
        head += ["RUN", "SINCE", "PROCESSES", "DEFINED AT"]
    head.append("NOTE")
    rows = [head]
    for service in services:
        row = [escape(service["name"]), service["phase"], _number(service["pid"])]
        if elsewhere:
            row.append(_number(service.get("host_pid")))
        row += [_uptime(service, now), _restarts(service), _cpu(service, now), _memory(service), _ready(service)]
        if wide:
            row += [str(service["run"]), service["since"], _processes(service), escape(service["defined_at"])]
        rows.append([*row, note_of(service, now) or "-"])
    marks = [" ", *(mark_of(service, look) for service in services)]
    return [f"{mark}  {line}" for mark, line in zip(marks, columns(rows, frozenset(right), look, taken=3))]


def _number(pid: int | None) -> str:
    return "-" if pid is None else str(pid)


def _uptime(service: Service, now: float) -> str:
    return human_duration(age_of(service, now)) if service["phase"] in _LIVE else "-"


def _restarts(service: Service) -> str:
    return str(service["restarts"]) if service["run"] else "-"


def _cpu(service: Service, now: float) -> str:
    """Of one processor, over the time it has been in its phase."""
    seconds, age = service.get("cpu_seconds"), age_of(service, now)
    if seconds is None or service["pid"] is None or age <= 0:
        return "-"
    percent = 100 * seconds / max(age, 1.0)
    return f"{percent:.1f}%" if percent < 10 else f"{percent:.0f}%"


def _memory(service: Service) -> str:
    count = service.get("memory_bytes")
    return "-" if count is None or not service["processes"] else human_size(count)


def _ready(service: Service) -> str:
    how = service.get("ready_by")
    if service["phase"] == "starting":
        return escape(f"waits: {how.split()[0]}") if how else "-"
    if service["phase"] != "running":
        return "-"
    return escape(how or "-") if service["ready"] else "no"


def _processes(service: Service) -> str:
    return ",".join(str(pid) for pid in service["processes"]) or "-"
