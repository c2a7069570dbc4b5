"""How does pidone run a program for its own sake, beside a service? Probes that need one: `exec`, and those that look at a path.

Rules: an errand has the service's identity, surroundings and a mark of its own, so that it is never taken for a process of
the run. One at a time per run. When it has ended or is called back, everything it started is killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from supervisor.core.environment import environment_for
from supervisor.kernel.port import Kernel, SpawnOrder
from supervisor.model.effect import Signal
from supervisor.model.plan import Identity, PlannedService
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.signals import SIGKILL
from supervisor.model.words import Instant, RunId, Seconds, Wall
from supervisor.runtime.launch import Surroundings
from supervisor.runtime.processes import Processes
from supervisor.runtime.reach import Reach

__all__ = ["Errands", "errand_of", "watcher"]

_COARSE = 0.01  # seconds: file systems stamp by a clock that may lag one tick of 100 Hz

# What a path is looked at with: PID 1 must not wait for a path that a user named. It ends well when there is something to see.
_WATCHER = """
import os, sys, time
kind, path, since, pause, uid, gid, *groups = sys.argv[1:]
if kind == 'unix': import _socket # now: the user may not be allowed to read our modules
if uid:
    os.setgroups([int(group) for group in groups]); os.setgid(int(gid)); os.setuid(int(uid))
while True:
    try:
        if kind == 'file':
            if os.stat(path).st_ctime_ns >= int(since): break
        else:
            knock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM); knock.settimeout(3); knock.connect(path)
            break
    except OSError: pass
    time.sleep(float(pause))
"""


def errand_of(run: RunId) -> RunId:
    """By what the table knows the errands of a run."""
    return RunId(run.service, -run.number)


def watcher(kind: str, path: str, began: Wall, pause: Seconds, identity: Identity | None) -> tuple[str, ...]:
    """The command that ends well when `path` was created or changed after `began` (file), or can be connected to (unix).

    It gives up its privileges itself: the service's user need not be allowed to execute our interpreter.
    """
    since = str(int((began - _COARSE) * 1e9))
    other = identity is not None and (identity.uid, identity.gid) != (os.getuid(), os.getgid())
    who = (str(identity.uid), str(identity.gid), *map(str, identity.groups)) if identity and other else ("", "")
    return (sys.executable, "-I", "-S", "-c", _WATCHER, kind, path, since, str(pause), *who)


class Errands:
    """Starts them, and clears up after them."""

    def __init__(
        self,
        kernel: Kernel,
        table: Processes,
        reach: Reach,
        surroundings: Surroundings,
        now: Callable[[], Instant],
        null: int,
    ) -> None:
        """`null` is /dev/null, open for writing: nobody reads what they print."""
        self._kernel = kernel
        self._table = table
        self._reach = reach
        self._surroundings = surroundings
        self._now = now
        self._null = null

    def busy(self, run: RunId) -> bool:
        return self._table.of(errand_of(run)) is not None

    def start(
        self,
        run: RunId,
        planned: PlannedService,
        argv: tuple[str, ...],
        ended: Callable[[Exit], None],
        as_us: bool = False,
    ) -> bool:
        """Execute this beside the run; `ended` is called when it has been reaped. False when it could not be had."""
        key = errand_of(run)
        self._table.expect(key)
        entry = self._table.begin(key, self._now().wall)
        around = self._surroundings
        order = SpawnOrder(
            argv=argv,
            executable=argv[0] if as_us else "",
            environment=environment_for(around.environment, planned, entry.invocation, around.socket),
            working_dir=planned.spec.working_dir or around.working_dir,
            stdout=self._null,
            stderr=self._null,
            umask=planned.spec.umask,
            identity=None if as_us else planned.identity,
            way="safe",
            tag=entry.tag,
            cgroup=entry.cgroup,
        )
        born = self._kernel.spawn(order)
        if isinstance(born, SpawnFailure):
            self._table.abandon(key)
            self._table.forget(entry)
            return False

        def over(exit: Exit) -> None:
            self._doom(key)
            ended(exit)

        self._table.born(key, "main", born).on_exit = over
        return True

    def call_back(self, run: RunId) -> None:
        """End what runs."""
        self._doom(errand_of(run))

    def _doom(self, key: RunId) -> None:
        entry = self._table.of(key)
        if entry is not None:
            entry.doomed = True
            if not entry.vacant:
                self._reach.order(Signal(key, SIGKILL, "all"))
                self._reach.flush()
