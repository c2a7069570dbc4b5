"""Is everything taken from the pipes, in turn, and only when there is a place for it?"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from supervisor.logger.intake import Intake
from supervisor.logger.ring import KEEP, Ring
from supervisor.model.words import RunId, ServiceName
from tests.unit.logger.bench import again, listen, ring, texts

WEB, DB = RunId(ServiceName("web"), 1), RunId(ServiceName("db"), 1)


class Shelf:
    """Rings for everybody, unless there are none to be had."""

    def __init__(self) -> None:
        self.rings: dict[ServiceName, Ring] = {}
        self.bare = False
        self.told: list[tuple[int, bool]] = []

    def ring_for(self, service: ServiceName) -> Ring:
        if service not in self.rings:
            if self.bare:
                raise OSError(24, "no more files")
            self.rings[service] = ring(service)
        return self.rings[service]

    def ring_of(self, service: ServiceName) -> Ring | None:
        return self.rings.get(service)

    def drained(self, channel: int, closed: bool) -> None:
        self.told.append((channel, closed))


class Plumbing:
    """An intake with pipes, by channel."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.intake = Intake(self.shelf)
        self.ends: dict[int, int] = {}
        self.outs: dict[int, int] = {}

    def pipe(self, channel: int, run: RunId = WEB, stream: int = 0) -> int:
        self.outs[channel], self.ends[channel] = os.pipe()
        os.set_blocking(self.ends[channel], False)  # a test that is wrong fails, and does not hang
        self.intake.add(channel, run, stream, self.outs[channel])
        return self.ends[channel]

    def close(self, channel: int) -> None:
        os.close(self.ends.pop(channel))

    def all_of(self, run: RunId) -> list[bytes]:
        return texts(listen(self.shelf.rings[run.service]))


@pytest.fixture
def plumbing() -> Iterator[Plumbing]:
    made = Plumbing()
    yield made
    for channel in tuple(made.ends):
        made.close(channel)
    made.intake.end_all()


def test_each_pipe_gets_one_read_per_turn(plumbing: Plumbing) -> None:
    web, db = plumbing.pipe(1), plumbing.pipe(2, DB)
    os.write(web, b"x" * 65535 + b"\n")
    os.write(db, b"one\n")
    most, again = plumbing.intake.turn()
    assert (most, again) == (65536, True)
    assert plumbing.all_of(DB) == [b"one"]
    assert plumbing.intake.turn() == (0, False)


def test_the_end_of_a_line_is_no_line_for_who_begins_to_read_there(plumbing: Plumbing) -> None:
    """As the oldest of a ring, it would be one that nobody has written."""
    web = plumbing.pipe(1)
    os.write(web, b"0015")
    plumbing.intake.turn()
    middle = plumbing.shelf.rings[WEB.service].end
    os.write(web, b"3345\nnext\n")
    plumbing.intake.turn()
    assert plumbing.all_of(WEB) == [b"00153345", b"next"]
    assert texts(listen(plumbing.shelf.rings[WEB.service], middle)) == [b"next"]


def test_nor_is_it_one_when_the_line_was_begun_under_a_predecessor(plumbing: Plumbing) -> None:
    web = plumbing.pipe(1)
    os.write(web, b"0015")
    plumbing.intake.turn()
    heir = Plumbing()
    old = plumbing.shelf.rings[WEB.service]
    heir.shelf.rings[WEB.service] = again(old)
    heir.intake.add(1, WEB, 0, os.dup(plumbing.outs[1]))
    os.write(web, b"3345\nnext\n")
    heir.intake.turn()
    assert heir.all_of(WEB) == [b"00153345", b"next"]
    assert texts(listen(heir.shelf.rings[WEB.service], old.end)) == [b"next"]


def test_an_end_is_told_once_with_what_was_written_before(plumbing: Plumbing) -> None:
    web = plumbing.pipe(1)
    os.write(web, b"last words")
    plumbing.close(1)
    plumbing.intake.turn()
    plumbing.intake.turn()
    assert plumbing.shelf.told == [(1, True)]
    assert plumbing.all_of(WEB) == [b"last words"]
    assert not plumbing.intake.knows(1)
    plumbing.intake.end(WEB)
    assert plumbing.shelf.told == [(1, True)]


