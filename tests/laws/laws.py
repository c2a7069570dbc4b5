"""What must hold after every step, whatever has happened? The laws of DESIGN §5 as predicates.

A law looks at one moment – the world before, the event, the step that followed, and what is really there – and answers with a
sentence when it is broken. It says in its own words what core says in others: a law that called core's predicates would share
their mistakes. Laws 5, 8 and 12 are about a world (`worlds.py`), law 10 about where it leads (`drives.py`), the other half of law
11 about everything that can happen (`test_explorer.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from supervisor.core import table
from supervisor.core.deadlines import deadline_of, world_deadline
from supervisor.core.step import Step
from supervisor.model.effect import Answer, Edge, ExitWorld, Release, Signal, Spawn, StartProbe, StopProbe, Sweep
from supervisor.model.event import (
    Broke,
    DeadlinePassed,
    Event,
    Exited,
    Requested,
    ShutdownDue,
    Spawned,
    StopAsked,
)
from supervisor.model.service import (
    Backoff,
    Done,
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
from supervisor.model.words import NEVER, Instant, RunId
from supervisor.model.world import World
from tests.laws.reality import Reality, Things

__all__ = ["LAWS", "Law", "Moment", "broken", "illegal"]


class Moment(NamedTuple):
    before: World
    event: Event
    now: Instant
    step: Step
    reality: Reality
    """What was there when the effects were decided: the event has happened, nothing has been performed yet."""
    later: Reality
    """What is there when they have been handed out."""


Law: TypeAlias = Callable[[Moment], Iterator[str]]
"""Yields a sentence for each way in which it is broken."""


def law_1(moment: Moment) -> Iterator[str]:
    """At most one live run per service: a new one is ordered only when nothing is left of the older."""
    released = set()
    for effect in moment.step.effects:
        if isinstance(effect, Release):
            released.add(effect.run.service)
        if isinstance(effect, Spawn) and effect.role == "main" and effect.index == 0:
            name, number = effect.run
            if not moment.reality[name].vacant and name not in released:
                yield f"{effect.run} was ordered while {moment.reality[name]} was there"
            if number != moment.before.services[name].run + 1:
                yield f"{effect.run} does not follow run {moment.before.services[name].run}"


def law_2(moment: Moment) -> Iterator[str]:
    """At most one main process, exactly one in running, and core knows whether there is one."""
    for name in moment.step.touched:
        state, there = moment.step.world.services[name].state, moment.later[name]
        match state:
            case Starting(main=main) | Running(main=main) | Stopping(main=main):
                claimed = main
            case _:
                claimed = "gone"
        really = "live" if there.main else "requested" if there.ordered >= 0 else "gone"
        if claimed != really:
            yield f"the main process of {name} is {really}, its state says {claimed}: {state}"


def law_3(moment: Moment) -> Iterator[str]:
    """A main process is ordered only when every requirement is met."""
    services = moment.step.world.services
    for effect in moment.step.effects:
        if isinstance(effect, Spawn) and effect.role == "main" and effect.index == 0:
            if moment.step.world.shutdown is not None:
                yield f"{effect.run} was ordered while the world is ending"
            for name, edge in moment.step.world.graph[effect.run.service].needs.items():
                if edge.required and not _met(services[name], edge.condition):
                    yield f"{effect.run} was ordered although {name} is not {edge.condition}: {services[name].state}"


def _met(service: Service, condition: str) -> bool:
    state = service.state
    done = isinstance(state, Done)
    if condition in ("completed", "ended"):
        return done or (condition == "ended" and isinstance(state, Failed))
    if service.want == "down":
        return False
    job_done = done and service.plan.spec.type == "oneshot"
    if condition == "ready":
        return job_done or (isinstance(state, Running) and state.ready)
    return job_done or isinstance(state, Running) or (isinstance(state, Starting) and state.main == "live")


def law_4(moment: Moment) -> Iterator[str]:
    """No stop by stop, shutdown or removal while a dependent over a required started or ready edge is alive, except past its
    deadline. (A restart touches only who asked for it; a run that has no process yet has nothing to be stopped.)"""
    before, world = moment.before, moment.step.world
    if world.shutdown is not None and world.shutdown.degree != "ordered":
        return
    released = {effect.run.service for effect in moment.step.effects if isinstance(effect, Release)}
    for name in moment.step.touched:
        service = world.services[name]
        state, old = service.state, before.services[name].state
        if not isinstance(state, Stopping) or isinstance(old, Stopping) or state.main == "requested":
            continue
        if state.cause in ("restart", "leftovers", "start-timeout"):
            continue
        if state.cause == "dependency" and service.again == "dependency" and service.upright:
            continue
        for other, edge in world.graph[name].needed_by.items():
            bound = edge.required and edge.condition in ("started", "ready") and not _stays(world.services[other])
            late = isinstance(world.services[other].state, Stopping) and _stage(world.services[other]) == "overdue"
            if bound and not late and other not in released and _alive(world.services[other], moment.reality[other]):
                yield f"{name} is stopped ({state.cause}) while {other} is alive: {world.services[other].state}"


def _stays(service: Service) -> bool:
    """It needs the others only to begin."""
    return service.plan.foreground


def _alive(service: Service, there: Things) -> bool:
    return not there.vacant and not isinstance(service.state, Done)


def _stage(service: Service) -> str:
    return service.state.stage if isinstance(service.state, Stopping) else ""


def law_6(moment: Moment) -> Iterator[str]:
    """A deadline exists exactly where time matters; one that has passed has had its effect."""
    world = moment.step.world
    for name in moment.step.touched:
        service = world.services[name]
        if (deadline_of(service) != NEVER) != _time_matters(service):
            yield f"the deadline of {name} is {deadline_of(service)}: {service.state}"
    shut = world.shutdown
    if (world_deadline(world) != NEVER) != (shut is not None and not shut.sweeping):
        yield f"the world's deadline is {world_deadline(world)}: {shut}"
    match moment.event:
        case DeadlinePassed(name):
            old = moment.before.services[name]
            if deadline_of(old) <= moment.now.mono and world.services[name] == old:
                yield f"the deadline of {name} passed in vain: {old.state}"
        case ShutdownDue():
            if world_deadline(world) <= moment.now.mono:
                yield f"the world's deadline passed in vain: {shut}"
    if not set(moment.step.touched).issuperset(_changed(moment.before, world)):
        yield f"changed {_changed(moment.before, world)}, told {moment.step.touched}"


def _time_matters(service: Service) -> bool:
    spec = service.plan.spec
    match service.state:
        case Starved() | Backoff():
            return True
        case Starting(main=main):
            timer = spec.ready is not None and spec.ready.after is not None and main == "live"
            return spec.start_timeout is not None or timer
        case Running():
            return spec.type == "oneshot" and spec.start_timeout is not None
        case Stopping(stage=stage):
            return stage != "overdue"
        case Inactive() | Waiting() | Done() | Failed():
            return False


def _changed(before: World, after: World) -> set[str]:
    if len(before.services) != len(after.services):
        return set()
    return {name for name, service in after.services.items() if service is not before.services[name]}


def law_7(moment: Moment) -> Iterator[str]:
    """Entering the kill phase emits a kill in the same step; so does a process that turns up in it."""
    for name in moment.step.touched:
        service = moment.step.world.services[name]
        if _stage(service) != "kill":
            continue
        entered = _stage(moment.before.services[name]) != "kill"
        came = isinstance(moment.event, Spawned) and moment.event.run == RunId(name, service.run)
        killed = any(
            isinstance(effect, Signal) and effect.run.service == name and effect.signal == SIGKILL
            for effect in moment.step.effects
        )
        if (entered or came) and not killed:
            yield f"{name} is to be killed and nobody does it: {service.state}"


def law_9(moment: Moment) -> Iterator[str]:
    """Automatic restarts in any window are at most the limit, or the service has failed. Each is counted when its pause ends;
    only a wish forgets."""
    for edge in moment.step.edges:
        name = edge.service
        if edge.origin != "backoff" or edge.to not in ("starting", "waiting"):
            continue
        service, old = moment.step.world.services[name], moment.before.services[name]
        limit = service.plan.spec.restart.limit
        if limit is None or isinstance(moment.event, Requested):
            continue
        recent = [at for at in service.window if moment.now.mono - at < limit.within]
        counted = [at for at in old.window if moment.now.mono - at < limit.within]
        if recent != [*counted, moment.now.mono]:
            yield f"the restart of {name} at {moment.now.mono} is not counted: {counted} became {recent}"
        if len(recent) > limit.count:
            yield f"{name} was restarted {len(recent)} times in {limit.within} s"


def law_13(moment: Moment) -> Iterator[str]:
    """Every request is answered exactly once: what was open is still open or answered, and nothing else is."""
    world = moment.step.world
    due = [ticket.id for ticket in moment.before.tickets]
    if isinstance(moment.event, Requested):
        due.append(moment.event.request.ticket)
    answered = [effect.ticket for effect in moment.step.effects if isinstance(effect, Answer)]
    still = [ticket.id for ticket in world.tickets]
    if sorted(answered + still) != sorted(due):
        yield f"of the requests {due}, {answered} were answered and {still} are open"
    if world.exited and still:
        yield f"the world has ended and {still} are open"
    for effect in moment.step.effects:
        if isinstance(effect, Answer) and effect.outcome.verdict != "done" and not effect.outcome.code:
            yield f"{effect.ticket} was {effect.outcome.verdict} without a reason"


def law_14(moment: Moment) -> Iterator[str]:
    """No signal is sent to a reaped run, nor to a main process that core knows to be gone."""
    things = dict(moment.reality)
    for effect in moment.step.effects:
        if isinstance(effect, Spawn):
            there = things[effect.run.service]
            things[effect.run.service] = there._replace(
                **({"ordered": effect.index} if effect.role == "main" else {"undoing": True})
            )
        if not isinstance(effect, Signal):
            continue
        there = things[effect.run.service]
        if effect.run.number != moment.before.services[effect.run.service].run:
            yield f"{effect} is for a run that is not the present one"
        elif there.vacant and there.main != 2:
            yield f"{effect} is for a run of which nothing is left"
        elif effect.to == "main" and there.main == 0 and there.ordered < 0:
            yield f"{effect} is for a main process that is gone: {there}"


def law_of_probes(moment: Moment) -> Iterator[str]:
    """A probe is begun once and ended once, and none outlives the start it belongs to."""
    active = {name: there.probe for name, there in moment.reality.items()}
    for effect in moment.step.effects:
        if isinstance(effect, StartProbe | StopProbe):
            begins = isinstance(effect, StartProbe)
            if active[effect.run.service] == begins:
                yield f"{effect}, but it was {'begun' if begins else 'ended'} already"
            active[effect.run.service] = begins
    for name in moment.step.touched:
        state, spec = moment.step.world.services[name].state, moment.step.world.services[name].plan.spec
        probes = spec.ready is not None and spec.ready.after is None and spec.type != "oneshot"
        if active[name] != (probes and isinstance(state, Starting) and state.main == "live"):
            yield f"the probe of {name} is {'on' if active[name] else 'off'}: {state}"


def law_of_wishes(moment: Moment) -> Iterator[str]:
    """Who was to be stopped stays down, however it ends; and a mark that it shall start again does not outlive the stop."""
    for edge in moment.step.edges:
        old = moment.before.services[edge.service]
        wished = not old.needed or moment.before.shutdown is not None
        if edge.to in ("backoff", "failed") and edge.origin in ("starting", "running", "stopping") and wished:
            yield f"{edge.service} was to be stopped and is {edge.to}"
    for name in moment.step.touched:
        service = moment.step.world.services[name]
        unborn = isinstance(service.state, Starting | Running) and service.state.main == "requested"
        if unborn and moment.step.world.shutdown is not None:
            yield f"{name} is to be executed in a world that ends"
        if service.again and not isinstance(service.state, Starting | Running | Stopping | Done):
            yield f"{name} is {service.state} and marked with {service.again}"


def law_of_the_end(moment: Moment) -> Iterator[str]:
    """The end comes once: who is still waited for is counted right, the sweep is ordered when nobody is, and the last thing that
    is ordered is to leave."""
    before, world = moment.before, moment.step.world
    sweeps = sum(isinstance(effect, Sweep) for effect in moment.step.effects)
    exits = sum(isinstance(effect, ExitWorld) for effect in moment.step.effects)
    was_sweeping = before.shutdown is not None and before.shutdown.sweeping
    shut = world.shutdown
    if sweeps != (shut is not None and shut.sweeping and not was_sweeping):
        yield f"{sweeps} sweeps were ordered: {shut}"
    if exits != (world.exited and not before.exited):
        yield f"{exits} exits were ordered"
    if exits and not isinstance(moment.step.effects[-1], ExitWorld):
        yield "something was ordered after the exit"
    if shut is not None and not was_sweeping:
        left = sum(_waited_for(world, service) for service in world.services.values())
        if left != shut.left:
            yield f"{left} services are waited for, {shut.left} were counted"
        if not left and not shut.sweeping:
            yield "nobody is waited for, and nothing happens"


def _waited_for(world: World, service: Service) -> bool:
    match service.state:
        case Starting() | Running():
            return True
        case Stopping(stage=stage):
            return stage != "overdue"
        case Done(lingering=lingering):
            spec = service.plan.spec
            undo = spec.type == "oneshot" and spec.stop.command is not None
            return lingering or (undo and world.shutdown is not None and world.shutdown.degree == "ordered")
        case _:
            return False


def law_of_being_done(moment: Moment) -> Iterator[str]:
    """Where the world is to end when all is done, it goes on exactly as long as somebody is left who keeps it; the status says
    whether somebody failed."""
    before, world = moment.before, moment.step.world
    if not world.plan.system.exit_when_done or before.shutdown is not None:
        return
    left = [name for name, service in world.services.items() if not _has_done_its_part(service)]
    shut = world.shutdown
    if shut is None and len(left) != world.busy:
        yield f"{left} keep the world, {world.busy} were counted"
    if shut is None and not left:
        yield "nobody is left, and the world goes on"
    if shut is not None and left and not isinstance(moment.event, StopAsked | Broke | Requested):
        yield f"the world ends while {left} are left"
    if shut is not None and not left and isinstance(moment.event, Exited):
        failed = any(isinstance(service.state, Failed) for service in world.services.values())
        if failed and not shut.status:
            yield "somebody failed, and the status is 0"


def _has_done_its_part(service: Service) -> bool:
    if service.want == "down":
        return False  # the operator may start it again
    match service.state:
        case Waiting(trouble=trouble):
            return trouble
        case Inactive() | Done() | Failed():
            return not service.again
        case _:
            return False


def law_11(moment: Moment) -> Iterator[str]:
    """Every edge taken is in the table. (That every edge of the table is taken is seen over the whole exploration.)"""
    for edge in moment.step.edges:
        yield from illegal(edge)


def illegal(edge: Edge) -> Iterator[str]:
    if not table.legal(edge):
        yield f"{edge.service}: {edge.origin} → {edge.to} because of {edge.reason.code} is not in the table"


LAWS: tuple[Law, ...] = (
    law_1,
    law_2,
    law_3,
    law_4,
    law_6,
    law_7,
    law_9,
    law_11,
    law_13,
    law_14,
    law_of_probes,
    law_of_wishes,
    law_of_the_end,
    law_of_being_done,
)


def broken(moment: Moment) -> list[str]:
    """How this moment breaks the laws."""
    return [f"{law.__name__}: {complaint}" for law in LAWS for complaint in law(moment)]
