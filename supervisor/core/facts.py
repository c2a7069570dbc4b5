"""What does a fact about a run change in its service? Each fact is applied to one service; what follows is settled after.

A fact about an older run changes nothing.
"""

from __future__ import annotations

from typing import assert_never

from supervisor.core import restart, stopping
from supervisor.core.draft import Draft
from supervisor.core.reasons import duration_text, exit_text, failure_text, reason
from supervisor.core.settle import rest, resume, take_along, verdict
from supervisor.model.effect import Spawn, StartProbe, StopProbe
from supervisor.model.event import BecameReady, Emptied, Exited, Spawned, SpawnFailed
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.record import replace
from supervisor.model.service import (
    Backoff,
    Done,
    Ended,
    Failed,
    Inactive,
    Running,
    Service,
    Starting,
    Starved,
    Stopping,
    Waiting,
)
from supervisor.model.signals import SIGKILL
from supervisor.model.spec import ReadySpec
from supervisor.model.words import NEVER, Monotonic, RunId, Seconds, ServiceName

__all__ = ["became_ready", "deadline_passed", "emptied", "exited", "spawn_failed", "spawned"]

_STARVED_FIRST = Seconds(0.1)  # SERVICES §4: own back-off 100 ms → 5 s
_STARVED_MOST = Seconds(5.0)


def spawned(draft: Draft, fact: Spawned) -> None:
    service = _current(draft, fact.run)
    if service is None or fact.role == "stop":
        return
    match service.state:
        case Starting(main="requested") as state:
            _main_lives(draft, replace(service, starved=0), state)
        case Running(main="requested") as state:
            draft.enter(service, replace(state, main="live"))
        case Stopping(main="requested") as state:
            stopping.main_spawned(draft, service, state)
        case _:
            pass


def _main_lives(draft: Draft, service: Service, state: Starting) -> None:
    spec = service.plan.spec
    if spec.type == "oneshot":
        running = Running(draft.now, reason("running", "job"), state.run, ready=False, deadline=state.deadline)
        draft.enter(service, running)
    elif spec.ready is None:
        _ready(draft, service, state, "started")
    else:
        probe, detail = _probe_text(spec.ready)
        ready_at = NEVER if spec.ready.after is None else Monotonic(draft.now.mono + spec.ready.after)
        if spec.ready.after is None:
            draft.effects.append(StartProbe(state.run))
        why = reason("starting", "probe", probe=f"{probe} {detail}")
        draft.enter(service, replace(state, main="live", ready_at=ready_at, reason=why))


def _ready(draft: Draft, service: Service, state: Starting, code: str) -> None:
    known = replace(service, ready_since=draft.now.mono)
    draft.enter(known, Running(draft.now, reason("running", code), state.run, ready=True))


def became_ready(draft: Draft, fact: BecameReady) -> None:
    service = _current(draft, fact.run)
    if service is not None and isinstance(service.state, Starting) and service.state.main == "live":
        draft.effects.append(StopProbe(fact.run))
        _ready(draft, service, service.state, "ready")


def spawn_failed(draft: Draft, fact: SpawnFailed) -> None:
    service = _current(draft, fact.run)
    if service is None:
        return
    state = service.state
    if fact.role == "stop":
        if isinstance(state, Stopping):
            stopping.stop_command_ended(draft, service, state)
        return
    if isinstance(state, Starting) and state.main == "requested":
        if fact.failure.ours or fact.failure.cancelled:
            _starve(draft, service, fact.failure)
        else:
            _never_ran(draft, service, fact.failure)
    elif isinstance(state, Running) and state.main == "requested":
        ended = _not_executed(draft, fact.failure)
        take_along(draft, service)
        if fact.alone:
            verdict(draft, service, ended)
        else:  # earlier commands of the oneshot have left something
            why = reason("stopping", "leftovers", how=ended.detail)
            stopping.clear_leftovers(draft, replace(service, last=ended), why, ended)
    elif isinstance(state, Stopping) and state.main == "requested":
        if fact.alone:
            _concluded(draft, service, replace(state, main="gone"))
        else:
            stopping.main_ended(draft, service, state)


def _starve(draft: Draft, service: Service, failure: SpawnFailure) -> None:
    tries = service.starved + 1
    pause = min(_STARVED_MOST, _STARVED_FIRST * 2 ** min(tries - 1, 10))
    why = reason("waiting", "no-resources", how=failure_text(failure))
    until = Monotonic(draft.now.mono + pause)
    draft.enter(replace(service, starved=tries), Starved(draft.now, why, until, tries))


def _never_ran(draft: Draft, service: Service, failure: SpawnFailure) -> None:
    take_along(draft, service)
    verdict(draft, service, _not_executed(draft, failure))


def _not_executed(draft: Draft, failure: SpawnFailure) -> Ended:
    return Ended("exec-failed", None, draft.now.wall, failure_text(failure))


