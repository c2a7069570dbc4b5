"""Does init stand a storm of orphans, and a namespace in which there are no more numbers?"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from supervisor.model.plan import Launch, Plan, PlannedService
from supervisor.model.spec import ReadySpec, ServiceSpec, StopSpec
from supervisor.model.words import Seconds, ServiceName
from tests.eventually import eventually
from tests.isolation import isolated
from tests.pid1.inits import NEVER_AGAIN, Init, actor, descendants_of, plan_of, start_init
from tests.pid1.numbers import few_numbers

_MANY = 20_000
_EACH = 50  # orphans per parent
_SELDOM = 20

# Parents that end before their children do, or at the same time: half of those end only when they have lost them.
_LEAVER = f"""
import os
def fork():
    while True:
        try:
            return os.fork()
        except BlockingIOError:
            pass
for _ in range({_MANY // 2 // _EACH}):
    if fork() == 0:
        lost, held = os.pipe()
        for number in range({_EACH}):
            if fork() == 0:
                os.close(held)
                if number % 2:
                    os.read(lost, 1)
                os._exit(0)
        os._exit(0)
    os.wait()
"""

# Takes every number there is, and every one that becomes free.
_HOG = """
import os, select, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
told = False
while True:
    try:
        if os.fork() == 0:
            while True:
                select.select([], [], [])
    except OSError:
        if not told:
            told = True
            os.write(1, b"there are no more\\n")
        select.select([], [], [], 0.01)
"""


def _python(name: str, code: str, **spec: object) -> PlannedService:
    return PlannedService(
        ServiceName(name),
        ServiceSpec(command=((sys.executable, "-IS", "-c", code),), restart=NEVER_AGAIN, **spec),  # type: ignore[arg-type]
        launch=Launch("fast", (sys.executable,)),
    )


class _Tally:
    """Numbers that init counts and the test reads: memory of both."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._counts = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")

    def count(self, name: str) -> None:
        self._counts[self._names.index(name)] += 1

    def __getitem__(self, name: str) -> int:
        return self._counts[self._names.index(name)]


def _become_init(plan: Plan, path: str) -> NoReturn:
    """Be init without executing it, so that what was changed in this process stays changed."""
    from supervisor.programs import init
    from supervisor.wire import state

    fd = os.memfd_create("plan")
    os.write(fd, state.dump(plan))
    os.lseek(fd, 0, os.SEEK_SET)
    os._exit(init.run(init.InitOptions(plan_fd=fd, name="test", socket=path)))


def _asking(plan: Plan, path: str, tally: _Tally) -> Callable[[], NoReturn]:
    """An init that counts whose orphans were, and is asked something after each full batch of the dead; before the next one
    is begun the answer must be there."""

    def be_asked() -> NoReturn:
        from supervisor.model.process import Exit
        from supervisor.runtime.assembly import Runtime
        from supervisor.runtime.processes import Process
        from supervisor.runtime.reaper import BATCH, Reaper

        batch, ended = Reaper.reap, Runtime._orphan_ended
        lines: list[socket.socket] = []
        waits = False

        def batch_with_a_question(self: Reaper) -> int:
            nonlocal waits
            if waits:
                answered = bool(select.select(lines, [], [], 0)[0]) and b'"result"' in lines[0].recv(1 << 20)
                tally.count("answered" if answered else "unanswered")
            reaped = batch(self)
            waits = reaped == BATCH
            if waits:
                if not lines:
                    lines.append(socket.socket(socket.AF_UNIX))
                    lines[0].connect(path)
                method = (
                    "version" if tally["answered"] % _SELDOM else "status"
                )  # which looks at twenty thousand of them
                lines[0].sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode() + b"\n")
            return reaped

        def counted(self: Runtime, process: Process, exit: Exit) -> None:
            tally.count("nobody" if process.run is None else process.run.service)
            ended(self, process, exit)

        Reaper.reap = batch_with_a_question  # type: ignore[method-assign]
        Runtime._orphan_ended = counted  # type: ignore[method-assign]
        _become_init(plan, path)

    return be_asked


@isolated(timeout=300)
def test_twenty_thousand_orphans_are_all_their_services_and_who_asks_waits_for_one_batch(
    unmeasured: None, tmp_path: Path
) -> None:
    plan = plan_of(actor("web", "sleep"), _python("east", _LEAVER), _python("west", _LEAVER))
    tally = _Tally("east", "west", "nobody", "answered", "unanswered")
    init = start_init(plan, tmp_path, prepare=_asking(plan, str(tmp_path / "c.sock"), tally))
    eventually(lambda: tally["east"] + tally["west"] + tally["nobody"] == _MANY, timeout=250)
    for name in ("east", "west"):
        init.until_phase(name, "done")
    assert init.ask("status")["orphans"] == {"adopted": _MANY, "reaped": _MANY, "alive": 0}
    assert (tally["east"], tally["west"], tally["nobody"]) == (_MANY // 2, _MANY // 2, 0)
    assert len(descendants_of(init.pid)) == 2  # web and the logger
    assert tally["unanswered"] == 0
    assert tally["answered"] > 10
    assert init.service("web")["restarts"] == 0


def _without_numbers(tmp_path: Path) -> Init:
    """A world of a service that has taken all numbers, one that runs, and one that shall start now and cannot."""
    probe = ReadySpec(exec=("/bin/true",), interval=Seconds(0.1))
    undo = StopSpec(command=("/bin/true",), timeout=Seconds(0.5))
    plan = plan_of(
        _python("hog", _HOG, stop=StopSpec(timeout=Seconds(0.5))),
        actor("web", "sleep", stop=undo),
        actor("late", "print:late sleep", enabled=False, ready=probe),
        shutdown=4.0,
    )
    init = start_init(plan, tmp_path, prepare=few_numbers)
    init.until_line("there are no more")
    init.until_phase("web", "running")
    init.ask("start", names=["late"], wait=False)
    eventually(lambda: init.service("late")["reason"]["code"] == "no-resources", timeout=20)
    return init


@pytest.mark.parametrize("how", ["it is stopped", "it ends by itself", "its main process is killed"])
@isolated
def test_a_world_without_numbers_can_be_asked_and_recovers(tmp_path: Path, how: str) -> None:
    init = _without_numbers(tmp_path)
    assert init.service("web")["phase"] == "running"
    assert init.service("late")["phase"] == "waiting"
    logger = next(pid for pid in descendants_of(init.pid) if _name_of(pid) == "pidone-logger")
    os.kill(logger, signal.SIGKILL)  # its successor needs a number too
    if how == "it is stopped":
        assert init.ask("stop", names=["hog"])["verdict"] == "done"
    else:
        name = "SIGUSR1" if how == "it ends by itself" else "SIGKILL"
        assert init.ask("kill", names=["hog"], signal=name, main=True)["verdict"] == "done"
    init.until_phase("late", "running")
    eventually(lambda: init.service("late")["ready"], timeout=20)
    assert init.service("late")["restarts"] == 0  # a fault of ours is not the service's
    init.until_line("late | late")
    eventually(lambda: len(descendants_of(init.pid)) == 3, timeout=20)  # web, late and the logger
    assert init.ask("restart", names=["web"])["verdict"] == "done"
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


@isolated
def test_a_world_without_numbers_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """Although the command that stops web cannot be started."""
    init = _without_numbers(tmp_path)
    init.signal(signal.SIGTERM)
    assert init.ends() == 0


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
