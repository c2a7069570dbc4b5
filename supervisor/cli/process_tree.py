"""How do processes look, as rows and as a tree? For `ps` and `status NAME`."""

from __future__ import annotations

from supervisor.cli.output import escape

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from supervisor.cli.output import Look

    Process: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["command_of", "in_tree"]

_BRANCH, _LAST, _LINE = "├─", "└─", "│"


def command_of(process: Process) -> str:
    """Its command line, or its name in brackets where it has none, as ps(1) shows it."""
    arguments = " ".join(process["args"])
    return escape(arguments or f"[{process['comm']}]")


def in_tree(processes: Sequence[Process], look: Look) -> Iterator[tuple[str, Process]]:
    """Every process after its parent, each with the lines that lead to it. Who has no parent here is a root."""
    present = {process["pid"] for process in processes}
    children: dict[int, list[Process]] = {}
    roots = []
    for process in processes:
        if process["ppid"] in present and process["ppid"] != process["pid"]:
            children.setdefault(process["ppid"], []).append(process)
        else:
            roots.append(process)
    todo = [("", "", root) for root in reversed(roots)]
    while todo:
        lead, own, process = todo.pop()
        yield own, process
        below = children.get(process["pid"], [])
        last = len(below) - 1
        for place in range(last, -1, -1):
            sign = look.sign(_LAST if place == last else _BRANCH)
            further = "   " if place == last else f"{look.sign(_LINE)}  "
            todo.append((lead + further, f"{lead}{sign} ", below[place]))
