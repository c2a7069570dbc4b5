"""How is each row measured? One function per kind of world: it starts a contender, looks, ends it, and returns figures.

A `Plan` says how much: which rows, the sizes, how long to look, how often. What a contender cannot do is not in what a function returns.
Everybody is measured the same way, with the same service programs (services.py), from outside (processes.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from contenders import Contender, Order, Work
from processes import cpu, end, number_outside, own, pause, pss, until, wakeups
from services import Inbox, crashing, idle, is_service, storm
from table import AtLeast

__all__ = ["Figures", "Plan", "crash_loop", "idle_worlds", "orphan_storm", "successors"]

_PATIENCE = 180.0  # seconds, for 1000 services of the slowest
_ENDING = 10.0  # seconds that a contender gets to end what is not measured any more
_SETTLED = 1.2  # seconds: more than the second that runit and s6 leave between two starts
_CALM = 0.5  # seconds between "all are up" and the first look at it
_ASKED = 5  # times, status
_CROWDED = 10.0  # seconds that it gets for the status of services in a crash loop

Figures = dict[tuple[str, int], float]
"""(row, size) → figure."""


class Plan(NamedTuple):
    rows: frozenset[str]
    sizes: tuple[int, ...] = (1, 100, 1000)
    idle: float = 5.0
    """Seconds in which nothing happens."""
    times: int = 5
    """Repetitions, of which the median counts …"""
    budget: float = 8.0
    """… but no further one is begun after so many seconds, idle ones not counted."""
    crashing: int = 200
    window: float = 2.0
    """Seconds of one look at a crash loop."""
    orphans: int = 10_000
    storm_patience: float = 10.0
    """Seconds after the last fork, then we give up."""

    def wants(self, *rows: str) -> bool:
        return not self.rows.isdisjoint(rows)


class _World(NamedTuple):
    folder: Path
    process: subprocess.Popen[bytes]
    begun: float
    inbox: Inbox


@contextlib.contextmanager
def _world(
    who: Contender,
    number: int,
    program: Callable[[Path, Path], Path] = idle,
    *,
    chained: bool = False,
    before: Sequence[str] = (),
) -> Iterator[_World]:
    """The contender, which has just been started with so many services. A TimeoutError tells what it said last."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        inbox = Inbox(folder / "inbox")
        who.configure(folder, Work(program(folder, inbox.path), number, chained))
        with open(folder / "output", "wb") as output:
            begun = time.perf_counter()
            process = subprocess.Popen(
                (*before, *who.start(folder)),
                cwd=folder,
                env={**os.environ, **who.environment},
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            yield _World(folder, process, begun, inbox)
        except TimeoutError as error:
            said = (folder / "output").read_text(errors="replace").strip().splitlines()[-1:]
            raise TimeoutError(f"{error}{'; its last words: ' if said else ''}{''.join(said)}") from None
        finally:
            end(process, who.stop, _ENDING, inside=bool(before))
            inbox.close()


def _status(who: Contender, folder: Path, patience: float = _PATIENCE) -> tuple[float, int]:
    """Milliseconds and exit status of asking."""
    assert who.status is not None
    command, environment = who.status(folder), {**os.environ, **who.environment}
    begun = time.perf_counter()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=patience)
    except subprocess.TimeoutExpired:
        return AtLeast(patience * 1e3), 1
    return (time.perf_counter() - begun) * 1e3, done.returncode


def _median(figures: Sequence[float]) -> float:
    """Where one was not waited for, no more can be said than that."""
    return next((figure for figure in figures if isinstance(figure, AtLeast)), statistics.median(figures))


def _repeat(plan: Plan, once: Callable[[], Figures], idle: float = 0.0) -> Figures:
    """The median of each figure."""
    begun = time.monotonic()
    seen: dict[tuple[str, int], list[float]] = {}
    for _ in range(plan.times):
        for row, figure in once().items():
            seen.setdefault(row, []).append(figure)
        if time.monotonic() - begun > plan.budget + idle:
            break
    return {row: _median(figures) for row, figures in seen.items()}


def idle_worlds(who: Contender, size: int, plan: Plan) -> Figures:
    """Start-up, memory, wake-ups, status and stop with so many services that sleep."""
    if size > who.most or not plan.wants("start-up", "memory", "idle", "status", "stop", "ordered-stop"):
        return {}
    figures: Figures = {}

    def once() -> Figures:
        with _world(who, size) as world:
            world.inbox.lines(size, _PATIENCE)
            seen = {("start-up", size): (time.perf_counter() - world.begun) * 1e3}
            if not figures:
                figures.update(_idle_looks(who, world, size, plan))
            seen["stop", size] = _stop(who, world)
        return seen

    figures.update(_repeat(plan, once, plan.idle))
    if who.order is Order.ALWAYS:
        figures["ordered-stop", size] = figures["stop", size]
    elif who.order is Order.ASKED and size > 1 and plan.wants("ordered-stop"):

        def chained() -> Figures:
            with _world(who, size, chained=True) as world:
                world.inbox.lines(size, _PATIENCE)
                return {("ordered-stop", size): _stop(who, world)}

        figures.update(_repeat(plan, chained))
    if size == 1:
        figures.pop(("ordered-stop", size), None)
    return figures


