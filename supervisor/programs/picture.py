"""What would these files make, drawn and not run? Runs the loader and shows its plan as `graph` shows a world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from supervisor.model.plan import Plan
from supervisor.programs.loading import load
from supervisor.runtime.accounts import graph_view
from supervisor.wire import state
from supervisor.wire.diagnostics import Diagnostic

__all__ = ["Picture", "picture"]


class Picture(NamedTuple):
    document: Mapping[str, Any] | None
    """The document of `graph --json`; None when there is nothing to show."""
    errors: tuple[Diagnostic, ...] = ()
    judged: bool = True
    """The files are to blame; False: they could not be read at all, for a reason that is not theirs."""


def picture(paths: Sequence[str]) -> Picture:
    """Of these files and folders. Raises nothing that is not a mistake of ours."""
    found = load(paths, world="perhaps")
    if not found.ok:
        return Picture(None, found.errors, found.judged)
    return Picture(graph_view(state.load(Plan, found.plan).services, None))
