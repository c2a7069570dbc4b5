"""How is pidone told what to run? As a child subreaper, like the others, and with `up` in namespaces of its own."""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from contenders import Contender, Order, Unavailable, Work

__all__ = ["OURS"]


def _configure(folder: Path, work: Work) -> None:
    rows = "".join(
        f"  s{index}: {{command: {work.program}, restart: {{delay: 0s}}"
        + (f", depends_on: {{s{index - 1}: started}}" if work.chained and index else "")
        + "}\n"
        for index in range(work.number)
    )
    (folder / "world.yaml").write_text(f"services:\n{rows}")


def _contender(name: str, verb: str, note: str, isolates: bool) -> Contender:
    command = Path(sysconfig.get_path("scripts")) / "pidone"
    if not command.exists():
        raise Unavailable(f"not installed for {sys.executable}: `{sys.executable} -m pip install .` in the checkout")

    def start(folder: Path) -> Sequence[str]:
        return (str(command), verb, "--name", folder.name, "-c", str(folder / "world.yaml"))

    def status(folder: Path) -> Sequence[str]:
        return (str(command), "--name", folder.name, "status")

    note = f"CPython {platform.python_version()}, {note}"
    return Contender(name, note, _configure, start, status, order=Order.ASKED, isolates=isolates)


def _init(_: Path) -> Contender:
    return _contender("pidone init", "init", "`init -c`: subreaper and logger", False)


def _up(_: Path) -> Contender:
    return _contender("pidone up", "up", "monitor, PID 1 and logger, in a PID and a mount namespace", True)


OURS: Mapping[str, Callable[[Path], Contender]] = {"pidone init": _init, "pidone up": _up}
"""The first one is what the others' ratios refer to: it runs without a namespace, as they do."""