def test_the_end_of_a_run_drains_its_pipes_at_once_whoever_holds_them(plumbing: Plumbing) -> None:
    held = plumbing.pipe(1)
    gone = plumbing.pipe(2, stream=1)
    os.write(held, b"held")
    os.write(gone, b"gone")
    plumbing.close(2)
    plumbing.intake.end(WEB)
    assert plumbing.shelf.told == [(1, False), (2, True)]
    assert sorted(plumbing.all_of(WEB)) == [b"gone", b"held"]
    assert plumbing.intake.empty
    os.write(held, b"later\n")
    plumbing.intake.turn()
    assert plumbing.all_of(WEB)[-1] == b"later"
    plumbing.close(1)
    plumbing.intake.turn()
    assert plumbing.shelf.told[-1] == (1, True)


def test_a_pipe_whose_ring_has_no_room_is_left_alone_until_there_is_some(plumbing: Plumbing) -> None:
    web, other = plumbing.pipe(1), plumbing.pipe(2, DB)
    here = plumbing.shelf.ring_for(WEB.service)
    reader = listen(here, held=here.oldest)
    for _ in range(6):
        os.write(web, b"x" * 65535 + b"\n")
        plumbing.intake.turn()
        if here.room < 4096:
            break
    assert here.end - here.oldest <= KEEP
    assert plumbing.intake.turn() == (0, False)
    os.write(other, b"is not held up\n")
    plumbing.intake.turn()
    assert plumbing.all_of(DB) == [b"is not held up"]
    plumbing.intake.end(WEB)
    assert plumbing.shelf.told == []
    assert not plumbing.intake.empty
    reader.held = here.end
    plumbing.intake.room_made(here)
    assert plumbing.shelf.told == [(1, False)]
    assert not plumbing.intake.empty  # the other one's run is not over
    plumbing.intake.end(DB)
    assert plumbing.intake.empty


def test_in_a_hurry_room_is_made_by_force(plumbing: Plumbing) -> None:
    web = plumbing.pipe(1)
    here = plumbing.shelf.ring_for(WEB.service)
    reader = listen(here, held=here.oldest)
    for number in range(20):
        os.write(web, b"%02d" % number + b"x" * 65533 + b"\n")
        plumbing.intake.turn()
        if number == 3:
            plumbing.intake.hurry()
            plumbing.intake.turn()
    assert reader.lost + len(texts(reader)) == 20
    assert reader.lost > 0


def test_without_descriptors_nothing_is_lost_and_it_is_tried_again(plumbing: Plumbing) -> None:
    plumbing.shelf.bare = True
    web = plumbing.pipe(1)
    os.write(web, b"patience\n")
    plumbing.intake.turn()
    assert plumbing.intake.starved
    assert plumbing.intake.turn() == (0, False)
    plumbing.intake.end(WEB)
    assert plumbing.shelf.told == []
    plumbing.shelf.bare = False
    plumbing.intake.feed_the_starved()
    assert not plumbing.intake.starved
    assert plumbing.shelf.told == [(1, False)]
    assert plumbing.all_of(WEB) == [b"patience"]


def test_pipes_of_ended_runs_do_not_pile_up(plumbing: Plumbing) -> None:
    here = plumbing.shelf.ring_for(WEB.service)
    listen(here, held=here.oldest)
    for number in range(1, 41):
        run = RunId(WEB.service, number)
        os.write(plumbing.pipe(number, run), b"x" * 65000 + b"%d\n" % number)
        plumbing.intake.end(run)
    assert sum(plumbing.intake.knows(number) for number in range(1, 41)) == 32
    assert not plumbing.intake.knows(8)
    assert plumbing.intake.knows(9)
    numbers = [line.strip(b"x") for line in plumbing.all_of(WEB)]
    assert b"8" in numbers  # those that had to go were emptied first


def test_a_run_that_never_wrote_needs_no_ring(plumbing: Plumbing) -> None:
    plumbing.pipe(1)
    plumbing.close(1)
    plumbing.intake.end(WEB)
    assert plumbing.shelf.told == [(1, True)]
    assert plumbing.shelf.rings == {}


def test_without_memory_for_the_mark_a_line_stays_unfinished_but_the_end_is_told(
    plumbing: Plumbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(12, "no memory")

    os.write(plumbing.pipe(1), b"unfinished")
    plumbing.intake.turn()
    monkeypatch.setattr(Ring, "put", refuse)
    plumbing.intake.end(WEB)
    assert plumbing.shelf.told == [(1, False)]
