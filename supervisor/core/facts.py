"""What does a fact about a run change in its service? Each fact is applied to one service; what follows is settled after.

A fact about an older run changes nothing.
"""

from __future__ import annotations

from typing import assert_never

from supervisor.core import restart, stopping
from supervisor.core.claims import withdrawn
from supervisor.core.draft import Draft
from supervisor.core.reasons import duration_text, exit_text, failure_text, reason
from supervisor.core.settle import rest, resume, retry, take_along, verdict
from supervisor.model.effect import Spawn, StartProbe
from supervisor.model.event import BecameReady, Emptied, Exited, Spawned, SpawnFailed
from supervisor.model.process import Exit, Result
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
from supervisor.model.words import NEVER, Monotonic, RunId, ServiceName

__all__ = ["became_ready", "deadline_passed", "emptied", "exited", "spawn_failed", "spawned"]


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
        ready_at = NEVER if spec.ready.after is None else Monotonic(draft.now.mono + spec.ready.after)
        if spec.ready.after is None:
            draft.effects.append(StartProbe(state.run))
        why = reason("starting", "probe", probe=_probe_text(spec.ready))
        draft.enter(service, replace(state, main="live", ready_at=ready_at, reason=why))


def _ready(draft: Draft, service: Service, state: Starting, code: str) -> None:
    known = replace(service, ready_since=draft.now.mono)
    draft.enter(known, Running(draft.now, reason("running", code), state.run, ready=True))


def became_ready(draft: Draft, fact: BecameReady) -> None:
    service = _current(draft, fact.run)
    if service is not None and isinstance(service.state, Starting) and service.state.main == "live":
        stopping.end_probe(draft, service.state)
        _ready(draft, service, service.state, "ready")


def spawn_failed(draft: Draft, fact: SpawnFailed) -> None:
    service = _current(draft, fact.run)
    if service is None:
        return
    match service.state:
        case Stopping() as state if fact.role == "stop":
            _stop_command_over(draft, service, state, fact.alone)
        case Starting(main="requested") | Running(main="requested") as state if fact.role == "main":
            result: Result = "resources" if fact.failure.ours or fact.failure.cancelled else "exec-failed"
            ended = Ended(result, None, draft.now.wall, failure_text(fact.failure), fact.failure.errno)
            _ended_by_itself(draft, service, state, ended, fact.alone)
        case Stopping(main="requested") as state if fact.role == "main":
            _main_over(draft, service, state, fact.alone)
        case _:
            pass


def exited(draft: Draft, fact: Exited) -> None:
    service = _current(draft, fact.run)
    if service is None:
        return
    state = service.state
    if fact.role == "stop":
        if isinstance(state, Stopping):
            _stop_command_over(draft, service, state, fact.alone)
        return
    match state:
        case Starting() | Running():
            if _goes_on(draft, service, state, fact.exit):
                assert isinstance(state, Running)
                following = replace(state, command=state.command + 1, main="requested")
                draft.effects.append(Spawn(state.run, "main", following.command))
                draft.enter(service, following)
            else:
                result = (
                    "signal" if _was_killed(service, fact.exit) else restart.result_of(service.plan.spec, fact.exit)
                )
                ended = Ended(result, fact.exit, draft.now.wall, exit_text(fact.exit))
                _ended_by_itself(draft, service, state, ended, fact.alone)
        case Stopping():
            known = replace(service, last=_stopped(draft, service, state, fact.exit), struck=())
            _main_over(draft, known, state, fact.alone)
        case Inactive() | Waiting() | Starved() | Backoff() | Done() | Failed():
            pass
        case _:
            assert_never(state)


def _goes_on(draft: Draft, service: Service, state: Starting | Running, exit: Exit) -> bool:
    """A job's command ended well and another one follows; none does when the job is about to be stopped."""
    return (
        isinstance(state, Running)
        and not _is_last_command(service, state)
        and restart.clean(service.plan.spec, exit)
        and not _was_killed(service, exit)
        and not withdrawn(service)
    )


def _was_killed(service: Service, exit: Exit) -> bool:
    """Whether it died of a `kill`, by a signal that would be a clean end had somebody else sent it (SERVICES §4)."""
    return exit.signal in service.struck


def _is_last_command(service: Service, state: Starting | Running) -> bool:
    return isinstance(state, Running) and state.command + 1 == len(service.plan.spec.command)


