"""What do the tests say to each mistake? One process for all: it loads what they stand on, and forks for each.

python -m tests.mutants [NUMBER…]    a line of JSON per mistake: its number, and by test what made it fail, or "passed"
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Sequence

# what tests stand on, loaded once, but nothing of the program itself
import hypothesis
import pytest
import pytest_trio
import trio.testing

from tests.mutants.everywhere import MUTANTS
from tests.mutants.mutant import Mutant, make

__all__: list[str] = []

_LOADED = (hypothesis, pytest_trio, trio.testing)
_AT_ONCE = 2
_PATIENCE = 100.0  # seconds for all tests of one mistake


class _Listener:
    """Hears from pytest how each test ended."""

    def __init__(self) -> None:
        self.ends: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.when != "call":
            self.ends[report.nodeid] = f"error in {report.when}: {report.longreprtext}"
        elif report.when == "call" and not report.failed:
            self.ends[report.nodeid] = report.outcome

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.ends[report.nodeid] = f"error when it was collected: {report.longreprtext}"

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object], report: pytest.TestReport
    ) -> None:
        if report.when == "call" and call.excinfo is not None:
            self.ends[node.nodeid] = ", ".join(sorted(_kinds(call.excinfo.value)))


def _kinds(mistake: BaseException) -> set[str]:
    """What it was that was raised, without the groups around it; of a test in a world of its own what its report ends with."""
    if isinstance(mistake, BaseExceptionGroup):
        return {kind for inner in mistake.exceptions for kind in _kinds(inner)}
    if isinstance(mistake, pytest.fail.Exception) and str(mistake).startswith(("Traceback", "  +")):
        last = [line.strip(" |") for line in str(mistake).splitlines() if line.strip(" |+-")]
        kinds = {line.split(":")[0].split(".")[-1] for line in last if line.split(":")[0].isidentifier()}
        return {kind for kind in kinds if kind[0].isupper() and not kind.endswith("Group")}
    return {type(mistake).__name__}


def _try(mutant: Mutant, output: int) -> None:
    """In a process of its own: run the tests with the mistake."""
    said = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
    os.dup2(said.fileno(), 1)
    os.dup2(said.fileno(), 2)
    listener = _Listener()
    status: int | str = "?"
    began = time.perf_counter()
    try:
        make(mutant)
        status = int(pytest.main(["--tb=short", "-p", "no:cacheprovider", *mutant.noticed_by], plugins=[listener]))
    except BaseException as mistake:
        listener.ends[""] = f"{type(mistake).__name__}: {mistake}"
    finally:
        report = json.dumps(
            {"status": status, "took": round(time.perf_counter() - began, 2), "ends": listener.ends}
        ).encode()
        while report:
            report = report[os.write(output, report) :]
        os._exit(0)


def _begin(mutant: Mutant) -> tuple[int, int]:
    inbox, outbox = os.pipe()
    pid = os.fork()
    if pid == 0:
        _try(mutant, outbox)
    os.close(outbox)
    return pid, inbox


def _hear(pid: int, inbox: int) -> dict[str, object]:
    told = b""
    while select.select([inbox], [], [], _PATIENCE)[0]:
        piece = os.read(inbox, 65536)
        told += piece
        if not piece:
            break
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os.close(inbox)
    os.waitpid(pid, 0)
    found: dict[str, object] = json.loads(told) if told else {"status": "hung", "ends": {}}
    return found


def main(words: Sequence[str]) -> None:
    left = [int(word) for word in words] or list(range(len(MUTANTS)))
    under_way: list[tuple[int, int, int]] = []
    while left or under_way:
        while left and len(under_way) < _AT_ONCE:
            number = left.pop(0)
            under_way.append((number, *_begin(MUTANTS[number])))
        number, pid, inbox = under_way.pop(0)
        print(json.dumps({"number": number, **_hear(pid, inbox)}), flush=True)


main(sys.argv[1:])
