"""Which processes are there, and whose are they? The table of all we have started or inherited.

Rules: a number means something only while its entry lives, and an entry lives until the process is reaped. Every process of
a run is a child of ours or stands below one, for whoever loses its parent comes to us: so a run is over when none of our
children belongs to it. A stranger among our children belongs to the run whose cgroup, tag or session it carries.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

from supervisor.kernel.port import Born, Kernel, Person
from supervisor.model.process import Exit, Role
from supervisor.model.words import RunId, Wall

__all__ = ["Kind", "Process", "Processes", "RunProcesses"]

Kind: TypeAlias = Literal["main", "stop", "member", "orphan", "helper"]
"""A run's own process by its role · adopted and attributed to a run · adopted and nobody's · one of pidone's own."""


class Process:
    """One child of ours, from its birth or adoption until it is reaped."""

    __slots__ = ("comm", "errors", "kind", "on_exit", "pid", "pidfd", "rule", "run")

    def __init__(self, pid: int, pidfd: int, kind: Kind, run: RunId | None = None) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.kind: Kind = kind
        self.run = run
        self.errors = -1
        """The pipe that will say whether exec succeeded, while that is not known."""
        self.comm = ""
        self.rule = ""
        """By what an adopted process was attributed: cgroup, tag, session, or "" for nobody's."""
        self.on_exit: Callable[[Exit], None] | None = None


class RunProcesses:
    """Everything that belongs to one run."""

    __slots__ = (
        "began",
        "cgroup",
        "doomed",
        "invocation",
        "members",
        "ordered",
        "owed",
        "own",
        "run",
        "sessions",
        "tag",
    )

    def __init__(self, run: RunId) -> None:
        self.run = run
        self.tag = 0
        self.cgroup = ""
        self.invocation = ""
        """The run's INVOCATION_ID; drawn when its first process is started."""
        self.began: Wall = Wall(0.0)
        """Shortly before its first process was started."""
        self.own: dict[Role, Process] = {}
        self.members: dict[int, Process] = {}
        self.sessions: set[int] = set()
        self.ordered = 0
        """Processes that shall be started and have not been yet."""
        self.owed = False
        """A process of its own has ended while others were left: that nothing is left will be told."""
        self.doomed = False
        """SIGKILL was sent to all of it: what is found later gets it too."""

    @property
    def vacant(self) -> bool:
        return not (self.own or self.members or self.ordered)

    def everyone(self) -> Iterator[Process]:
        yield from self.own.values()
        yield from self.members.values()


