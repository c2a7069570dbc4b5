"""`pidone show`: everything known of one service. With -o wide every key of its definition, else those that were written."""

from __future__ import annotations

import time

from supervisor.cli.errors import OK
from supervisor.cli.moments import epoch
from supervisor.cli.output import escape, human_duration, human_size, say_json
from supervisor.cli.process_tree import command_of, in_tree
from supervisor.cli.session import open_caller, stdout_look
from supervisor.cli.status_table import age_of, mark_of
from supervisor.cli.why import history_lines, whole_columns

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from supervisor.cli.output import Look
    from supervisor.cli.parse import Asked

    Document: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["run", "whole"]


def run(asked: Asked) -> int:
    caller = open_caller(asked)
    document = caller.ask("show", name=asked.words[0])
    if asked.options.get("quiet"):
        return OK
    if asked.output in ("json", "jsonl"):
        say_json(document)
    elif asked.output == "name":
        print(document["name"])
    else:
        own = [process for process in caller.ask("ps")["processes"] if process["service"] == document["name"]]
        print("\n".join(whole(document, own, stdout_look(asked), time.time(), asked.output == "wide")))
    return OK


def whole(service: Document, processes: Sequence[Document], look: Look, now: float, wide: bool) -> list[str]:
    """All of it, for people: where it is, how it is defined, what runs, what happened."""
    state = service["phase"]
    if state == "running":
        state += ", ready" if service["ready"] else ", not ready"
    lines = [f"{mark_of(service, look)} {look.paint(escape(service['name']), 'bold')} {look.sign('·')} {state}"]
    keys = [entry for entry in service["definition"] if wide or not entry["default"]]
    tree = [f"{lead}{process['pid']} {command_of(process)}" for lead, process in in_tree(processes, look)]
    for heading, body in (
        ("", _table(_facts(service, now))),
        ("definition", _table([(entry["key"], escape(entry["text"]) or "-") for entry in keys])),
        ("processes", tree),
        ("what happened", history_lines(service["history"], look, now)),
    ):
        if body:
            lines += [look.paint(heading, "bold")] if heading else []
            lines += [f"  {line}" for line in body]
    return lines


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    return whole_columns([[f"{label}:", text] for label, text in rows])


def _facts(service: Document, now: float) -> list[tuple[str, str]]:
    """What is known besides, where there is something to say."""
    rows = [
        ("description", service["description"]),
        ("defined at", service["defined_at"]),
        ("groups", ", ".join(f"@{group}" for group in service["groups"])),
        ("since", f"{service['since']} ({human_duration(age_of(service, now))})"),
        ("because", f"{service['reason']['text']} ({service['reason']['code']})"),
        ("wanted", _wanted(service)),
        ("run", str(service["run"] or "")),
        ("restarts", ", ".join(_restarts(service))),
        ("next start", service["next_start"] or ""),
        ("last exit", _exit(service["last_exit"], now)),
        ("main process", str(service["pid"] or "")),
        ("cpu, memory", _use(service)),
        ("runs as", _identity(service["identity"])),
        ("program", ", ".join(path or "(not found when it was looked up)" for path in service["executables"])),
        ("needs", ", ".join(map(_need, service["needs"]))),
        ("needed by", ", ".join(service["needed_by"])),
        ("after", ", ".join(service["after"])),
    ]
    return [(label, escape(text)) for label, text in rows if text]


def _wanted(service: Document) -> str:
    """By whom: an operator's word, or somebody who needs it."""
    if service["want"] == "down":
        return "no, stopped by operator"
    if not service["wanted"]:
        return "no"
    return "yes" if service["want"] == "up" else "yes, because others need it"


def _restarts(service: Document) -> Iterator[str]:
    if service["restarts"]:
        yield f"{service['restarts']} by itself"
    if service["attempts"]:
        yield f"{service['attempts']} in a row for the pause"
    if service["restarts_in_window"]:
        yield f"{service['restarts_in_window']} for the limit"
    if service["shortages"]:
        yield f"{service['shortages']} starts for which the machine had nothing"


def _exit(ended: Document | None, now: float) -> str:
    if ended is None:
        return ""
    return f"{ended['text'] or ended['result']} ({ended['result']}), {human_duration(now - epoch(ended['at']))} ago"


def _use(service: Document) -> str:
    if not service["processes"]:
        return ""
    return f"{service['cpu_seconds'] or 0:.2f} s, {human_size(service['memory_bytes'] or 0)}"


def _identity(identity: Document | None) -> str:
    if identity is None:
        return "as pidone itself"
    name = f"{identity['user']} " if identity["user"] else ""
    groups = f", groups {' '.join(map(str, identity['groups']))}" if identity["groups"] else ""
    return f"{name}(uid {identity['uid']}, gid {identity['gid']}{groups})"


def _need(need: Document) -> str:
    return f"{need['name']} ({need['condition']}{'' if need['required'] else ', if it can'})"
