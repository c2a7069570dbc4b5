"""`pidone graph`: who waits for whom. Of the running world, or with -c of what the files say, which need not run."""

from __future__ import annotations

import os
import sys

from supervisor.cli.drawing import FORMATS
from supervisor.cli.errors import FAILED, INVALID, OK
from supervisor.cli.output import look_of, say_json
from supervisor.cli.session import open_caller, stdout_look
from supervisor.client.trouble import Trouble

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.parse import Asked

__all__ = ["run"]


def run(asked: Asked) -> int:
    if "config" in asked.options:
        document, status = _planned(asked)
    else:
        document, status = _running(asked), OK
    if document is None:
        return status
    if asked.output == "json":
        say_json(document)
    elif asked.output == "name":
        for service in document["services"]:
            print(service["name"])
    elif not asked.options.get("quiet"):
        draw = FORMATS[asked.options.get("format", "text")]
        for line in draw(document["services"], stdout_look(asked)):
            print(line)
    return OK


def _running(asked: Asked) -> dict[str, Any]:
    try:
        return open_caller(asked).ask("graph")
    except Trouble as trouble:
        if trouble.code != "unreachable":
            raise
        raise Trouble(trouble.code, trouble.message, "pidone graph -c PATH draws what the files say") from None


def _planned(asked: Asked) -> tuple[dict[str, Any] | None, int]:
    """What the files say, and the exit status; None when they say nothing that could run, which has been told then."""
    from supervisor.programs.picture import picture
    from supervisor.wire.diagnostics import render, to_plain
    from supervisor.wire.jsonrpc import SCHEMA

    seen = picture(asked.options["config"])
    if seen.document is not None:
        return dict(seen.document), OK
    if asked.output == "json":
        say_json({"schema": SCHEMA, "ok": False, "errors": [to_plain(one) for one in seen.errors], "warnings": []})
    else:
        look = look_of(sys.stderr, asked.options.get("color", ""), os.environ)
        sys.stderr.write(render(seen.errors, (), colour=look.colour))
    return None, INVALID if seen.judged else FAILED
