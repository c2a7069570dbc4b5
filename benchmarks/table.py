"""How do the figures become a table? Markdown, one row per figure and size, each peer's ratio to the first contender in brackets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["ROWS", "AtLeast", "Row", "table"]


class AtLeast(float):
    """It took longer than this: then we gave up."""


class Row(NamedTuple):
    name: str
    belongs_to: str
    """What `--only` calls it."""
    label: str
    """{n}: the size."""


ROWS = (
    Row("start-up", "start-up", "start-up, {n} (ms)"),
    Row("memory", "memory", "memory, {n} (MB)"),
    Row("processes", "memory", "own processes, {n}"),
    Row("idle", "idle", "idle wake-ups, {n} (/s)"),
    Row("idle-cpu", "idle", "idle CPU, {n} (ms/s)"),
    Row("kill", "kill", "SIGKILL to successor (ms)"),
    Row("kill-young", "kill", "… when just started (ms)"),
    Row("orphan-storm", "orphan-storm", "{n} orphans: all gone after (ms)"),
    Row("orphan-storm-cpu", "orphan-storm", "… CPU per orphan (µs)"),
    Row("stop", "stop", "stop, {n} (ms)"),
    Row("ordered-stop", "ordered-stop", "ordered stop, {n} (ms)"),
    Row("status", "status", "`status`, {n} (ms)"),
    Row("crash-loop", "crash-loop", "crash loop of {n}: restarts (/s)"),
    Row("crash-loop-cpu", "crash-loop", "… CPU per restart (ms)"),
    Row("crash-loop-status", "crash-loop", "… `status` meanwhile (ms)"),
)


def _plain(figure: float) -> str:
    if isinstance(figure, AtLeast):
        return f"> {figure:.0f}"
    if figure == int(figure) or figure >= 100:
        return f"{figure:.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"


def _cell(figure: float | None, ours: float | None) -> str:
    if figure is None:
        return "-"
    text = _plain(figure)
    if ours and not isinstance(ours, AtLeast) and not isinstance(figure, AtLeast):
        ratio = figure / ours
        text += f" ({ratio:.0f}×)" if ratio >= 10 else f" ({ratio:.2f}×)"
    return text


def table(names: Sequence[str], figures: Mapping[str, Mapping[tuple[str, int], float]]) -> str:
    """Rows that nobody has are left out; `-` is what a contender cannot do."""
    lines = [["", *names]]
    for row in ROWS:
        sizes = sorted({size for seen in figures.values() for name, size in seen if name == row.name})
        for size in sizes:
            values = [figures[name].get((row.name, size)) for name in names]
            cells = [_cell(values[0], None), *(_cell(value, values[0]) for value in values[1:])]
            lines.append([row.label.format(n=f"{size:,}"), *cells])
    widths = [max(len(line[column]) for line in lines) for column in range(len(names) + 1)]
    lines.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(
        "| "
        + " | ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
        + " |"
        for line in lines
    )
