"""What follows from what is true now? Brings every service that a fact can have touched one step closer to what is wanted of
it, until nothing moves any more: first who is needed, then who moves.

Level-triggered: nothing here looks at the event. A dependency that comes back later is enough for those who wait for it.
"""

from __future__ import annotations

from typing import assert_never

from supervisor.core import restart, stopping
from supervisor.core.claims import (
    is_live,
    is_needed,
    is_upright,
    leaves,
    will_undo,
    withdrawn,
)
from supervisor.core.draft import Draft
from supervisor.core.obstacles import starts_after, why_down, worst_obstacle
from supervisor.core.reasons import duration_text, reason
from supervisor.model.effect import Spawn
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
from supervisor.model.words import NEVER, Monotonic, RunId, Seconds, ServiceName

__all__ = ["rest", "resume", "retry", "settle", "take_along", "verdict"]

_ROUNDS_PER_SERVICE = 200  # far more than any real settling needs: a bug must not hang PID 1
_STARVED_FIRST = Seconds(0.1)  # SERVICES §4: own back-off 100 ms → 5 s
_STARVED_MOST = Seconds(5.0)


def settle(draft: Draft) -> None:
    """Move everybody who is marked, and whoever that touches, to a fixed point."""
    budget = _ROUNDS_PER_SERVICE * (len(draft.world.services) + 1)
    while draft.dirty:
        while draft.unsure:
            _refresh(draft, draft.unsure.popitem()[0])
        name = draft.take_dirty()
        _move(draft, draft[name])
        budget -= 1
        if not budget:
            raise RuntimeError(f"settling does not end: {name} {draft[name].state}")


def _refresh(draft: Draft, name: ServiceName) -> None:
    """First who is needed."""
    service = draft[name]
    needed = is_needed(draft, name)
    if needed != service.needed:
        draft.put(replace(service, needed=needed))
    upright = is_upright(draft, name)
    if upright != service.upright:
        draft.put(replace(draft[name], upright=upright))
        if upright and is_live(service):
            draft.wake_earlier(name)  # it may stay: it is in nobody's way any more


def _move(draft: Draft, service: Service) -> None:
    """Then who moves."""
    wanted = service.needed and draft.world.shutdown is None
    match service.state:
        case Starting() | Running():
            if withdrawn(service):
                _take_down(draft, service)
        case Done():
            if not wanted or service.again:
                _leave_done(draft, service, service.state)
        case Stopping():
            pass  # only facts and time move it
        case Waiting() | Starved() | Backoff() if not wanted:
            rest(draft, service)
        case Waiting():
            resume(draft, service)
        case Starved():
            if service.again or not service.upright:
                resume(draft, service)
        case Backoff():
            if service.again or not service.upright:
                retry(draft, service)
        case Inactive() | Failed():
            if draft.world.shutdown is None:
                _move_resting(draft, service, service.state)
        case _:
            assert_never(service.state)


def _move_resting(draft: Draft, service: Service, state: Inactive | Failed) -> None:
    if service.want == "down":
        if state.reason.code != "operator":
            rest(draft, service)
    elif service.needed and (service.again or isinstance(state, Inactive)):
        resume(draft, service)


def _leave_done(draft: Draft, service: Service, state: Done) -> None:
    if state.lingering or will_undo(draft, service):
        _take_down(draft, service)
    elif draft.world.shutdown is None:
        take_along(draft, service)
        rest(draft, service)


def _take_down(draft: Draft, service: Service) -> None:
    """Stop it, as soon as those who must go first are gone. What has no process yet gets none: that waits for nobody."""
    take_along(draft, service)
    forced = draft.world.shutdown is not None and draft.world.shutdown.degree != "ordered"
    unborn = isinstance(service.state, Starting | Running) and service.state.main == "requested"
    if forced or unborn or not any(leaves(draft, draft[name]) for name in starts_after(draft, service.name)):
        cause, why = why_down(draft, service)
        stopping.begin(draft, service, cause, why)


def take_along(draft: Draft, service: Service) -> None:
    """It goes down, or has gone: who said `restart: true` about it and runs is stopped too and comes back after it."""
    for name, edge in draft.links(service.name).needed_by.items():
        other = draft[name]
        if edge.restart and not other.again and isinstance(other.state, Starting | Running):
            draft.put(replace(other, again="dependency"))


