"""What does a kind of record cost? Prints the time per class and per instance, for docs/decisions/records.md.

Run it in a fresh interpreter: `python benchmarks/records.py`.
"""

from __future__ import annotations

import time
import typing

_CLASSES = 300
_INSTANCES = 200_000
_BODY = "    a: int\n    b: str = ''\n    c: float = 0.0\n    d: tuple = ()\n    e: bool = False\n"
_KINDS = (
    ("Record", "from supervisor.model.record import Record", "", "(Record)"),
    ("NamedTuple", "from typing import NamedTuple", "", "(NamedTuple)"),
    ("dataclass", "from dataclasses import dataclass", "@dataclass(frozen=True, slots=True)\n", ""),
)


def _measure(name: str, imports: str, before: str, bases: str) -> None:
    begun = time.perf_counter()
    space: dict[str, object] = {}
    exec(imports, space)
    imported = time.perf_counter() - begun
    source = "".join(f"{before}class C{number}{bases}:\n{_BODY}" for number in range(_CLASSES))
    code = compile(f"from __future__ import annotations\n{source}", name, "exec")
    begun = time.perf_counter()
    exec(code, space)
    made = (time.perf_counter() - begun) / _CLASSES
    kind = space["C0"]
    assert isinstance(kind, type)
    begun = time.perf_counter()
    for number in range(_INSTANCES):
        kind(number, "b", 1.0, (), True)
    filled = (time.perf_counter() - begun) / _INSTANCES
    print(f"{name:12}{imported * 1e3:14.1f}{made * 1e3:18.3f}{filled * 1e6:20.2f}")


if __name__ == "__main__":
    _ = typing  # loaded before the clock runs: all three need it
    print(f"{'':12}{'import (ms)':>14}{'per class (ms)':>18}{'per instance (µs)':>20}")
    for row in _KINDS:
        _measure(*row)
