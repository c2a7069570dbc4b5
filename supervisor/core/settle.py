"""What follows from what is true now? Brings every service that a fact can have touched one step closer to what is wanted of
it, until nothing moves any more: first who is needed, then who moves.

Level-triggered: nothing here looks at the event. A dependency that comes back later is enough for those who wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from supervisor.core import restart, stopping
from supervisor.core.claims import (
    is_live,
    is_needed,
    is_on_its_way,
    is_trouble,
    is_upright,
    leaves,
    meets,
    stands,
    withdrawn,
)
from supervisor.core.draft import Draft
from supervisor.core.reasons import duration_text, reason
from supervisor.core.shutdown import has_undo
from supervisor.model.effect import Spawn
from supervisor.model.reason import Reason
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
    StopCause,
    Stopping,
    Waiting,
)
from supervisor.model.words import NEVER, Monotonic, RunId, ServiceName

__all__ = ["rest", "resume", "settle", "take_along", "verdict"]

_ROUNDS_PER_SERVICE = 200  # far more than any real settling needs: a bug must not hang PID 1


def settle(draft: Draft) -> None:
    """Move everybody who is marked dirty, and whoever that touches, to a fixed point."""
    budget = _ROUNDS_PER_SERVICE * (len(draft.world.services) + 1)
    while draft.dirty:
        name = next(iter(draft.dirty))
        del draft.dirty[name]
        _refresh(draft, name)
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


def _move(draft: Draft, service: Service) -> None:
    """Then who moves."""
    match service.state:
        case Starting() | Running():
            if withdrawn(draft, service):
                _take_down(draft, service)
        case Done():
            _move_done(draft, service)
        case Stopping():
            pass  # only facts and time move it
        case Waiting() | Starved() | Backoff():
            if draft.world.shutdown is not None or not service.needed:
                rest(draft, service)
            elif isinstance(service.state, Waiting) or not service.upright:
                resume(draft, service)
        case Inactive():
            if draft.world.shutdown is None and service.needed:
                resume(draft, service)
        case Failed():
            if draft.world.shutdown is None and service.want == "down":
                rest(draft, service)
        case _:
            assert_never(service.state)


def _move_done(draft: Draft, service: Service) -> None:
    state = service.state
    assert isinstance(state, Done)
    going = draft.world.shutdown is not None or not service.needed or bool(service.again)
    if not going:
        return
    if state.lingering or has_undo(service):
        _take_down(draft, service)
    elif draft.world.shutdown is None:
        take_along(draft, service)
        rest(draft, service)


def _take_down(draft: Draft, service: Service) -> None:
    """Stop it, as soon as those who must go first are gone."""
    take_along(draft, service)
    forced = draft.world.shutdown is not None and draft.world.shutdown.degree != "ordered"
    if forced or not any(leaves(draft, draft[name]) for name in _starts_after(draft, service.name)):
        cause, why = _why_down(draft, service)
        stopping.begin(draft, service, cause, why)


def take_along(draft: Draft, service: Service) -> None:
    """It goes down, or has gone: who said `restart: true` about it and runs is stopped too and comes back after it."""
    for name, edge in draft.links(service.name).needed_by.items():
        other = draft[name]
        if edge.restart and not other.again and isinstance(other.state, Starting | Running):
            draft.put(replace(other, again="dependency"))


def _starts_after(draft: Draft, name: ServiceName) -> Iterator[ServiceName]:
    """Everybody who starts after it, also by way of services that have nothing running themselves."""
    seen: set[ServiceName] = set()
    front = list(draft.links(name).before)
    while front:
        later = front.pop()
        if later not in seen:
            seen.add(later)
            yield later
            if not is_live(draft[later]):
                front += draft.links(later).before


def _why_down(draft: Draft, service: Service) -> tuple[StopCause, Reason]:
    if draft.world.shutdown is not None:
        return "shutdown", reason("stopping", "shutdown")
    if service.want == "down":
        return "operator", reason("stopping", "operator")
    if not service.needed:
        return "not-needed", reason("stopping", "not-needed")
    if service.again == "restart":
        return "restart", reason("stopping", "restart")
    for name, edge in draft.links(service.name).needs.items():
        if edge.restart if service.again == "dependency" else not stands(draft[name]):
            return "dependency", reason("stopping", "dependency", other=name)
    return "dependency", reason("stopping", "dependency", other="a dependency")


def rest(draft: Draft, service: Service) -> None:
    """It is down and was meant to go down: to where it waits for its next wish, which may be at once."""
    down = replace(service, again="", ready_since=NEVER)
    if draft.world.shutdown is not None:
        draft.enter(down, Inactive(draft.now, reason("inactive", "shutdown")))
    elif service.want == "down":
        fresh = replace(down, attempts=0, window=(), restarts=0, starved=0)
        draft.enter(fresh, Inactive(draft.now, reason("inactive", "operator")))
    elif not service.needed:
        draft.enter(down, Inactive(draft.now, reason("inactive", "not-wanted")))
    else:
        resume(draft, down)
    _wake_earlier(draft, service.name)


def _wake_earlier(draft: Draft, name: ServiceName) -> None:
    """Those who may have waited for its end before they go down themselves."""
    seen: set[ServiceName] = set()
    front = list(draft.links(name).after)
    while front:
        earlier = front.pop()
        if earlier not in seen:
            seen.add(earlier)
            draft.dirty[earlier] = None
            if not is_live(draft[earlier]):
                front += draft.links(earlier).after


def resume(draft: Draft, service: Service) -> None:
    """It is down and needed: start it, or say what it waits for."""
    blocker = _blocker(draft, service)
    if blocker is None:
        _start(draft, service)
        return
    why, trouble = blocker
    state = service.state
    if not isinstance(state, Waiting) or (state.reason, state.trouble) != (why, trouble):
        since = state.since if isinstance(state, Waiting) else draft.now
        draft.enter(service, Waiting(since, why, trouble))


def _blocker(draft: Draft, service: Service) -> tuple[Reason, bool] | None:
    """What it must wait for, the worst first, and whether that is in trouble."""
    found: tuple[Reason, bool] | None = None
    links = draft.links(service.name)
    for name, edge in links.needs.items():
        other = draft[name]
        if meets(draft, other, edge.condition):
            continue
        ends = edge.condition in ("completed", "ended") and is_live(other)
        if not edge.required and not ends and not is_on_its_way(draft, other):
            continue
        if other.want == "down":
            return reason("waiting", "dependency-stopped", other=name), True
        if isinstance(other.state, Failed):
            return reason("waiting", "dependency-failed", other=name), True
        trouble = is_trouble(other)
        if found is None or (trouble and not found[1]):
            found = reason("waiting", "dependency", other=name, condition=edge.condition), trouble
    if found is None:
        for name in links.after:
            if name not in links.needs and is_on_its_way(draft, draft[name]):
                return reason("waiting", "order", other=name), False
    return found


def _start(draft: Draft, service: Service) -> None:
    run = RunId(service.name, service.run + 1)
    timeout = service.plan.spec.start_timeout
    deadline = NEVER if timeout is None else Monotonic(draft.now.mono + timeout)
    begun = replace(service, run=run.number, again="", ready_since=NEVER)
    draft.effects.append(Spawn(run))
    draft.enter(begun, Starting(draft.now, reason("starting", "exec"), run, "requested", deadline))


def verdict(draft: Draft, service: Service, ended: Ended) -> None:
    """It ended by itself and nothing of it is left: again, done, or failed."""
    spec = service.plan.spec
    now = draft.now.mono
    window = restart.window_at(spec.restart, service.window, now)
    attempts = restart.attempts_after(service, now)
    known = replace(service, last=ended, window=window, attempts=attempts, ready_since=NEVER)
    code = ended.result if ended.result in ("timeout", "exec-failed") else "exit"
    match restart.decide(spec, ended):
        case "done":
            draft.enter(known, Done(draft.now, reason("done", "success"), RunId(service.name, service.run)))
        case "failed":
            why = reason("failed", code, how=ended.detail, policy=spec.restart.policy)
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
    _wake_earlier(draft, service.name)
