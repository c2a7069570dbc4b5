"""How does a test start the supervisor with a plan of its own, as PID 1 of a namespace or as somebody's child, and look into it?

Only for bodies that run in a world of their own (`tests.isolation`), once per body as PID 1. Services are actors
(tests/actor.py). The plan goes by a descriptor, so that no loader is needed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from supervisor.kernel.libc import call
from supervisor.model.plan import Launch, Plan, PlannedService
from supervisor.model.spec import RestartSpec, ServiceSpec, ShutdownSpec, SystemSpec
from supervisor.model.words import Seconds, ServiceName
from supervisor.wire import state
from tests.eventually import eventually
from tests.linux.stage import ACTOR
from tests.minimal import Started, state_of
from tests.outside.world import PIDONE

__all__ = ["NEVER_AGAIN", "Init", "actor", "children_of", "descendants_of", "plan_of", "start_init"]

NEVER_AGAIN = RestartSpec(policy="never")
_NEWPID, _NEWNS = 0x20000000, 0x00020000  # unshare(2)


def actor(name: str, *commands: str, way: str = "fast", **spec: Any) -> PlannedService:
    """A service whose commands are an actor's words with blanks between."""
    lines = tuple((sys.executable, "-IS", ACTOR, *words.split()) for words in commands)
    launch = Launch("fast" if way == "fast" else "safe", (sys.executable,) * len(lines))
    return PlannedService(ServiceName(name), ServiceSpec(command=lines, **spec), launch=launch)


def plan_of(*services: PlannedService, shutdown: float | None = None) -> Plan:
    system = SystemSpec(shutdown=ShutdownSpec(None if shutdown is None else Seconds(shutdown)))
    return Plan(services, system)


class Init(Started):
    """A running supervisor."""

    def __init__(self, pid: int, said: int, path: str) -> None:
        super().__init__(pid, said)
        self._path = path
        self.heard: list[str] = []

    def ask(self, method: str, **params: Any) -> Any:
        """What the control socket answers; None while nobody does."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            try:
                line.connect(self._path)
                line.sendall(
                    json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n"
                )
                with line.makefile() as answers:
                    for text in answers:
                        answer = json.loads(text)
                        if answer.get("id") == 1:
                            return answer.get("result")
            except (FileNotFoundError, ConnectionError):
                pass
        return None

    def services(self) -> list[dict[str, Any]]:
        answer = self.ask("status")
        return [] if answer is None else list(answer["services"])

    def service(self, name: str) -> dict[str, Any]:
        return {one["name"]: one for one in self.services()}.get(name, {"phase": "unborn", "run": 0})

    def until_phase(self, name: str, phase: str) -> dict[str, Any]:
        eventually(lambda: self.service(name)["phase"] == phase, timeout=20)
        return self.service(name)

    def until_line(self, text: str) -> str:
        """Read what it says up to a line with this in it."""
        while True:
            line = self.line()
            self.heard.append(line)
            if text in line:
                return line


def start_init(
    plan: Plan | Path,
    folder: Path,
    *words: str,
    pid1: bool = True,
    prepare: Callable[[], Any] = lambda: None,
    environment: dict[str, str] | None = None,
    blocked: bool = True,
    keep: tuple[int, ...] = (),
) -> Init:
    """Start `pidone init` with this plan, or with this file. As PID 1 it gets a namespace of its own. `prepare` runs in the new process;
    `blocked`: its starter blocks all signals, as a monitor does; `keep`: descriptors it inherits."""
    read_end, write_end = os.pipe()
    path = str(folder / "c.sock")
    plan_fd = os.memfd_create("plan", 0)
    source = ["-c", str(plan)] if isinstance(plan, Path) else ["--plan-fd", str(plan_fd)]
    if isinstance(plan, Plan):
        os.write(plan_fd, state.dump(plan))
        os.lseek(plan_fd, 0, os.SEEK_SET)
    if pid1:
        call("unshare", _NEWPID)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() if blocked else ())
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(write_end)
        os.close(plan_fd)
        return Init(pid, read_end, path)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(write_end, 1)
        os.dup2(write_end, 2)
        for fd in keep:
            os.set_inheritable(fd, True)
        if pid1:
            call("unshare", _NEWNS)
            call("mount", b"proc", b"/proc", b"proc", 0, None)
            call("mount", b"none", b"/run", b"tmpfs", 0, None)
        prepare()
        command = ["pidone", "init", *source, "--socket", path, "--name", "test", *words]
        os.execve(PIDONE, command, {**os.environ, **(environment or {})})
    except BaseException as failure:
        os.write(2, f"{failure!r}\n".encode())
    finally:
        os._exit(99)


def children_of(pid: int) -> list[int]:
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has just ended
        return []
    return [int(word) for text in lists for word in text.split()]


def descendants_of(pid: int) -> list[int]:
    """Everybody alive below it."""
    found = []
    front = [pid]
    while front:
        for child in children_of(front.pop()):
            front.append(child)
            if state_of(child) not in "Z":
                found.append(child)
    return found
