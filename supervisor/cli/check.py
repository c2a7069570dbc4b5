"""`pidone check`: what is wrong with the configuration, by the same child that init and reload run."""

from __future__ import annotations

import os
import sys

from supervisor.cli.errors import FAILED, INVALID, OK
from supervisor.cli.output import look_of, say_json
from supervisor.wire.jsonrpc import SCHEMA

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from supervisor.cli.parse import Asked

__all__ = ["run"]


def run(asked: Asked) -> int:
    from supervisor.programs.loading import load
    from supervisor.wire.diagnostics import render, summary, to_plain

    found = load([*asked.options.get("config", ()), *asked.words], world="perhaps")
    status = OK if found.ok else INVALID if found.judged else FAILED
    if asked.output == "json":
        errors, warnings = ([to_plain(one) for one in kind] for kind in (found.errors, found.warnings))
        say_json({"schema": SCHEMA, "ok": found.ok, "errors": errors, "warnings": warnings})
        return status
    look = look_of(sys.stderr, asked.options.get("color", ""), os.environ)
    if text := render(found.errors, found.warnings, colour=look.colour):
        sys.stderr.write(text)
    if not asked.options.get("quiet"):
        print("ok" if found.ok and not found.warnings else summary(len(found.errors), len(found.warnings)))
    return status
