"""Reads a configuration for a test, as the loader does, in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from supervisor.model.plan import Plan, PlannedService
from supervisor.programs.planning import plan_of
from supervisor.wire.diagnostics import Diagnostic, from_plain
from supervisor.wire.state import unwrap

__all__ = ["ENVIRON", "Answer", "read", "service"]

ENVIRON = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}


class Answer(NamedTuple):
    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    plan: Plan

    @property
    def places(self) -> list[tuple[str, int, int]]:
        return [(error.code, error.line, error.column) for error in self.errors]

    @property
    def codes(self) -> list[str]:
        return [error.code for error in self.errors]

    def __getitem__(self, name: object) -> PlannedService:  # type: ignore[override]  # a service by its name
        assert not self.errors, self.errors
        return next(planned for planned in self.plan.services if planned.name == name)


def read(folder: Path, text: str | bytes, environ: Mapping[str, str] | None = None, **files: str | bytes) -> Answer:
    """What the loader says about `a.yaml` with this text in this folder. Further files: `sub__b_yaml` is sub/b.yaml; those
    that end in yaml and stand in the folder itself are named to the loader after it."""
    names = ["a.yaml"]
    _write(folder / "a.yaml", text)
    for key, content in files.items():
        name = key.replace("__", "/").replace("_", ".")
        _write(folder / name, content)
        if name.endswith("yaml") and "/" not in name:
            names.append(name)
    return read_paths([str(folder / name) for name in names], environ)


def read_paths(paths: list[str], environ: Mapping[str, str] | None = None) -> Answer:
    document = plan_of(paths, {**ENVIRON, **(environ or {})})
    plan = unwrap(Plan, document["plan"]) if document["ok"] else Plan()
    assert document["ok"] == ("errors" not in document)
    return Answer(
        tuple(map(from_plain, document.get("errors", ()))), tuple(map(from_plain, document["warnings"])), plan
    )


def service(folder: Path, keys: str, environ: Mapping[str, str] | None = None, **files: str | bytes) -> PlannedService:
    """The one service `a` that is written with these keys (in flow style, without braces); `command` is added."""
    command = "" if keys.startswith("command:") else "command: [/bin/true], "
    answer = read(folder, f"services: {{a: {{{command}{keys}}}}}\n", environ, **files)
    return answer["a"]


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
