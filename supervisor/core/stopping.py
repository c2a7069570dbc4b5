"""How is a run brought down? The stop rule: command, signal, what is left, SIGKILL, and after that the truth.

One budget (`stop.timeout`) covers everything up to SIGKILL; SIGKILL gets the same once more. Every stop signal is followed
by SIGCONT, or a stopped process would never see it (as systemd.kill(5) does).
"""

from __future__ import annotations

from typing import Literal, assert_never

from supervisor.core import shutdown
from supervisor.core.draft import Draft
from supervisor.core.reasons import duration_text, reason
from supervisor.model.effect import Release, Signal, Spawn, StopProbe
from supervisor.model.reason import Reason
from supervisor.model.record import replace
from supervisor.model.service import Done, Ended, Running, Service, Starting, StopCause, Stopping
from supervisor.model.signals import SIGCONT, SIGKILL, SIGTERM, signal_number
from supervisor.model.words import NEVER, Monotonic, Seconds

__all__ = [
    "begin",
    "clear_leftovers",
    "deadline_passed",
    "end_probe",
    "hurry",
    "main_ended",
    "main_spawned",
    "release",
    "spares_rest",
    "stop_command_ended",
]

_KILL_PATIENCE = Seconds(1.0)  # a killed process needs a moment, however small stop.timeout is


def begin(draft: Draft, service: Service, cause: StopCause, why: Reason, ended: Ended | None = None) -> None:
    """Start to bring down what runs. `ended` tells how the run failed, if it failed before anybody asked."""
    state = service.state
    assert isinstance(state, Starting | Running | Done)
    end_probe(draft, state)
    main = "gone" if isinstance(state, Done) else state.main
    stopping = _stopping(draft, service, cause, why, main, ended)
    shut = draft.world.shutdown
    if main == "requested" and cause == "start-timeout":
        _kill(draft, service, stopping)  # exec itself hangs: nobody is there to be asked
    elif main == "requested":
        draft.enter(service, stopping)
    elif shut is not None and shut.degree == "immediate":
        _kill(draft, service, stopping)
    elif _has_command_for(service, state) and (shut is None or shut.degree == "ordered"):
        draft.effects.append(Spawn(state.run, "stop"))
        draft.enter(service, replace(stopping, stage="command"))
    else:
        _ask(draft, service, stopping)


def _has_command_for(service: Service, state: Starting | Running | Done) -> bool:
    """A job that is not done has nothing yet that its stop.command could undo (systemd.service(5), ExecStop=)."""
    spec = service.plan.spec
    return spec.stop.command is not None and (spec.type != "oneshot" or isinstance(state, Done))


def clear_leftovers(draft: Draft, service: Service, why: Reason, ended: Ended) -> None:
    """The main process ended by itself: stop what it left, by `stop.scope`, before anything else happens."""
    _ask_the_rest(draft, service, _stopping(draft, service, "leftovers", why, "gone", ended))


def _stopping(
    draft: Draft,
    service: Service,
    cause: StopCause,
    why: Reason,
    main: Literal["requested", "live", "gone"],
    ended: Ended | None,
) -> Stopping:
    assert isinstance(service.state, Starting | Running | Done)
    patience = shutdown.patience(draft.world, service, draft.now.mono)
    return Stopping(
        since=draft.now,
        reason=why,
        run=service.state.run,
        cause=cause,
        stage="spawning",
        main=main,
        deadline=Monotonic(draft.now.mono + patience),
        patience=patience,
        ended=ended,
    )


def end_probe(draft: Draft, state: Starting | Running | Done) -> None:
    """Nobody looks for its readiness any more. (`ready: {after}` is a deadline and no probe.)"""
    if isinstance(state, Starting) and state.main == "live" and state.ready_at == NEVER:
        draft.effects.append(StopProbe(state.run))


def main_spawned(draft: Draft, service: Service, stopping: Stopping) -> None:
    """The spawn that was under way when the stop came has succeeded: now there is somebody to ask."""
    living = replace(stopping, main="live")
    match stopping.stage:
        case "spawning":
            _ask(draft, service, living)
        case "kill":
            _signal(draft, living, SIGKILL, _whom_to_kill(draft, service, living))
            draft.enter(service, living)
        case "overdue":
            spec = service.plan.spec.stop
            if spec.kill or draft.world.shutdown is not None:
                _signal(draft, living, SIGKILL, _whom_to_kill(draft, service, living))
            else:
                _signal(draft, living, signal_number(spec.signal), "main")
            draft.enter(service, living)
        case "command" | "signal" | "rest":
            draft.enter(service, living)
        case _:
            assert_never(stopping.stage)


