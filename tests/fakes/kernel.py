"""What is a kernel without Linux? Processes that play the words of tests/actor.py, in memory, on whatever clock they are given.

It keeps the contract of tests/contract. Everything happens at once; only `after:SECONDS` takes time, which passes when
`play_until` is told so. Descriptors are numbers that are counted: none may be left open.
"""

from __future__ import annotations

import errno
import heapq
import os
import signal as signals
from collections.abc import Callable, Collection, Container

from supervisor.kernel.port import Born, Glimpse, Person, Sight, SpawnOrder, Zombie
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.signals import signal_number

__all__ = ["ACTOR", "FakeKernel"]

ACTOR = "/actor"
US = 1
_HARMLESS = (signals.SIGCHLD, signals.SIGCONT, signals.SIGURG, signals.SIGWINCH)
_STOPPING = (signals.SIGSTOP, signals.SIGTSTP, signals.SIGTTIN, signals.SIGTTOU)


class _Actor:
    """One process."""

    def __init__(self, pid: int, ppid: int, words: list[str], parent: _Actor | None, start: int) -> None:
        self.pid, self.ppid, self.start = pid, ppid, start
        self.words = words
        self.pgid = self.sid = pid if parent is None else parent.sid
        self.tag = 0 if parent is None else parent.tag
        self.uid = 0 if parent is None else parent.uid
        self.cgroup = "" if parent is None else parent.cgroup
        self.comm = "actor" if parent is None else parent.comm
        self.argv: tuple[str, ...] = () if parent is None else parent.argv
        self.environment = {} if parent is None else parent.environment
        self.stdout = -1 if parent is None else parent.stdout
        self.ignored: set[int] = set() if parent is None else set(parent.ignored)
        self.handlers: dict[int, str] = {}
        self.pending: set[int] = set()
        self.exit: Exit | None = None
        self.stopped = False
        self.waits_until: float | None = None
        self.hangs = False
        """It was forked and never gets to exec; SIGKILL does not reach it."""


