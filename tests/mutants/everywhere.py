"""All mistakes of all rooms."""

from __future__ import annotations

from tests.mutants.core import IN_CORE
from tests.mutants.mutant import Mutant
from tests.mutants.processes import IN_KERNEL, IN_RUNTIME
from tests.mutants.rooms import IN_ROOMS

__all__ = ["MUTANTS"]

MUTANTS: tuple[Mutant, ...] = IN_CORE + IN_RUNTIME + IN_KERNEL + IN_ROOMS