def exited(draft: Draft, fact: Exited) -> None:
    service = _current(draft, fact.run)
    if service is None:
        return
    state = service.state
    if fact.role == "stop":
        _stop_command_exited(draft, service, fact)
        return
    match state:
        case Starting():
            if state.main == "live":
                draft.effects.append(StopProbe(state.run))
            _ended_by_itself(draft, service, state, fact)
        case Running():
            if _has_next_command(service, state, fact.exit):
                following = replace(state, command=state.command + 1, main="requested")
                draft.effects.append(Spawn(state.run, "main", following.command))
                draft.enter(service, following)
            else:
                _ended_by_itself(draft, service, state, fact)
        case Stopping():
            known = replace(service, last=_stopped(draft, service, state, fact.exit))
            gone = replace(state, main="gone")
            if fact.alone:
                _concluded(draft, known, gone)
            elif service.plan.spec.stop.scope == "main-only" and draft.world.shutdown is None:
                stopping.release(draft, known)
                _concluded(draft, known, gone)
            else:
                stopping.main_ended(draft, known, state)
        case Inactive() | Waiting() | Starved() | Backoff() | Done() | Failed():
            pass
        case _:
            assert_never(state)


def _has_next_command(service: Service, state: Running, exit: Exit) -> bool:
    spec = service.plan.spec
    return state.command + 1 < len(spec.command) and restart.clean(spec, exit)


def _ended_by_itself(draft: Draft, service: Service, state: Starting | Running, fact: Exited) -> None:
    spec = service.plan.spec
    ended = Ended(restart.result_of(spec, fact.exit), fact.exit, draft.now.wall, exit_text(fact.exit))
    known = replace(service, last=ended)
    take_along(draft, known)
    stays = spec.type == "oneshot" and restart.decide(spec, ended) == "done"
    if fact.alone:
        verdict(draft, known, ended)
    elif stays:  # of a done oneshot the rest stays until it is stopped
        verdict(draft, known, ended)
        done = draft[service.name]
        if isinstance(done.state, Done):
            draft.put(replace(done, state=replace(done.state, lingering=True)))
    elif spec.stop.scope == "main-only":
        stopping.release(draft, known)
        verdict(draft, known, ended)
    else:
        stopping.clear_leftovers(draft, known, reason("stopping", "leftovers", how=ended.detail), ended)


def _stopped(draft: Draft, service: Service, state: Stopping, exit: Exit) -> Ended:
    """How a run that was asked to stop ended: what SIGKILL had to finish counts as a timeout."""
    if state.ended is not None:
        return Ended(state.ended.result, exit, draft.now.wall, f"{state.ended.detail}; {exit_text(exit)}")
    killed = state.stage in ("kill", "overdue") and exit.signal == SIGKILL
    result = "timeout" if killed else restart.result_of(service.plan.spec, exit)
    return Ended(result, exit, draft.now.wall, exit_text(exit))


def _stop_command_exited(draft: Draft, service: Service, fact: Exited) -> None:
    state = service.state
    if not isinstance(state, Stopping):
        return
    if fact.alone and state.main == "gone":
        _concluded(draft, service, state)
    else:
        stopping.stop_command_ended(draft, service, state)


def emptied(draft: Draft, fact: Emptied) -> None:
    service = _current(draft, fact.run)
    if service is None:
        return
    match service.state:
        case Stopping(main="gone") as state:
            _concluded(draft, service, state)
        case Done(lingering=True) as state:
            draft.put(replace(service, state=replace(state, lingering=False)))
        case _:
            pass


def _concluded(draft: Draft, service: Service, state: Stopping) -> None:
    """No process of the run is left: it rests where it was meant to go, or its own failure is judged."""
    by_itself = state.ended is not None and service.upright and not service.again
    if by_itself and draft.world.shutdown is None:
        assert state.ended is not None
        verdict(draft, service, state.ended)
    else:
        rest(draft, service)


def deadline_passed(draft: Draft, name: ServiceName) -> None:
    """Time alone moved: a deadline of this service's state may have come."""
    if name not in draft:
        return
    service, now = draft[name], draft.now.mono
    match service.state:
        case Starved(until=until) if until <= now:
            resume(draft, service)
        case Backoff(until=until) if until <= now:
            window = restart.window_at(service.plan.spec.restart, service.window, now)
            if service.plan.spec.restart.limit is not None:
                window = (*window, now)
            resume(draft, replace(service, window=window, restarts=service.restarts + 1))
        case Starting() as state if state.ready_at <= now and state.main == "live":
            _ready(draft, service, state, "ready")
        case Starting() | Running() as state if state.deadline <= now:
            _took_too_long(draft, service)
        case Stopping() as state if state.deadline <= now:
            stopping.deadline_passed(draft, service, state)
        case _:
            pass


def _took_too_long(draft: Draft, service: Service) -> None:
    timeout = duration_text(service.plan.spec.start_timeout or 0)
    verb = "finished" if service.plan.spec.type == "oneshot" else "ready"
    ended = Ended("timeout", None, draft.now.wall, f"not {verb} within {timeout}")
    take_along(draft, service)
    known = replace(service, last=ended)
    stopping.begin(draft, known, "start-timeout", reason("stopping", "start-timeout", timeout=timeout), ended)


def _probe_text(ready: ReadySpec) -> tuple[str, str]:
    """Which probe, and of what: `tcp`, `127.0.0.1:80`."""
    for kind in ("tcp", "unix", "http", "file", "log"):
        if getattr(ready, kind) is not None:
            return kind, getattr(ready, kind)
    if ready.exec is not None:
        return "exec", ready.exec[0]
    return "after", duration_text(ready.after or 0)


def _current(draft: Draft, run: RunId) -> Service | None:
    """The service, if this is its newest run."""
    if run.service not in draft:
        return None
    service = draft[run.service]
    return service if service.run == run.number else None
