"""`pidone status`: what runs, and why not. The whole world as a table, or named services in full."""

from __future__ import annotations

import sys
import time

from supervisor.cli.output import say_json
from supervisor.cli.session import address, numbers_here, open_caller, stdout_look

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.parse import Asked
    from supervisor.client.call import Caller

__all__ = ["run"]

_TABLES = ("", "table", "wide", "name")  # forms that show no more than the rows of a table
_CLEAR = "\x1b[H\x1b[2J"  # cursor home, erase all (ECMA-48)


def run(asked: Asked) -> int:
    caller = open_caller(asked)
    interval = asked.options.get("watch")
    while True:
        document = _document(caller, asked)
        status = int(document.pop("exit_code"))
        if not asked.options.get("quiet"):
            _show(caller, document, asked, clear=interval is not None)
        if interval is None:
            return status
        sys.stdout.flush()
        time.sleep(interval)


def _document(caller: Caller, asked: Asked) -> dict[str, Any]:
    document = caller.ask("status", names=asked.words, brief=asked.output in _TABLES and not asked.words)
    services = document["services"]
    if (here := numbers_here(caller, document["pid_ns"], [service["pid"] for service in services])) is not None:
        for service in services:
            service["host_pid"] = here[service["pid"]]
    return document


def _show(caller: Caller, document: dict[str, Any], asked: Asked, clear: bool) -> None:
    form = asked.output
    if form == "json":
        say_json(document)
    elif form == "jsonl":
        for service in document["services"]:
            say_json(service)
    elif form == "name":
        for service in document["services"]:
            print(service["name"])
    else:
        if clear and sys.stdout.isatty():
            sys.stdout.write(_CLEAR)
        print("\n".join(_lines(caller, document, asked)))


def _lines(caller: Caller, document: dict[str, Any], asked: Asked) -> list[str]:
    look = stdout_look(asked)
    if asked.words and not asked.output:
        from supervisor.cli.status_details import details

        return details(caller, document, look, time.time())
    from supervisor.cli.status_table import overview

    return overview(document, look, time.time(), asked.output == "wide", address(asked))
