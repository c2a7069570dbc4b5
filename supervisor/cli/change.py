"""`pidone start | stop | restart | kill | shutdown`: asks for a change and says how it ended."""

from __future__ import annotations

import sys

from supervisor.cli.errors import OK
from supervisor.cli.output import escape, say_json
from supervisor.cli.session import address, open_caller, stderr_look
from supervisor.client.trouble import Trouble
from supervisor.wire.jsonrpc import SCHEMA

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.cli.parse import Asked
    from supervisor.client.call import Caller

__all__ = ["run"]

_DONE = {"start": "started", "stop": "stopped", "restart": "restarted", "kill": "signalled"}
_ALSO = {
    "start": "and what it needs",
    "stop": "its dependents first",
    "restart": "together with",
    "kill": "and",
}


def run(asked: Asked) -> int:
    assert asked.command is not None  # the parser found this module by it
    verb = asked.command.name
    caller = open_caller(asked)
    answer = caller.ask_long(verb, _parameters(verb, asked), _progress(caller, verb, asked))
    if verb == "shutdown" and not asked.options.get("no_wait") and answer["verdict"] == "done":
        caller.wait_for_end()
    return _say(verb, answer, asked)


def _parameters(verb: str, asked: Asked) -> dict[str, Any]:
    options = asked.options
    shown = _shows_progress(asked)
    if verb == "shutdown":
        return {"progress": shown}
    if verb == "kill":
        said = {"names": asked.words, "main": options.get("main", False)}
        return {**said, "signal": options["signal"]} if "signal" in options else said
    asks = {"names": asked.words, "all": options.get("all", False), "wait": not options.get("no_wait")}
    if options.get("no_dependents"):
        asks["dependents"] = False
    return {**asks, "progress": shown}


def _shows_progress(asked: Asked) -> bool:
    options = asked.options
    return sys.stderr.isatty() and not options.get("quiet") and not options.get("no_wait") and asked.output != "json"


def _progress(caller: Caller, verb: str, asked: Asked) -> Callable[[dict[str, Any]], None] | None:
    if not _shows_progress(asked):
        return None
    from supervisor.cli.progress import concerned, shower

    services = caller.ask("status")["services"]
    return shower(concerned(verb, asked.words, services), stderr_look(asked))


def _say(verb: str, answer: dict[str, Any], asked: Asked) -> int:
    verdict = answer["verdict"]
    if verdict not in ("done", "pending"):
        raise _not_done(verb, answer, asked)
    if asked.output == "json":
        say_json({"schema": SCHEMA, **answer})
    elif not asked.options.get("quiet"):
        print(_sentence(verb, answer))
    return OK


def _sentence(verb: str, answer: dict[str, Any]) -> str:
    if answer["verdict"] == "pending":
        return f"ticket {answer['ticket']}"
    if verb == "shutdown":
        return "shut down"
    names = ", ".join(answer["names"]) or "nothing"
    also = ", ".join(answer.get("also", ()))
    return escape(f"{_DONE[verb]} {names}" + (f", {_ALSO[verb]}: {also}" if also else ""))


def _not_done(verb: str, answer: dict[str, Any], asked: Asked) -> Trouble:
    service, code = answer.get("service") or "", answer.get("code") or answer["verdict"]
    # who is refused for the sake of others is who was asked for, not one of those
    place = " ".join([verb, *asked.words]) if code == "has-dependents" else f"{verb} {service}".strip()
    told = (answer.get("text") or answer["verdict"]).removeprefix(f"{service}: ")
    hint = f"{address(asked)} why {service}" if service else f"{address(asked)} status"
    more = {"verdict": answer["verdict"], "service": service, "ticket": answer.get("ticket")}
    return Trouble(code, f"{place}: {told}", hint, more)
