from __future__ import annotations

import pytest

from supervisor.wire.diagnostics import Diagnostic, from_plain, render, summary, to_plain

_FULL = Diagnostic("unknown-key", "unknown key `x`", "a.yaml", 12, 3, "did you mean `y`?", "  x: 1\n  ^")


def test_a_finding_crosses_as_plain_data_with_all_its_fields() -> None:
    plain = to_plain(_FULL)
    assert list(plain) == ["file", "line", "column", "code", "message", "hint", "excerpt"]
    assert from_plain(plain) == _FULL
    assert from_plain(to_plain(Diagnostic("a", "b"))) == Diagnostic("a", "b")


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, {**to_plain(_FULL), "line": True}, {**to_plain(_FULL), "hint": None}]
)
def test_what_is_no_finding_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="finding"):
        from_plain(data)


def test_a_finding_is_shown_with_place_line_caret_and_hint() -> None:
    assert render([_FULL]) == (
        "a.yaml:12:3: error: unknown key `x` [unknown-key]\n  12 |   x: 1\n     |   ^\n  hint: did you mean `y`?\n"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert render([Diagnostic("c", "m")]) == "error: m [c]\n"
    assert render([Diagnostic("c", "m", file="f")]) == "f: error: m [c]\n"
    assert render([Diagnostic("c", "m", file="f", line=3, column=1, excerpt="x")]) == "f:3:1: error: m [c]\n  3 | x\n"
    assert render([]) == ""


def test_warnings_come_after_the_errors() -> None:
    text = render([Diagnostic("c", "one")], [Diagnostic("d", "two")])
    assert text == "error: one [c]\n\nwarning: two [d]\n"


def test_a_file_cannot_steer_the_terminal_of_its_reader() -> None:
    nasty = Diagnostic("c", "m \x1b[31m", "a\n.yaml", 1, 1, "h\x07", "x\x1b]0;t\x07\ty\u202e\udc80\n^")
    text = render([nasty])
    assert not any(one in text for one in "\x1b\x07\u202e\udc80")
    assert "a\\n.yaml:1:1" in text
    assert "\\x1b]0;t\\x07\ty" in text


def test_colours_change_nothing_but_colours() -> None:
    import re

    assert re.sub("\x1b\\[[0-9;]*m", "", render([_FULL], [_FULL], colour=True)) == render([_FULL], [_FULL])
    assert render([_FULL], colour=True) != render([_FULL])


def test_more_than_a_person_reads_is_counted() -> None:
    text = render([Diagnostic("c", str(number)) for number in range(150)])
    assert text.count("error:") == 100
    assert "50 more errors" in text


@pytest.mark.parametrize(
    ("errors", "warnings", "text"),
    [(0, 0, "no errors"), (1, 0, "1 error"), (2, 1, "2 errors, 1 warning"), (0, 3, "3 warnings")],
)
def test_the_summary_counts(errors: int, warnings: int, text: str) -> None:
    assert summary(errors, warnings) == text
