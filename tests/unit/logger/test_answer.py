"""Does whoever asks get the lines asked for, in order, and the truth about what is missing?"""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from supervisor.logger.answer import Answer, BadQuery, read_query
from supervisor.logger.guard import install
from supervisor.logger.ring import Ring
from tests.unit.logger.bench import put, ring

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def _guarded() -> Iterator[None]:
    before = signal.getsignal(signal.SIGVTALRM)
    install()
    yield
    signal.signal(signal.SIGVTALRM, before)


class Asker:
    """The other end of an answer's socket."""

    def __init__(self, *rings: Ring, **parameters: Any) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.setblocking(False)
        self._begun = b""
        self.woken = 0
        self.answer = Answer(read_query(parameters), theirs, rings, self._wake)

    def _wake(self, answer: Answer) -> None:
        self.woken += 1

    def turns(self) -> None:
        while self.answer.busy:
            self.answer.turn()

    def records(self, *, read_all: bool = True) -> list[dict[str, Any]]:
        """What has come since the last call."""
        found = []
        while True:
            self.turns()
            try:
                data = self.socket.recv(1 << 20)
            except BlockingIOError:
                break
            *lines, self._begun = (self._begun + data).split(b"\n")
            found += [json.loads(line) for line in lines]
            self.answer.full = False
            if not data or not read_all:
                break
        return found

    def lines(self) -> list[str]:
        return [record["line"] for record in self.records()]


def test_old_lines_of_several_services_are_merged_by_time() -> None:
    web, db = ring("web"), ring("db")
    put(web, b"1\n", wall=1 * SECOND)
    put(db, b"2\n", wall=2 * SECOND, stream=1, run=4)
    put(web, b"3\n", wall=3 * SECOND)
    asker = Asker(web, db)
    records = asker.records()
    assert [(record["service"], record["line"]) for record in records] == [("web", "1"), ("db", "2"), ("web", "3")]
    assert records[1] == {
        "at": "1970-01-01T00:00:02.000Z",
        "service": "db",
        "run": 4,
        "stream": "stderr",
        "line": "2",
    }
    assert asker.answer.over


def test_the_newest_lines_the_named_services_the_times_and_the_pattern_can_be_chosen() -> None:
    web, db = ring("web"), ring("db")
    for number in range(10):
        put(web, b"w%d\n" % number, wall=number * SECOND)
        put(db, b"d%d\n" % number, wall=number * SECOND)
    assert Asker(web, db, lines=3).lines() == ["d8", "w9", "d9"]
    assert Asker(web, db, lines=0).lines() == []
    assert Asker(web, db, services=["web"], lines=2).lines() == ["w8", "w9"]
    assert Asker(web, db, since=8).lines() == ["w8", "d8", "w9", "d9"]
    assert Asker(web, db, grep="[wd]3").lines() == ["w3", "d3"]
    assert Asker(web, db, grep="w[1-5]", lines=2, since=2).lines() == ["w4", "w5"]


def test_a_line_that_has_not_ended_is_shown_as_such_to_who_does_not_stay() -> None:
    web = ring()
    put(web, b"done\nname: ")
    assert [(record["line"], record.get("partial")) for record in Asker(web).records()] == [
        ("done", None),
        ("name: ", True),
    ]
    stays = Asker(web, follow=True)
    assert stays.lines() == ["done"]
    put(web, b"joe\n", flags=0)
    assert stays.lines() == ["name: joe"]


def test_who_stays_gets_the_new_lines_each_once() -> None:
    web, db = ring("web"), ring("db")
    put(web, b"old\n")
    first, second = Asker(web, db, follow=True), Asker(web, db, follow=True, lines=0, grep="new")
    assert first.lines() == ["old"]
    assert second.lines() == []
    put(web, b"new 1\nother\n")
    put(db, b"new 2\n")
    assert first.lines() == ["new 1", "other", "new 2"]
    assert second.lines() == ["new 1", "new 2"]
    assert not first.answer.over


def test_lines_that_come_while_the_old_ones_are_told_follow_them() -> None:
    web = ring()
    for number in range(200):
        put(web, b"%d\n" % number, wall=number)
    asker = Asker(web, follow=True)
    asker.answer.turn()
    put(web, b"200\n", wall=200)
    assert asker.lines() == [str(number) for number in range(201)]


def test_a_service_that_speaks_for_the_first_time_is_heard_by_who_stays() -> None:
    web, db = ring("web"), ring("db")
    stays, leaves = Asker(follow=True, services=["web"]), Asker(services=["web"])
    for asker in (stays, leaves):
        asker.answer.attach(db)
        asker.answer.attach(web)
    put(web, b"hello\n")
    put(db, b"not asked for\n")
    assert stays.lines() == ["hello"]
    assert leaves.lines() == []


def test_who_reads_too_slowly_is_told_how_much_is_missing() -> None:
    web = ring()
    asker = Asker(web, follow=True)
    total = 3000
    for number in range(total):
        put(web, b"%04d" % number + b"x" * 995 + b"\n")
        asker.turns()
    assert asker.answer.full
    records = asker.records()
    lost = sum(record.get("lost", 0) for record in records)
    numbers = [int(record["line"][:4]) for record in records if "line" in record]
    assert lost > 0
    assert lost + len(numbers) == total
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == total - 1


def test_who_is_too_slow_for_the_old_lines_is_told_too() -> None:
    web = ring()
    for number in range(250):
        put(web, b"%04d" % number + b"x" * 995 + b"\n")
    asker = Asker(web)
    asker.answer.turn()
    while not asker.answer.full:
        asker.answer.turn()
    for _ in range(500):
        put(web, b"y" * 999 + b"\n")
    records = asker.records()
    assert any(record.get("lost") for record in records)


def test_one_who_has_gone_is_noticed() -> None:
    web = ring()
    asker = Asker(web, follow=True)
    asker.socket.close()
    put(web, b"x\n")
    asker.turns()
    assert asker.answer.over
    asker.answer.close()
    assert web.readers == set()


def test_a_pattern_that_takes_for_ever_ends_the_answer_and_says_so() -> None:
    web = ring()
    put(web, b"a" * 40 + b"!\n")
    for follow in (False, True):
        records = Asker(web, grep="^(a+)+$", follow=follow).records()
        assert [record["error"]["code"] for record in records] == ["grep-too-slow"]


def test_a_ring_may_go_while_it_is_read() -> None:
    web, db = ring("web"), ring("db")
    for number in range(2000):
        put(web, b"%d\n" % number)
    put(db, b"stays\n", wall=5)
    asker = Asker(web, db)
    asker.answer.detach(web)
    assert asker.lines()[-1] == "stays"


@pytest.mark.parametrize(
    "parameters",
    [
        {"services": "web"},
        {"services": [1]},
        {"lines": -1},
        {"lines": "3"},
        {"since": "yesterday"},
        {"since": 1e300},
        {"grep": "("},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(BadQuery):
        read_query(parameters)


def test_what_is_missing_in_a_question_means_everything() -> None:
    query = read_query({"services": None, "lines": None, "since": None, "grep": None})
    assert query.wants("web")
    assert (query.lines, query.follow, query.since, query.grep) == (None, False, 0, None)
