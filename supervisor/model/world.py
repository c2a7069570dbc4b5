"""What is true now? The whole of it, frozen: the services, what they mean to each other, and whether the end has begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from supervisor.model.plan import Plan
from supervisor.model.record import Record
from supervisor.model.request import Outcome
from supervisor.model.service import Service
from supervisor.model.spec import DependencySpec
from supervisor.model.words import Instant, Monotonic, Seconds, ServiceName, TicketId

__all__ = ["Graph", "Links", "Roster", "Shutdown", "ShutdownDegree", "Ticket", "Verb", "World"]

_SHELF = 32  # services per shelf: a change copies one shelf and the list of shelves


class Roster(Mapping[ServiceName, Service]):
    """The services by name, in the order of definition. Immutable; `updated` shares all that did not change, so that the
    price of an event does not grow with the services it does not concern."""

    __slots__ = ("_place", "_shelves")
    _place: dict[ServiceName, int]
    _shelves: tuple[tuple[Service, ...], ...]

    def __init__(self, services: Iterable[Service] = ()) -> None:
        row = tuple(services)
        self._place = {service.name: place for place, service in enumerate(row)}
        self._shelves = tuple(row[start : start + _SHELF] for start in range(0, len(row), _SHELF))

    def updated(self, changes: Mapping[ServiceName, Service]) -> Roster:
        """The same services with these replaced; raises KeyError for one that is not there."""
        touched: dict[int, list[Service]] = {}
        for name, service in changes.items():
            shelf, slot = divmod(self._place[name], _SHELF)
            touched.setdefault(shelf, list(self._shelves[shelf]))[slot] = service
        shelves = list(self._shelves)
        for shelf, row in touched.items():
            shelves[shelf] = tuple(row)
        after = Roster.__new__(Roster)
        after._place, after._shelves = self._place, tuple(shelves)
        return after

    def __getitem__(self, name: ServiceName) -> Service:
        shelf, slot = divmod(self._place[name], _SHELF)
        return self._shelves[shelf][slot]

    def __iter__(self) -> Iterator[ServiceName]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Roster) and self._place == other._place and self._shelves == other._shelves

    def __hash__(self) -> int:
        return hash(self._shelves)


class Links(Record):
    """What one service means to the others; every edge stands at both of its ends."""

    needs: Mapping[ServiceName, DependencySpec]
    """`depends_on`."""
    needed_by: Mapping[ServiceName, DependencySpec]
    after: tuple[ServiceName, ...]
    """Everything it starts after: dependencies and orderings."""
    before: tuple[ServiceName, ...]
    """Everything that starts after it."""
    rank: int = 0
    """Its place in an order in which everybody comes after those it starts after."""


Graph: TypeAlias = Mapping[ServiceName, Links]

ShutdownDegree: TypeAlias = Literal["ordered", "forced", "immediate"]
"""`ordered`: in waves · `forced`: everything asked at once, SIGKILL soon · `immediate`: SIGKILL now."""


class Shutdown(Record):
    """The end has begun."""

    since: Instant
    deadline: Monotonic
    """One for everything, the sweep included."""
    by: str
    status: int
    degree: ShutdownDegree
    wave_of: Mapping[ServiceName, int]
    """Who had something to stop when it began; wave 0 stops first."""
    timeouts: tuple[Seconds, ...]
    """The largest stop.timeout of each wave."""
    asked: Monotonic
    """When the first stop signal came; NEVER before."""
    left: int = 0
    """How many of them are not down yet."""
    reboot: bool = False
    sweeping: bool = False


Verb: TypeAlias = Literal["start", "stop", "restart", "shutdown"]


class Ticket(Record):
    """A request under way."""

    id: TicketId
    verb: Verb
    pending: Mapping[ServiceName, int]
    """Who has not got there, with the number of the run that was the newest when it was asked for."""
    also: tuple[ServiceName, ...] = ()
    failure: Outcome | None = None
    """The first of its services that failed, told when all have ended."""


class World(Record):
    services: Roster
    graph: Graph
    plan: Plan
    seed: int
    """Makes jitter differ between worlds."""
    shutdown_timeout: Seconds
    tickets: tuple[Ticket, ...] = ()
    busy: int = 0
    """`system.exit_when_done`: how many services keep the world alive; not counted without it, nor once the end has begun."""
    shutdown: Shutdown | None = None
    exited: bool = False
    """ExitWorld was ordered: nothing happens any more."""