class FakeKernel:
    """The whole machine."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0, tree: str = "") -> None:
        """`tree`: the directory of a cgroup that is ours."""
        self._tree = tree
        self._groups: set[str] = set()
        self._now = now
        self._actors: dict[int, _Actor] = {}
        self._next_pid = 100
        self._next_fd = 1000
        self._next_tag = 5000
        self._ticks = 0
        self._timers: list[tuple[float, int, _Actor]] = []
        self._tags: set[int] = set()
        self._pidfds: dict[int, _Actor] = {}
        self._errors: dict[int, _Actor] = {}
        self._failed: dict[int, SpawnFailure] = {}
        self.output: dict[int, list[str]] = {}
        """Lines by the descriptor they were written to."""
        self.orders: list[SpawnOrder] = []
        """All that was spawned."""
        self.sent: list[tuple[int, int]] = []
        """All signals, by pid."""
        self.refusals: list[SpawnFailure] = []
        """What the next spawns fail with, one after the other."""
        self.hanging: set[str] = set()
        """Working directories on file systems that do not answer."""
        self.child_ended: Callable[[], None] = lambda: None
        """SIGCHLD."""
        self.printed: Callable[[int, str], None] = lambda fd, line: None
        self.timer_set: Callable[[], None] = lambda: None
        self.executed: Callable[[int], None] = lambda errors: None

    # --- what tests look at

    def alive(self) -> list[int]:
        return [actor.pid for actor in self._actors.values() if actor.exit is None]

    def open_fds(self) -> int:
        return len(self._pidfds) + len(self._errors) + len(self._failed)

    def marks(self) -> set[int | str]:
        """Tags and cgroups that somebody has."""
        return {*self._tags, *self._groups}

    def lines(self) -> list[str]:
        return [line for lines in self.output.values() for line in lines]

    # --- time

    def next_due(self) -> float | None:
        return self._timers[0][0] if self._timers else None

    def play_until(self, time: float) -> None:
        """What has to happen by then, happens."""
        while self._timers and self._timers[0][0] <= time:
            due, _, actor = heapq.heappop(self._timers)
            if actor.waits_until == due and actor.exit is None and not actor.stopped:
                actor.waits_until = None
                self._play(actor)

    # --- Kernel

    def spawn(self, order: SpawnOrder) -> Born | SpawnFailure:
        self.orders.append(order)
        if self.refusals:
            return self.refusals.pop(0)
        path = order.executable or order.argv[0]
        hangs = order.working_dir in self.hanging
        failure = SpawnFailure("exec", errno.ENOENT, path, text=os.strerror(errno.ENOENT)) if path != ACTOR else None
        fast = order.way == "fast" and order.executable != "" and order.identity is None and not order.limits
        if fast and failure is not None:
            return failure
        actor = self._fork(None, [], US)
        actor.words = list(order.argv[1:])
        actor.argv, actor.environment = order.argv, dict(order.environment)
        actor.tag, actor.stdout, actor.hangs = order.tag, order.stdout, hangs
        actor.cgroup = order.cgroup
        actor.uid = 0 if order.identity is None else order.identity.uid
        errors = -1
        if not fast:
            errors = self._fd()
            self._errors[errors] = actor
            if failure is not None:
                self._failed[errors] = failure
                self._errors.pop(errors)
                self._end(actor, Exit(code=127))
        if failure is None and not hangs:
            self._play(actor)
        return Born(actor.pid, self.open_pidfd(actor.pid), errors)

    def go_on(self) -> None:
        """The file systems that did not answer do so now."""
        self.hanging.clear()
        for errors, actor in tuple(self._errors.items()):
            if actor.hangs:
                actor.hangs = False
                self._play(actor)
                self.executed(errors)

    def is_known(self, errors: int) -> bool:
        """Whether the errors pipe is readable."""
        return errors in self._failed or (errors in self._errors and not self._errors[errors].hangs)

    def spawn_error(self, errors: int) -> SpawnFailure | None:
        if errors in self._failed:
            return self._failed.pop(errors)
        actor = self._errors[errors]
        if actor.hangs and actor.exit is None:
            raise BlockingIOError(errno.EAGAIN, "not yet")
        del self._errors[errors]
        return None

    def peek(self) -> Zombie | None:
        for actor in self._actors.values():
            if actor.ppid == US and actor.exit is not None:
                return Zombie(actor.pid, actor.exit)
        return None

    def reap(self, pid: int, pidfd: int = -1) -> None:
        actor = self._actors.get(pid)
        if actor is not None and actor.exit is not None and actor.ppid == US:
            del self._actors[pid]

    def open_pidfd(self, pid: int) -> int:
        if pid not in self._actors:
            return -1
        fd = self._fd()
        self._pidfds[fd] = self._actors[pid]
        return fd

    def identify(self, pid: int, sessions: Container[int] = ()) -> Person | None:
        actor = self._actors.get(pid)
        return None if actor is None else _person(actor)

    def children(self) -> tuple[int, ...]:
        return tuple(actor.pid for actor in self._actors.values() if actor.ppid == US)

    def descendants(self, of: Collection[int] = ()) -> tuple[Person, ...]:
        front, found = list(of) or [US], list[Person]()
        while front:
            parent = front.pop()
            children = [actor for actor in self._actors.values() if actor.ppid == parent and actor.pid not in of]
            found += map(_person, children)
            front += [actor.pid for actor in children]
        return tuple(found)

    def everybody(self) -> tuple[Person, ...]:
        return tuple(_person(actor) for actor in self._actors.values())

    def census(self) -> tuple[Sight, ...]:
        return tuple(Sight(one.pid, one.ppid, one.state, 0.25, 1 << 20) for one in self.descendants())

    def open_person(self, person: Person) -> int:
        actor = self._actors.get(person.pid)
        return self.open_pidfd(person.pid) if actor is not None and actor.start == person.start else -1

    def glimpse(self, pid: int) -> Glimpse | None:
        actor = self._actors.get(pid)
        if actor is None:
            return None
        argv = actor.argv if actor.exit is None else ()
        return Glimpse(pid, argv, _state(actor), (pid,), 0.25, 1 << 20)

    def signal(self, pid: int, pidfd: int, signal: int) -> bool:
        actor = self._pidfds[pidfd] if pidfd >= 0 else self._actors.get(pid)
        self.sent.append((pid, signal))
        if actor is None or self._actors.get(actor.pid) is not actor:
            return False
        if actor.exit is None:
            self._deliver(actor, signal)
        return True

    def close(self, fd: int) -> None:
        del self._pidfds[fd]

    def new_tag(self) -> int:
        self._next_tag += 1
        self._tags.add(self._next_tag)
        return self._next_tag

    def free_tag(self, tag: int) -> None:
        self._tags.discard(tag)

    def new_cgroup(self, name: str) -> str:
        if not self._tree:
            return ""
        self._ticks += 1
        group = f"{self._tree}/{name}.{self._ticks}"
        self._groups.add(group)
        return group

    def cgroup_members(self, cgroup: str) -> tuple[int, ...]:
        return tuple(actor.pid for actor in self._members(cgroup))

    def kill_cgroup(self, cgroup: str) -> bool:
        if cgroup not in self._groups:
            return False
        for actor in self._members(cgroup):
            self._deliver(actor, signals.SIGKILL)
        return True

    def remove_cgroup(self, cgroup: str) -> None:
        self._groups.discard(cgroup)

    def _members(self, cgroup: str) -> list[_Actor]:
        return [actor for actor in self._actors.values() if cgroup and actor.cgroup == cgroup and actor.exit is None]

    # --- processes

    def enter(self, *words: str) -> int:
        """Somebody comes into the namespace from outside: no child of ours. Answers its pid."""
        actor = self._fork(None, list(words), 0)
        self._play(actor)
        return actor.pid

    def bear(self, pid: int, *words: str) -> None:
        """An orphan of nobody's, under this number."""
        self._ticks += 1
        actor = self._actors[pid] = _Actor(pid, US, list(words), None, self._ticks)
        self._play(actor)

    def _fd(self) -> int:
        self._next_fd += 1
        return self._next_fd

    def _fork(self, parent: _Actor | None, words: list[str], ppid: int) -> _Actor:
        self._next_pid += 1
        self._ticks += 1
        actor = _Actor(self._next_pid, ppid, words, parent, self._ticks)
        self._actors[actor.pid] = actor
        return actor

    def _play(self, actor: _Actor) -> None:
        while actor.words and actor.exit is None and not actor.stopped and actor.waits_until is None:
            word = actor.words.pop(0)
            verb, _, rest = word.partition(":")
            self._do(actor, verb, rest)
        if not actor.words and actor.exit is None and not actor.stopped and actor.waits_until is None:
            self._end(actor, Exit(code=0))

    def _do(self, actor: _Actor, verb: str, rest: str) -> None:
        match verb:
            case "exit":
                self._end(actor, Exit(code=int(rest)))
            case "signal":
                number = _number(rest)
                actor.ignored.discard(number)
                actor.handlers.pop(number, None)
                self._deliver(actor, number)
            case "sleep":
                actor.words[:] = ["sleep"]
                actor.waits_until = float("inf")
            case "after":
                actor.waits_until = self._now() + float(rest)
                heapq.heappush(self._timers, (actor.waits_until, actor.pid, actor))
                self.timer_set()
            case "print":
                self.output.setdefault(actor.stdout, []).append(rest)
                self.printed(actor.stdout, rest)
            case "ignore":
                actor.ignored.add(_number(rest))
            case "on":
                name, _, then = rest.partition("=")
                actor.handlers[_number(name)] = then
            case "daemonize":
                self._daemon(actor, actor.words[:])
                self._end(actor, Exit(code=0))
            case "daemon":
                self._daemon(actor, rest.split(","))
            case "child":
                self._play(self._fork(actor, rest.split(","), actor.pid))
            case "rename":
                actor.comm = rest
            case _:
                self._end(actor, Exit(code=99))

    def _daemon(self, parent: _Actor, words: list[str]) -> None:
        daemon = self._fork(parent, words, US)
        daemon.pgid = daemon.sid = self._next_pid + 1  # of the middle process, which led the session and is gone
        self._next_pid += 1
        daemon.comm, daemon.environment, daemon.stdout = "nobody", {}, -1
        self._play(daemon)

    def _deliver(self, actor: _Actor, number: int) -> None:
        if actor.hangs:
            return
        if number == signals.SIGCONT:
            self._continue(actor)
        elif number == signals.SIGKILL:
            self._end(actor, Exit(signal=number))
        elif number in _STOPPING and (number == signals.SIGSTOP or number not in actor.ignored):
            actor.stopped = True
        elif number in actor.ignored or number == 0:
            pass
        elif actor.stopped:
            actor.pending.add(number)
        elif number in actor.handlers:
            actor.words.insert(0, actor.handlers[number])
            waited, actor.waits_until = actor.waits_until, None
            self._play_one(actor, waited)
        elif number not in _HARMLESS:
            self._end(actor, Exit(signal=number))

    def _play_one(self, actor: _Actor, waited: float | None) -> None:
        """What a handler does; then the wait goes on."""
        verb, _, rest = actor.words.pop(0).partition(":")
        self._do(actor, verb, rest)
        if actor.exit is None and actor.waits_until is None:
            actor.waits_until = waited

    def _continue(self, actor: _Actor) -> None:
        actor.stopped = False
        for number in sorted(actor.pending):
            actor.pending.discard(number)
            if actor.exit is None:
                self._deliver(actor, number)
        if actor.exit is None and actor.waits_until is not None and actor.waits_until <= self._now():
            actor.waits_until = None
        if actor.exit is None and actor.waits_until is None:
            self._play(actor)

    def _end(self, actor: _Actor, exit: Exit) -> None:
        if actor.exit is not None:
            return
        actor.exit = exit
        actor.argv = ()
        news = actor.ppid == US
        for other in tuple(self._actors.values()):
            if other.ppid == actor.pid:
                other.ppid = US
                news = news or other.exit is not None
        if actor.ppid == 0:
            del self._actors[actor.pid]
        if news:
            self.child_ended()


def _number(name: str) -> int:
    return signal_number(name)


def _state(actor: _Actor) -> str:
    if actor.exit is not None:
        return "Z"
    return "T" if actor.stopped else "D" if actor.hangs else "S"


def _person(actor: _Actor) -> Person:
    return Person(
        pid=actor.pid,
        ppid=actor.ppid,
        comm=actor.comm,
        state=_state(actor),
        pgid=actor.pgid,
        sid=actor.sid,
        uid=actor.uid,
        tag=actor.tag,
        cgroup=actor.cgroup,
        start=actor.start,
    )