def main_ended(draft: Draft, service: Service, stopping: Stopping) -> None:
    """The main process is gone, others of the run are left."""
    orphaned = replace(stopping, main="gone")
    match stopping.stage:
        case "signal" | "spawning":
            _ask_the_rest(draft, service, orphaned)
        case "command" | "rest" | "kill" | "overdue":
            draft.enter(service, orphaned)
        case _:
            assert_never(stopping.stage)


def stop_command_ended(draft: Draft, service: Service, stopping: Stopping) -> None:
    """Whether it worked or not: what still runs is asked by signal."""
    if stopping.stage == "command":
        _ask(draft, service, stopping)


def deadline_passed(draft: Draft, service: Service, stopping: Stopping) -> None:
    """The stage's patience has ended."""
    match stopping.stage:
        case "spawning" | "command" | "signal" | "rest":
            if service.plan.spec.stop.kill or draft.world.shutdown is not None:
                _kill(draft, service, stopping)
            else:
                timeout = duration_text(service.plan.spec.stop.timeout)
                _give_up(draft, service, stopping, reason("stopping", "kill-disabled", timeout=timeout))
        case "kill":
            _give_up(draft, service, stopping, reason("stopping", "unkillable"))
        case "overdue":
            pass
        case _:
            assert_never(stopping.stage)


def hurry(draft: Draft, service: Service, until: Monotonic) -> None:
    """The world is ending and there is less time: SIGKILL follows at `until`. When the grace itself is over, nobody waits
    for a stop command any more."""
    stopping = service.state
    assert isinstance(stopping, Stopping)
    shut = draft.world.shutdown
    hurried = replace(stopping, deadline=min(stopping.deadline, until), cause="shutdown")
    if stopping.stage in ("kill", "overdue"):
        return
    if until <= draft.now.mono:
        _kill(draft, service, hurried)
    elif stopping.stage == "command" and shut is not None and shut.degree != "ordered":
        _ask(draft, service, hurried)
    else:
        draft.enter(service, hurried)


def spares_rest(draft: Draft, service: Service) -> bool:
    """`stop.scope: main-only` leaves alone what is not the main process; the end of the world spares nobody."""
    return service.plan.spec.stop.scope == "main-only" and draft.world.shutdown is None


def release(draft: Draft, service: Service) -> None:
    """The run counts as over; what it left is nobody's."""
    state = service.state
    assert isinstance(state, Starting | Running | Stopping)
    draft.effects.append(Release(state.run))


def _ask(draft: Draft, service: Service, stopping: Stopping) -> None:
    if stopping.main != "live":
        _ask_the_rest(draft, service, stopping)
        return
    spec = service.plan.spec.stop
    _signal(draft, stopping, signal_number(spec.signal), "all" if spec.scope == "all" else "main")
    draft.enter(service, replace(stopping, stage="signal"))


def _ask_the_rest(draft: Draft, service: Service, stopping: Stopping) -> None:
    spec = service.plan.spec.stop
    if spec.scope != "all":
        _signal(draft, stopping, SIGTERM, "all")
    elif stopping.stage != "signal":  # else they all have had it
        _signal(draft, stopping, signal_number(spec.signal), "all")
    draft.enter(service, replace(stopping, stage="rest"))


def _signal(draft: Draft, stopping: Stopping, signal: int, to: Literal["main", "all"]) -> None:
    draft.effects.append(Signal(stopping.run, signal, to))
    if signal != SIGKILL:
        draft.effects.append(Signal(stopping.run, SIGCONT, to))


def _kill(draft: Draft, service: Service, stopping: Stopping) -> None:
    _signal(draft, stopping, SIGKILL, _whom_to_kill(draft, service, stopping))
    patience = shutdown.kill_patience(draft.world, Seconds(max(stopping.patience, _KILL_PATIENCE)), draft.now.mono)
    draft.enter(service, replace(stopping, stage="kill", deadline=Monotonic(draft.now.mono + patience)))


def _whom_to_kill(draft: Draft, service: Service, stopping: Stopping) -> Literal["main", "all"]:
    return "main" if spares_rest(draft, service) and stopping.main != "gone" else "all"


def _give_up(draft: Draft, service: Service, stopping: Stopping, why: Reason) -> None:
    draft.enter(service, replace(stopping, stage="overdue", deadline=NEVER, reason=why))
    draft.wake_earlier(service.name)
