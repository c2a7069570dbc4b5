"""Do the laws hold in worlds too large to be searched? Hypothesis draws a graph of four to six services and a list of what
happens; every step is held to the laws, and where the list ends everything must come to rest.

Always the same examples: a failure here is a failure everywhere. `HYPOTHESIS_PROFILE=search` looks for new ones.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from supervisor.core.graph import problems
from supervisor.core.step import empty_world, step
from supervisor.model.event import Broke, Event, Overslept, PlanAccepted, Requested, StopAsked
from supervisor.model.plan import Plan
from supervisor.model.record import replace
from supervisor.model.request import KillRequest, RestartRequest, ShutdownRequest, StartRequest, StopRequest
from supervisor.model.spec import DependencySpec, RestartLimitSpec, RestartSpec, ServiceSpec, StopSpec
from supervisor.model.words import Seconds, ServiceName, TicketId
from supervisor.model.world import World
from tests.laws import worlds
from tests.laws.drives import Drives
from tests.laws.place import Place, through
from tests.laws.reality import Happening, at, follow, happenings, nothing
from tests.laws.scenarios import ROUGH
from tests.laws.specs import AFTER, TCP, job, plan, simple

settings.register_profile("always-the-same", derandomize=True, database=None, max_examples=120, deadline=None)
settings.register_profile("search", database=None, max_examples=5000, deadline=None)
_PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "always-the-same"))

_NAMES = ("a", "b", "c", "d", "e", "f")

_restarts = st.builds(
    RestartSpec,
    policy=st.sampled_from(["always", "on-failure", "on-abnormal", "never"]),
    limit=st.none() | st.builds(RestartLimitSpec, st.integers(1, 2), st.sampled_from([Seconds(1.0), Seconds(100.0)])),
    reset_after=st.sampled_from([Seconds(0.0), Seconds(60.0)]),
)
_stops = st.builds(
    StopSpec,
    timeout=st.sampled_from([Seconds(0.0), Seconds(1.0), Seconds(10.0), Seconds(60.0)]),
    scope=st.sampled_from(["main", "all", "main-only"]),
    command=st.none() | st.just(("s",)),
    kill=st.sampled_from([True, True, False]),
)
_edges = st.builds(
    DependencySpec,
    st.sampled_from(["started", "ready", "completed", "ended"]),
    required=st.booleans(),
    restart=st.booleans(),
)
_timeouts = st.none() | st.just(Seconds(30.0))


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    """Services in which each may depend on, or come after, earlier ones."""
    specs: dict[str, ServiceSpec] = {}
    for name in _NAMES[: draw(st.integers(4, 6))]:
        earlier = [other for other in specs if draw(st.integers(0, 2)) == 0]
        needed = {ServiceName(other): draw(_edges) for other in earlier if draw(st.booleans())}
        after = tuple(other for other in earlier if other not in needed)
        keys: dict[str, Any] = {  # Any: as a caller writes them
            "depends_on": {other: _possible(specs[other], edge) for other, edge in needed.items()},
            "after": after,
            "enabled": draw(st.integers(0, 3)) > 0,
            "restart": draw(_restarts),
            "stop": draw(_stops),
            "start_timeout": draw(_timeouts),
        }
        if draw(st.integers(0, 2)) == 0:
            if keys["restart"].policy == "always":  # such a job never comes to rest
                keys["restart"] = replace(keys["restart"], policy="on-failure")
            specs[name] = job(command=draw(st.sampled_from([(("x",),), (("x",), ("y",))])), **keys)
        else:
            specs[name] = simple(ready=draw(st.sampled_from([None, TCP, AFTER])), **keys)
    return plan(**specs)


def _possible(spec: ServiceSpec, edge: DependencySpec) -> DependencySpec:
    """`completed` and `ended` mean something only for what can end; the loader refuses the rest."""
    ends = problems(plan(a=spec, b=simple(depends_on={ServiceName("a"): edge})))
    return DependencySpec("ready", edge.required, edge.restart) if ends else edge


@settings(_PROFILE, suppress_health_check=[HealthCheck.too_slow])
@given(_plans(), st.lists(st.integers(0, 2**16), min_size=30, max_size=90), st.sampled_from([0.0, 2.0, 8.0, 90.0]))
def test_the_laws_hold_whatever_happens(plan: Plan, choices: list[int], shutdown_timeout: float) -> None:
    now = at(1000.0)
    done = step(empty_world(7), PlanAccepted(plan, Seconds(shutdown_timeout)), now)
    place = Place(done.world, follow(nothing(done.world), done), now)
    for turn, choice in enumerate(choices):
        place = _go(place, choice, turn)
    _comes_to_rest(place)


def _go(place: Place, choice: int, turn: int) -> Place:
    """One of the things that may happen: mostly by itself, sometimes because somebody wishes it; 0 is nothing."""
    if not choice:
        return place
    possible = [*happenings(place.world, place.reality, place.now, ROUGH)]
    wish = choice % 4 == 0 or not possible
    if wish and not place.world.exited:
        event = _wish(place.world, choice // 4, turn)
        happening = Happening(event, place.now, place.reality, "wish")
    elif possible:
        happening = possible[choice // 4 % len(possible)]
    else:
        return place
    note(f"{happening.now.mono}: {happening.event} {happening.also or ''}")
    following, _, broken = through(place, happening)
    broken += worlds.law_8(following.world, following.now)
    broken += worlds.law_5(following.world, following.now, turn)
    assert not broken, "\n".join(broken)
    return following


def _wish(world: World, choice: int, turn: int) -> Event:
    """Something that people, or the machine, may want."""
    names = tuple(name for place, name in enumerate(world.services) if choice >> 6 >> place & 1)
    ticket = TicketId(turn + 1)
    match choice % 64:
        case 0:
            return StopAsked("SIGTERM", count=1 + choice % 3)
        case 1:
            return StopAsked("SIGQUIT", fast=True)
        case 2:
            return Requested(ShutdownRequest(ticket))
        case 3:
            return Broke("a bug")
        case number if number < 8:
            return Overslept(Seconds(5.0))
        case number if number < 24:
            return Requested(StartRequest(ticket, names))
        case number if number < 40:
            return Requested(StopRequest(ticket, names, dependents=bool(choice % 3)))
        case number if number < 56:
            return Requested(RestartRequest(ticket, names))
        case _:
            return Requested(KillRequest(ticket, names[:1], 15, main_only=bool(choice % 2)))


def _comes_to_rest(place: Place) -> None:
    drives = Drives(ROUGH)
    problems = [*worlds.law_12(place.world, StopAsked("SIGTERM"), place.now), *drives.problems(place)]
    if not place.world.exited:
        ending, _, broken = through(place, Happening(StopAsked("SIGTERM"), place.now, place.reality, "wish"))
        problems += [*broken, *drives.problems(ending)]
    assert not problems, "\n".join(problems)
