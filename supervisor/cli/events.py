"""`pidone events`: what has happened lately in the world, and with -f what happens from now on."""

from __future__ import annotations

import sys
import time

from supervisor.cli.errors import OK
from supervisor.cli.output import escape, say_json
from supervisor.cli.session import open_caller, stderr_look, stdout_look
from supervisor.cli.status_table import mark_of
from supervisor.cli.why import moment
from supervisor.client.trouble import Trouble

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from supervisor.cli.output import Look
    from supervisor.cli.parse import Asked
    from supervisor.client.call import Caller

    Event: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["line_of", "run"]

_BEFORE_FOLLOWING = 10  # old ones with -f and without -n, as `logs -f` does
_TRIES = 20  # connections in a row on which nothing came
_PAUSE = 0.1  # seconds between two of them
_MEANINGS = {
    "stop": "shut down",
    "fast": "shut down without grace",
    "reboot": "shut down and ask for a reboot",
    "reload": "reload",
    "reopen": "open the outputs again",
    "dump": "write the state to the log",
    "reexec": "re-execute",
    "ignored": "ignored",
}


def run(asked: Asked) -> int:
    follow = asked.options.get("follow", False)
    if asked.output == "json" and follow:
        raise Trouble("usage", "one JSON document of what never ends cannot be", "-o jsonl has one per line")
    caller = open_caller(asked)
    world = _identity(caller) if follow else None
    document = caller.ask("events")
    most = asked.options.get("lines", _BEFORE_FOLLOWING if follow else None)
    events = document["events"]
    if most is not None:
        events = events[len(events) - min(most, len(events)) :]
    if asked.output == "json":
        say_json({"schema": document["schema"], "events": events})
        return OK
    show = _shower(asked)
    for event in events:
        show(event)
    if follow:
        sys.stdout.flush()
        _follow(asked, caller, world, document["count"], show)
    return OK


def _follow(asked: Asked, caller: Caller, world: object, seen: int, show: Callable[[Event], None]) -> None:
    """Until we are interrupted, or the world has ended, which is what was to be seen. Who did not read for too long (`| less`)
    has been given up; he goes on where he was."""
    tries = _TRIES

    def told(event: dict[str, Any]) -> None:
        nonlocal seen, tries
        event.pop("id", None)  # of our request
        show(event)
        sys.stdout.flush()
        seen, tries = event["number"], _TRIES

    while tries:
        try:
            caller.ask_long("events", {"after": seen, "follow": True}, told)
        except Trouble as trouble:
            if trouble.code != "gone":
                raise
        try:
            caller = open_caller(asked)
            if _identity(caller) != world:
                return
        except Trouble:
            return  # the world has ended
        tries -= 1
        time.sleep(_PAUSE)
    raise Trouble("gone", "pidone hangs up every time it is asked", "pidone status")


def _identity(caller: Caller) -> object:
    """Another world, even one of the same name, is not the one that was followed."""
    said = caller.ask("version")
    return said["name"], said["pid"], said["pid_ns"]


def _shower(asked: Asked) -> Callable[[Event], None]:
    if asked.output == "jsonl":
        return say_json
    look, complaints = stdout_look(asked), stderr_look(asked)

    def show(event: Event) -> None:
        if lost := event.get("lost"):
            text = f"{complaints.sign('…')} {lost} events were lost here: they came faster than they were read"
            print(complaints.paint(text, "yellow"), file=sys.stderr)
        print(line_of(event, look, time.time()))

    return show


def line_of(event: Event, look: Look, now: float) -> str:
    """When, what kind, about whom, what."""
    about, text = _TELL.get(event["kind"], _unknown)(event, look)
    sign = mark_of({"phase": event["to"], "ready": True}, look) if event["kind"] == "edge" else look.sign("·")
    return f"{moment(event['at'], look, now)}  {event['kind']:<7}  {sign} {escape(about or '-'):<10}  {escape(text)}"


def _edge(event: Event, look: Look) -> tuple[str, str]:
    origin, to = event["from"], event["to"]
    way = to if origin in (None, to) else f"{origin} {look.sign('→')} {to}"
    run = f" (run {event['run']})" if event["run"] else ""
    return event["service"], f"{way}{run}: {event['reason']['text']}"


def _orphan(event: Event, look: Look) -> tuple[str, str]:
    how = event["exit"]
    end = f"exit status {how['code']}" if how["signal"] is None else f"killed by {how['signal']}"
    core = " (core dumped)" if how["core"] else ""
    rule = f", known by its {event['rule']}" if event["rule"] else ""
    return event["service"] or "", f"{event['comm'] or 'somebody'} ({event['pid']}){rule}: {end}{core}"


def _request(event: Event, look: Look) -> tuple[str, str]:
    verdict = "asked" if event["verdict"] == "pending" else event["verdict"]
    who = f"{event['service']}: " if event["service"] else ""
    why = f": {who}{event['text']}" if event["text"] else ""
    also = f", with {', '.join(event['also'])}" if event["also"] else ""
    by = f" by user {event['uid']}" if verdict == "asked" and event.get("uid") is not None else ""
    return ", ".join(event["services"]), f"{event['verb']} {verdict}{by}{why}{also} (ticket {event['ticket']})"


def _signal(event: Event, look: Look) -> tuple[str, str]:
    if event["count"]:
        sender = f", number {event['count']} from the monitor"
    else:
        sender = f", from process {event['pid']} of user {event['uid']}" if event["pid"] else ""
    return "", f"{event['signal']}: {_MEANINGS.get(event['meaning'], event['meaning'])}{sender}"


def _unknown(event: Event, look: Look) -> tuple[str, str]:
    """A newer pidone may tell of more than we know."""
    return str(event.get("service") or ""), ""


_TELL = {"edge": _edge, "orphan": _orphan, "request": _request, "signal": _signal}
