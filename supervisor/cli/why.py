"""`pidone why`: the causal story of one service. What happened, in order; what it waits for now, down to the cause; who waits
for it; what would change it."""

from __future__ import annotations

import time

from supervisor.cli.errors import OK
from supervisor.cli.moments import epoch
from supervisor.cli.output import Look, columns, escape, human_duration, say_json
from supervisor.cli.session import address, open_caller, stdout_look
from supervisor.cli.status_table import age_of, mark_of, note_of

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from supervisor.cli.parse import Asked

    Document: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["history_lines", "moment", "run", "story", "whole_columns"]

_UNTIL = {
    "started": "until it is started",
    "ready": "until it is ready",
    "completed": "until it is completed",
    "ended": "until it has ended",
    "order": "until it is no longer on its way",
    "stopped": "until it has stopped",
}
_DAY = 86400


def run(asked: Asked) -> int:
    document = open_caller(asked).ask("why", name=asked.words[0])
    if asked.options.get("quiet"):
        return OK
    if asked.output in ("json", "jsonl"):
        say_json(document)
    elif asked.output == "name":
        print(document["service"])
    else:
        print("\n".join(story(document, stdout_look(asked), time.time(), address(asked))))
    return OK


def story(document: Document, look: Look, now: float, address: str) -> list[str]:
    """The whole of it, for people. `address` is how this world is spoken to: `pidone --name x`."""
    lines = [*_title(document, look, now)]
    for heading, body in (
        ("what happened", history_lines(document["history"], look, now)),
        ("what it waits for", list(_waits(document, look, now))),
        ("who waits for it", [_waiter(link) for link in document["waited_by"]]),
        ("what would change it", [_change(change, document, address) for change in document["changes"]]),
    ):
        if body:
            lines += [look.paint(heading, "bold"), *(f"  {line}" for line in body)]
    return lines


def history_lines(history: Sequence[Document], look: Look, now: float) -> list[str]:
    """Transitions, the oldest first: when, from where to where, why."""
    rows = [[moment(taken["at"], look, now), _way(taken, look), escape(taken["reason"]["text"])] for taken in history]
    return whole_columns(rows)


def whole_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned, and longer than the terminal is wide rather than cut: here every word counts."""
    return columns(rows, frozenset(), Look()) if rows else []


def moment(at: str, look: Look, now: float) -> str:
    """On a terminal the local time of day, with the date when that is not of the last hours; else as it came."""
    if not look.terminal:
        return at
    when = epoch(at)
    shape = "%H:%M:%S" if 0 <= now - when < _DAY / 2 else "%Y-%m-%d %H:%M:%S"
    return f"{time.strftime(shape, time.localtime(when))}.{int(when * 1000) % 1000:03d}"


def _title(document: Document, look: Look, now: float) -> Iterator[str]:
    name = look.paint(escape(document["service"]), "bold")
    state = document["phase"]
    if state == "running":
        state += ", ready" if document["ready"] else ", not ready"
    said = escape(document["reason"]["text"])
    yield f"{mark_of(document, look)} {name} {look.sign('·')} {state} for {human_duration(age_of(document, now))}: {said}"
    if document["fate"]:
        yield f"  it is about to be stopped: {escape(document['fate']['text'])}"
    if document["restarts"]:
        times = document["restarts"]
        yield f"  run {document['run']}, restarted {times} time{'' if times == 1 else 's'} by itself"


def _way(taken: Document, look: Look) -> str:
    if taken["from"] in (None, taken["to"]):
        return str(taken["to"])
    return f"{taken['from']} {look.sign('→')} {taken['to']}"


def _waits(document: Document, look: Look, now: float) -> Iterator[str]:
    """Each link below the one that waits for it, with where the other is; the cause is named."""
    below: dict[str, list[Document]] = {}
    for link in document["waits_for"]:
        below.setdefault(link["for"], []).append(link)
    todo = [(0, link) for link in reversed(below.get(document["service"], []))]
    told = set()
    while todo:
        depth, link = todo.pop()
        name = link["service"]
        indent = "    " * depth
        cause = f" {look.sign('←')} {look.paint('the cause', 'red')}" if link["root"] else ""
        yield f"{indent}{escape(name)}, {_UNTIL.get(link['until'], link['until'])}"
        again = " (see above)" if name in told else ""
        state = f"{link['phase']} for {human_duration(age_of(link, now))}"
        yield f"{indent}  {mark_of(link, look)} {state}: {note_of(link, now) or escape(link['reason']['text'])}{cause}{again}"
        if name not in told:
            todo += [(depth + 1, further) for further in reversed(below.get(name, []))]
        told.add(name)
    if document["left_out"]:
        yield f"{look.sign('…')} and {document['left_out']} more"


def _waiter(link: Document) -> str:
    return f"{escape(link['service'])}, {_UNTIL.get(link['until'], link['until'])}"


def _change(change: Document, document: Document, address: str) -> str:
    text = escape(change["text"]).replace("`pidone ", f"`{address} ")
    return text if change["service"] == document["service"] else f"{escape(change['service'])}: {text}"
