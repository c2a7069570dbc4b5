"""What may be written? The reference page, made of the declarations in model/spec: types, defaults, and the docstrings.

`docs/generate.py` writes it to docs/configuration.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from supervisor.config.schema import OFF, RANGES
from supervisor.model import spec
from supervisor.model.record import Record, defaults_of, kinds_of
from supervisor.model.spec import Kind, Short

__all__ = ["documentation", "page"]

_INTRODUCTION = """\
# Configuration

*Generated from `supervisor/model/spec.py` by `docs/generate.py`; do not edit. What the keys lead to is in
[semantics](semantics.md).*

## Files
`-c PATH` names a file, or a folder whose `*.yaml` and `*.yml` are read in name order; it may be repeated. Without it
pidone reads `/etc/pidone/services.d`, or else `./services.d`. All files have one shape:
```yaml
version: 1            # may be left out
system: {}            # in one file at most
defaults: {}          # any key of a service; they lie below every service of every file
services:
  web:
    command: python3 -m http.server 8080
x-anything: {}        # ignored: a place for anchors
```
- A service is defined once. A later file adds to it with `override: true` among the keys of the service there. What
  is laid over something else (a service over `defaults`, an override over the definition) is merged key by key where
  the value is a mapping of this page; lists and commands are replaced as a whole.
- Names of services: letters, digits, `_`, `.` and `-`, not beginning with one of the last two, at most 64. `pidone`
  is taken: its own lines in the log.
- The configuration is accepted whole or not at all: `pidone check` tells all mistakes at once, each with file, line,
  column and what would help. `init` and `up` start nothing and end with status 7.
- Bounds: 1 MiB per file, 16 MiB and 2000 files in all, 300000 values after expanding aliases, 50 levels deep. Beyond
  them, and for whatever takes the loader more than 384 MiB or 20 seconds of processor time: `config-too-large`.

## Values
- A scalar is text until the key gives it a type: in a text `no`, `on`, `1:30`, `0755`, `1e3` stay what they look
  like. Quoted text is always text.
- An empty value, `~` and `null` are as if the key was not written; in `environment` they are an empty text. `none`
  switches a key off where its default can be none.
- Refused: a key that stands twice, several documents in one file, tags, an alias inside its own anchor. `<<` merges
  as usual.
- Relative paths: `env_file` from the folder of the file that names it; `working_dir` and `control.socket` from where
  pidone was started; everything else from `working_dir`.

| written here as | means |
|---|---|
| flag | `true` `yes` `on` or `false` `no` `off`, without quotes |
| number, whole number | digits, a number perhaps with a point, without quotes; no sign, no exponent |
| duration | `250ms`, `10s`, `1m30s`, `2h`, `1d`; a number is seconds |
| size | `512K`, `64M`, `1G` (1024 each); a number is bytes |
| signal | a name with or without `SIG`, `RTMIN+3`, or a number |
| exit status | a number from 0 to 255, or a signal's name for an end by it |
| command | `[PROGRAM, ARGUMENT]` · a text, split as a shell splits words; no shell runs · `{shell: "…"}` for `/bin/sh -c` |
| address | `HOST:PORT` with a numeric host (`[::1]:80` for IPv6) or `localhost` |
| mode | octal digits |
| texts | a list of texts; a text alone is a list of one |

## Variables
In values, after YAML was read: `${NAME}` (empty, with a warning, when it is not set), `${NAME:-default}` (when it is
not set or empty), `${NAME:?message}` (then an error), `${service}` (the name of the service). `$$` is a dollar; a `$`
before anything but `{` or `$` stays. What a variable holds is not expanded again. A value with a variable may be
quoted and still be a flag or a number: between `{ }` and `[ ]` YAML wants the quotes.

