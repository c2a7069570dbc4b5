"""Are rings made, kept, handed on and given back as they should be?"""

from __future__ import annotations

import os
import socket

import pytest

from supervisor.logger.console import Console
from supervisor.logger.ring import Ring
from supervisor.logger.shelf import Shelf
from supervisor.logger.style import Style
from supervisor.model.words import RunId, ServiceName
from tests.unit.logger.bench import again, put, ring
from tests.unit.logger.test_console import Paper

WEB = ServiceName("web")
RUN = RunId(WEB, 1)


@pytest.fixture
def paper() -> Paper:
    return Paper(True)


@pytest.fixture
def shelf(paper: Paper) -> Shelf:
    return Shelf([Console(paper, Style(), 0, frozenset((0, 1)))])


def pump(shelf: Shelf) -> None:
    while shelf.busy or any(console.busy for console in shelf.consoles):
        shelf.turn()
        for console in shelf.consoles:
            console.pump()


def test_a_ring_that_pid_1_cannot_be_told_of_is_not_used(shelf: Shelf) -> None:
    shelf.announce = lambda ring: False
    with pytest.raises(BlockingIOError):
        shelf.ring_for(WEB)
    assert shelf.ring_of(WEB) is None
    shelf.say("nobody will know", 0)
    shelf.announce = lambda ring: True
    assert shelf.ring_for(WEB) is shelf.ring_for(WEB)


def test_an_inherited_ring_is_gone_on_with_and_a_broken_one_left_alone(shelf: Shelf, paper: Paper) -> None:
    old = ring()
    put(old, b"kept\n")
    shelf.inherit(WEB, os.dup(old.fd))
    broken = os.memfd_create("broken")
    os.write(broken, b"nonsense" * 100)
    shelf.inherit(ServiceName("db"), broken)
    pump(shelf)
    assert paper.lines == [b"web | kept"]
    assert shelf.ring_of(ServiceName("db")) is None
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(broken)


def test_a_forgotten_service_keeps_its_ring_until_it_is_written_out(shelf: Shelf, paper: Paper) -> None:
    here = shelf.ring_for(WEB)
    paper.space = 0
    put(here, b"farewell " * 20 + b"\n")
    pump(shelf)
    shelf.watch(RUN, "never")
    ours, theirs = socket.socketpair()
    assert shelf.ask({"follow": True}, theirs.detach())
    pump(shelf)
    shelf.forget(WEB)
    shelf.forget(WEB)
    assert shelf.ring_of(WEB) is None
    os.fstat(here.fd)
    paper.space = 1 << 40
    shelf.consoles[0].wake()
    pump(shelf)
    assert paper.lines == [b"web | " + b"farewell " * 20]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(here.fd)
    assert here.readers == set()
    ours.close()


def test_a_pattern_that_is_none_is_said_and_nobody_waits_for_it(shelf: Shelf, paper: Paper) -> None:
    shelf.watch(RUN, "(")
    pump(shelf)
    assert paper.lines[0].startswith(b"pidone | web: ready.log cannot be used as a regular expression: ")


def test_a_watch_set_before_the_first_line_sees_it(shelf: Shelf) -> None:
    matched: list[RunId] = []
    shelf.on_match = matched.append
    shelf.watch(RUN, "ready")
    shelf.watch(RunId(WEB, 2), "ready")
    shelf.watch(RunId(ServiceName("db"), 1), "ready")
    put(shelf.ring_for(WEB), b"ready\n")
    pump(shelf)
    assert matched == [RUN]


def test_our_own_messages_never_wait_and_the_oldest_give_way(shelf: Shelf, paper: Paper) -> None:
    paper.space = 0
    for number in range(600):
        shelf.say(f"{number} " + "x" * 1000, 0)
        for console in shelf.consoles:
            console.pump()
    here = shelf.ring_of(ServiceName("pidone"))
    assert here is not None
    assert here.end - here.oldest < 400_000
    paper.space = 1 << 40
    shelf.consoles[0].wake()
    pump(shelf)
    assert paper.lines[-1].startswith(b"pidone | 599 ")
    assert any(b"lines of pidone are not shown" in line for line in paper.lines)


def test_who_asks_nonsense_and_leaves_is_no_trouble(shelf: Shelf) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    assert shelf.ask({"lines": "many"}, theirs.detach()) is None


def test_a_ring_of_another_make_is_a_ring(shelf: Shelf) -> None:
    here = ring()
    put(here, b"x\n")
    copy = again(here)
    assert isinstance(copy, Ring)
    assert copy.end == here.end
