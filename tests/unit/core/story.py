"""How is a story about core told? A small world, what happens in it one after the other, and what follows.

Each step is held to those laws that need no view of what is really there: transitions are in the table, a settled world is a fixed
point, requests are answered once.
"""

from __future__ import annotations

from supervisor.core.deadlines import deadline_of, next_deadline, world_deadline
from supervisor.core.step import Step, empty_world, step
from supervisor.core.why import account
from supervisor.model.effect import Answer, Effect, ExitWorld, Release, Signal, Spawn, StartProbe, StopProbe, Sweep
from supervisor.model.event import (
    BecameReady,
    DeadlinePassed,
    Emptied,
    Event,
    Exited,
    PlanAccepted,
    Requested,
    ShutdownDue,
    Spawned,
    SpawnFailed,
    StopAsked,
)
from supervisor.model.process import Exit, Role, SpawnFailure
from supervisor.model.request import (
    KillRequest,
    Outcome,
    Request,
    RestartRequest,
    ShutdownRequest,
    StartRequest,
    StopRequest,
)
from supervisor.model.service import Service, Waiting
from supervisor.model.signals import signal_name, signal_number
from supervisor.model.spec import ServiceSpec
from supervisor.model.words import NEVER, Monotonic, RunId, Seconds, ServiceName, TicketId
from tests.laws import laws, worlds
from tests.laws.reality import at
from tests.laws.specs import plan

__all__ = ["Story"]

_BEGIN = 1000.0


