"""What must every kernel do, the real one and the fake? Stories against the `Kernel` protocol alone.

Who implements it supplies a `Stage` (the fixture `make_stage`) and runs every story of STORIES on a fresh one, in a world where it
is the reaper of orphans and has no children yet. Actors speak the language of tests/actor.py.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable
from typing import Protocol, TypeVar

from supervisor.kernel.port import Born, Kernel, Person, SpawnOrder, Zombie
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.record import replace

__all__ = ["STORIES", "Stage", "Story"]

_T = TypeVar("_T")


class Stage(Protocol):
    """What a story needs besides the kernel."""

    @property
    def kernel(self) -> Kernel: ...

    @property
    def stdout(self) -> int:
        """To be handed to actors as their stdout and stderr."""

    def actor(self, *words: str) -> tuple[tuple[str, ...], str]:
        """argv and executable of an actor that does these."""

    def until(self, predicate: Callable[[], _T]) -> _T:
        """Let time pass until this is true."""

    def printed(self) -> str:
        """All that actors have written so far."""


Story = Callable[[Stage], None]
STORIES: list[Story] = []


def _story(story: Story) -> Story:
    STORIES.append(story)
    return story


def _order(stage: Stage, *words: str) -> SpawnOrder:
    argv, executable = stage.actor(*words)
    return SpawnOrder(argv, executable, {"PATH": "/usr/bin:/bin"}, "/", stage.stdout, stage.stdout)


def _start(stage: Stage, *words: str, **changes: object) -> Born:
    born = stage.kernel.spawn(replace(_order(stage, *words), **changes))
    assert isinstance(born, Born), born
    if born.errors >= 0:
        assert stage.until(lambda: _executed(stage, born)) == "executed"
    return born


def _executed(stage: Stage, born: Born) -> str:
    try:
        failure = stage.kernel.spawn_error(born.errors)
    except BlockingIOError:
        return ""
    return "executed" if failure is None else repr(failure)


def _ended(stage: Stage, pid: int) -> Zombie:
    """Reap whoever ends until this one does; it is left unreaped."""

    def look() -> Zombie | None:
        while (zombie := stage.kernel.peek()) is not None:
            if zombie.pid == pid:
                return zombie
            stage.kernel.reap(zombie.pid)
        return None

    found = stage.until(look)
    assert found is not None
    return found


def _end(stage: Stage, born: Born) -> Exit:
    zombie = _ended(stage, born.pid)
    stage.kernel.reap(born.pid, born.pidfd)
    return zombie.exit


@_story
def an_exit_status_is_told(stage: Stage) -> None:
    assert _end(stage, _start(stage, "exit:0")) == Exit(code=0)
    assert _end(stage, _start(stage, "exit:3")) == Exit(code=3)


@_story
def a_deadly_signal_is_told(stage: Stage) -> None:
    how = _end(stage, _start(stage, "signal:KILL"))
    assert (how.code, how.signal) == (None, signal.SIGKILL)


@_story
def an_exit_is_seen_until_it_is_reaped_and_never_after(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "exit:5")
    first = stage.until(kernel.peek)
    assert first == Zombie(born.pid, Exit(code=5))
    assert kernel.peek() == first
    kernel.reap(born.pid, born.pidfd)
    assert kernel.peek() is None
    assert kernel.children() == ()


@_story
def reaping_works_without_a_pidfd(stage: Stage) -> None:
    born = _start(stage, "exit:0")
    assert stage.until(stage.kernel.peek)
    stage.kernel.reap(born.pid)
    assert stage.kernel.peek() is None


@_story
def who_runs_is_never_reaped(stage: Stage) -> None:
    born = _start(stage, "sleep")
    stage.kernel.reap(born.pid, born.pidfd)
    stage.kernel.reap(born.pid)
    assert stage.kernel.children() == (born.pid,)


@_story
def nobody_has_ended_where_nobody_was_born(stage: Stage) -> None:
    assert stage.kernel.peek() is None
    assert stage.kernel.children() == ()
    assert stage.kernel.descendants() == ()


@_story
def a_signal_reaches_its_process_by_pidfd_and_by_number(stage: Stage) -> None:
    kernel = stage.kernel
    by_pidfd, by_number = _start(stage, "sleep"), _start(stage, "sleep")
    assert by_pidfd.pidfd >= 0
    assert kernel.signal(by_pidfd.pid, by_pidfd.pidfd, signal.SIGTERM)
    assert _end(stage, by_pidfd).signal == signal.SIGTERM
    assert kernel.signal(by_number.pid, -1, signal.SIGKILL)
    assert _end(stage, by_number).signal == signal.SIGKILL


@_story
def a_signal_to_a_reaped_process_is_refused(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "exit:0")
    _ended(stage, born.pid)
    assert kernel.signal(born.pid, born.pidfd, signal.SIGTERM)  # a zombie still has its number
    kernel.reap(born.pid, born.pidfd)
    assert not kernel.signal(born.pid, born.pidfd, signal.SIGTERM)
    assert not kernel.signal(born.pid, -1, signal.SIGTERM)


@_story
def an_ignored_signal_changes_nothing_and_a_handled_one_does_as_said(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "ignore:TERM", "on:USR1=exit:7", "print:armed", "sleep")
    stage.until(lambda: "armed" in stage.printed())
    kernel.signal(born.pid, born.pidfd, signal.SIGTERM)
    kernel.signal(born.pid, born.pidfd, signal.SIGUSR1)
    assert _end(stage, born) == Exit(code=7)


@_story
def what_is_printed_arrives(stage: Stage) -> None:
    _end(stage, _start(stage, "print:hello there", "exit:0"))
    assert stage.printed() == "hello there\n"


@_story
def words_take_their_time(stage: Stage) -> None:
    born = _start(stage, "after:0.05", "exit:4")
    assert _end(stage, born) == Exit(code=4)


@_story
def a_program_that_is_not_there_is_a_failure_of_exec_both_ways(stage: Stage) -> None:
    for way in ("fast", "safe"):
        order = replace(_order(stage, "exit:0"), executable="/nowhere/at/all", way=way)
        born = stage.kernel.spawn(order)
        if isinstance(born, Born):
            failure = stage.until(lambda errors=born.errors: _failure(stage, errors))  # type: ignore[misc]
            _end(stage, born)
        else:
            failure = born
        assert failure == SpawnFailure("exec", errno.ENOENT, "/nowhere/at/all", text="No such file or directory")
    assert stage.kernel.children() == ()


def _failure(stage: Stage, errors: int) -> SpawnFailure | None:
    try:
        return stage.kernel.spawn_error(errors)
    except BlockingIOError:
        return None


@_story
def the_safe_way_tells_of_success_at_the_end_of_its_pipe(stage: Stage) -> None:
    born = stage.kernel.spawn(replace(_order(stage, "sleep"), way="safe"))
    assert isinstance(born, Born)
    assert born.errors >= 0
    try:
        early = stage.kernel.spawn_error(born.errors)
    except BlockingIOError:  # it was too early, and the pipe is still there
        assert stage.until(lambda: _executed(stage, born)) == "executed"
    else:
        assert early is None


@_story
def a_child_is_identified_before_and_after_its_death(stage: Stage) -> None:
    kernel = stage.kernel
    tag = kernel.new_tag()
    born = _start(stage, "print:alive", "sleep", tag=tag)
    stage.until(lambda: "alive" in stage.printed())
    living = kernel.identify(born.pid)
    assert living is not None
    assert (living.pid, living.pgid, living.sid, living.tag) == (born.pid, born.pid, born.pid, tag)
    kernel.signal(born.pid, born.pidfd, signal.SIGKILL)
    _ended(stage, born.pid)
    dead = kernel.identify(born.pid)
    assert dead == replace(living, state="Z")
    kernel.reap(born.pid, born.pidfd)
    assert kernel.identify(born.pid) is None


@_story
def tags_are_unique_until_they_are_freed(stage: Stage) -> None:
    kernel = stage.kernel
    tags = {kernel.new_tag() for _ in range(50)}
    assert len(tags) == 50
    assert 0 not in tags
    kernel.free_tag(min(tags))
    assert kernel.new_tag() not in tags - {min(tags)}


@_story
def a_daemon_is_adopted_and_known_by_its_tag(stage: Stage) -> None:
    kernel = stage.kernel
    tag = kernel.new_tag()
    born = _start(stage, "daemonize", "sleep", tag=tag)
    assert _end(stage, born) == Exit(code=0)
    (pid,) = kernel.children()
    daemon = kernel.identify(pid)
    assert daemon is not None
    assert daemon.tag == tag
    assert born.pid not in (daemon.pid, daemon.pgid, daemon.sid)
    pidfd = kernel.open_pidfd(pid)
    assert pidfd >= 0
    assert kernel.signal(pid, pidfd, signal.SIGTERM)
    zombie = _ended(stage, pid)
    assert zombie.exit.signal == signal.SIGTERM
    stranger = kernel.identify(pid)
    assert stranger is not None
    assert stranger.tag == tag
    kernel.reap(pid, pidfd)
    kernel.close(pidfd)
    assert kernel.children() == ()


@_story
def grandchildren_are_descendants_but_no_children(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "child:sleep", "print:ready", "sleep")
    stage.until(lambda: "ready" in stage.printed())
    assert kernel.children() == (born.pid,)
    people = {person.pid: person for person in kernel.descendants()}
    assert len(people) == 2
    (grandchild,) = (person for pid, person in people.items() if pid != born.pid)
    assert grandchild.ppid == born.pid
    assert grandchild.sid == born.pid
    assert {person.pid for person in kernel.everybody()} >= set(people)


@_story
def who_stands_below_some_is_found_without_the_others(stage: Stage) -> None:
    kernel = stage.kernel
    first = _start(stage, "child:child:sleep,sleep", "print:first", "sleep")
    second = _start(stage, "child:sleep", "print:second", "sleep")
    stage.until(lambda: "first" in stage.printed() and "second" in stage.printed())
    stage.until(lambda: len(kernel.descendants()) == 5)
    assert len(kernel.descendants([first.pid])) == 2
    assert [person.ppid for person in kernel.descendants([second.pid])] == [second.pid]
    assert len(kernel.descendants([first.pid, second.pid])) == 3
    (below,) = kernel.descendants([second.pid])
    assert kernel.descendants([below.pid]) == ()


@_story
def a_grandchild_becomes_ours_when_its_parent_ends(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "child:sleep", "exit:0")
    _end(stage, born)
    (orphan,) = stage.until(kernel.children)
    person = kernel.identify(orphan)
    assert person is not None
    assert person.sid == born.pid


@_story
def a_person_is_opened_only_while_it_is_that_one(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "sleep")
    (person,) = kernel.descendants()
    pidfd = kernel.open_person(person)
    assert pidfd >= 0
    assert kernel.open_person(replace(person, start=person.start + 1)) == -1
    assert kernel.signal(person.pid, pidfd, signal.SIGKILL)
    kernel.close(pidfd)
    _end(stage, born)
    assert kernel.open_person(person) == -1


@_story
def a_glimpse_shows_arguments_and_state(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "print:alive", "sleep")
    stage.until(lambda: "alive" in stage.printed())
    seen = kernel.glimpse(born.pid)
    assert seen is not None
    assert seen.pid == born.pid
    assert seen.args[-2:] == ("print:alive", "sleep")
    assert seen.ns_pids[-1] == born.pid
    assert seen.cpu_seconds >= 0
    assert seen.memory_bytes >= 0
    kernel.signal(born.pid, born.pidfd, signal.SIGKILL)
    _ended(stage, born.pid)
    zombie = kernel.glimpse(born.pid)
    assert zombie is not None
    assert (zombie.state, zombie.args) == ("Z", ())
    kernel.reap(born.pid, born.pidfd)
    assert kernel.glimpse(born.pid) is None


@_story
def a_census_counts_everybody_below_us_once(stage: Stage) -> None:
    kernel = stage.kernel
    first, second = _start(stage, "child:sleep", "sleep"), _start(stage, "sleep")
    stage.until(lambda: len(kernel.descendants()) == 3)
    census = {seen.pid: seen for seen in kernel.census()}
    assert {seen.pid: seen.ppid for seen in census.values()} == {one.pid: one.ppid for one in kernel.descendants()}
    assert len(kernel.census()) == 3
    assert {seen.ppid for seen in census.values()} == {first.pid, census[first.pid].ppid}
    assert all(seen.cpu_seconds >= 0 and seen.memory_bytes >= 0 for seen in census.values())
    kernel.signal(second.pid, second.pidfd, signal.SIGKILL)
    _ended(stage, second.pid)
    assert [seen.state for seen in kernel.census() if seen.pid == second.pid] == ["Z"]


@_story
def without_a_tree_of_ours_there_are_no_cgroups(stage: Stage) -> None:
    kernel = stage.kernel
    assert kernel.new_cgroup("web.1") == ""
    assert kernel.cgroup_members("") == ()
    assert not kernel.kill_cgroup("")
    kernel.remove_cgroup("")
    born = _start(stage, "sleep")
    person: Person | None = kernel.identify(born.pid)
    assert person is not None
    assert person.cgroup == ""


@_story
def a_closed_pidfd_leaves_the_number(stage: Stage) -> None:
    kernel = stage.kernel
    born = _start(stage, "sleep")
    kernel.close(born.pidfd)
    assert kernel.signal(born.pid, -1, signal.SIGTERM)
    _ended(stage, born.pid)
    kernel.reap(born.pid)
    assert kernel.children() == ()
