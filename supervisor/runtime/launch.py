"""How does an ordered process come to be? Spawns are queued and performed in slices, so that everything else is served between.

Rules: each order leads to exactly one Spawned or SpawnFailed. Whether it is still wanted is asked when its turn comes. A child
that was forked and has not executed yet is waited for without blocking: its errno pipe says how it went.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import trio

from supervisor.core.environment import environment_for
from supervisor.core.step import spawn_is_wanted
from supervisor.kernel.port import Kernel, SpawnOrder
from supervisor.model.effect import Spawn
from supervisor.model.event import Event, Spawned, SpawnFailed
from supervisor.model.plan import PlannedService
from supervisor.model.process import SpawnFailure
from supervisor.model.record import Record
from supervisor.model.words import Instant, RunId
from supervisor.model.world import World
from supervisor.runtime.processes import Process, Processes, RunProcesses

__all__ = ["Launcher", "Surroundings"]

_SLICE = 0.005  # seconds of spawning between two checkpoints: about ten processes


class Surroundings(Record):
    """What every service finds around it."""

    environment: Mapping[str, str]
    """Our own, less what was meant for us."""
    working_dir: str
    """Where pidone was started."""
    socket: str
    """Of the control server."""
    descriptors: int = 1 << 30
    """Runs get pipes below this number: the rest is for operators, probes and looking after what runs."""


class Launcher:
    """Performs spawns, and learns how those went that take their time."""

    def __init__(
        self,
        kernel: Kernel,
        table: Processes,
        outputs: Callable[[RunId, int | None], tuple[int, int]],
        surroundings: Surroundings,
        world: Callable[[], World],
        feed: Callable[[Event], None],
        now: Callable[[], Instant],
        readable: Callable[[int], Awaitable[None]] = trio.lowlevel.wait_readable,
    ) -> None:
        self._kernel = kernel
        self._table = table
        self._outputs = outputs
        self._surroundings = surroundings
        self._world = world
        self._feed = feed
        self._now = now
        self._readable = readable
        self._orders: deque[Spawn] = deque()
        self._bell = trio.Event()
        self._waits: dict[int, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self.concluded: Callable[[RunId], None] = lambda run: None
        """Called when a run may have become empty by a spawn that failed."""

    def order(self, spawn: Spawn) -> None:
        self._table.expect(spawn.run)
        self._orders.append(spawn)
        self._bell.set()

    async def run(self) -> None:
        """Perform what is ordered, for ever."""
        async with trio.open_nursery() as self._nursery:
            while True:
                await self._bell.wait()
                self._bell = trio.Event()
                while self._orders:
                    self._slice()
                    await trio.lowlevel.checkpoint()

    def _slice(self) -> None:
        until = time.perf_counter() + _SLICE
        while self._orders and time.perf_counter() < until:
            self._perform(self._orders.popleft())

    def _perform(self, spawn: Spawn) -> None:
        if not spawn_is_wanted(self._world(), spawn):
            self._failed(spawn, SpawnFailure("", 0, cancelled=True))
            return
        planned = self._world().services[spawn.run.service].plan
        entry = self._table.begin(spawn.run, self._now().wall)
        try:
            born = self._kernel.spawn(self._compose(spawn, planned, entry))
        except OSError as error:  # no pipe to be had
            born = SpawnFailure("output", error.errno or 0, text=error.strerror or "", ours=True)
        if isinstance(born, SpawnFailure):
            self._failed(spawn, born)
            return
        process = self._table.born(spawn.run, spawn.role, born)
        if born.errors < 0:
            self._feed(Spawned(spawn.run, spawn.role))
        else:
            assert self._nursery is not None
            self._nursery.start_soon(self._await_exec, process)

    def _compose(self, spawn: Spawn, planned: PlannedService, entry: RunProcesses) -> SpawnOrder:
        spec, around = planned.spec, self._surroundings
        main = spawn.role == "main"
        foreground = main and planned.foreground
        if foreground:
            stdout, stderr = 1, 2
        else:
            stdout, stderr = self._outputs(spawn.run, None if planned.identity is None else planned.identity.uid)
        if max(stdout, stderr) >= around.descriptors:  # the lowest free one is always taken (open(2))
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        argv = spec.command[spawn.index] if main else spec.stop.command
        assert argv is not None
        known = planned.launch.executables
        extra = {} if main or "main" not in entry.own else {"MAINPID": str(entry.own["main"].pid)}
        return SpawnOrder(
            argv=argv,
            executable=known[spawn.index] if main and spawn.index < len(known) else "",
            environment=environment_for(around.environment, planned, entry.invocation, around.socket, extra),
            working_dir=spec.working_dir or around.working_dir,
            stdout=stdout,
            stderr=stderr,
            stdin=spec.stdin if main else "null",
            umask=spec.umask,
            limits={name: (pair.soft, pair.hard) for name, pair in spec.limits.items()},
            identity=planned.identity,
            way=planned.launch.way,
            tag=entry.tag,
            cgroup=entry.cgroup,
            foreground=foreground,
        )

    # --- how it went

    async def _await_exec(self, process: Process) -> None:
        """It was forked and has not executed yet: its errno pipe ends when it has, or cannot."""
        if process.errors < 0:
            return  # the reaper was quicker than our first turn and has settled it
        with trio.CancelScope() as scope:
            self._waits[process.errors] = scope
            await self._readable(process.errors)
            self.settle(process)

    def settle(self, process: Process) -> None:
        """Learn how its exec went, now that it can be known."""
        errors, process.errors = process.errors, -1
        if errors < 0:
            return
        wait = self._waits.pop(errors, None)
        if wait is not None:
            wait.cancel()  # nobody may wait for a descriptor that is about to be closed
        failure = self._kernel.spawn_error(errors)
        run, role = process.run, process.kind
        if run is None or run.number < 0 or (role != "main" and role != "stop"):
            return
        if failure is None:
            self._feed(Spawned(run, role))
        else:
            entry = self._table.disown(process)
            self._feed(SpawnFailed(run, role, failure, entry is None or entry.vacant))
            self.concluded(run)

    def _failed(self, spawn: Spawn, failure: SpawnFailure) -> None:
        entry = self._table.abandon(spawn.run)
        self._feed(SpawnFailed(spawn.run, spawn.role, failure, entry is None or entry.vacant))
        self.concluded(spawn.run)
