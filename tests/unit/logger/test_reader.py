"""Does every reader get every line, once, whole, and with its own time?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.logger.reader import Lines
from supervisor.logger.ring import KEEP
from supervisor.wire.logline import MAX_LINE
from supervisor.wire.logring import ENDED, FRESH, Record
from tests.unit.logger.bench import clear, listen, put, ring, texts


def test_a_line_may_come_in_pieces_and_has_the_time_of_its_first() -> None:
    here = ring()
    reader = listen(here)
    put(here, b"be", wall=1)
    assert reader.next() == []
    put(here, b"gun\nnext", flags=0, wall=2)
    assert reader.next() == [Lines(1, 0, 1, b"begun\n")]
    put(here, b" one\n", flags=0, wall=3)
    put(here, b"last\n", wall=4)
    assert reader.next() == [Lines(1, 0, 2, b"next one\n"), Lines(1, 0, 4, b"last\n")]


def test_unfinished_lines_of_different_channels_never_mix() -> None:
    here = ring()
    reader = listen(here)
    put(here, b"out", channel=1)
    put(here, b"err", channel=2, stream=1)
    put(here, b"put\n", channel=1, flags=0)
    put(here, b"or\n", channel=2, stream=1, flags=0)
    assert [(block.stream, block.text) for block in reader.next()] == [(0, b"output\n"), (1, b"error\n")]


def test_the_end_of_a_channel_ends_its_line() -> None:
    here = ring()
    reader = listen(here)
    put(here, b"last words")
    assert texts(reader) == []
    put(here, b"", flags=ENDED)
    assert texts(reader) == [b"last words"]
    put(here, b"", flags=ENDED)
    assert texts(reader) == []


def test_what_is_unfinished_can_be_asked_for() -> None:
    here = ring()
    reader = listen(here)
    put(here, b"done\nprompt> ", wall=7)
    assert reader.next() == [Lines(1, 0, 7, b"done\n")]
    assert reader.unfinished() == [Lines(1, 0, 7, b"prompt> \n")]


def test_a_reader_sees_only_the_streams_and_the_run_it_asked_for() -> None:
    here = ring()
    put(here, b"out\n", channel=1, stream=0)
    put(here, b"err\n", channel=2, stream=1)
    put(here, b"later\n", channel=3, stream=0, run=2)
    assert texts(listen(here, streams=frozenset((1,)))) == [b"err"]
    assert texts(listen(here, run=2)) == [b"later"]


def test_one_that_begins_in_the_middle_of_a_line_begins_with_the_next() -> None:
    here = ring()
    put(here, b"be")
    place = here.end
    put(here, b"gun\nwhole\n", flags=0)
    reader = listen(here, place)
    assert texts(reader) == [b"whole"]
    assert reader.lost == 0


def test_one_that_begins_between_two_lines_misses_none() -> None:
    here = ring()
    put(here, b"before\n")
    reader = listen(here, here.end)
    put(here, b"whole\n")
    assert texts(reader) == [b"whole"]


def test_one_that_stops_at_a_place_goes_on_from_there() -> None:
    here = ring()
    put(here, b"one\n")
    place = here.end
    put(here, b"two\n")
    reader = listen(here)
    assert [block.text for block in reader.next(until=place)] == [b"one\n"]
    assert texts(reader) == [b"two"]


def test_one_that_has_left_is_woken_and_reads_no_more() -> None:
    here = ring()
    reader = listen(here)
    reader.leave()
    put(here, b"one\n")
    assert not reader.behind
    assert here.readers == set()


def test_lines_longer_than_the_limit_are_cut() -> None:
    here = ring()
    reader = listen(here)
    for number in range(5):
        put(here, b"x" * 50_000, flags=0 if number else FRESH)
    put(here, b"", flags=ENDED)
    found = texts(reader)
    assert b"".join(found) == b"x" * 250_000
    assert max(map(len, found)) == MAX_LINE


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.lists(st.sampled_from([b"a", b"bb\n", b"\n", b"c" * 9000 + b"\n"]), max_size=4)
        ),
        max_size=80,
    ),
    st.sets(st.integers(0, 79)),
)
def test_every_line_is_handed_out_or_counted_as_lost(writes: list[tuple[int, list[bytes]]], looks: set[int]) -> None:
    here = ring()
    reader = listen(here)
    fresh = dict.fromkeys((1, 2, 3), True)
    got = total = 0
    for number, (channel, pieces) in enumerate(writes * 4):
        text = b"".join(pieces)
        if text:
            here.put(Record(0, FRESH if fresh[channel] else 0, 1, channel, 0, 0), text)
            here.trim(hurried=True)
            fresh[channel] = text.endswith(b"\n")
            total += text.count(b"\n")
        if number % 80 in looks:
            got += len(texts(reader))
    got += len(texts(reader))
    assert got + reader.lost == total
    clear()


def test_one_that_was_overtaken_goes_on_with_a_whole_line() -> None:
    here = ring()
    reader = listen(here)
    lines = 0
    while here.oldest < KEEP:
        put(here, b"%07d " % lines + b"x" * 5000, flags=FRESH)
        put(here, b"!\n", flags=0)
        lines += 1
    found = texts(reader)
    assert all(line.endswith(b"!") and len(line) == 5009 for line in found)
    assert len(found) + reader.lost == lines
