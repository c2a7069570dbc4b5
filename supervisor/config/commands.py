"""Which program does a command mean, with which arguments?

A list of texts is the argument vector; a text is split into words like a shell does it, without a shell; `{shell: "…"}` is
given to /bin/sh -c. Where several commands may stand, a list whose items are lists or mappings.
"""

from __future__ import annotations

import re

from supervisor.config.findings import Refused
from supervisor.config.nodes import Map, Node, Seq, Text
from supervisor.config.scalars import shape_of, text

__all__ = ["SHELL", "argv", "commands", "shell_signs", "words"]

SHELL = "/bin/sh"

# As a POSIX shell splits: backslash, 'as it is', "with \" and \\ and \newline", anything else up to a space.
_PIECE = re.compile(r"""([ \t\r\n]+)|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^ \t\r\n'"\\]+)|(.)""", re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\$`])|\\\n')
_SIGNS = frozenset(["|", "||", "&&", ";", "&", ">", ">>", "<", "<<", "2>", "2>&1", "&>", ">&2"])


def argv(node: Node) -> tuple[str, ...]:
    """One command."""
    if isinstance(node, Map):
        return _shell(node)
    if isinstance(node, Seq):
        for item in node:
            if not isinstance(item, Text):
                raise Refused("argument-shape", item, found=shape_of(item))
        vector = tuple(str(item) for item in node)
    else:
        vector = words(text(node))
    if not vector or not vector[0]:
        raise Refused("empty-command")
    return vector


def commands(node: Node) -> tuple[tuple[str, ...], ...]:
    """One command or several."""
    if not isinstance(node, Seq) or not any(isinstance(item, Map | Seq) for item in node):
        return (argv(node),)
    for item in node:
        if isinstance(item, Text):
            raise Refused("mixed-commands", item, text=item[:40])
    return tuple(_placed(item) for item in node)


def _placed(item: Node) -> tuple[str, ...]:
    try:
        return argv(item)
    except Refused as refusal:
        if refusal.at is None:
            refusal.at = item
        raise


def _shell(node: Map) -> tuple[str, ...]:
    if set(node) != {"shell"}:
        other = next((key for key in node if key != "shell"), None)
        raise Refused("command-shape", other, key=other or "nothing")
    script = text(node[Text("shell")])
    if not script.strip():
        raise Refused("empty-command")
    return (SHELL, "-c", script)


def words(line: str) -> tuple[str, ...]:
    """The words of a line as sh(1) finds them, without expanding anything (`shlex.split` keeps the backslash in "\\$")."""
    if "'" not in line and '"' not in line and "\\" not in line:
        return tuple(word for word in re.split("[ \t\r\n]+", line) if word)
    found: list[str] = []
    word: list[str] = []
    for piece in _PIECE.finditer(line):
        space, single, double, escaped, plain, stray = piece.groups()
        if escaped == "\n":  # a line that goes on
            continue
        if stray is not None:
            raise Refused("unclosed-quote" if stray in "'\"" else "stray-backslash", text=line[piece.start() :][:40])
        if space is None:
            if double is not None:
                word.append(_ESCAPED.sub(r"\1", double))
            else:
                word.append(next(part for part in (single, escaped, plain) if part is not None))
        elif word:
            found.append("".join(word))
            word = []
    if word:
        found.append("".join(word))
    return tuple(found)


def shell_signs(node: Node) -> str:
    """The first word of a command's text that only a shell would understand; "" when there is none."""
    if not isinstance(node, Text):
        return ""
    return next((word for word in words(str(node)) if word in _SIGNS), "")
