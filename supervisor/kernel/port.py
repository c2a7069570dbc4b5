"""What does the runtime ask of Linux? The one interface between deciding and doing, so that stories run on a fake kernel.

`kernel/linux.py` implements it with real syscalls, `tests/fakes/kernel.py` in memory; one contract suite holds both.
No method waits: each returns at once.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from supervisor.model.plan import Identity, SpawnWay
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.record import Record

__all__ = ["Born", "Glimpse", "Kernel", "Person", "Sight", "SpawnOrder", "Zombie"]


class SpawnOrder(Record):
    """Everything a new process shall be. It gets a session of its own, an empty signal mask, default dispositions and exactly
    fds 0–2."""

    argv: tuple[str, ...]
    executable: str
    """Absolute path, or "": look argv[0] up in environment["PATH"] (in the child)."""
    environment: Mapping[str, str]
    working_dir: str
    stdout: int
    stderr: int
    stdin: str = "null"
    """`null`, `inherit`, or the path of a file, opened in the child."""
    umask: int = 0o022
    limits: Mapping[str, tuple[int, int]] = MappingProxyType({})
    """(soft, hard) by the names of setrlimit(2) in small letters; -1 is unlimited."""
    identity: Identity | None = None
    way: SpawnWay = "fast"
    """`fast` is a wish: what it cannot do (an identity, a stdin file, a cgroup, a lookup) is done the safe way."""
    tag: int = 0
    """The soft RLIMIT_SIGPENDING by which the run's processes are known whatever they do; 0 for none."""
    cgroup: str = ""
    """Directory of the run's cgroup, or ""."""
    foreground: bool = False
    """Where our session has a terminal it stays in that session, with a process group of its own; and when it is our turn at
    the terminal, it is its turn."""


class Born(Record):
    pid: int
    pidfd: int
    """-1 when no fd was to be had: the process is then known by its number, which stays its own until it is reaped."""
    errors: int = -1
    """-1: exec has succeeded. Else the read end of a pipe: at EOF `spawn_error` says how it went."""


class Zombie(Record):
    """A child that has ended and not been reaped: its number is still its own."""

    pid: int
    exit: Exit


class Person(Record):
    """Who a process is, as far as a zombie still tells."""

    pid: int
    ppid: int
    comm: str
    state: str
    pgid: int
    sid: int
    uid: int
    tag: int
    """Its soft RLIMIT_SIGPENDING."""
    cgroup: str
    """Its place in the v2 hierarchy, as a directory comparable with SpawnOrder.cgroup (a service may make groups below it);
    "" when no cgroup tree is ours."""
    start: int
    """Clock ticks after boot."""


class Glimpse(Record):
    """What a view shows of a process besides who it is."""

    pid: int
    args: tuple[str, ...]
    """Bounded; () for a zombie and where it may not be read."""
    state: str
    """One letter, as ps(1) shows it."""
    ns_pids: tuple[int, ...]
    """Its number in every namespace we can see, outermost first."""
    cpu_seconds: float
    memory_bytes: int
    """Resident set."""
    wchan: str = ""
    """Where in the kernel it sleeps, when that may be read."""


class Sight(NamedTuple):
    """What `status` counts of a process: the least that can be read of everybody."""

    pid: int
    ppid: int
    state: str
    """One letter, as ps(1) shows it."""
    cpu_seconds: float
    memory_bytes: int
    """Resident set."""


class Kernel(Protocol):
    def spawn(self, order: SpawnOrder) -> Born | SpawnFailure: ...

    def spawn_error(self, errors: int) -> SpawnFailure | None:
        """Read a `Born.errors` pipe that is at EOF, and close it: None when exec succeeded. The child that failed is a zombie
        to be reaped like any other. Raises BlockingIOError, and leaves the pipe open, before the end."""

    def peek(self) -> Zombie | None:
        """The next child that has ended, left unreaped; None when there is none."""

    def reap(self, pid: int, pidfd: int = -1) -> None:
        """Reap this zombie, by its pidfd where there is one. The pidfd stays open."""

    def open_pidfd(self, pid: int) -> int:
        """A pidfd for a child of ours, zombie or not; -1 when no fd is to be had."""

    def identify(self, pid: int, sessions: Container[int] = ()) -> Person | None:
        """Who this is; None when there is no such process, or no means to look. Whoever is in one of these sessions or process
        groups is known by that: what costs more to read, his tag (0 then) and his cgroup (""), is not asked for."""

    def children(self) -> tuple[int, ...]:
        """The numbers of all our children, adopted ones and zombies included."""

    def descendants(self, of: Collection[int] = ()) -> tuple[Person, ...]:
        """All processes below us, in no order; with `of` only those below these, at the price of those."""

    def everybody(self) -> tuple[Person, ...]:
        """All processes of our PID namespace but ourselves."""

    def census(self) -> tuple[Sight, ...]:
        """All processes below us, in no order, and what they use: the cheapest look at everybody."""

    def open_person(self, person: Person) -> int:
        """A pidfd for exactly this process, which need not be our child; -1 when it is gone or its number is another's by now."""

    def glimpse(self, pid: int) -> Glimpse | None:
        """What `ps` and `status` show of it; None when there is no such process."""

    def signal(self, pid: int, pidfd: int, signal: int) -> bool:
        """Send a signal, by pidfd where there is one; False when the process is gone or a zombie reaped meanwhile."""

    def close(self, fd: int) -> None: ...

    def new_tag(self) -> int:
        """A soft RLIMIT_SIGPENDING that no live run of ours has; 0 when tags cannot be had."""

    def free_tag(self, tag: int) -> None: ...

    def new_cgroup(self, name: str) -> str:
        """Make a cgroup for a run; "" when no cgroup tree is ours to write."""

    def cgroup_members(self, cgroup: str) -> tuple[int, ...]: ...

    def kill_cgroup(self, cgroup: str) -> bool:
        """SIGKILL to all of it at once (cgroup.kill); False when it cannot be done this way."""

    def remove_cgroup(self, cgroup: str) -> None: ...
