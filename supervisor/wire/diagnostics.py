"""What is wrong with a configuration, and where? The loader's findings as data, and how people read them.

Every finding has a stable `code`; the words may improve. The fields are those that `check --json` promises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from supervisor.model.record import Record, fields_of

__all__ = ["Diagnostic", "from_plain", "render", "summary", "to_plain"]


class Diagnostic(Record):
    """One mistake, or one warning."""

    code: str
    message: str
    """What is wrong and why, one sentence without a full stop."""
    file: str = ""
    """As the operator would name it; empty when it is about no file."""
    line: int = 0
    """Counted from 1; 0: about the file as a whole."""
    column: int = 0
    """Counted from 1 in characters."""
    hint: str = ""
    """What would help."""
    excerpt: str = ""
    """The source line, and below it a line with a caret; ready to print."""


_ORDER = ("file", "line", "column", "code", "message", "hint", "excerpt")


def to_plain(found: Diagnostic) -> dict[str, str | int]:
    """The JSON object; all fields are always there."""
    return {name: getattr(found, name) for name in _ORDER}


def from_plain(data: object) -> Diagnostic:
    """What `to_plain` made; raises ValueError for anything else."""
    if not isinstance(data, Mapping):
        raise ValueError("a finding is a mapping")
    known: dict[str, Any] = {}  # Any: text or number, checked below
    for name in fields_of(Diagnostic):
        wanted = int if name in ("line", "column") else str
        value = data.get(name)
        if type(value) is not wanted:
            raise ValueError(f"{name} of a finding is {value!r:.40}")
        known[name] = value
    return Diagnostic(**known)


def render(
    errors: Iterable[Diagnostic], warnings: Iterable[Diagnostic] = (), *, colour: bool = False, limit: int = 100
) -> str:
    """The findings as text, each with its place, its line and what would help; "" when there are none.

    Control characters of the file are made visible. Beyond `limit` errors only their number is told.
    """
    errors, warnings = tuple(errors), tuple(warnings)
    blocks = [_block(found, "error", "31", colour) for found in errors[:limit]]
    if len(errors) > limit:
        blocks.append(f"… and {len(errors) - limit} more errors\n")
    blocks += [_block(found, "warning", "33", colour) for found in warnings[:limit]]
    return "\n".join(blocks)


def summary(errors: int, warnings: int = 0) -> str:
    """`2 errors, 1 warning`."""
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return ", ".join(parts) or "no errors"


def _block(found: Diagnostic, severity: str, shade: str, colour: bool) -> str:
    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    place = ":".join([_visible(found.file), *(str(part) for part in (found.line, found.column) if part)])
    head = f"{paint('1', place)}: " if found.file else ""
    lines = [f"{head}{paint('1;' + shade, severity)}: {_visible(found.message)} [{found.code}]"]
    if found.excerpt:
        margin = len(str(found.line))
        source, _, caret = found.excerpt.partition("\n")
        lines.append(f"  {found.line} | {_visible(source)}")
        if caret:
            lines.append(f"  {' ' * margin} | {paint(shade, _visible(caret))}")
    if found.hint:
        lines.append(f"  {paint('36', 'hint')}: {_visible(found.hint)}")
    return "\n".join(lines) + "\n"


def _visible(text: str) -> str:
    """A file must not be able to steer the terminal of its reader."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\t" else ascii(one)[1:-1] for one in text)
