"""Whose is each process that is seen now? One look at everybody below us, sorted by the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from supervisor.kernel.port import Person, Sight
from supervisor.model.words import RunId
from supervisor.runtime.processes import Process, Processes

__all__ = ["Crowd"]


_Seen = TypeVar("_Seen", Person, Sight)


class Crowd(Generic[_Seen]):
    """People, or what is seen of them, each with the entry of the table that it stands below."""

    def __init__(self, people: Sequence[_Seen], table: Processes) -> None:
        self.people: list[_Seen] = sorted(people, key=lambda person: person.pid)
        self._parents = {person.pid: person.ppid for person in people}
        self._owners: dict[int, Process | None] = {}
        self._table = table
        self._of_run: dict[RunId, list[_Seen]] = {}
        for person in self.people:
            owner = self._owner(person.pid)
            if owner is not None and owner.run is not None:
                self._of_run.setdefault(owner.run, []).append(person)

    def of_run(self, run: RunId) -> list[_Seen]:
        """Every process of the run that lives, main process first."""
        alive = [person for person in self._of_run.get(run, ()) if person.state not in "ZX"]
        if len(alive) > 1:
            main = self.main_of(run)
            alive.sort(key=lambda person: person.pid != main)
        return alive

    def main_of(self, run: RunId) -> int | None:
        entry = self._table.of(run)
        main = None if entry is None else entry.own.get("main")
        return None if main is None else main.pid

    def place(self, person: _Seen) -> tuple[str | None, str]:
        """The service it belongs to, and what it is: main, member, orphan or helper."""
        owner = self._owner(person.pid)
        if owner is None:
            return None, "helper" if person.pid not in self._parents else "orphan"
        service = None if owner.run is None else owner.run.service
        if owner.kind == "helper" or (owner.run is not None and owner.run.number < 0):
            return service, "helper"
        if owner.kind == "orphan":
            return None, "orphan"
        return service, "main" if owner.kind == "main" and owner.pid == person.pid else "member"

    def _owner(self, pid: int) -> Process | None:
        """The entry that this process is, or stands below."""
        path: list[int] = []
        owner: Process | None = None
        while pid in self._parents and pid not in path:
            if pid in self._owners:
                owner = self._owners[pid]
                break
            path.append(pid)
            owner = self._table.find(pid)
            if owner is not None:
                break
            pid = self._parents[pid]
        self._owners.update(dict.fromkeys(path, owner))
        return owner
