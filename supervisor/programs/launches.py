"""Where are a service's programs, and may they be executed the fast way?

Looks bare names up in the service's own PATH. `fast` is promised when working directory, binary and the interpreters of
scripts are on local file systems; what is not local is not even looked at (kernel/filesystems).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from supervisor.core.environment import inherited
from supervisor.kernel.filesystems import Mounts
from supervisor.model.plan import Launch
from supervisor.model.spec import ServiceSpec

__all__ = ["Launches", "Missing"]

_INTERPRETERS = 4  # as deep as the kernel follows scripts that are run by scripts (execve(2))


class Missing(NamedTuple):
    """A program that could not be found, or not be executed."""

    nth: int
    """Which of the service's commands."""
    name: str
    path: str
    """Where it is although it is not executable; "" when it is nowhere."""
    searched: str
    """The PATH for a bare name, else ""."""


class _Program(NamedTuple):
    path: str
    local: bool
    executable: bool


class Launches:
    """Looks every program up once."""

    def __init__(self, environ: Mapping[str, str], mounts: Mounts) -> None:
        self._environ, self._mounts = environ, mounts
        self._here = _here()
        self._paths: dict[tuple[str, ...], str] = {}
        self._programs: dict[tuple[str, str], _Program | None] = {}
        self._scripts: dict[str, bool] = {}

    def launch(self, spec: ServiceSpec) -> tuple[Launch, tuple[Missing, ...]]:
        """How its commands may be executed, and which of them are not there."""
        folder = spec.working_dir or self._here
        search = self._path_of(spec)
        fast = self._mounts.walk(folder).local
        executables, missing = [], []
        for index, argv in enumerate(spec.command):
            name = argv[0] if argv else ""
            found = self._find(name, folder, search)
            if found is None or not found.executable:
                missing.append(_missing(index, name, found, search))
            executables.append(found.path if found else "")
            fast = fast and found is not None and found.executable and self._interpreter_is_local(found.path)
        return Launch("fast" if fast else "safe", tuple(executables)), tuple(missing)

    def missing(self, spec: ServiceSpec, argv: tuple[str, ...]) -> Missing | None:
        """What another command of this service lacks: the one that stops it, or looks whether it is ready."""
        search = self._path_of(spec)
        found = self._find(argv[0], spec.working_dir or self._here, search)
        return None if found is not None and found.executable else _missing(0, argv[0], found, search)

    def _path_of(self, spec: ServiceSpec) -> str:
        if "PATH" in spec.environment:
            return spec.environment["PATH"]
        patterns = spec.pass_environment
        if patterns not in self._paths:
            self._paths[patterns] = inherited(self._environ, patterns).get("PATH", "")
        return self._paths[patterns]

    def _find(self, name: str, folder: str, search: str) -> _Program | None:
        if "/" in name:
            return self._look(os.path.join(folder, name))
        relative = not all(place.startswith("/") for place in search.split(":"))
        key = (name, f"{folder}:{search}" if relative else search)
        if key not in self._programs:
            self._programs[key] = self._search(name, folder, search)
        return self._programs[key]

    def _search(self, name: str, folder: str, search: str) -> _Program | None:
        """The first executable of this name, as execvp(3) finds it."""
        unusable = None
        for place in search.split(":") if search and name else ():
            found = self._look(os.path.join(folder, place, name))
            if found is not None and (found.executable or not found.local):
                # behind a place that we do not look at, nobody knows which one it will be: the child looks
                return found if found.local else None
            unusable = unusable or found
        return unusable

    def _look(self, path: str) -> _Program | None:
        key = ("", path)
        if key not in self._programs:
            self._programs[key] = self._examine(path)
        return self._programs[key]

    def _examine(self, path: str) -> _Program | None:
        walk = self._mounts.walk(path)
        if not walk.local:
            return _Program(path, False, True)
        try:
            mode = os.stat(walk.path).st_mode
        except (OSError, ValueError):
            return None
        if stat.S_ISDIR(mode):
            return None
        return _Program(path, True, stat.S_ISREG(mode) and bool(mode & 0o111))

    def _interpreter_is_local(self, path: str) -> bool:
        if path not in self._scripts:
            self._scripts[path] = self._follow(path)
        return self._scripts[path]

    def _follow(self, path: str) -> bool:
        for _ in range(_INTERPRETERS):
            walk = self._mounts.walk(path)
            if not walk.local:
                return False
            try:
                with open(walk.path, "rb", buffering=0) as program:
                    head = program.read(256)
            except OSError:
                return False  # what cannot be read may be a script of anything
            if not head.startswith(b"#!"):
                return True
            words = head[2:].split(b"\n", 1)[0].split(None, 1)
            if not words or not words[0].startswith(b"/"):
                return False  # found from the working directory, if at all
            path = os.fsdecode(words[0])
        return False


def _missing(nth: int, name: str, found: _Program | None, search: str) -> Missing:
    return Missing(nth, name, found.path if found else "", "" if "/" in name else search)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been removed
        return "/"
