"""Is an exit seen once, told whole, and never mistaken for another's?"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import supervisor.kernel.family as family
from supervisor.kernel import fds
from supervisor.kernel.glimpse import pss
from supervisor.kernel.pidfd import send
from supervisor.kernel.port import Born
from supervisor.kernel.prctl import set_dumpable, set_name, set_parent_death_signal
from supervisor.model.process import Exit
from supervisor.model.record import replace
from tests.isolation import isolated
from tests.linux.stage import RealStage, fill_descriptors


def _start(stage: RealStage, *words: str, tag: int = 0) -> Born:
    argv, executable = stage.actor(*words)
    born = stage.kernel.spawn(stage.order(argv, executable, tag=tag))
    assert isinstance(born, Born)
    return born


@isolated(pid1=True)
def test_a_number_that_is_used_again_is_never_taken_for_its_former_owner() -> None:
    stage = RealStage()
    kernel = stage.kernel
    old_tag, new_tag = kernel.new_tag(), kernel.new_tag()
    old = _start(stage, "exit:1", tag=old_tag)
    assert stage.until(kernel.peek)
    person = kernel.identify(old.pid)
    assert person is not None
    assert person.tag == old_tag

    _next_number(old.pid)
    between = _start(stage, "sleep")
    assert between.pid != old.pid  # a zombie keeps its number

    kernel.reap(old.pid, old.pidfd)
    _next_number(old.pid)
    new = _start(stage, "sleep", tag=new_tag)
    assert new.pid == old.pid

    assert not kernel.signal(old.pid, old.pidfd, signal.SIGKILL)
    assert kernel.open_person(person) == -1
    kernel.reap(old.pid, old.pidfd)
    successor = kernel.identify(new.pid)
    assert successor is not None
    assert (successor.tag, successor.state in "RSD") == (new_tag, True)
    assert kernel.peek() is None


def _next_number(pid: int) -> None:
    Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))


@isolated
def test_a_stranger_is_opened_only_as_the_one_that_was_seen() -> None:
    stage = RealStage()
    kernel = stage.kernel
    born = _start(stage, "child:sleep", "print:done", "sleep", tag=kernel.new_tag())
    stage.until(lambda: "done" in stage.printed())
    (person,) = (person for person in kernel.descendants() if person.pid != born.pid)
    pidfd = kernel.open_person(person)
    assert pidfd >= 0
    for changes in ({"start": person.start + 1}, {"tag": person.tag + 1}, {"ppid": 1}):
        assert kernel.open_person(replace(person, **changes)) == -1
    # its parent ends, it is ours now, and still the same
    kernel.signal(born.pid, born.pidfd, signal.SIGKILL)
    assert stage.until(kernel.peek)
    kernel.reap(born.pid, born.pidfd)
    assert kernel.open_person(person) >= 0


@isolated
def test_stops_and_continues_are_no_exits() -> None:
    stage = RealStage()
    kernel = stage.kernel
    born = _start(stage, "sleep")
    kernel.signal(born.pid, born.pidfd, signal.SIGSTOP)
    stage.until(lambda: (person := kernel.identify(born.pid)) is not None and person.state == "T")
    assert kernel.peek() is None
    kernel.reap(born.pid, born.pidfd)
    kernel.reap(born.pid)
    stop = os.waitid(os.P_PID, born.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    assert stop is not None  # still to be had by who wants it
    kernel.signal(born.pid, born.pidfd, signal.SIGCONT)
    assert kernel.peek() is None
    assert kernel.children() == (born.pid,)


@isolated
def test_a_storm_of_exits_is_told_one_by_one() -> None:
    stage = RealStage()
    kernel = stage.kernel
    born = {}
    for code in range(100):
        pid = os.posix_spawn("/bin/sh", ("sh", "-c", f"exit {code}"), os.environ)
        born[pid] = code
    seen: dict[int, int | None] = {}

    def all_seen() -> bool:
        while (zombie := kernel.peek()) is not None:
            assert zombie.pid not in seen
            seen[zombie.pid] = zombie.exit.code
            kernel.reap(zombie.pid, kernel.open_pidfd(zombie.pid))
        return len(seen) == 100

    stage.until(all_seen)
    assert seen == born


@isolated
def test_reaping_and_looking_work_when_every_descriptor_is_used() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    assert fds.raise_limit() == 100
    stage = RealStage(nofile=100)
    kernel = stage.kernel
    tag = kernel.new_tag()
    filled = fill_descriptors()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    born = _start(stage, "child:sleep", "exit:3", tag=tag)
    assert born.pidfd == -1
    zombie = stage.until(kernel.peek)
    assert zombie is not None
    assert zombie.exit == Exit(code=3)
    person = kernel.identify(born.pid)
    assert person is not None
    assert person.tag == tag
    kernel.reap(born.pid, born.pidfd)
    (orphan,) = kernel.children()
    assert [person.pid for person in kernel.descendants()] == [orphan]
    assert orphan in [person.pid for person in kernel.everybody()]
    assert kernel.glimpse(orphan) is not None
    (person,) = kernel.descendants()
    pidfd = kernel.open_person(person)
    assert pidfd >= 0
    assert kernel.signal(orphan, pidfd, signal.SIGKILL)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limit
    for fd in filled:
        os.close(fd)


@isolated
def test_no_signal_goes_to_more_than_one_process() -> None:
    bystander = os.fork()
    if bystander == 0:
        signal.pause()
    for pid in (0, -1, 1, -bystander):
        assert not send(pid, -1, signal.SIGTERM)
    assert send(bystander, -1, 0)


@isolated
def test_a_name_with_parentheses_and_spaces_is_no_riddle() -> None:
    stage = RealStage()
    pid = os.fork()
    if pid == 0:
        set_name("a) R (b\n1 2")
        signal.pause()
    stage.until(lambda: (seen := stage.kernel.identify(pid)) is not None and seen.comm == "a) R (b\n1 2")
    person = stage.kernel.identify(pid)
    assert person is not None
    assert (person.ppid, person.uid) == (os.getpid(), 0)
    assert person.pgid == os.getpgid(pid)
    assert person.sid == os.getsid(pid)


@isolated
def test_who_may_not_be_traced_still_has_its_user(tmp_path: Path) -> None:
    stage = RealStage()
    pid = os.fork()
    if pid == 0:
        set_dumpable(False)
        (tmp_path / "done").touch()
        signal.pause()
    stage.until((tmp_path / "done").exists)
    person = stage.kernel.identify(pid)
    assert person is not None
    assert person.uid == os.geteuid()


@isolated
def test_who_was_adopted_silently_is_among_the_children() -> None:
    stage = RealStage()
    kernel = stage.kernel
    tag = kernel.new_tag()
    born = _start(stage, "daemon:sleep", "print:done", "sleep", tag=tag)
    stage.until(lambda: "done" in stage.printed())
    assert kernel.peek() is None  # no exit tells of it
    (daemon,) = set(kernel.children()) - {born.pid}
    stage.until(lambda: (seen := kernel.identify(daemon)) is not None and seen.comm == "nobody")
    person = kernel.identify(daemon)
    assert person is not None
    assert person.tag == tag
    assert Path(f"/proc/{daemon}/environ").read_bytes() == b""


@isolated
def test_without_lists_of_children_parents_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = RealStage()
    kernel = stage.kernel
    born = _start(stage, "child:sleep", "print:done", "sleep")
    stage.until(lambda: "done" in stage.printed())
    expected = kernel.children(), sorted(kernel.descendants(), key=lambda person: person.pid)

    def no_lists(thread: str) -> bytes:
        raise family._NoLists

    monkeypatch.setattr(family, "_read_list", no_lists)
    assert (kernel.children(), sorted(kernel.descendants(), key=lambda person: person.pid)) == expected
    assert expected[0] == (born.pid,)
    assert len(expected[1]) == 2


@isolated
def test_children_of_every_thread_are_found() -> None:
    stage = RealStage()
    code = """
