"""Whom does a signal reach?"""

from __future__ import annotations

import signal
from collections.abc import Collection

from supervisor.kernel.port import Born, Person, SpawnOrder
from supervisor.model.effect import Signal
from supervisor.model.words import RunId, ServiceName, Wall
from supervisor.runtime.processes import Processes, RunProcesses
from supervisor.runtime.reach import Reach, below, families
from tests.fakes.kernel import ACTOR, FakeKernel

WEB = RunId(ServiceName("web"), 1)


def _person(pid: int, ppid: int) -> Person:
    return Person(pid, ppid, "x", "S", pid, pid, 0, 0, "", pid)


def _world(*words: str, tree: str = "") -> tuple[FakeKernel, Reach, RunProcesses]:
    kernel = FakeKernel(tree=tree)
    table = Processes(kernel)
    table.expect(WEB)
    entry = table.begin(WEB, Wall(0.0))
    born = kernel.spawn(SpawnOrder((ACTOR, *words), ACTOR, {}, "/", 3, 3, tag=entry.tag, cgroup=entry.cgroup))
    assert isinstance(born, Born)
    table.born(WEB, "main", born)
    return kernel, Reach(kernel, table), entry


def test_below_means_at_any_depth_but_not_the_roots() -> None:
    people = [_person(2, 1), _person(3, 2), _person(4, 3), _person(5, 1), _person(6, 5)]
    assert {person.pid for person in below([2], families(people))} == {3, 4}


def test_a_look_that_shows_a_circle_ends() -> None:
    """Somebody moved while we looked."""
    assert {person.pid for person in below([2], families([_person(3, 2), _person(2, 3)]))} == {3}


def test_a_signal_for_the_main_process_is_for_it_alone() -> None:
    kernel, reach, entry = _world("child:sleep", "daemon:sleep", "sleep")
    reach.order(Signal(WEB, signal.SIGTERM, "main"))
    reach.flush()
    assert len(kernel.alive()) == 2
    assert entry.own["main"].pid not in kernel.alive()


def test_a_signal_for_all_is_for_children_and_daemons_too() -> None:
    kernel, reach, _ = _world("child:child:sleep,sleep", "daemon:sleep", "sleep")
    reach.order(Signal(WEB, signal.SIGTERM, "all"))
    reach.order(Signal(WEB, signal.SIGCONT, "all"))
    reach.flush()
    assert kernel.alive() == []


def test_whoever_else_is_there_is_not_touched() -> None:
    kernel, reach, _ = _world("sleep")
    stranger = kernel.enter("child:sleep", "sleep")
    reach.order(Signal(WEB, signal.SIGKILL, "all"))
    reach.flush()
    assert stranger in kernel.alive()
    assert len(kernel.alive()) == 2


def test_a_signal_for_a_run_that_is_over_is_for_nobody() -> None:
    kernel, reach, _ = _world("sleep")
    reach.order(Signal(RunId(WEB.service, 2), signal.SIGKILL, "all"))
    reach.order(Signal(RunId(WEB.service, 2), signal.SIGKILL, "main"))
    reach.flush()
    assert len(kernel.alive()) == 1


def test_with_a_cgroup_it_is_killed_at_once() -> None:
    kernel, reach, entry = _world("child:sleep", "sleep", tree="/cg")
    kernel.descendants = lambda of=(): ()  # type: ignore[method-assign]  # nobody need be found
    assert len(kernel.cgroup_members(entry.cgroup)) == 2
    reach.order(Signal(WEB, signal.SIGKILL, "all"))
    reach.flush()
    assert kernel.alive() == []


def test_what_forks_while_it_is_killed_is_stopped_first_and_then_killed() -> None:
    """At each of the first looks somebody new is there."""
    kernel, reach, entry = _world("sleep")
    look, looks = kernel.descendants, 0

    def teeming(of: Collection[int] = ()) -> tuple[Person, ...]:
        nonlocal looks
        looks += 1
        if looks < 5:
            kernel.spawn(SpawnOrder((ACTOR, "sleep"), ACTOR, {}, "/", 3, 3, tag=entry.tag))
        return look(of)

    kernel.descendants = teeming  # type: ignore[method-assign]
    reach.order(Signal(WEB, signal.SIGKILL, "all"))
    reach.flush()
    assert looks >= 5
    assert kernel.alive() == []
    assert not reach.unsettled


def test_what_does_not_stop_forking_is_tried_again_later() -> None:
    kernel, reach, entry = _world("sleep")
    look, teems = kernel.descendants, True

    def teeming(of: Collection[int] = ()) -> tuple[Person, ...]:
        if teems:
            kernel.spawn(SpawnOrder((ACTOR, "sleep"), ACTOR, {}, "/", 3, 3, tag=entry.tag))
        return look(of)

    kernel.descendants = teeming  # type: ignore[method-assign]
    reach.order(Signal(WEB, signal.SIGKILL, "all"))
    reach.flush()
    assert list(reach.unsettled) == [WEB]
    teems = False
    reach.retry()
    assert kernel.alive() == []
    assert not reach.unsettled
