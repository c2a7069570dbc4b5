"""Where did a mistake of our own happen? An exception as lines for the log.

Not the standard library's traceback: that reads source files, and PID 1 touches no disk while it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

__all__ = ["trace"]

_DEPTH = 5  # exceptions behind and within each other


def trace(mistake: BaseException, depth: int = _DEPTH) -> Iterator[str]:
    """The exception, where it was raised, the innermost place first, and those behind and within it."""
    yield f"{type(mistake).__name__}: {mistake}"
    for file, line, function in reversed(list(_places(mistake.__traceback__))):
        yield f"  at {file}:{line} in {function}"
    if depth == 0:
        return
    behind = mistake.__cause__ or (None if mistake.__suppress_context__ else mistake.__context__)
    if behind is not None:
        yield "after"
        yield from trace(behind, depth - 1)
    if isinstance(mistake, BaseExceptionGroup):
        for part in mistake.exceptions:
            yield "within it"
            yield from trace(part, depth - 1)


def _places(link: TracebackType | None) -> Iterator[tuple[str, int, str]]:
    while link is not None:
        code = link.tb_frame.f_code
        yield code.co_filename.rpartition("/supervisor/")[2], link.tb_lineno, code.co_name
        link = link.tb_next
