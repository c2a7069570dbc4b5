"""Is a line written so that people and programs can trust it?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.wire.logline import (
    MAX_LINE,
    json_error,
    json_head,
    json_line,
    json_loss,
    prefix_for,
    prefixed,
    raw_line,
    split,
    visible,
)

AT = "2026-01-31T14:30:05.123Z"
texts = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"defg" * 4, b"\r", b"\0"]), max_size=12)


@given(st.lists(texts, max_size=6))
def test_no_byte_is_lost_or_added_however_the_reads_fall(reads: list[list[bytes]]) -> None:
    carry, lines = b"", b""
    for read in reads:
        more, carry = split(carry, b"".join(read))
        lines += more
    assert lines + carry == b"".join(map(b"".join, reads))
    assert b"\n" not in carry
    assert not lines or lines.endswith(b"\n")


@given(st.lists(texts, max_size=6), st.integers(1, 5))
def test_no_line_is_longer_than_the_limit_and_cutting_adds_only_newlines(reads: list[list[bytes]], limit: int) -> None:
    carry, lines = b"", b""
    for read in reads:
        more, carry = split(carry, b"".join(read), limit)
        lines += more
    assert all(len(line) <= limit for line in lines.split(b"\n"))
    assert len(carry) <= limit
    whole = b"".join(map(b"".join, reads))
    assert (lines + carry).replace(b"\n", b"") == whole.replace(b"\n", b"")
    assert (lines + carry).count(b"\n") >= whole.count(b"\n")


def test_a_line_of_just_the_limit_is_not_cut() -> None:
    assert split(b"", b"x" * MAX_LINE + b"\n") == (b"x" * MAX_LINE + b"\n", b"")
    assert split(b"x" * MAX_LINE, b"\n") == (b"x" * MAX_LINE + b"\n", b"")
    assert split(b"", b"x" * (MAX_LINE + 1)) == (b"x" * MAX_LINE + b"\n", b"x")


def test_every_line_carries_its_own_prefix() -> None:
    prefix = prefix_for(AT, "web")
    forged = f"{AT} db | all is well\n".encode()
    shown = prefixed(b"one\n" + forged + b"\n", prefix)
    assert all(line.startswith(prefix) for line in shown.splitlines())
    assert shown == prefix + b"one\n" + prefix + forged + prefix + b"\n"


def test_piped_lines_stay_the_bytes_they_were() -> None:
    junk = bytes(range(10)) + bytes(range(11, 256)) + b"\n"
    assert prefixed(junk, b"p ") == b"p " + junk


def test_a_prefix_is_aligned_and_coloured_by_name_on_request() -> None:
    assert prefix_for(AT, "web", 6) == f"{AT} web    | ".encode()
    coloured = prefix_for(AT, "web", colour=True)
    assert coloured != prefix_for(AT, "db", colour=True).replace(b"db", b"web")
    assert b"\x1b[31m|" not in coloured
    assert b"\x1b[31m|" in prefix_for(AT, "web", colour=True, alarming=True)


@given(st.binary())
def test_nothing_on_a_terminal_moves_the_cursor_or_reverses_text(line: bytes) -> None:
    shown = visible(line.replace(b"\n", b"") + b"\n").decode()
    assert shown.isascii() or all(char.isprintable() or char in "\t\n" or ord(char) > 0x9F for char in shown)
    assert not any(ord(char) < 0x20 and char not in "\t\n" for char in shown)
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"plain\ttext\n", b"plain\ttext\n"),
        ("grün ✓\n".encode(), "grün ✓\n".encode()),
        (b"\x1b[2Kgone\rfake\x08\n", b"\\x1b[2Kgone\\x0dfake\\x08\n"),
        (b"\xff\x9b31m\n", b"\\xff\\x9b31m\n"),
        ("\x9b31m\n".encode(), b"\\x9b31m\n"),
        ("a\u202eb\u2066c\u2028d\n".encode(), b"a\\u202eb\\u2066c\\u2028d\n"),
    ],
)
def test_controls_and_what_is_no_utf8_are_spelled_out_on_a_terminal(line: bytes, shown: bytes) -> None:
    assert visible(line) == shown


def test_a_record_is_one_line_of_json_with_the_promised_fields() -> None:
    record = json_line(json_head(AT, "web", 3, "stderr"), 'say "hi"\r\0 grün'.encode())
    assert record.count(b"\n") == 1
    assert json.loads(record) == {
        "at": AT,
        "service": "web",
        "stream": "stderr",
        "run": 3,
        "line": 'say "hi"\r\0 grün',
    }


@given(st.binary().filter(lambda line: b"\n" not in line), st.booleans())
def test_the_bytes_of_a_line_come_back_out_of_its_record(line: bytes, partial: bool) -> None:
    document = json.loads(json_line(json_head(AT, "web", 1, "stdout"), line, partial))
    assert raw_line(document) == line
    assert document.get("partial", False) == partial
    document["line"].encode()  # no lone surrogates, which other languages' readers refuse


def test_losses_and_errors_are_records_too() -> None:
    assert json.loads(json_loss(AT, "web", 12)) == {"at": AT, "service": "web", "lost": 12}
    assert json.loads(json_error("bad-query", 'no "x"')) == {"error": {"code": "bad-query", "message": 'no "x"'}}
