"""Does a ring keep what it was given, whoever is killed over it, and no more than it should?"""

from __future__ import annotations

import os

import pytest

from supervisor.logger.ring import CHUNK, KEEP, Ring
from supervisor.model.words import ServiceName
from supervisor.wire.logring import FRESH, RECORD, START, Progress, Record, pack_record
from tests.unit.logger.bench import again, clear, listen, put, ring, texts

MEASURE = Record(0, FRESH, 1, 1, CHUNK, 5)


def taken(into: Ring, data: bytes) -> int:
    """Take this from a pipe."""
    out, end = os.pipe()
    os.set_blocking(out, False)
    os.write(end, data)
    try:
        return into.take(MEASURE._replace(length=len(data)), out)
    finally:
        os.close(out)
        os.close(end)


def test_what_a_pipe_held_is_in_the_ring() -> None:
    here = ring()
    assert taken(here, b"one\ntwo\n") == 8
    assert texts(listen(here)) == [b"one", b"two"]
    assert here.newest_byte() == b"\n"


def test_an_empty_pipe_leaves_no_trace() -> None:
    here = ring()
    out, end = os.pipe()
    assert here.take(MEASURE, out) == 0
    assert here.end == START == os.fstat(here.fd).st_size
    os.close(out)
    os.close(end)


def test_less_than_was_expected_is_measured_as_what_it_is() -> None:
    here = ring()
    out, end = os.pipe()
    os.write(end, b"one\n")
    assert here.take(MEASURE, out) == 4
    put(here, b"two\n")
    assert texts(listen(again(here))) == [b"one", b"two"]
    os.close(out)
    os.close(end)


def test_without_memory_the_bytes_stay_in_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    here = ring()
    out, end = os.pipe()
    os.set_blocking(out, False)
    os.write(end, b"one\n")

    def refuse(*_: object) -> int:
        raise OSError(12, "no memory")

    with monkeypatch.context() as patch:
        patch.setattr("supervisor.logger.ring.move", refuse)
        with pytest.raises(OSError, match="no memory"):
            here.take(MEASURE, out)
    assert here.end == os.fstat(here.fd).st_size == START
    assert here.take(MEASURE, out) == 4
    os.close(out)
    os.close(end)


def test_a_successor_reads_on_whenever_its_predecessor_was_killed() -> None:
    record = pack_record(MEASURE._replace(length=8)) + b"one\ntwo\n"
    for written in range(len(record) + 1):
        here = ring()
        put(here, b"before\n")
        os.pwrite(here.fd, record[:written], here.end)
        successor = again(here)
        expected = record[RECORD:written]
        put(successor, b"" if expected.endswith(b"\n") else b"\n", flags=0)
        put(successor, b"after\n")
        lines = texts(listen(successor))
        assert lines[0] == b"before"
        assert lines[-1] == b"after"
        assert b"\n".join(lines[1:-1]).rstrip(b"\n") == expected.rstrip(b"\n")
        clear()


def test_it_keeps_the_newest_and_gives_the_memory_of_the_rest_back() -> None:
    here = ring()
    line = b"x" * 99 + b"\n"
    for number in range(20_000):
        put(here, b"%06d" % number + line[6:])
    assert KEEP <= here.end - here.oldest <= KEEP + CHUNK + 2 * (RECORD + 100)
    assert os.fstat(here.fd).st_blocks * 512 <= KEEP + CHUNK + 4 * 4096
    for found in (texts(listen(here)), texts(listen(again(here)))):
        numbers = [int(text[:6]) for text in found]
        assert numbers == list(range(numbers[0], 20_000))
        assert len(numbers) * (RECORD + 100) >= KEEP


def test_large_records_are_given_back_too() -> None:
    here = ring()
    for number in range(100):
        put(here, b"%06d" % number + b"y" * (CHUNK - 7) + b"\n")
    assert os.fstat(here.fd).st_blocks * 512 <= KEEP + 2 * CHUNK + 4 * 4096
    assert texts(listen(again(here)))[-1][:6] == b"000099"


def test_a_reader_that_holds_is_not_overtaken_and_makes_room_by_moving_on() -> None:
    here = ring()
    reader = listen(here, held=here.oldest)
    while here.room > CHUNK:
        put(here, b"z" * 9999 + b"\n")
    assert here.oldest == START
    before = here.room
    reader.held = here.end
    assert here.room > before
    assert here.room == KEEP - RECORD


def test_in_a_hurry_nobody_holds() -> None:
    here = ring()
    reader = listen(here, held=here.oldest)
    for _ in range(100):
        here.put(Record(0, FRESH, 1, 1, 0, 0), b"z" * 9999 + b"\n")
        here.trim(hurried=True)
    assert here.oldest > START
    assert reader.held >= here.oldest
    assert reader.lost + len(texts(reader)) == 100


def test_progress_survives() -> None:
    here = ring()
    put(here, b"one\n")
    here.note(0, Progress(here.end))
    here.note(1, Progress(START, 3))
    assert again(here).progress == [Progress(here.end), Progress(START, 3)]


def test_another_file_is_no_ring() -> None:
    fd = os.memfd_create("other")
    os.write(fd, b"x" * 200)
    with pytest.raises(ValueError, match="not a ring"):
        Ring(ServiceName("web"), fd)
    os.close(fd)
