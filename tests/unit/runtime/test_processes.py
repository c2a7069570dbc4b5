"""Does the table know whose each process is, by what is hardest to shed first?"""

from __future__ import annotations

import errno
from collections.abc import Container

from supervisor.kernel.port import Born, Person, SpawnOrder
from supervisor.model.process import Exit
from supervisor.model.words import RunId, ServiceName, Wall
from supervisor.runtime.crowd import Crowd
from supervisor.runtime.processes import Process, Processes
from tests.fakes.kernel import ACTOR, FakeKernel

WEB, DB = RunId(ServiceName("web"), 1), RunId(ServiceName("db"), 1)


class _Table(Processes):
    """A table that can start things."""

    def __init__(self, tree: str = "") -> None:
        self.kernel = FakeKernel(tree=tree)
        super().__init__(self.kernel)

    def start(self, run: RunId, *words: str) -> Process:
        self.expect(run)
        entry = self.begin(run, Wall(0.0))
        order = SpawnOrder((ACTOR, *words), ACTOR, {}, "/", 3, 3, tag=entry.tag, cgroup=entry.cgroup)
        born = self.kernel.spawn(order)
        assert isinstance(born, Born)
        return self.born(run, "main", born)

    def person(self, **facts: object) -> Person:
        known = {"pid": 9, "ppid": 1, "comm": "x", "state": "S", "pgid": 9, "sid": 9, "uid": 0, "tag": 0, "cgroup": ""}
        return Person(**{**known, "start": 1, **facts})  # type: ignore[arg-type]


def test_a_stranger_is_known_by_a_living_leaders_session_then_by_its_cgroup_then_its_tag() -> None:
    table = _Table(tree="/cg")
    web, db = table.start(WEB, "sleep"), table.start(DB, "sleep")
    marks = {run: table.of(run) for run in (WEB, DB)}
    cgroup, tag = marks[WEB].cgroup, marks[DB].tag  # type: ignore[union-attr]
    assert table.attribute(table.person(cgroup=cgroup, tag=tag)) == (WEB, "cgroup")
    assert table.attribute(table.person(cgroup=f"{cgroup}/below", tag=tag)) == (WEB, "cgroup")
    assert table.attribute(table.person(cgroup="/cg/another", tag=tag)) == (DB, "tag")
    assert table.attribute(table.person(cgroup=cgroup, tag=tag, sid=db.pid)) == (DB, "session")  # nobody can enter it
    assert table.attribute(table.person(sid=db.pid)) == (DB, "session")
    assert table.attribute(table.person(pgid=web.pid)) == (WEB, "session")
    assert table.attribute(table.person(tag=17)) == (None, "")


def test_a_session_whose_leader_is_gone_proves_less_than_a_tag() -> None:
    """Its number may be another's by now: a daemon's that has it anew, and leads a session."""
    table = _Table()
    web, db = table.start(WEB, "sleep"), table.start(DB, "sleep")
    tag = table.of(DB).tag  # type: ignore[union-attr]
    table.gone(web)
    assert table.attribute(table.person(sid=web.pid, tag=tag)) == (DB, "tag")
    assert table.attribute(table.person(sid=web.pid)) == (WEB, "session")  # nothing else is known of him
    table.disown(db)
    assert table.attribute(table.person(sid=db.pid, tag=0)) == (DB, "session")
    table.release(DB)
    assert table.attribute(table.person(sid=db.pid)) == (None, "")


def test_what_a_session_tells_is_not_read() -> None:
    asked: list[Container[int]] = []
    table = _Table()
    web = table.start(WEB, "sleep")
    identify = table.kernel.identify

    def noted(pid: int, sessions: Container[int] = ()) -> Person | None:
        asked.append(sessions)
        return identify(pid)

    table.kernel.identify = noted  # type: ignore[method-assign]
    table.adopt_dead(77)
    (sessions,) = asked
    assert web.pid in sessions
    table.gone(web)
    assert web.pid not in sessions


def test_who_is_over_has_no_marks_any_more_and_who_was_released_keeps_them() -> None:
    """Else there would be none left after some hundred thousand runs; but a released one's processes still carry theirs."""
    table = _Table(tree="/cg")
    table.start(WEB, "exit:0")
    table.start(DB, "sleep")
    web, db = table.of(WEB), table.of(DB)
    assert web is not None
    assert db is not None
    assert table.kernel.marks() == {web.tag, web.cgroup, db.tag, db.cgroup}
    table.forget(web)
    table.release(DB)
    assert table.kernel.marks() == {db.tag, db.cgroup}
    assert table.attribute(table.person(tag=web.tag)) == table.attribute(table.person(tag=db.tag)) == (None, "")


