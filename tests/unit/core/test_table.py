"""Is the table of transitions whole, and does the page made from it say so? (That core obeys it: tests/laws.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.core.reasons import duration_text, exit_text, failure_text, reason
from supervisor.core.table import TABLE, every_way, legal, page
from supervisor.model.effect import Edge
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.reason import REASONS, Reason
from supervisor.model.words import ServiceName
from tests.laws.reality import at


def test_every_reason_on_a_way_belongs_to_the_phase_it_leads_to() -> None:
    for _, to, code in every_way():
        assert code in REASONS[to]


def test_every_reason_stands_on_some_way() -> None:
    assert {(to, code) for _, to, code in every_way()} == {(to, code) for to in REASONS for code in REASONS[to]}


def test_every_phase_can_be_reached_and_left() -> None:
    assert {origin for origin, _ in TABLE} == {to for _, to in TABLE} == set(REASONS)


def test_an_edge_is_legal_when_way_and_reason_are() -> None:
    def edge(origin: str | None, to: str, code: str) -> Edge:
        return Edge(ServiceName("a"), origin, to, 1, at(0.0), Reason(code, ""))  # type: ignore[arg-type]

    assert legal(edge("waiting", "starting", "exec"))
    assert not legal(edge("waiting", "running", "started"))
    assert not legal(edge("waiting", "starting", "probe"))
    assert not legal(edge(None, "inactive", "not-wanted"))


def test_the_page_shows_every_way_and_every_reason_and_is_the_one_in_docs() -> None:
    text = page()
    for origin, to in TABLE:
        assert f"| `{origin}` | `{to}` |" in text
    for phase, sentences in REASONS.items():
        for code, sentence in sentences.items():
            assert f"| `{phase}` | `{code}` | {sentence} |" in text
    assert (Path(__file__).parents[3] / "docs" / "states.md").read_text() == text


def test_a_reason_that_is_not_in_the_table_cannot_be_given() -> None:
    with pytest.raises(KeyError):
        reason("running", "exec")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0ms"),
        (0.1, "100ms"),
        (0.2504, "250ms"),
        (1.0, "1s"),
        (2.5, "2.5s"),
        (59.0, "59s"),
        (60.0, "1m"),
        (90.0, "1m30s"),
        (3600.0, "1h"),
        (7265.0, "2h1m5s"),
        (0.9999, "1s"),
        (59.97, "1m"),
    ],
)
def test_a_duration_reads_as_it_is_written(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("exit", "text"),
    [
        (Exit(code=0), "exit status 0"),
        (Exit(signal=9), "killed by SIGKILL"),
        (Exit(signal=11, core=True), "killed by SIGSEGV (core dumped)"),
    ],
)
def test_an_end_in_words(exit: Exit, text: str) -> None:
    assert exit_text(exit) == text


def test_a_failure_in_words() -> None:
    assert failure_text(SpawnFailure("exec", 2, "/bin/x", text="No such file")) == "exec /bin/x: No such file"
    assert failure_text(SpawnFailure("fork", 11, text="Try again")) == "fork: Try again"
    assert failure_text(SpawnFailure("umask", 22)) == "umask: errno 22"