## env_file
`NAME=VALUE` lines as docker and Compose read them: `#` comments, an optional `export`, `'as it is'`, `"with \\n, \\t,
\\" and \\$"`; quoted values may span lines. A `NAME` alone passes on our variable of that name. Nothing is expanded.
"""

_TITLES: Mapping[type[Record], tuple[str, str]] = {
    spec.ServiceSpec: ("A service", "services.NAME"),
    spec.DependencySpec: ("depends_on", "services.NAME.depends_on.OTHER"),
    spec.ReadySpec: ("ready", "services.NAME.ready"),
    spec.RestartSpec: ("restart", "services.NAME.restart"),
    spec.RestartLimitSpec: ("restart.limit", "services.NAME.restart.limit"),
    spec.StopSpec: ("stop", "services.NAME.stop"),
    spec.SystemSpec: ("system", "system"),
    spec.ShutdownSpec: ("system.shutdown", "system.shutdown"),
    spec.ControlSpec: ("system.control", "system.control"),
    spec.NamespaceSpec: ("system.namespace", "system.namespace"),
}

_WORDS: Mapping[str, str] = {
    "whole": "whole number",
    "exit-status": "exit status",
    "commands": "command; a oneshot: or a list of lists and `{shell: …}`",
    "limit": "mapping: name → number, size, `unlimited`, or [soft, hard]",
    "env": "mapping, or a list of `NAME=VALUE`",
    "dependencies": "mapping: name → condition, or the keys [below](#depends_on); or a list of names",
    "url": "`http://HOST[:PORT][/PATH]`, HOST as in an address",
    "regex": "regular expression of Python",
}


def documentation(kind: type[Record]) -> dict[str, str]:
    """The docstring under each field of a record of model/spec."""
    return _documentations()[kind.__name__]


_known: dict[str, dict[str, str]] = {}


def _documentations() -> dict[str, dict[str, str]]:
    if not _known:
        tree = ast.parse(Path(spec.__file__).read_text(encoding="utf-8"))
        _known.update({node.name: dict(_fields_in(node)) for node in tree.body if isinstance(node, ast.ClassDef)})
    return _known


def _fields_in(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(node.body, [*node.body[1:], None]):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            yield field.target.id, " ".join(str(said).split())


def page() -> str:
    """The reference page."""
    parts = [_INTRODUCTION]
    for kind, (title, path) in _TITLES.items():
        level = "##" if kind in (spec.ServiceSpec, spec.SystemSpec) else "###"
        parts.append(f"\n{level} {title}\n`{path}`\n\n| key | takes | default | meaning |\n|---|---|---|---|\n")
        parts += [f"{_row(kind, name, annotation)}\n" for name, annotation in kinds_of(kind).items()]
    return "".join(parts)


def _row(kind: type[Record], name: str, annotation: Any) -> str:  # Any: annotations are values of no common type
    cells = (f"`{name}`", _takes(kind, name, annotation), _default(kind, name, annotation), documentation(kind)[name])
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _takes(kind: type[Record], name: str, annotation: Any) -> str:
    marks, bare = _unwrapped(annotation)
    word = next((mark.word for mark in marks if isinstance(mark, Kind)), "")
    short = next((mark.key for mark in marks if isinstance(mark, Short)), "")
    if get_origin(bare) is Literal:
        said = " ".join(f"`{choice}`" for choice in get_args(bare))
    elif isinstance(bare, type) and issubclass(bare, Record):
        title = _TITLES[bare][0]
        said = f"mapping, [below](#{title.replace('.', '')})" + (f", or `{short}` alone" if short else "")
    elif get_origin(bare) is tuple and not word:
        said = f"list: {_takes(kind, '', get_args(bare)[0])}"
    else:
        said = _WORDS.get(word, word or "text") + (f", or `{short}`" if short else "")
    if (kind.__name__, name) in RANGES:
        low, high = RANGES[kind.__name__, name]
        said += (" above 0" if low == 0.001 else f" from {low:g}") + (f" to {high:.0f}" if high < 1e6 else "")
    return said + (", or `none`" if (kind, name) in OFF else "")


def _unwrapped(annotation: Any) -> tuple[tuple[Any, ...], Any]:
    """Its markers, and the type without them and without None."""
    marks: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            marks += annotation.__metadata__
            annotation = annotation.__origin__
        elif type(None) in get_args(annotation):
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        else:
            return marks, annotation


def _default(kind: type[Record], name: str, annotation: Any) -> str:
    if name not in defaults_of(kind):
        return "**required**"
    value = defaults_of(kind)[name]
    words = {mark.word for mark in _unwrapped(annotation)[0] if isinstance(mark, Kind)}
    if value is None or isinstance(value, Record) or value in ("", ()) or value == {}:
        return ""
    if value == ("*",):
        return "`all`"
    if "mode" in words:
        return f"`{value:03o}`"
    if "duration" in words:
        return f"`{value * 1000:g}ms`" if value < 1 else f"`{value:g}s`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