import os, threading, select
def fork():
    if os.fork() == 0:
        select.select([], [], [])
thread = threading.Thread(target=lambda: (fork(), os.write(1, b"forked\\n"), select.select([], [], [])))
thread.start()
"""
    born = stage.kernel.spawn(stage.python(code))
    assert isinstance(born, Born)
    stage.until(lambda: "forked" in stage.printed())
    assert len(stage.kernel.descendants()) == 2


@isolated
def test_a_thousand_children_are_all_found() -> None:
    stage = RealStage()
    born = set()
    for _ in range(1000):  # more numbers than one page of /proc holds
        child = stage.kernel.spawn(stage.order(("/bin/sleep", "1000")))
        assert isinstance(child, Born)
        born.add(child.pid)
    assert set(stage.kernel.children()) == born
    assert {person.pid for person in stage.kernel.descendants()} == born


@isolated
def test_everybody_is_all_but_ourselves() -> None:
    stage = RealStage()
    born = _start(stage, "sleep")
    assert {person.pid for person in stage.kernel.everybody()} == {1, born.pid}


@isolated
def test_of_who_is_in_a_known_session_neither_tag_nor_cgroup_is_read() -> None:
    stage = RealStage()
    born = _start(stage, "sleep", tag=1234)
    person = stage.kernel.identify(born.pid)
    assert person is not None
    assert person.tag == 1234
    briefly = stage.kernel.identify(born.pid, {born.pid})
    assert briefly == replace(person, tag=0, cgroup="", state=briefly.state)  # type: ignore[union-attr]


@isolated
def test_a_glimpse_measures_memory_and_time() -> None:
    stage = RealStage()
    kernel = stage.kernel
    burn = "x = bytearray(50 << 20)\nwhile True: pass"
    born = kernel.spawn(stage.python(burn))
    assert isinstance(born, Born)
    stage.until(lambda: (seen := kernel.glimpse(born.pid)) is not None and seen.cpu_seconds >= 0.1)
    seen = kernel.glimpse(born.pid)
    assert seen is not None
    assert 50 << 20 < seen.memory_bytes < 100 << 20
    assert 45 << 20 < (pss(born.pid) or 0) < 100 << 20
    assert seen.args[-1] == burn
    assert seen.state == "R"
    kernel.signal(born.pid, born.pidfd, signal.SIGKILL)
    assert stage.until(kernel.peek)
    assert not pss(born.pid)
    kernel.reap(born.pid, born.pidfd)
    assert pss(born.pid) is None


@isolated
def test_a_parents_death_is_told_by_the_signal_we_asked_for() -> None:
    stage = RealStage()
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            set_parent_death_signal(signal.SIGUSR1)
            os.write(stage.stdout, b"armed")
            signal.pause()
        signal.pause()
    stage.until(lambda: "armed" in stage.printed())
    os.kill(parent, signal.SIGKILL)

    def orphan_died_of_it() -> bool:
        while (zombie := stage.kernel.peek()) is not None:
            stage.kernel.reap(zombie.pid)
            if zombie.exit.signal == signal.SIGUSR1:
                return True
        return False

    stage.until(orphan_died_of_it)
