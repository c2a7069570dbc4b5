"""What does a session say? A text that shows commands and what they print, as a manual would, and that can be played.

Lines that begin with two spaces and `$ ` are commands for sh, `> ` continues one; the indented lines that follow are exactly what
it prints to stdout and stderr, and `[N]` its exit status unless that is 0. Everything else is prose; the first line names a
manual and what it says.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import NamedTuple

__all__ = ["Step", "as_script", "as_text", "parse", "read_answers"]

_MARK = f"#-{secrets.token_hex(8)}-"


class Step(NamedTuple):
    line: int
    """Where the command stands."""
    command: str
    printed: tuple[str, ...]
    status: int


def parse(text: str) -> list[Step]:
    """The commands and what they are expected to print."""
    steps: list[Step] = []
    talking = False  # between a command and the prose after it
    for number, line in enumerate(text.splitlines(), 1):
        content = line[2:].rstrip()
        if line.startswith("  $ "):
            steps.append(Step(number, content[2:], (), 0))
            talking = True
        elif line and not line.startswith("  "):
            talking = False
        elif talking:
            steps[-1] = _with(steps[-1], content)
    return [step._replace(printed=_trimmed(step.printed)) for step in steps]


def _with(step: Step, line: str) -> Step:
    if line.startswith("> ") and not step.printed:
        return step._replace(command=f"{step.command}\n{line[2:]}")
    if status := re.fullmatch(r"\[(\d+)\]", line):
        return step._replace(status=int(status[1]))
    return step._replace(printed=(*step.printed, line))


def as_script(steps: list[Step], words: Path) -> str:
    """The same as one script for sh, which marks where each answer ends; its last answer is that of `over`."""
    said = f"printf '\\n%s%d\\n' '{_MARK}' $?"
    played = [f"{{ {step.command}\n}} </dev/null\n{said}" for step in steps]
    return "\n".join([f". '{words}'", *played, "over", said, ""])


def read_answers(output: str) -> list[tuple[tuple[str, ...], int]]:
    """What each command printed, and its exit status. One too few when the shell itself was ended."""
    parts = re.split(rf"\n{_MARK}(\d+)\n", output)
    texts, codes = parts[0::2], parts[1::2]
    return [(_trimmed(tuple(map(str.rstrip, text.split("\n")))), int(code)) for text, code in zip(texts, codes)]


def as_text(step: Step, printed: tuple[str, ...], status: int) -> str:
    """A command and an answer, as a session shows them."""
    shown = [f"$ {step.command}".replace("\n", "\n  > "), *printed, *([f"[{status}]"] if status else [])]
    return "\n".join(f"  {line}".rstrip() for line in shown)


def _trimmed(lines: tuple[str, ...]) -> tuple[str, ...]:
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines
