"""What does a value say when its variables are put in? `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `${service}`, `$$`.

Only values are expanded, after parsing, once: what a variable holds is not looked at again. A default may itself hold
variables. Any other `${…}` is refused, a `$` before anything else stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from supervisor.config.budget import Budget
from supervisor.config.findings import Findings, Refused
from supervisor.config.nodes import Text

__all__ = ["Variables"]

_DOLLAR = re.compile(r"\$([${])")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:[-?])(.*))?", re.DOTALL)
_BRACE = re.compile(r"\$\{|\$\$|\}")
_NESTED = 10  # defaults inside defaults


class Variables:
    """The environment for one service's values; `service` is None where no service is meant (`system`)."""

    __slots__ = ("_budget", "_environ", "_findings", "_service")

    def __init__(self, environ: Mapping[str, str], service: str | None, budget: Budget, findings: Findings) -> None:
        self._environ, self._service = environ, service
        self._budget, self._findings = budget, findings

    def expand(self, text: Text) -> Text:
        """The text with its variables put in; a mistake in it goes to the findings, and leaves it as it is."""
        if "$" not in text:
            return text
        try:
            value = self._expanded(str(text), text, 0)
        except Refused as refusal:
            if refusal.code == "config-too-large":
                raise
            self._findings.refused(refusal, text)
            self._findings.spoil(text)
            return text
        # between braces `${X}` must be quoted, so the quotes say nothing: it is a flag or a number if one is wanted
        return Text(value, text.file, text.mark, plain=True)

    def _expanded(self, source: str, at: Text, nested: int) -> str:
        parts: list[str] = []
        done = 0
        while found := _DOLLAR.search(source, done):
            parts.append(source[done : found.start()])
            if found[1] == "$":
                parts.append("$")
                done = found.end()
            else:
                end = _closing(source, found.end())
                value = self._value(source[found.end() : end], at, nested)
                self._budget.take_characters(len(value), at)
                parts.append(value)
                done = end + 1
        parts.append(source[done:])
        return "".join(parts)

    def _value(self, inside: str, at: Text, nested: int) -> str:
        found = _INSIDE.fullmatch(inside)
        if found is None or (found[1] in ("service", "instance") and found[2]):
            raise Refused("bad-variable", text=f"${{{inside:.40}}}")
        name, operator, rest = found[1], found[2], found[3] or ""
        if name == "instance":
            raise Refused("no-instances")
        if name == "service":
            if self._service is None:
                raise Refused("no-service")
            return self._service
        value = self._environ.get(name)
        if operator is None:
            if value is None:
                self._findings.warning(at, "variable-unset", name=name)
            return value or ""
        if value:
            return value
        if operator == ":?":
            raise Refused("variable-required", name=name, message=rest or "it is not set or empty")
        if nested >= _NESTED:
            raise Refused("bad-variable", text=f"${{{inside:.40}}}")
        return self._expanded(rest, at, nested + 1)


def _closing(source: str, start: int) -> int:
    """Where the brace that was opened just before `start` is closed."""
    depth = 1
    for found in _BRACE.finditer(source, start):
        if found[0] == "${":
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if not depth:
                return found.start()
    raise Refused("open-variable", text=source[start - 2 : start + 20])
