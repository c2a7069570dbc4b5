"""`pidone version` and `pidone worlds`: who am I, and who else is there?"""

from __future__ import annotations

import os

from supervisor import __version__
from supervisor.cli.errors import OK
from supervisor.cli.output import columns, escape, say_json
from supervisor.cli.session import stdout_look
from supervisor.client.call import Caller
from supervisor.client.find import live_worlds
from supervisor.client.trouble import Trouble
from supervisor.wire.jsonrpc import SCHEMA

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.parse import Asked

__all__ = ["run"]

_PATIENCE = 2.0  # seconds for one world to say its version, without --timeout


def run(asked: Asked) -> int:
    assert asked.command is not None  # the parser found this module by it
    return _version(asked) if asked.command.name == "version" else _worlds(asked)


def _version(asked: Asked) -> int:
    if asked.output == "json":
        say_json({"schema": SCHEMA, "version": __version__})
    elif not asked.options.get("quiet"):
        print(f"pidone {__version__}")
    return OK


def _worlds(asked: Asked) -> int:
    worlds = _asked_worlds(asked.options.get("timeout", _PATIENCE))
    if asked.output == "json":
        say_json({"schema": SCHEMA, "worlds": worlds})
    elif asked.output == "name":
        for world in worlds:
            print(world["name"])
    elif not asked.options.get("quiet"):
        rows = [["NAME", "VERSION", "SOCKET"]]
        rows += [[escape(world["name"]), escape(world["version"] or "?"), escape(world["socket"])] for world in worlds]
        print("\n".join(columns(rows, frozenset(), stdout_look(asked))))
    return OK


def _asked_worlds(patience: float) -> list[dict[str, Any]]:
    found = []
    for name, path, peer in live_worlds(os.environ):
        try:
            said = Caller(peer, patience).ask("version")
        except Trouble as trouble:
            if trouble.code == "refused":
                continue
            said = {}
        world = {"name": said.get("name", name), "socket": path, "version": said.get("version")}
        found.append({**world, "pid": said.get("pid"), "pid_ns": said.get("pid_ns")})
    return found
