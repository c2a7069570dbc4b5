"""Are exactly those found who are left below us?"""

from __future__ import annotations

import os
import signal

import pytest

from supervisor.kernel import leftovers
from supervisor.kernel.prctl import set_child_subreaper
from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import state_of


def _sleeper(*, depth: int = 0) -> int:
    """A child that sleeps, above a chain of so many others."""
    pid = os.fork()
    if pid == 0:
        if depth:
            _sleeper(depth=depth - 1)
        signal.pause()
        os._exit(0)
    return pid


def _alive() -> list[int]:
    return [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) > 1 and state_of(int(n)) not in "Z"]


def _end_of(pid: int) -> int:
    """The signal that ended this child of ours."""
    return -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@isolated
def test_every_descendant_is_told_however_deep() -> None:
    set_child_subreaper()
    child = _sleeper(depth=5)
    eventually(lambda: len(_alive()) == 7)
    leftovers.signal_everybody(signal.SIGUSR1)
    assert _end_of(child) == signal.SIGUSR1
    ends = [_end_of(-1) for _ in range(5)]
    assert ends == [signal.SIGUSR1] * 5
    assert not leftovers.has_children()


@isolated
def test_who_loses_its_parent_while_we_look_is_told_too() -> None:
    set_child_subreaper()
    child = _sleeper(depth=1)
    eventually(lambda: len(_alive()) == 3)
    listed = leftovers._children

    def list_too_late(pid: int) -> list[int]:
        if pid == child:
            os.kill(child, signal.SIGKILL)
            eventually(lambda: len(listed(os.getpid())) == 2)
        return listed(pid)

    leftovers._children = list_too_late
    leftovers.signal_everybody(signal.SIGUSR1)
    assert sorted([_end_of(-1), _end_of(-1)]) == [signal.SIGKILL, signal.SIGUSR1]


@isolated
def test_somebody_who_is_not_ours_is_not_told() -> None:
    bystander = _sleeper()
    us = os.fork()
    if us == 0:
        _sleeper()
        leftovers.signal_everybody(signal.SIGKILL)
        os._exit(0)
    os.waitpid(us, 0)
    assert state_of(bystander) not in ("", "Z")


@isolated
def test_a_number_that_changed_hands_is_not_signalled() -> None:
    child = _sleeper()
    if (middle := os.fork()) == 0:
        # a child list that is out of date: what it names is a child of somebody else by now
        listed = leftovers._children
        leftovers._children = lambda pid: [*listed(pid), child]
        _sleeper()
        leftovers.signal_everybody(signal.SIGKILL)
        os._exit(0)
    os.waitpid(middle, 0)
    assert state_of(child) not in ("", "Z")


@isolated
def test_nobody_is_told_twice() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
        os.kill(os.getppid(), signal.SIGUSR1)
        signal.sigwait([signal.SIGRTMIN])
        os._exit(signal.SIGRTMIN in signal.sigpending())
    signal.sigwait([signal.SIGUSR1])
    leftovers.signal_everybody(signal.SIGRTMIN)  # real-time signals are counted, each of them
    assert os.waitpid(child, 0)[1] == 0


@isolated(pid1=True)
def test_as_pid_1_everybody_is_told_and_counted() -> None:
    assert not leftovers.somebody_else_lives()
    child = _sleeper(depth=2)
    eventually(lambda: len(_alive()) == 3)
    assert leftovers.somebody_else_lives()
    leftovers.signal_everybody(signal.SIGKILL)
    assert _end_of(child) == signal.SIGKILL


@isolated
def test_everybody_is_never_the_machine() -> None:
    with pytest.raises(AssertionError):
        leftovers._kill_all(0)


@isolated
def test_it_knows_whether_proc_is_its_own() -> None:
    assert leftovers.can_look()
    assert not leftovers.is_namespace_init()