def rest(draft: Draft, service: Service) -> None:
    """It is down and was meant to go down: to where it waits for its next wish, which may be at once."""
    down = replace(service, again="", ready_since=NEVER)
    fresh = replace(down, attempts=0, window=(), restarts=0, starved=0)
    if draft.world.shutdown is not None:
        draft.enter(down, Inactive(draft.now, reason("inactive", "shutdown")))
    elif service.want == "down":
        draft.enter(fresh, Inactive(draft.now, reason("inactive", "operator")))
    elif not service.needed:
        draft.enter(fresh, Inactive(draft.now, reason("inactive", "not-wanted")))
    else:
        resume(draft, down)
    if is_live(service):
        draft.wake_earlier(service.name)


def resume(draft: Draft, service: Service) -> None:
    """It is down and needed: start it, or say what it waits for."""
    blocker = worst_obstacle(draft, service)
    if blocker is None:
        _start(draft, service)
        return
    state, why, trouble = service.state, blocker.why, blocker.trouble
    if not isinstance(state, Waiting) or (state.reason, state.trouble) != (why, trouble):
        since = state.since if isinstance(state, Waiting) else draft.now
        draft.enter(replace(service, again=""), Waiting(since, why, trouble))


def retry(draft: Draft, service: Service) -> None:
    """Its pause before the next attempt is over, or has lost its point. Unless somebody asked for it this is an automatic
    restart, and counts."""
    if not service.again:
        spec, now = service.plan.spec.restart, draft.now.mono
        window = () if spec.limit is None else (*restart.window_at(spec, service.window, now), now)
        service = replace(service, window=window, restarts=service.restarts + 1)
    resume(draft, service)


def _start(draft: Draft, service: Service) -> None:
    run = RunId(service.name, service.run + 1)
    timeout = service.plan.spec.start_timeout
    deadline = NEVER if timeout is None else Monotonic(draft.now.mono + timeout)
    begun = replace(service, run=run.number, again="", ready_since=NEVER)
    draft.effects.append(Spawn(run))
    draft.enter(begun, Starting(draft.now, reason("starting", "exec"), run, "requested", deadline))


def verdict(draft: Draft, service: Service, ended: Ended, lingering: bool = False) -> None:
    """It ended by itself and nothing of it is left, but for what of a done job may linger: again, done, or failed."""
    draft.wake_earlier(service.name)
    known = replace(service, last=ended, ready_since=NEVER)
    if ended.result == "resources":
        _starve(draft, known, ended)
        return
    spec, now = service.plan.spec, draft.now.mono
    window = restart.window_at(spec.restart, service.window, now)
    attempts = restart.attempts_after(service, now)
    known = replace(known, window=window, attempts=attempts)
    code = ended.result if ended.result in ("timeout", "exec-failed") else "exit"
    match restart.decide(spec, ended):
        case "done":
            run = RunId(service.name, service.run)
            draft.enter(known, Done(draft.now, reason("done", "success"), run, lingering))
        case "failed":
            policy = "never for this end (restart.never_on)" if restart.forbidden(spec, ended) else spec.restart.policy
            why = reason("failed", code, how=ended.detail, policy=policy)
            draft.enter(known, Failed(draft.now, why))
        case "restart" if restart.exhausted(spec.restart, window, now):
            limit = spec.restart.limit
            assert limit is not None
            within = duration_text(limit.within)
            why = reason("failed", "limit", how=ended.detail, count=str(limit.count), within=within)
            draft.enter(known, Failed(draft.now, why))
        case "restart":
            pause = restart.delay(spec.restart, attempts, draft.world.seed, known)
            why = reason("backoff", code, how=ended.detail, delay=duration_text(pause))
            draft.enter(known, Backoff(draft.now, why, Monotonic(now + pause)))
        case decision:
            assert_never(decision)


def _starve(draft: Draft, service: Service, ended: Ended) -> None:
    """The machine had nothing for it: no fault of the service, and not counted as one."""
    tries = service.starved + 1
    pause = min(_STARVED_MOST, _STARVED_FIRST * 2 ** min(tries - 1, 10))
    why = reason("waiting", "no-resources", how=ended.detail)
    until = Monotonic(draft.now.mono + pause)
    draft.enter(replace(service, starved=tries), Starved(draft.now, why, until, tries))
