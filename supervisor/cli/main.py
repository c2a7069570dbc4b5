"""What did the operator type, and who does it? Parses the words, loads the one module that is needed, gives its exit status.

What stands at the top of this room's modules is loaded by every command: nothing heavy, and never trio or pydantic.
"""

from __future__ import annotations

import os
import sys

from supervisor import __version__
from supervisor.cli.errors import OK, USAGE, guarded
from supervisor.cli.parse import color_of, parse, wants_json

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status of `pidone ARGV`."""
    words = list(sys.argv[1:] if argv is None else argv)
    _make_stdout_safe()
    return guarded(lambda: _run(words), wants_json(words), color_of(words))


def _run(words: list[str]) -> int:
    asked = parse(words)
    if "version" in asked.options and asked.command is None:
        print(f"pidone {__version__}")
        return OK
    if asked.command is None:
        from supervisor.cli.helptext import overview

        wanted = "help" in asked.options
        print(overview(), file=sys.stdout if wanted else sys.stderr)
        return OK if wanted else USAGE
    if "help" in asked.options:
        from supervisor.cli.helptext import help_for

        print(help_for(asked.command))
        return OK
    module = __import__(f"supervisor.cli.{asked.command.module}", fromlist=["run"])
    status: int = module.run(asked)
    return status


def _make_stdout_safe() -> None:
    """Whatever text comes, writing it never fails for its characters; closed streams become silent ones."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - it lives as long as we do
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
