"""What has this step changed so far? The one mutable thing in core: it lives for one step and is frozen into the next world.

Whatever is put here is remembered as touched, and everybody who could care is marked: settling visits only those.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from supervisor.core.claims import is_live
from supervisor.model.effect import Edge, Effect
from supervisor.model.record import replace
from supervisor.model.service import Service, State
from supervisor.model.words import Instant, ServiceName
from supervisor.model.world import Links, World

__all__ = ["Draft"]


class Draft:
    """A world in the making."""

    __slots__ = ("_changed", "_queue", "dirty", "edges", "effects", "now", "unsure", "world")

    def __init__(self, world: World, now: Instant) -> None:
        self.world = world  # everything but the services is replaced here directly
        self.now = now
        self.edges: list[Edge] = []
        self.effects: list[Effect] = []
        self.unsure: dict[ServiceName, None] = {}  # an ordered set: is it still needed, may it be up?
        self.dirty: set[ServiceName] = set()  # does it have to move?
        self._queue: list[tuple[int, ServiceName]] = []  # a heap of those
        self._changed: dict[ServiceName, Service] = {}

    def __getitem__(self, name: ServiceName) -> Service:
        return self._changed.get(name) or self.world.services[name]

    def __contains__(self, name: ServiceName) -> bool:
        return name in self.world.services

    def links(self, name: ServiceName) -> Links:
        return self.world.graph[name]

    def put(self, service: Service) -> None:
        """Replace a service; it and its neighbours are to be settled."""
        name = service.name
        self._changed[name] = service
        links = self.world.graph[name]
        self.doubt((name, *links.after, *links.before))

    def doubt(self, names: Iterable[ServiceName]) -> None:
        """Something changed that these could care about."""
        for name in names:
            self.unsure[name] = None
            self._mark(name)

    def _mark(self, name: ServiceName) -> None:
        if name not in self.dirty:
            self.dirty.add(name)
            heappush(self._queue, (self.world.graph[name].rank, name))

    def take_dirty(self) -> ServiceName:
        """The next who has to move: those that others start after come first, so that nobody tells a reason of yesterday."""
        _, name = heappop(self._queue)
        self.dirty.remove(name)
        return name

    def wake_earlier(self, name: ServiceName) -> None:
        """It is out of the way now: those who may have waited for that before they go down themselves, also by way of
        services that have nothing running."""
        seen: set[ServiceName] = set()
        front = list(self.links(name).after)
        while front:
            earlier = front.pop()
            if earlier not in seen:
                seen.add(earlier)
                self._mark(earlier)
                if not is_live(self[earlier]):
                    front += self.links(earlier).after

    def enter(self, service: Service, state: State) -> None:
        """Replace a service by itself in another state, and note the transition if a person could see it."""
        old = service.state
        if type(old) is not type(state) or old.reason != state.reason:
            edge = Edge(service.name, old.phase, state.phase, service.run, self.now, state.reason)
            self.edges.append(edge)
        self.put(replace(service, state=state))

    def touched(self) -> tuple[ServiceName, ...]:
        return tuple(self._changed)

    def freeze(self) -> World:
        if not self._changed:
            return self.world
        return replace(self.world, services=self.world.services.updated(self._changed))