def _ended_by_itself(draft: Draft, service: Service, state: Starting | Running, ended: Ended, alone: bool) -> None:
    """Its main process is gone, or was not to be had, and nobody had told it to stop."""
    known = replace(service, last=ended, struck=())
    stopping.end_probe(draft, state)
    take_along(draft, known)
    if not alone and stopping.spares_rest(draft, known):
        stopping.release(draft, known)
        alone = True
    job = service.plan.spec.type == "oneshot" and _is_last_command(service, state)
    if job and restart.decide(service.plan.spec, ended) == "done":
        verdict(draft, known, ended, lingering=not alone)  # the rest stays until it is stopped
    elif not alone:
        stopping.clear_leftovers(draft, known, reason("stopping", "leftovers", how=ended.detail), ended)
    elif withdrawn(known):  # it was to be stopped, and only waited for others to go first: it stays down
        rest(draft, known)
    else:
        verdict(draft, known, ended)


def _main_over(draft: Draft, service: Service, state: Stopping, alone: bool) -> None:
    """Its main process has ended while it was being stopped, or will not come any more."""
    if alone:
        _concluded(draft, service, state)
    elif stopping.spares_rest(draft, service) and state.stage != "command":
        stopping.release(draft, service)
        _concluded(draft, service, state)
    else:
        stopping.main_ended(draft, service, state)


def _stop_command_over(draft: Draft, service: Service, state: Stopping, alone: bool) -> None:
    """Its stop command has ended, or will not come any more."""
    if alone and state.main == "live":
        pass  # both were reaped together: the end of the main process is told next
    elif alone:
        _concluded(draft, service, state)
    elif stopping.spares_rest(draft, service) and state.main == "gone":
        stopping.release(draft, service)
        _concluded(draft, service, state)
    else:
        stopping.stop_command_ended(draft, service, state)


def _stopped(draft: Draft, service: Service, state: Stopping, exit: Exit) -> Ended:
    """How a run that was asked to stop ended: what SIGKILL had to finish counts as a timeout."""
    if state.ended is not None:
        return Ended(state.ended.result, exit, draft.now.wall, f"{state.ended.detail}; {exit_text(exit)}")
    killed = state.stage in ("kill", "overdue") and exit.signal == SIGKILL
    result = "timeout" if killed else restart.result_of(service.plan.spec, exit)
    return Ended(result, exit, draft.now.wall, exit_text(exit))


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
    if state.ended is not None and service.upright and not service.again:
        verdict(draft, service, service.last or state.ended)
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
            retry(draft, service)
        case Starting() as state if state.ready_at <= now and state.main == "live":
            _ready(draft, service, state, "ready")
        case Starting() | Running() as state if state.deadline <= now:
            _took_too_long(draft, service)
        case Stopping() as state if state.deadline <= now:
            if _only_spared_are_left(draft, service, state):
                stopping.release(draft, service)
                _concluded(draft, service, state)
            else:
                stopping.deadline_passed(draft, service, state)
        case _:
            pass


def _only_spared_are_left(draft: Draft, service: Service, state: Stopping) -> bool:
    """Its main process is gone, its stop command hangs, and SIGKILL could not tell that from those who are left alone."""
    undoing = service.plan.spec.type == "oneshot"  # then there is nobody else
    return state.main == "gone" and not undoing and stopping.spares_rest(draft, service)


def _took_too_long(draft: Draft, service: Service) -> None:
    timeout = duration_text(service.plan.spec.start_timeout or 0)
    verb = "finished" if service.plan.spec.type == "oneshot" else "ready"
    ended = Ended("timeout", None, draft.now.wall, f"not {verb} within {timeout}")
    take_along(draft, service)
    known = replace(service, last=ended)
    why = reason("stopping", "start-timeout", verb=verb, timeout=timeout)
    stopping.begin(draft, known, "start-timeout", why, ended)


def _probe_text(ready: ReadySpec) -> str:
    """Which probe, and of what: `tcp 127.0.0.1:80`."""
    for kind in ("tcp", "unix", "http", "file", "log"):
        if getattr(ready, kind) is not None:
            return f"{kind} {getattr(ready, kind)}"
    if ready.exec is not None:
        return f"exec {ready.exec[0]}"
    return f"{duration_text(ready.after or 0)} to pass"


def _current(draft: Draft, run: RunId) -> Service | None:
    """The service, if this is its newest run."""
    if run.service not in draft:
        return None
    service = draft[run.service]
    return service if service.run == run.number else None
