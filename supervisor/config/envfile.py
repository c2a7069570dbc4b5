"""Which variables does an `env_file` set?

As docker and Compose read it: NAME=VALUE lines, `#` comments, an optional `export `, 'as it is' and "with \\n and \\"" quotes
which may span lines. A NAME alone is passed on from our environment if it is there. Nothing is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from supervisor.config.findings import Refused

__all__ = ["variables_in"]

_LINE = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[^\s=#'"]+)[ \t]*
    (?:(?P<equals>=)[ \t]*
        (?: '(?P<single>[^']*)'(?P<after>[^\n]*)
          | "(?P<double>(?:[^"\\]|\\.)*)"(?P<behind>[^\n]*)
          | (?P<plain>[^\n]*) )
    )?[ \t]*(?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def variables_in(text: str, ours: Mapping[str, str]) -> dict[str, str]:
    """The variables of a file's text; raises Refused with the line of the first mistake (its text may be a secret)."""
    text = text.replace("\r\n", "\n")
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        if blank := _BLANK.match(text, position):
            position = blank.end()
            continue
        line = _LINE.match(text, position)
        value = None if line is None else _value(line)
        if line is None or value is None or "\0" in line[0]:
            raise Refused("env-file-line", line=text.count("\n", 0, position) + 1)
        if line["equals"]:
            found[line["name"]] = value
        elif line["name"] in ours:
            found[line["name"]] = ours[line["name"]]
        position = line.end()
    return found


def _value(line: re.Match[str]) -> str | None:
    """The value of a line; None when it is no value."""
    rest = line["after"] or line["behind"] or ""
    if rest.strip() and not rest.lstrip().startswith("#"):
        return None
    if line["single"] is not None:
        return line["single"]
    if line["double"] is not None:
        return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), line["double"])
    plain = line["plain"] or ""
    if plain[:1] in ("'", '"'):  # a quote that is never closed
        return None
    return _COMMENT.sub("", plain).strip()