class Story:
    """One world and its history. Every method that tells something answers the step that followed."""

    def __init__(
        self, shutdown_timeout: float = 30.0, wanted: tuple[str, ...] | None = None, **services: ServiceSpec
    ) -> None:
        self.world = empty_world(seed=1)
        self.now = at(_BEGIN)
        self.edges: list[str] = []
        """Every transition of the story: `web: waiting → starting (exec)`."""
        self.effects: tuple[Effect, ...] = ()
        """What the last step ordered."""
        self.answers: dict[int, Outcome] = {}
        self.touched: tuple[str, ...] = ()
        """Whose record the last step changed."""
        self.check = True
        """Whether steps are held to the laws; those look at everybody."""
        self._tickets = 0
        names = None if wanted is None else tuple(map(ServiceName, wanted))
        if services:
            self.tell(PlanAccepted(plan(**services), Seconds(shutdown_timeout), names))

    def tell(self, event: Event) -> Step:
        """This happens now."""
        done = step(self.world, event, self.now)
        before, self.world, self.effects, self.touched = self.world, done.world, done.effects, done.touched
        for edge in done.edges:
            self.edges.append(f"{edge.service}: {edge.origin} → {edge.to} ({edge.reason.code})")
        for effect in done.effects:
            if isinstance(effect, Answer):
                assert effect.ticket not in self.answers, f"{effect} is the second answer"
                self.answers[effect.ticket] = effect.outcome
        if not self.check:
            return done
        complaints = [complaint for edge in done.edges for complaint in laws.illegal(edge)]
        complaints += worlds.law_8(self.world, self.now)
        if len(before.services):
            complaints += laws.law_13(laws.Moment(before, event, self.now, done, {}, {}))
        assert not complaints, "\n".join(complaints)
        for name in self.world.services:
            self.tells(name)
        return done

    def tells(self, name: str) -> tuple[str, ...]:
        """What would change where this service is, as `why` tells it: whatever has happened, something true can be told."""
        told = account(self.world, ServiceName(name), self.now)
        texts = tuple(text for _, text in told.changes)
        waits = self.world.shutdown is None and isinstance(self.service(name).state, Waiting)
        assert bool(told.waits_for) or not waits, f"{name} waits for nobody"
        assert not any(piece in text for text in texts for piece in ("{name", "{other", "what it needs is")), texts
        return texts

    # --- facts about processes

    def run(self, name: str) -> RunId:
        return RunId(ServiceName(name), self.service(name).run)

    def spawned(self, *names: str, role: Role = "main") -> None:
        for name in names:
            self.tell(Spawned(self.run(name), role))

    def cannot(self, name: str, role: Role = "main", ours: bool = False, alone: bool = True) -> None:
        """Its program cannot be executed; with `ours`, the machine has no process to be had."""
        own = SpawnFailure("exec", 2, "/bin/x", text="No such file or directory")
        failure = SpawnFailure("fork", 11, ours=True, text="Resource temporarily unavailable") if ours else own
        self.tell(SpawnFailed(self.run(name), role, failure, alone))

    def cancelled(self, name: str, role: Role = "main", alone: bool = True) -> None:
        self.tell(SpawnFailed(self.run(name), role, SpawnFailure("", 0, cancelled=True), alone))

    def exits(
        self, name: str, how: int | str = 0, *, alone: bool = True, role: Role = "main", core: bool = False
    ) -> None:
        """With a status, or by a signal when that is a name."""
        exit = Exit(code=how) if isinstance(how, int) else Exit(signal=signal_number(how), core=core)
        self.tell(Exited(self.run(name), role, exit, alone))

    def emptied(self, name: str) -> None:
        self.tell(Emptied(self.run(name)))

    def ready(self, *names: str) -> None:
        for name in names:
            self.tell(BecameReady(self.run(name)))

    def comes_up(self, *names: str) -> None:
        """Each is executed, and becomes ready when it looks for that."""
        for name in names:
            self.spawned(name)
            if self.phase(name) == "starting":
                self.ready(name)
            assert self.phase(name) == "running", self.service(name).state

    # --- wishes

    def start(self, *names: str) -> int:
        return self._request(StartRequest(self._ticket(), tuple(map(ServiceName, names))))

    def stop(self, *names: str, dependents: bool = True) -> int:
        return self._request(StopRequest(self._ticket(), tuple(map(ServiceName, names)), dependents))

    def restart(self, *names: str) -> int:
        return self._request(RestartRequest(self._ticket(), tuple(map(ServiceName, names))))

    def kill(self, *names: str, signal: str = "SIGKILL", main_only: bool = False) -> int:
        number = signal_number(signal)
        return self._request(KillRequest(self._ticket(), tuple(map(ServiceName, names)), number, main_only))

    def shutdown(self) -> int:
        return self._request(ShutdownRequest(self._ticket()))

    def signal(self, count: int = 1, fast: bool = False, reboot: bool = False) -> None:
        """Somebody above asks the world to end."""
        self.tell(StopAsked("SIGTERM", fast, reboot, count))

    def _ticket(self) -> TicketId:
        self._tickets += 1
        return TicketId(self._tickets)

    def _request(self, request: Request) -> int:
        self.tell(Requested(request))
        return request.ticket

    # --- time

    def passes(self, seconds: float) -> None:
        """Time goes by, and every deadline on the way has its effect when it comes."""
        until = Monotonic(self.now.mono + seconds)
        effects: list[Effect] = []
        while (due := next_deadline(self.world)) <= until:
            self.now = at(max(due, self.now.mono))
            hit: list[Event] = [
                DeadlinePassed(service.name)
                for service in self.world.services.values()
                if deadline_of(service) <= self.now.mono
            ]
            if world_deadline(self.world) <= self.now.mono:
                hit.append(ShutdownDue())  # last, as the runtime does it
            for event in hit:
                self.tell(event)
                effects += self.effects
        self.now = at(until)
        self.effects = tuple(effects)

    def later(self, seconds: float) -> None:
        """The clock has moved and nobody was told: what happens next happens then."""
        self.now = at(self.now.mono + seconds)

    # --- what is true

    def service(self, name: str) -> Service:
        return self.world.services[ServiceName(name)]

    def phase(self, name: str) -> str:
        return self.service(name).state.phase

    def phases(self) -> dict[str, str]:
        return {name: service.state.phase for name, service in self.world.services.items()}

    def code(self, name: str) -> str:
        return self.service(name).state.reason.code

    def text(self, name: str) -> str:
        return self.service(name).state.reason.text

    def due_in(self, name: str) -> float | None:
        """Seconds until time alone moves it."""
        due = deadline_of(self.service(name))
        return None if due == NEVER else round(due - self.now.mono, 6)

    def verdict(self, ticket: int) -> str:
        """`done`, `failed start-failed` …, or `open`."""
        if ticket not in self.answers:
            return "open"
        outcome = self.answers[ticket]
        return f"{outcome.verdict} {outcome.code}".strip()

    # --- what the last step ordered

    def ordered(self) -> list[str]:
        """`spawn web#1`, `SIGTERM web main`, `SIGKILL web all` …; the SIGCONT that follows each stop signal is left out."""
        return [said for effect in self.effects if (said := _said(effect))]


def _said(effect: Effect) -> str:
    match effect:
        case Spawn(run, role, index):
            return f"spawn {run}" + (" stop" if role == "stop" else f" command {index}" if index else "")
        case Signal(run, signal, to):
            name = signal_name(signal)
            return "" if name == "SIGCONT" else f"{name} {run.service} {to}"
        case StartProbe(run):
            return f"probe {run.service}"
        case StopProbe(run):
            return f"no probe {run.service}"
        case Release(run):
            return f"release {run.service}"
        case Sweep(until):
            return f"sweep until {until - _BEGIN:g}"
        case ExitWorld(status, reboot):
            return f"exit {status}" + (" reboot" if reboot else "")
        case Answer():
            return ""
