"""Whom does a signal reach? The run's main process, or every process of the run, however far it has hidden.

Rules: a child of ours is signalled by its entry in the table, anybody below by a pidfd that was opened and then checked to
be that very process. What is ordered in one turn is done together, over one look at the processes. SIGKILL to all of a run
is repeated until nobody new is found; where something forks faster than it dies, everybody is stopped first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from supervisor.kernel.port import Kernel, Person
from supervisor.model.effect import Signal
from supervisor.model.signals import SIGKILL, signal_number
from supervisor.model.words import RunId
from supervisor.runtime.processes import Process, Processes, RunProcesses

__all__ = ["Families", "Reach", "below", "families", "strike_person"]

_SIGSTOP = signal_number("SIGSTOP")
_ROUNDS = 20  # looks at the processes per SIGKILL; each stops or kills all it sees, so that few are ever needed


Families: TypeAlias = Mapping[int, Sequence[Person]]
"""Children by the number of their parent."""


def families(people: Iterable[Person]) -> Families:
    found: dict[int, list[Person]] = {}
    for person in people:
        found.setdefault(person.ppid, []).append(person)
    return found


def below(roots: Iterable[int], among: Families) -> list[Person]:
    """Everybody who stands below these; the roots themselves are not among them."""
    found: list[Person] = []
    front = list(roots)
    seen = set(front)
    while front:
        for person in among.get(front.pop(), ()):
            if person.pid not in seen:  # a look that was not atomic may show a circle
                seen.add(person.pid)
                found.append(person)
                front.append(person.pid)
    return found


def strike_person(kernel: Kernel, person: Person, signals: Iterable[int]) -> None:
    """Send these to exactly this process, which need not be our child; nothing happens when it is gone."""
    pidfd = kernel.open_person(person)
    if pidfd >= 0:
        for signal in signals:
            kernel.signal(person.pid, pidfd, signal)
        kernel.close(pidfd)


class Reach:
    """Sends the signals that the loop orders."""

    def __init__(self, kernel: Kernel, table: Processes) -> None:
        self._kernel = kernel
        self._table = table
        self._orders: list[Signal] = []
        self.unsettled: dict[RunId, None] = {}
        """Runs that were to be killed and forked faster than we looked."""

    def order(self, signal: Signal) -> None:
        self._orders.append(signal)

    def flush(self) -> None:
        """Do what was ordered, in that order per run."""
        orders, self._orders = self._orders, []
        wide: dict[RunId, list[int]] = {}
        for order in orders:
            entry = self._table.of(order.run)
            if entry is None:
                continue
            if order.to == "all":
                wide.setdefault(order.run, []).append(order.signal)
            elif (main := entry.own.get("main")) is not None:
                self.strike(main, order.signal)
        if wide:
            self._send_wide(wide)

    def retry(self) -> None:
        """Go on killing where it could not be finished."""
        runs, self.unsettled = self.unsettled, {}
        entries = [entry for run in runs if (entry := self._table.of(run)) is not None]
        if entries:
            self._kill(entries, self._below(entries))

    def strike(self, process: Process, signal: int) -> None:
        """Signal one child of ours."""
        self._kernel.signal(process.pid, process.pidfd, signal)

    def _send_wide(self, wide: dict[RunId, list[int]]) -> None:
        self._table.scan()
        entries = [entry for run in wide if (entry := self._table.of(run)) is not None]
        people = self._below(entries)
        for entry in entries:
            if SIGKILL not in wide[entry.run]:
                self._send_all(entry, wide[entry.run], people)
        doomed = [entry for entry in entries if SIGKILL in wide[entry.run]]
        if doomed:
            self._kill(doomed, people)

    def _below(self, entries: Sequence[RunProcesses]) -> Families:
        """Everybody below the children of ours that belong to these runs."""
        roots = [process.pid for entry in entries for process in entry.everyone()]
        return families(self._kernel.descendants(roots)) if roots else {}

    def _send_all(self, entry: RunProcesses, signals: Sequence[int], people: Families) -> None:
        ours = tuple(entry.everyone())
        for signal in signals:
            for process in ours:
                self.strike(process, signal)
        for person in below((process.pid for process in ours), people):
            strike_person(self._kernel, person, signals)

    def _kill(self, entries: Sequence[RunProcesses], people: Families) -> None:
        """SIGKILL to all of these runs, until nobody is found who has not had it."""
        for entry in entries:
            entry.doomed = True
            if entry.cgroup:
                self._kernel.kill_cgroup(entry.cgroup)
        struck: set[tuple[int, int]] = set()
        stop_first, first = False, 0
        for _ in range(_ROUNDS):
            if not self._round(entries, people, struck, [_SIGSTOP] if stop_first else [SIGKILL]):
                break
            first = first or len(struck)
            stop_first = True  # if somebody is there whom this look did not show: it forks
            self._table.scan()
            people = self._below(entries)
        else:
            self.unsettled.update({entry.run: None for entry in entries})
        if len(struck) > first:
            self._round(entries, people, set(), [SIGKILL])

    def _round(
        self,
        entries: Sequence[RunProcesses],
        people: Families,
        struck: set[tuple[int, int]],
        signals: Sequence[int],
    ) -> int:
        """Signal everybody of these runs who is not in `struck` yet; answers how many that were."""
        before = len(struck)
        for entry in entries:
            ours = tuple(entry.everyone())
            for process in ours:
                known = (process.pid, 0)
                if known not in struck:
                    struck.add(known)
                    for signal in signals:
                        self.strike(process, signal)
            for person in below((process.pid for process in ours), people):
                known = (person.pid, person.start)
                if known not in struck and person.state not in "ZX":
                    struck.add(known)
                    strike_person(self._kernel, person, signals)
        return len(struck) - before