class Processes:
    """The table. It reads the kernel and changes nothing but itself."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._by_pid: dict[int, Process] = {}
        self._runs: dict[RunId, RunProcesses] = {}
        self._tags: dict[int, RunId] = {}
        self._sessions: dict[int, RunId] = {}
        self._leaders: dict[int, RunId] = {}
        """The sessions of runs' own processes that have not been reaped."""
        self._cgroups: dict[str, RunId] = {}
        self.adopted = 0
        """How many processes have ever come to us from a parent that ended first."""
        self.reaped = 0
        """How many of those have ended."""

    @property
    def alive(self) -> int:
        """How many adopted processes we have now."""
        return self.adopted - self.reaped

    def __iter__(self) -> Iterator[Process]:
        return iter(self._by_pid.values())

    def find(self, pid: int) -> Process | None:
        return self._by_pid.get(pid)

    def of(self, run: RunId) -> RunProcesses | None:
        return self._runs.get(run)

    def runs(self) -> tuple[RunProcesses, ...]:
        return tuple(self._runs.values())

    # --- what we start ourselves

    def expect(self, run: RunId) -> None:
        """A process of this run shall be started: until `begin` or `abandon` the run is not over."""
        entry = self._runs.get(run)
        if entry is None:
            entry = self._runs[run] = RunProcesses(run)
        entry.ordered += 1

    def begin(self, run: RunId, began: Wall) -> RunProcesses:
        """The run's marks, given to it when its first process is about to be started."""
        entry = self._runs[run]
        if not entry.invocation:
            entry.invocation = os.urandom(16).hex()  # sd_id128(3)
            entry.began = began
            entry.tag = self._kernel.new_tag()
            if entry.tag:
                self._tags[entry.tag] = run
            entry.cgroup = self._kernel.new_cgroup(f"{run.service}.{run.number}")
            if entry.cgroup:
                self._cgroups[entry.cgroup] = run
        return entry

    def abandon(self, run: RunId) -> RunProcesses | None:
        """A process that was expected will not come. Answers its run."""
        entry = self._runs.get(run)
        if entry is not None:
            entry.ordered -= 1
            entry.owed = not entry.vacant
        return entry

    def disown(self, process: Process) -> RunProcesses | None:
        """It never came to execute anything: until it is reaped it is only a piece of us. Answers the run it was for."""
        entry = None if process.run is None else self._runs.get(process.run)
        if entry is not None and process.kind in ("main", "stop"):
            entry.own.pop(process.kind, None)
            entry.owed = not entry.vacant
        self._leaders.pop(process.pid, None)
        process.kind, process.run = "helper", None
        return entry

    def born(self, run: RunId, role: Role, born: Born) -> Process:
        """The expected process exists."""
        entry = self._runs[run]
        entry.ordered -= 1
        process = Process(born.pid, born.pidfd, role, run)
        process.errors = born.errors
        self._by_pid[born.pid] = process
        self._leaders[born.pid] = run
        entry.own[role] = process
        self._enter_session(entry, born.pid)  # every process we start leads a session
        return process

    def help(self, born: Born, on_exit: Callable[[Exit], None]) -> Process:
        """A child of pidone's own; `on_exit` is called when it has been reaped."""
        process = Process(born.pid, born.pidfd, "helper")
        process.errors = born.errors
        process.on_exit = on_exit
        self._by_pid[born.pid] = process
        return process

    # --- what comes to us

    def scan(self, most: int = 1 << 20) -> tuple[list[Process], bool]:
        """Look for children that we do not know and take them into the table, at most so many. Answers them, and whether all
        were looked at."""
        known = self._by_pid
        found: list[Process] = []
        try:
            for pid in self._kernel.children():
                if pid not in known:
                    if len(found) == most:
                        return found, False
                    person = self._kernel.identify(pid, self._leaders)
                    if person is not None:
                        found.append(self._adopt(person))
        except OSError:  # /proc cannot be read now: nothing is proven
            return found, False
        return found, True

    def adopt_dead(self, pid: int) -> Process:
        """Take a zombie into the table that was no entry of it. Where /proc does not tell who it was, it was nobody's."""
        try:
            person = self._kernel.identify(pid, self._leaders)
        except OSError:
            person = None
        if person is not None:
            return self._adopt(person)
        process = self._by_pid[pid] = Process(pid, -1, "orphan")
        self.adopted += 1
        return process

    def _adopt(self, person: Person) -> Process:
        run, rule = self.attribute(person)
        pid = person.pid
        process = Process(pid, self._kernel.open_pidfd(pid), "orphan" if run is None else "member", run)
        process.comm, process.rule = person.comm, rule
        self._by_pid[pid] = process
        self.adopted += 1
        if run is not None:
            entry = self._runs[run]
            entry.members[pid] = process
            for session in (person.sid, person.pgid):
                if session not in self._sessions and session > 0:
                    self._enter_session(entry, session)
        return process

    def attribute(self, person: Person) -> tuple[RunId | None, str]:
        """Whose this process is, and by which rule. Nobody can enter a session of somebody else's, and while its leader lives
        its number is nobody else's (setsid(2)); for all others, what is hardest to shed comes first."""
        for session in (person.sid, person.pgid):
            if session in self._leaders:
                return self._leaders[session], "session"
        group = person.cgroup if self._cgroups else ""
        while group:
            if group in self._cgroups:
                return self._cgroups[group], "cgroup"
            group = group.rpartition("/")[0]
        if person.tag in self._tags:
            return self._tags[person.tag], "tag"
        for session in (person.sid, person.pgid):
            if session in self._sessions:
                return self._sessions[session], "session"
        return None, ""

    # --- what ends

    def gone(self, process: Process) -> None:
        """It has been reaped."""
        del self._by_pid[process.pid]
        self._leaders.pop(process.pid, None)
        if process.pidfd >= 0:
            self._kernel.close(process.pidfd)
            process.pidfd = -1
        if process.kind in ("member", "orphan"):
            self.reaped += 1
        entry = None if process.run is None else self._runs.get(process.run)
        if entry is not None:
            if process.kind == "member":
                entry.members.pop(process.pid, None)
            elif process.kind in ("main", "stop"):
                entry.own.pop(process.kind, None)

    def forget(self, entry: RunProcesses) -> None:
        """The run is over: nothing of it is left, its marks are free."""
        del self._runs[entry.run]
        for session in entry.sessions:
            self._sessions.pop(session, None)
        if entry.tag:
            del self._tags[entry.tag]
            self._kernel.free_tag(entry.tag)
        if entry.cgroup:
            del self._cgroups[entry.cgroup]
            self._kernel.remove_cgroup(entry.cgroup)

    def release(self, run: RunId) -> None:
        """Whoever is left of the run is nobody's from now on. Its marks stay taken: they still carry them."""
        entry = self._runs.pop(run, None)
        if entry is None:
            return
        for process in entry.everyone():
            if process.kind != "member":
                self.adopted += 1  # so that its end is counted like any orphan's
            self._leaders.pop(process.pid, None)
            process.kind, process.run = "orphan", None
        for session in entry.sessions:
            self._sessions.pop(session, None)
        self._tags.pop(entry.tag, None)
        if entry.cgroup:
            del self._cgroups[entry.cgroup]

    def _enter_session(self, entry: RunProcesses, session: int) -> None:
        self._sessions[session] = entry.run
        entry.sessions.add(session)
