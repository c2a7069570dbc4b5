"""How does an operator's wish reach the loop, and what does the operator get to see? What `control` asks of the world behind it.

Rules: every request gets a ticket of its own and is answered exactly once; who stops waiting leaves the change under way. What
is shown is looked at when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import trio

from supervisor.core.claims import is_trouble
from supervisor.core.select import select
from supervisor.core.trouble import status_code
from supervisor.kernel.port import Kernel
from supervisor.model.effect import Answer, Edge
from supervisor.model.event import Requested
from supervisor.model.request import (
    KillRequest,
    Outcome,
    Request,
    RestartRequest,
    ShutdownRequest,
    StartRequest,
    StopRequest,
)
from supervisor.model.service import Inactive
from supervisor.model.words import Monotonic, RunId, ServiceName, TicketId
from supervisor.model.world import World
from supervisor.runtime.accounts import event_view, graph_view, taken_view, why_view
from supervisor.runtime.crowd import Crowd
from supervisor.runtime.definition import counters_view, definition_view, identity_view
from supervisor.runtime.history import History
from supervisor.runtime.loop import Loop
from supervisor.runtime.processes import Processes
from supervisor.runtime.reaper import Reaper
from supervisor.runtime.views import edge_view, is_ready, outcome_view, process_view, service_view

__all__ = ["Operator"]

Document: TypeAlias = Mapping[str, Any]  # Any: JSON, which Python's types cannot say
Verb: TypeAlias = Literal["start", "stop", "restart", "kill", "shutdown"]


class Chosen(NamedTuple):
    names: tuple[str, ...]
    unknown: tuple[tuple[str, str], ...]


class Standing(NamedTuple):
    phase: str
    ready: bool
    code: str
    text: str


class _Waiter:
    def __init__(self) -> None:
        self.answered = trio.Event()
        self.outcome: Outcome | None = None


class Operator:
    """Implements `control`'s Backend."""

    def __init__(
        self,
        loop: Loop,
        kernel: Kernel,
        table: Processes,
        reaper: Reaper,
        log_stream: Callable[[Document], int],
        name: str,
        version: str,
        pid_ns: int,
        history: History,
    ) -> None:
        self.name = name
        self.version = version
        self.pid = os.getpid()
        self.pid_ns = pid_ns
        self._loop = loop
        self._kernel = kernel
        self._table = table
        self._reaper = reaper
        self._log_stream = log_stream
        self._history = history
        self._waiters: dict[TicketId, _Waiter] = {}
        self._last_ticket = 0
        self._began: Monotonic = loop.now().mono
        self._coming: set[ServiceName] | None = None
        loop.listen(self._heard)

    @property
    def world(self) -> World:
        return self._loop.world

    # --- requests

    async def submit(
        self,
        verb: Verb,
        names: Sequence[str],
        *,
        wait: bool = True,
        dependents: bool = True,
        signal: int = 0,
        main_only: bool = False,
        uid: int | None = None,
    ) -> Document:
        """Ask the world for a change; see control's port."""
        self._last_ticket += 1
        ticket = TicketId(self._last_ticket)
        named = tuple(ServiceName(name) for name in names)
        request: Request
        match verb:
            case "start":
                request = StartRequest(ticket, named)
            case "stop":
                request = StopRequest(ticket, named, dependents)
            case "restart":
                request = RestartRequest(ticket, named)
            case "kill":
                request = KillRequest(ticket, named, signal, main_only)
            case "shutdown":
                request = ShutdownRequest(ticket)
        waiter = self._waiters[ticket] = _Waiter()
        try:
            self._history.asked(ticket, verb, named, uid)
            self._loop.feed(Requested(request))
            if wait:
                await waiter.answered.wait()
        finally:
            del self._waiters[ticket]
        return outcome_view(ticket, waiter.outcome)

    def answer(self, answer: Answer) -> None:
        """A request has ended; perhaps nobody waits for that any more."""
        self._history.answered(answer.ticket, answer.outcome)
        waiter = self._waiters.get(answer.ticket)
        if waiter is not None:
            waiter.outcome = answer.outcome
            waiter.answered.set()

    # --- words

    def choose(self, words: Sequence[str], everything: bool) -> Chosen:
        chosen = select(self.world, words, everything)
        return Chosen(chosen.names, tuple((one.word, one.suggestion) for one in chosen.unknown))

    def standing(self, name: str) -> Standing:
        service = self.world.services[ServiceName(name)]
        reason = service.state.reason
        return Standing(service.state.phase, is_ready(service), reason.code, reason.text)

    def status_code(self, names: Sequence[str]) -> int:
        return status_code(self.world.services[ServiceName(name)] for name in names)

    # --- views

    def status(self, names: Sequence[str] | None = None, brief: bool = False) -> Document:
        self._look()
        crowd = Crowd(self._kernel.census(), self._table)
        now, world = self._loop.now(), self.world
        services = []
        for name in world.services if names is None else map(ServiceName, names):
            service = world.services[name]
            run = RunId(name, service.run)
            main, processes = crowd.main_of(run), crowd.of_run(run)
            services.append(service_view(service, world.graph[name], main, processes, now, brief))
        return {
            "schema": "pidone/v1",
            "version": self.version,
            "pid": self.pid,
            "state": self.state(),
            "pid_ns": self.pid_ns,
            "name": self.name,
            "uptime": round(now.mono - self._began, 3),
            "orphans": {"adopted": self._table.adopted, "reaped": self._table.reaped, "alive": self._table.alive},
            "services": services,
        }

    def state(self) -> str:
        """The world's own, in one word."""
        if self.world.shutdown is not None:
            return "stopping"
        if self._loop.faults:
            return "impaired"
        return "running" if self._coming is not None and not self._coming else "starting"

    def processes(self) -> Sequence[Document]:
        self._look()
        crowd = Crowd(self._kernel.descendants(), self._table)
        ourselves = self._kernel.identify(self.pid)
        rows = []
        for person in (*(() if ourselves is None else (ourselves,)), *crowd.people):
            seen = self._kernel.glimpse(person.pid)
            if seen is not None:
                rows.append(process_view(person, seen, *crowd.place(person)))
        return rows

    def why(self, name: str) -> Document:
        self._reaper.reap_all()
        service = ServiceName(name)
        return why_view(self.world, service, self._history.of(service), self._loop.now())

    def show(self, name: str) -> Document:
        (seen,) = self.status([name])["services"]
        service = self.world.services[ServiceName(name)]
        return {
            "schema": "pidone/v1",
            **seen,
            **counters_view(service),
            "identity": identity_view(service.plan),
            "definition": definition_view(service.plan),
            "history": [taken_view(taken) for taken in self._history.of(service.name)],
        }

    def graph(self) -> Document:
        services = self.world.services
        return graph_view((service.plan for service in services.values()), services)

    def events(self, after: int) -> Document:
        return {"events": [event_view(event) for event in self._history.events(after)], "count": self._history.count}

    def follow(self, told: Callable[[Document], None]) -> Callable[[], None]:
        return self._history.listen(lambda event: told(event_view(event)))

    def log_stream(self, parameters: Document) -> int:
        return self._log_stream(parameters)

    def subscribe(self, changed: Callable[[Document], None]) -> Callable[[], None]:
        return self._loop.listen(lambda edge: changed(edge_view(edge)))

    # --- inside

    def _look(self) -> None:
        """Nobody shall see who has ended, nor miss who came to us unheard."""
        self._reaper.reap_all()
        self._reaper.look()

    def _heard(self, edge: Edge) -> None:
        """The world is up when everybody who was wanted at first has got somewhere, be it to its first failure, or to waiting
        for somebody else's."""
        if self._coming is None:
            self._coming = {service.name for service in self.world.services.values() if service.needed}
        if edge.service in self._coming:
            service = self.world.services[edge.service]
            if is_ready(service) or is_trouble(service) or isinstance(service.state, Inactive):
                self._coming.discard(edge.service)
