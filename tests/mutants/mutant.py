"""What is a deliberate mistake? One line of the program that is wrong, and the tests that must fail on it.

It is made while the module is imported: no file is changed, and a process that was forked has it too. Programs that a test
executes do not, so the tests that notice run in the test's own process or in forks of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

__all__ = ["Mutant", "make", "mutated"]

_PACKAGE = Path(__file__).parents[2] / "supervisor"


class Mutant(NamedTuple):
    file: str
    """Below `supervisor/`."""
    old: str
    """Stands exactly once in the file, within a line."""
    new: str
    noticed_by: tuple[str, ...]
    """Each of these tests fails: by an assertion, not because nothing works any more."""

    @property
    def room(self) -> str:
        return self.file.split("/")[0]


def mutated(mutant: Mutant) -> str:
    """The file's text with the mistake in it; raises ValueError when the line is not there any more."""
    text = (_PACKAGE / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.file}: {text.count(mutant.old)} × {mutant.old!r}")
    return text.replace(mutant.old, mutant.new)


class _Mutating(MetaPathFinder, InspectLoader):
    """Finds and loads the one module that is to have a mistake."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"supervisor.{mutant.file.removesuffix('.py').replace('/', '.')}"
        self._path = str(_PACKAGE / mutant.file)
        self._text = mutated(mutant)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self._path, loader=self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        return self._text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self._path, "exec")


def make(mutant: Mutant) -> None:
    """From now on this process, which has not loaded the program yet, has the mistake in it."""
    assert not [name for name in sys.modules if name.partition(".")[0] == "supervisor"]
    sys.meta_path.insert(0, _Mutating(mutant))