def _idle_looks(who: Contender, world: _World, size: int, plan: Plan) -> Figures:
    """What does not end the world."""
    if who.status and not until(lambda: _status(who, world.folder)[1] == 0, _PATIENCE, 0.1):
        raise TimeoutError("its services did not come up")
    pause(_CALM)
    pids = own(world.process.pid, is_service, looks=3)
    seen: Figures = {("processes", size): len(pids)}
    if plan.wants("memory"):
        seen["memory", size] = pss(pids)
    if plan.wants("idle"):
        before = cpu(pids), wakeups(pids)
        pause(plan.idle)
        seen["idle-cpu", size] = (cpu(pids) - before[0]) / plan.idle * 1e3
        seen["idle", size] = (wakeups(pids) - before[1]) / plan.idle
    if plan.wants("status") and who.status:
        seen["status", size] = statistics.median(_status(who, world.folder)[0] for _ in range(_ASKED))
    return seen


def _stop(who: Contender, world: _World) -> float:
    """Milliseconds from the signal until the supervisor has ended and no service is left."""
    world.inbox.listen_only()
    begun = time.perf_counter()
    world.process.send_signal(who.stop)
    try:
        world.process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"it did not end in {_PATIENCE:.0f} s") from None
    world.inbox.silence(_PATIENCE)
    return (time.perf_counter() - begun) * 1e3


def successors(who: Contender, plan: Plan) -> Figures:
    """From SIGKILL of a service to the first instruction of its next run: of one that ran for a while, and of one just started."""
    seen: Figures = {}
    if not who.restarts or not plan.wants("kill"):
        return seen
    with _world(who, 1) as world:
        for row, age in (("kill", _SETTLED), ("kill-young", 0.0)):
            times = []
            (inner,) = world.inbox.lines(1, _PATIENCE)
            for _ in range(plan.times):
                pid = number_outside(world.process.pid, int(inner), _PATIENCE)
                pause(age)
                begun = time.perf_counter()
                os.kill(pid, signal.SIGKILL)
                (inner,) = world.inbox.lines(1, _PATIENCE)
                times.append((time.perf_counter() - begun) * 1e3)
            seen[row, 1] = statistics.median(times)
            os.kill(number_outside(world.process.pid, int(inner), _PATIENCE), signal.SIGKILL)
        world.inbox.lines(1, _PATIENCE)
    return seen


def crash_loop(who: Contender, plan: Plan) -> Figures:
    """Restarts per second of services that fail at once, the supervisor's own CPU time for each, and what `status` takes meanwhile."""
    size = plan.crashing
    if not who.restarts or not plan.wants("crash-loop"):
        return {}
    with _world(who, size, crashing) as world:
        world.inbox.lines(2 * size, _PATIENCE)
        rates, costs = [], []
        for _ in range(3):
            pids = own(world.process.pid, is_service, looks=5)
            world.inbox.forget()
            before, begun = cpu(pids), time.perf_counter()
            pause(plan.window)
            restarts = world.inbox.forget()
            used, elapsed = cpu(pids) - before, time.perf_counter() - begun
            rates.append(restarts / elapsed)
            costs.append(used / max(restarts, 1) * 1e3)
        seen = {("crash-loop", size): statistics.median(rates), ("crash-loop-cpu", size): statistics.median(costs)}
        if who.status:
            asked = time.monotonic()
            times = [_status(who, world.folder, _CROWDED)[0]]
            while len(times) < _ASKED and time.monotonic() - asked < _CROWDED / 2:
                times.append(_status(who, world.folder, _CROWDED)[0])
            seen["crash-loop-status", size] = _median(times)
    return seen


def orphan_storm(who: Contender, plan: Plan) -> Figures:
    """As PID 1: from the last fork until no orphan is left, zombies counted too, and the supervisor's own CPU time for each."""
    if not who.reaps or not plan.wants("orphan-storm"):
        return {}
    rooted = () if os.getuid() == 0 else ("--user", "--map-root-user")
    namespace = ("unshare", *rooted, "--pid", "--fork", "--kill-child", "--mount-proc", "--")

    def once() -> Figures:
        with tempfile.TemporaryDirectory(prefix="bench-") as place:
            go = Inbox(Path(place) / "go")

            def program(folder: Path, inbox: Path) -> Path:
                return storm(folder, inbox, go.path, plan.orphans)

            with _world(who, 1, program, before=() if who.isolates else namespace) as world:
                (inner,) = world.inbox.lines(1, _PATIENCE)
                group = number_outside(world.process.pid, int(inner), _PATIENCE)
                pids = own(world.process.pid, is_service, looks=3)
                before = cpu(pids)
                go.say()
                ended = int(world.inbox.lines(1, _PATIENCE)[0])
                gone = until(lambda: _is_gone(group), plan.storm_patience, 0.001)
                took, used = (time.monotonic_ns() - ended) / 1e6, cpu(pids) - before
            go.close()
        if not gone:
            return {("orphan-storm", plan.orphans): AtLeast(plan.storm_patience * 1e3)}
        return {("orphan-storm", plan.orphans): took, ("orphan-storm-cpu", plan.orphans): used / plan.orphans * 1e6}

    return _repeat(plan._replace(budget=plan.budget / 2), once)


def _is_gone(group: int) -> bool:
    """No process is in this group, not even a zombie: kill(2) with 0."""
    try:
        os.kill(-group, 0)
    except ProcessLookupError:
        return True
    return False
