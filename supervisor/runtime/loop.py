"""What happens when something has happened? The single-writer loop around `core.step`.

Rules: `feed` is synchronous, and nothing is awaited between taking an event and handing out its effects. What is fed while
another event is in hand waits its turn. Time is asked for, never kept: the loop sleeps once, until the next deadline, and an
idle world has none. A mistake of ours in `step` leaves the old world as it was; one in performing an effect becomes an event.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Protocol

import trio

from supervisor.core.deadlines import deadline_of, world_deadline
from supervisor.core.step import step
from supervisor.model.effect import Edge, Effect, Spawn, Sweep
from supervisor.model.event import Broke, DeadlinePassed, Event, Overslept, ShutdownDue, SpawnFailed, Swept
from supervisor.model.process import SpawnFailure
from supervisor.model.words import NEVER, Instant, Monotonic, Seconds, ServiceName
from supervisor.model.world import World
from supervisor.runtime.absence import OVERSLEPT

__all__ = ["Hands", "Loop"]

_AGAIN = Seconds(1.0)  # a deadline whose handling failed comes again after this, or the loop would spin


class Hands(Protocol):
    """Who performs what the loop is told to do."""

    def perform(self, effect: Effect) -> None: ...

    def flush(self) -> None:
        """The loop has nothing more in hand: do now what is cheaper done together."""

    async def before_deadlines(self) -> None:
        """Feed everything that has happened already: it must not lose against a timer. When this returns, nothing that could
        be known is left."""


class Loop:
    """The one place where the world changes."""

    def __init__(
        self, world: World, clock: Callable[[], Instant], report: Callable[[str, BaseException], None]
    ) -> None:
        self.world = world
        self.faults = 0
        """Mistakes of pidone's own so far: with one, the world is impaired."""
        self._clock = clock
        self._report = report
        self._hands: Hands | None = None
        self._events: deque[Event] = deque()
        self._busy = False
        self._listeners: dict[int, Callable[[Edge], None]] = {}
        self._next_listener = 0
        self._due: dict[ServiceName, Monotonic] = {}
        self._heap: list[tuple[Monotonic, ServiceName]] = []
        self._world_due = NEVER
        self._forgiven = False
        self._gap = 0.0
        """How long we were away, where that is known."""
        self._awake = clock().mono
        """When we are known to have been awake."""
        self._alarm = trio.CancelScope()
        self._armed_for = NEVER
        self._broken = False

    def attach(self, hands: Hands) -> None:
        self._hands = hands

    def listen(self, heard: Callable[[Edge], None]) -> Callable[[], None]:
        """Call `heard` with every edge from now on. Answers what ends that."""
        key = self._next_listener = self._next_listener + 1
        self._listeners[key] = heard

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    def now(self) -> Instant:
        return self._clock()

    def away(self, gap: Seconds) -> None:
        """The loop was not there for so long. Taken into account before anything else is."""
        self._gap += gap

    def feed(self, *events: Event) -> None:
        """These have happened, in this order."""
        self._events.extend(events)
        if self._busy:
            return
        self._busy = True
        try:
            while self._events:
                self._take(self._events.popleft())
                if not self._events and self._hands is not None:
                    self._guarded(self._hands.flush, "flush")
        finally:
            self._busy = False
        self._set_alarm()

    async def keep_time(self) -> None:
        """Feed each deadline when it has come."""
        while True:
            with trio.CancelScope() as self._alarm:
                self._armed_for = NEVER
                self._set_alarm()
                await trio.sleep_forever()
            if self._hands is not None:
                await self._hands.before_deadlines()
            self._feed_due()

    # --- one event

    def _take(self, event: Event) -> None:
        now = self._clock()
        self._notice_absence(now)
        self._awake = now.mono
        self._step(event, now)

    def _notice_absence(self, now: Instant) -> None:
        """Nobody is blamed for what he could not do while we were not there. Where nothing has told how long that was, a
        deadline that is long past tells that it was."""
        gap, self._gap = self._gap, 0.0
        late = now.mono - self._service_due()
        if not gap and late > OVERSLEPT and not self._forgiven:
            # how long before its end an absence began nobody can know: services get the benefit of the doubt
            gap = min(2 * late, now.mono - self._awake)
        if gap:
            self._forgiven = True  # once, whatever comes of it
            self._step(Overslept(Seconds(gap)), now)

    def _step(self, event: Event, now: Instant) -> None:
        try:
            done = step(self.world, event, now)
        except Exception as mistake:
            self.faults += 1
            self._report(f"cannot take {type(event).__name__} into account", mistake)
            if isinstance(event, DeadlinePassed):
                self._schedule(event.service, Monotonic(now.mono + _AGAIN))
            elif isinstance(event, ShutdownDue):
                self._world_due = Monotonic(now.mono + _AGAIN)
            return
        self.world = done.world
        services = done.world.services
        for name in done.touched:
            self._schedule(name, deadline_of(services[name]))
        self._world_due = world_deadline(done.world)
        for edge in done.edges:
            for heard in tuple(self._listeners.values()):
                self._guarded(lambda: heard(edge), "tell an edge")  # noqa: B023  # called before the next turn
        for effect in done.effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        assert self._hands is not None
        try:
            self._hands.perform(effect)
        except Exception as mistake:
            self.faults += 1
            self._report(f"cannot perform {type(effect).__name__}", mistake)
            match effect:
                case Spawn(run, role):
                    failure = SpawnFailure("internal", 0, subject=type(mistake).__name__, ours=True)
                    self._events.append(SpawnFailed(run, role, failure))
                case Sweep():
                    self._events.append(Swept())  # who is left dies with us
                case _:
                    self._break(f"{type(effect).__name__}: {type(mistake).__name__}")

    def _guarded(self, work: Callable[[], None], what: str) -> None:
        try:
            work()
        except Exception as mistake:
            self.faults += 1
            self._report(f"cannot {what}", mistake)
            self._break(f"{what}: {type(mistake).__name__}")

    def _break(self, detail: str) -> None:
        """Stop in order. Once: what fails while stopping must not keep the end from coming."""
        if not self._broken:
            self._broken = True
            self._events.append(Broke(detail))

    # --- deadlines

    def _schedule(self, name: ServiceName, due: Monotonic) -> None:
        if self._due.get(name, NEVER) == due:
            return
        if due == NEVER:
            del self._due[name]
        else:
            self._due[name] = due
            heapq.heappush(self._heap, (due, name))

    def _service_due(self) -> Monotonic:
        heap = self._heap
        while heap and self._due.get(heap[0][1], NEVER) != heap[0][0]:
            heapq.heappop(heap)  # lazily: what was postponed or withdrawn
        return heap[0][0] if heap else NEVER

    def _feed_due(self) -> None:
        at = self._clock()
        self._notice_absence(at)
        now = at.mono
        due: list[Event] = []
        while self._service_due() <= now:
            _, name = heapq.heappop(self._heap)
            del self._due[name]
            due.append(DeadlinePassed(name))
        if self._world_due <= now:
            self._world_due = NEVER
            due.append(ShutdownDue())
        self.feed(*due)
        self._forgiven = False

    def _set_alarm(self) -> None:
        """Wake up at the next deadline, if that has changed."""
        due = min(self._service_due(), self._world_due)
        if due != self._armed_for:
            self._armed_for = due
            wait = max(0.0, due - self._clock().mono)
            self._alarm.deadline = float("inf") if due == NEVER else trio.current_time() + wait
