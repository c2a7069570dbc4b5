"""Who is measured, and what does each have to tell about itself? One value per supervisor, and why others are left out.

Each contender gets a folder of its own, writes its own configuration there and is started in the foreground. How each is told is in ours.py
and peers.py; where the programs come from is in tools.py.
"""

from __future__ import annotations

import enum
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Contender", "Order", "Unavailable", "Work", "gather"]


class Work(NamedTuple):
    """What a contender is asked to run: the same executable file as each service."""

    program: Path
    number: int
    chained: bool = False
    """Each service depends on the one before: they stop one after the other, the last one first."""


class Order(enum.Enum):
    """Can it stop services in an order?"""

    NEVER = "it stops all at once"
    ASKED = "when the services depend on each other"
    ALWAYS = "it stops one after the other in any case, so that one figure counts for both"


class Contender(NamedTuple):
    name: str
    note: str
    """Version, and what its own processes are."""
    configure: Callable[[Path, Work], None]
    """(folder, work): services are named s0, s1, …, and restarted after the smallest pause that can be had."""
    start: Callable[[Path], Sequence[str]]
    status: Callable[[Path], Sequence[str]] | None
    """Shows all services, and fails while one of them is not up."""
    stop: signal.Signals = signal.SIGTERM
    order: Order = Order.NEVER
    most: int = 1000
    restarts: bool = True
    reaps: bool = True
    """Can be PID 1."""
    isolates: bool = False
    """Makes a PID namespace itself; for the orphan storm the others are put into one."""
    environment: Mapping[str, str] = {}


class Unavailable(Exception):
    """Why a contender cannot be had here."""


def gather(
    makers: Mapping[str, Callable[[Path], Contender]], tools: Path, wanted: Sequence[str]
) -> tuple[list[Contender], dict[str, str]]:
    """All that are wanted and can be had, and why the others cannot; `tools` is where what is not installed is put."""
    found: list[Contender] = []
    left_out: dict[str, str] = {}
    for name, make in makers.items():
        if wanted and name not in wanted:
            continue
        try:
            found.append(make(tools))
        except Unavailable as reason:
            left_out[name] = str(reason)
    return found, left_out