def test_the_session_of_a_member_is_the_runs_too() -> None:
    """A daemon's child that has changed its limits is still in the daemon's session."""
    table = _Table()
    table.start(WEB, "daemonize", "sleep")
    (daemon,), complete = table.scan()
    assert complete
    assert (daemon.kind, daemon.run, daemon.rule) == ("member", WEB, "tag")
    person = table.kernel.identify(daemon.pid)
    assert person is not None
    assert table.attribute(table.person(sid=person.sid)) == (WEB, "session")


def test_a_look_takes_no_more_than_it_may_and_says_so() -> None:
    table = _Table()
    table.start(WEB, *["daemon:sleep"] * 5, "sleep")
    found, complete = table.scan(3)
    assert (len(found), complete) == (3, False)
    found, complete = table.scan(3)
    assert (len(found), complete) == (2, True)
    assert table.adopted == 5


def test_a_look_that_fails_proves_nothing() -> None:
    table = _Table()
    table.start(WEB, "sleep")

    def fails() -> tuple[int, ...]:
        raise OSError(errno.EMFILE, "full")

    table.kernel.children = fails  # type: ignore[method-assign]
    assert table.scan() == ([], False)


def test_a_zombie_that_cannot_be_identified_is_still_an_entry() -> None:
    table = _Table()

    def fails(pid: int, sessions: Container[int]) -> Person | None:
        raise OSError(errno.ENOMEM, "no memory")

    table.kernel.identify = fails  # type: ignore[method-assign]
    stranger = table.adopt_dead(77)
    assert (stranger.kind, stranger.pidfd) == ("orphan", -1)
    assert table.find(77) is stranger


def test_a_run_is_vacant_when_its_own_its_members_and_its_orders_are_gone() -> None:
    table = _Table()
    main = table.start(WEB, "daemon:sleep", "sleep")
    entry = table.of(WEB)
    assert entry is not None
    (member,), _ = table.scan()
    table.expect(WEB)
    table.gone(main)
    table.gone(member)
    assert not entry.vacant  # another process of it is about to be started
    table.abandon(WEB)
    assert entry.vacant
    table.forget(entry)
    assert table.of(WEB) is None
    assert table.attribute(table.person(tag=entry.tag, sid=main.pid)) == (None, "")


def test_what_is_released_is_nobodys_and_so_is_what_it_leaves() -> None:
    table = _Table()
    main = table.start(WEB, "daemon:sleep", "sleep")
    (member,), _ = table.scan()
    entry = table.of(WEB)
    assert entry is not None
    table.gone(main)
    table.release(WEB)
    table.release(WEB)  # once more is harmless
    assert (member.kind, member.run) == ("orphan", None)
    assert table.attribute(table.person(tag=entry.tag)) == (None, "")
    assert entry.tag != table.kernel.new_tag()  # its mark is not given to anybody else
    table.gone(member)
    assert (table.adopted, table.reaped) == (1, 1)


def test_a_helper_is_nobodys_service() -> None:
    table = _Table()
    said: list[Exit] = []
    born = table.kernel.spawn(SpawnOrder((ACTOR, "child:sleep", "sleep"), ACTOR, {}, "/", 3, 3))
    assert isinstance(born, Born)
    helper = table.help(born, said.append)
    crowd = Crowd(table.kernel.descendants(), table)
    assert {crowd.place(person) for person in crowd.people} == {(None, "helper")}
    table.gone(helper)
    assert table.adopted == 0


def test_a_crowd_is_sorted_by_who_stands_below_whom() -> None:
    table = _Table()
    main = table.start(WEB, "child:child:sleep,sleep", "daemon:sleep", "sleep")
    table.scan()
    stranger = table.kernel.enter("sleep")
    crowd = Crowd(table.kernel.everybody(), table)
    assert crowd.of_run(WEB)[0].pid == main.pid
    assert len(crowd.of_run(WEB)) == 4
    assert crowd.main_of(WEB) == main.pid
    assert crowd.of_run(DB) == []
    places = {person.pid: crowd.place(person) for person in crowd.people}
    assert places[main.pid] == ("web", "main")
    assert places[stranger] == (None, "orphan")
    assert sorted(role for _, role in places.values()) == ["main", "member", "member", "member", "orphan"]
