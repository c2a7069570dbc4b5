"""What has happened lately? The last transitions of every service, and the last events of the whole world.

Rules: everything here is bounded and kept in memory only. Remembering costs a tuple or two; what is shown of it is made when
somebody asks. Orphans have a row of their own, so that a storm of them washes away nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import merge
from typing import Literal, NamedTuple, TypeAlias

from supervisor.model.effect import Edge
from supervisor.model.process import Exit
from supervisor.model.reason import Phase, Reason
from supervisor.model.request import Outcome
from supervisor.model.words import Instant, ServiceName, TicketId, Wall

__all__ = ["Asked", "Happened", "History", "Kind", "OrphanEnded", "SignalCame", "Taken"]

_PER_SERVICE = 8  # transitions: two turns of a crash loop, or a whole life from start to stop
_EVENTS = 256
_ORPHANS = 64

Kind: TypeAlias = Literal["edge", "orphan", "request", "signal"]


class Taken(NamedTuple):
    """One transition of a service. The reason is the state's own, and costs nothing more."""

    at: Wall
    service: ServiceName
    origin: Phase | None
    to: Phase
    run: int
    reason: Reason


class OrphanEnded(NamedTuple):
    pid: int
    comm: str
    service: ServiceName | None
    rule: str
    exit: Exit


class Asked(NamedTuple):
    """A request, and when it has ended how."""

    ticket: TicketId
    verb: str
    services: tuple[ServiceName, ...]
    uid: int | None
    """Who asked, as our user namespace names him; None where nobody says."""
    outcome: Outcome | None


class SignalCame(NamedTuple):
    signal: str
    meaning: str
    pid: int
    """Who sent it, as we see it; 0 for somebody we cannot see."""
    uid: int
    counted: int
    """How many stop signals the monitor has forwarded with this one; 0 for a signal that came to us."""


class Happened(NamedTuple):
    number: int
    """Events are counted from 1: who has seen some can ask for those after them."""
    at: Wall
    kind: Kind
    what: Taken | OrphanEnded | Asked | SignalCame


class History:
    """Everybody may tell it something, at any moment of the loop."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._of: dict[ServiceName, tuple[Taken, ...]] = {}
        self._events: deque[Happened] = deque(maxlen=_EVENTS)
        self._orphans: deque[Happened] = deque(maxlen=_ORPHANS)
        self._open: dict[TicketId, Asked] = {}
        self._listeners: dict[int, Callable[[Happened], None]] = {}
        self._next_listener = 0
        self.count = 0
        """How many events there have been."""

    # --- to be told

    def edge(self, edge: Edge) -> None:
        taken = Taken(edge.at.wall, edge.service, edge.origin, edge.to, edge.run, edge.reason)
        self._of[edge.service] = (*self._of.get(edge.service, ())[1 - _PER_SERVICE :], taken)
        self._add(self._events, taken.at, "edge", taken)

    def orphan(self, pid: int, comm: str, service: ServiceName | None, rule: str, exit: Exit) -> None:
        """An adopted process has ended."""
        self._add(self._orphans, self._clock().wall, "orphan", OrphanEnded(pid, comm, service, rule, exit))

    def asked(self, ticket: TicketId, verb: str, services: tuple[ServiceName, ...], uid: int | None = None) -> None:
        asked = self._open[ticket] = Asked(ticket, verb, services, uid, None)
        self._add(self._events, self._clock().wall, "request", asked)

    def answered(self, ticket: TicketId, outcome: Outcome) -> None:
        asked = self._open.pop(ticket, None)
        if asked is not None:
            self._add(self._events, self._clock().wall, "request", asked._replace(outcome=outcome))

    def signal(self, signal: str, meaning: str, pid: int = 0, uid: int = 0, count: int = 0) -> None:
        self._add(self._events, self._clock().wall, "signal", SignalCame(signal, meaning, pid, uid, count))

    # --- to be asked

    def of(self, service: ServiceName) -> tuple[Taken, ...]:
        """Its last transitions, the oldest first."""
        return self._of.get(service, ())

    def events(self, after: int = 0) -> list[Happened]:
        """What is remembered of what came after so many events, the oldest first."""
        return [event for event in merge(self._events, self._orphans) if event.number > after]

    def orphans(self) -> Iterable[OrphanEnded]:
        return (event.what for event in self._orphans if isinstance(event.what, OrphanEnded))

    def listen(self, heard: Callable[[Happened], None]) -> Callable[[], None]:
        """Call `heard`, which must not fail, with every event from now on. Answers what ends that."""
        key = self._next_listener = self._next_listener + 1
        self._listeners[key] = heard

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    def _add(self, row: deque[Happened], at: Wall, kind: Kind, what: Taken | OrphanEnded | Asked | SignalCame) -> None:
        self.count += 1
        event = Happened(self.count, at, kind, what)
        row.append(event)
        if self._listeners:
            for heard in tuple(self._listeners.values()):
                heard(event)
