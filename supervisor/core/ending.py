"""How does the world end? Ordered at first, harder each time it is asked again, and only once.

A first stop request stops everything in waves; a second one, more than a second later, asks everybody at once and sends
SIGKILL after a second; a third one does so now. When nobody is left who was asked, everything else is swept out.
"""

from __future__ import annotations

from supervisor.core import shutdown, stopping, tickets
from supervisor.core.claims import holds_processes, is_overdue, keeps_world, will_undo
from supervisor.core.draft import Draft
from supervisor.core.restart import exit_status
from supervisor.model.effect import Answer, ExitWorld, Sweep
from supervisor.model.event import StopAsked
from supervisor.model.record import replace
from supervisor.model.request import Outcome
from supervisor.model.service import Done, Ended, Failed, Service, Stopping, Waiting
from supervisor.model.words import NEVER, Monotonic, Seconds
from supervisor.model.world import Shutdown, ShutdownDegree, World

__all__ = ["asked", "begin", "broke", "due", "end_when_done", "look_for_final_ends", "sweep_when_down", "swept"]

_SAME_KEYPRESS = Seconds(1.0)  # two signals closer than this are one wish, unless somebody counted them
_BROKEN = 70  # EX_SOFTWARE, sysexits(3)


def begin(
    draft: Draft,
    by: str,
    status: int,
    reboot: bool = False,
    degree: ShutdownDegree = "ordered",
    asked: Monotonic = NEVER,
) -> None:
    """The first cause counts; a later one changes nothing."""
    world = draft.world
    if world.shutdown is not None:
        return
    wave_of = shutdown.waves(world.services, world.graph)
    begun = Shutdown(
        since=draft.now,
        deadline=Monotonic(draft.now.mono + world.shutdown_timeout),
        by=by,
        status=status,
        degree=degree,
        wave_of=wave_of,
        timeouts=shutdown.largest_timeouts(world.services, wave_of),
        asked=asked,
        reboot=reboot,
    )
    draft.world = replace(world, shutdown=begun)
    tickets.supersede(draft, world.services, ("start", "restart"), "shutdown")
    draft.doubt(world.services)
    _shorten(draft)


def asked(draft: Draft, fact: StopAsked) -> None:
    shut = draft.world.shutdown
    if shut is None:
        begin(draft, fact.by, 0, fact.reboot, "forced" if fact.fast else "ordered", asked=draft.now.mono)
        shut = draft.world.shutdown
        if fact.count > 1 and shut is not None:
            _escalate(draft, shut, _degree(fact.count))
    elif fact.count > 1:
        _escalate(draft, shut, _degree(fact.count))
    elif fact.fast and shut.degree == "ordered":
        _escalate(draft, shut, "forced")
    elif shut.asked == NEVER:  # the end has begun for another reason: this is the first signal
        draft.world = replace(draft.world, shutdown=replace(shut, asked=draft.now.mono))
    elif draft.now.mono - shut.asked > _SAME_KEYPRESS:
        _escalate(draft, shut, "forced" if shut.degree == "ordered" else "immediate")


def _degree(count: int) -> ShutdownDegree:
    return "forced" if count == 2 else "immediate"


def _escalate(draft: Draft, shut: Shutdown, degree: ShutdownDegree) -> None:
    order = ("ordered", "forced", "immediate")
    if order.index(degree) > order.index(shut.degree):
        draft.world = replace(draft.world, shutdown=replace(shut, degree=degree))
        draft.doubt(draft.world.services)
        _shorten(draft)


def _shorten(draft: Draft) -> None:
    """Who is stopping already gets no more than the new degree allows."""
    for name in draft.world.services:
        service = draft[name]
        if isinstance(service.state, Stopping):
            until = Monotonic(draft.now.mono + shutdown.patience(draft.world, service, draft.now.mono))
            stopping.hurry(draft, service, until)


def broke(draft: Draft) -> None:
    """pidone itself has failed: stop in order, and say so by the exit status."""
    begin(draft, "internal failure", _BROKEN)
    shut = draft.world.shutdown
    assert shut is not None
    draft.world = replace(draft.world, shutdown=replace(shut, status=_BROKEN))


def look_for_final_ends(draft: Draft) -> None:
    """`shutdown_on`: a service that has ended for good, not stopped by the operator, takes the world with it."""
    if draft.world.shutdown is not None:
        return
    for edge in draft.edges:
        if edge.to not in ("done", "failed"):
            continue
        service = draft[edge.service]
        on, last = service.plan.spec.shutdown_on, service.last
        if not isinstance(service.state, Done | Failed) or on == "never" or last is None:
            continue
        if on == "exit" or (on == "success") == isinstance(service.state, Done):
            begin(draft, f"service {service.name}: {last.detail}", _status(last))
            return


def _status(ended: Ended) -> int:
    return exit_status(ended) or int(ended.result != "success")


def end_when_done(draft: Draft, before: World) -> None:
    """`system.exit_when_done`: count those who keep the world; when nobody does, it ends by itself."""
    world = draft.world
    if not world.plan.system.exit_when_done or world.shutdown is not None:
        return
    if world.plan is before.plan:
        now, then = (draft[name] for name in draft.touched()), (before.services[name] for name in draft.touched())
        busy = world.busy + sum(map(keeps_world, now)) - sum(map(keeps_world, then))
    else:
        busy = sum(keeps_world(draft[name]) for name in world.services)
    if busy != world.busy:
        draft.world = replace(world, busy=busy)
    if not busy:
        unwell = next((name for name in world.services if isinstance(draft[name].state, Failed | Waiting)), None)
        begin(
            draft,
            "all is done" if unwell is None else f"nothing runs any more, {unwell} failed",
            int(unwell is not None),
        )


def due(draft: Draft) -> None:
    """The time for services is over: who is not down by now is left to the sweep."""
    shut = draft.world.shutdown
    if shut is not None and not shut.sweeping and shutdown.sweep_at(shut) <= draft.now.mono:
        _sweep(draft, shut)


def sweep_when_down(draft: Draft, before: World) -> None:
    """Count those who went down in this step; nobody left means that the rest can be swept out."""
    shut = draft.world.shutdown
    if shut is None or shut.sweeping:
        return
    if before.shutdown is None or before.shutdown.degree != shut.degree:
        left = sum(_keeps_waiting(draft, draft[name]) for name in shut.wave_of)
    else:
        left = shut.left + sum(
            _keeps_waiting(draft, draft[name]) - _keeps_waiting(draft, before.services[name])
            for name in draft.touched()
        )
    if left != shut.left:
        shut = replace(shut, left=left)
        draft.world = replace(draft.world, shutdown=shut)
    if not left:
        _sweep(draft, shut)


def _keeps_waiting(draft: Draft, service: Service) -> bool:
    return not is_overdue(service) and (holds_processes(service) or will_undo(draft, service))


def _sweep(draft: Draft, shut: Shutdown) -> None:
    draft.effects.append(Sweep(shutdown.sweep_until(shut, draft.now.mono)))
    draft.world = replace(draft.world, shutdown=replace(shut, sweeping=True))


def swept(draft: Draft) -> None:
    """Nobody is left: answer who still waits, and go."""
    shut = draft.world.shutdown
    if shut is None or draft.world.exited:
        return
    for ticket in draft.world.tickets:
        verdict = Outcome("done") if ticket.verb in ("shutdown", "stop") else Outcome("superseded", "superseded")
        draft.effects.append(Answer(ticket.id, verdict))
    draft.effects.append(ExitWorld(shut.status, shut.reboot))
    draft.world = replace(draft.world, tickets=(), exited=True)
