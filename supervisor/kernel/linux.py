"""How does Linux do what the runtime asks for? The real `Kernel`: a thin shell over this room's modules."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Collection, Container
from typing import TYPE_CHECKING, TypeVar

from supervisor.kernel import cgroups, family, procfs, reap
from supervisor.kernel.census import census
from supervisor.kernel.child import read_report
from supervisor.kernel.glimpse import glimpse
from supervisor.kernel.pidfd import open_person, open_pidfd, send
from supervisor.kernel.port import Born, Glimpse, Person, Sight, SpawnOrder, Zombie
from supervisor.kernel.spawn import Spawner
from supervisor.kernel.tags import Tags
from supervisor.model.process import SpawnFailure
from supervisor.model.record import replace

if TYPE_CHECKING:
    from supervisor.kernel.port import Kernel

__all__ = ["Linux"]

_Outcome = TypeVar("_Outcome", "Born | SpawnFailure", "SpawnFailure | None")


class Linux:
    """What `Kernel` promises, by syscalls."""

    def __init__(
        self, *, nofile: int | None = None, tags: Tags | None = None, tree: cgroups.Tree | None = None
    ) -> None:
        """`nofile`: the soft limit of open files that programs get, `fds.raise_limit` returns it; default: our present one.
        `tree`: where runs get cgroups, `cgroups.find` looks for it; None: nowhere. The present directory is kept as the one
        that is never left."""
        self._spawner = Spawner(resource.getrlimit(resource.RLIMIT_NOFILE)[0] if nofile is None else nofile)
        self._tags = Tags() if tags is None else tags
        self._tree = tree
        self._place: Callable[[str], str] | None = tree.directory_of if tree is not None else None

    def spawn(self, order: SpawnOrder) -> Born | SpawnFailure:
        return _worded(self._spawner.spawn(order))

    def spawn_error(self, errors: int) -> SpawnFailure | None:
        failure = read_report(errors)
        os.close(errors)
        return _worded(failure)

    def peek(self) -> Zombie | None:
        return reap.peek()

    def reap(self, pid: int, pidfd: int = -1) -> None:
        reap.reap(pid, pidfd)

    def open_pidfd(self, pid: int) -> int:
        return open_pidfd(pid)

    def identify(self, pid: int, sessions: Container[int] = ()) -> Person | None:
        try:
            return procfs.identify(pid, self._place, sessions)
        except OSError:  # no memory, no file: the exit counts even when nobody knows whose it was
            return None

    def children(self) -> tuple[int, ...]:
        return family.children()

    def descendants(self, of: Collection[int] = ()) -> tuple[Person, ...]:
        return family.descendants(self._place, of)

    def everybody(self) -> tuple[Person, ...]:
        return family.everybody(self._place)

    def census(self) -> tuple[Sight, ...]:
        return census()

    def open_person(self, person: Person) -> int:
        return open_person(person)

    def glimpse(self, pid: int) -> Glimpse | None:
        return glimpse(pid)

    def signal(self, pid: int, pidfd: int, signal: int) -> bool:
        return send(pid, pidfd, signal)

    def close(self, fd: int) -> None:
        os.close(fd)

    def new_tag(self) -> int:
        return self._tags.new()

    def free_tag(self, tag: int) -> None:
        self._tags.free(tag)

    def new_cgroup(self, name: str) -> str:
        return self._tree.new(name) if self._tree is not None else ""

    def cgroup_members(self, cgroup: str) -> tuple[int, ...]:
        return tuple(pid for pid in cgroups.members(cgroup) if pid) if cgroup else ()

    def kill_cgroup(self, cgroup: str) -> bool:
        return cgroups.kill(cgroup) if cgroup else False

    def remove_cgroup(self, cgroup: str) -> None:
        if self._tree is not None and cgroup:
            self._tree.remove(cgroup)


def _worded(outcome: _Outcome) -> _Outcome:
    """A failure says its errno in words (strerror(3)); everything else stays as it is."""
    if isinstance(outcome, SpawnFailure):
        return replace(outcome, text=os.strerror(outcome.errno))
    return outcome


if TYPE_CHECKING:
    _it_keeps_the_contract: type[Kernel] = Linux
