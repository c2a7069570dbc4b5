"""What is too large ends as an error with a code, before it has cost much (SERVICES §1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.config import addresses
from supervisor.config.findings import Findings, Refused
from supervisor.config.nodes import Text
from tests.unit.config.reading import read, read_paths

_GOOD = "services: {a: {command: /bin/true}}\n"


def _laughs(row: str, join: str) -> str:
    """Eleven anchors, each ten times the one before."""
    rows = [row.format(number=0, below="1")]
    rows += [row.format(number=number, below=join.join([f"*a{number - 1}"] * 10)) for number in range(1, 12)]
    return "\n".join([*rows, _GOOD])


def _merges() -> str:
    rows = ["x-0: &a0 {k: 1}"]
    rows += [f"x-{number}: &a{number} {{<<: [*a{number - 1}, *a{number - 1}]}}" for number in range(1, 40)]
    return "\n".join([*rows, _GOOD])


def _tall() -> str:
    """Every anchor nests the one before in another list."""
    rows = ["x-0: &a0 [1]", *(f"x-{number}: &a{number} [*a{number - 1}]" for number in range(1, 80))]
    return "\n".join([*rows, _GOOD])


def _wide_defaults() -> str:
    variables = "\n".join(f"    K{number}: 1" for number in range(2000))
    services = "\n".join(f"  s{number}: {{command: x}}" for number in range(1000))
    return f"defaults:\n  environment:\n{variables}\nservices:\n{services}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_laughs("x-{number}: &a{number} [{below}]", ", "), id="lists of lists"),
        pytest.param(_laughs("x-{number}: &a{number} {{k: [{below}]}}", ", "), id="mappings of lists"),
        pytest.param(_merges(), id="merges of merges"),
        pytest.param(_tall(), id="deep by aliases"),
        pytest.param("x-a: " + "[" * 300_000, id="deep in brackets"),
        pytest.param("x-a: " + "{a: " * 100_000, id="deep in braces"),
        pytest.param("- " * 300_000, id="deep in dashes"),
        pytest.param("? " * 300_000, id="deep in keys"),
        pytest.param("\n".join(" " * depth + "a:" for depth in range(1000)), id="deep in lines"),
        pytest.param("x-a: [" + "1," * 320_000 + "]", id="many items"),
        pytest.param("x-a: " + "y" * (1 << 20), id="a large file"),
        pytest.param(_wide_defaults(), id="defaults of many services"),
        pytest.param("services: {a: {command: [" + "'${BIG}'," * 1000 + "]}}", id="variables"),
    ],
)
def test_a_bomb_is_refused_with_its_code(tmp_path: Path, text: str) -> None:
    answer = read(tmp_path, text, {"BIG": "x" * 10_000})
    assert answer.codes == ["config-too-large"]
    assert answer.errors[0].file == f"{tmp_path}/a.yaml"
    assert len(answer.errors[0].excerpt) < 300


def test_a_large_text_below_the_bounds_is_read(tmp_path: Path) -> None:
    text = f"services: {{a: {{command: /bin/true, description: '{'x' * 1_000_000}'}}}}"
    assert len(read(tmp_path, text)["a"].spec.description) == 1_000_000


def test_more_files_than_anybody_has_are_refused(tmp_path: Path) -> None:
    for number in range(2001):
        (tmp_path / f"{number}.yaml").touch()
    assert read_paths([str(tmp_path)]).codes == ["config-too-large"]


def test_more_text_than_anybody_writes_is_refused_over_all_files(tmp_path: Path) -> None:
    for number in range(18):
        (tmp_path / f"{number:02}.yaml").write_text("# " + "y" * ((1 << 20) - 10))
    answer = read_paths([str(tmp_path)])
    assert [error.code for error in answer.errors] == ["config-too-large"] * 2
    assert "16 MiB" in answer.errors[0].message


def test_a_pattern_that_takes_long_to_compile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_COMPILE_TIME", 0.0)
    with pytest.raises(Refused) as caught:
        addresses.regex(Text("(?i)[\\x00-\\U0010ffff]"))
    assert caught.value.code == "regex-too-slow"


def test_when_patterns_have_taken_long_together_no_further_one_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_spent", addresses._ALL_COMPILE_TIME + 1)
    with pytest.raises(Refused) as caught:
        addresses.regex(Text("never seen before"))
    assert caught.value.code == "regex-too-slow"


def test_a_pattern_nested_too_deep_for_the_compiler_is_no_pattern() -> None:
    with pytest.raises(Refused) as caught:
        addresses.regex(Text("(" * 480 + "a" + ")" * 480))
    assert caught.value.code in ("no-regex", "regex-too-slow")


def test_a_hundred_thousand_mistakes_cost_no_more_than_those_that_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("supervisor.config.schema.nearest", lambda word, known: asked.append(word) or "")
    rows = [f"    k{number}: 1" for number in range(20_000)]
    answer = read(tmp_path, "\n".join(["services:", "  a:", "    command: x", *rows]))
    assert len(answer.errors) == 501
    assert len(asked) == 500


def test_twice_the_same_key_many_times_is_cheap(tmp_path: Path) -> None:
    rows = [f"    k{number}: 1" for number in range(10_000)] + ["    k9999: 2"] * 10_000
    answer = read(tmp_path, "\n".join(["x-a:", *rows]))
    assert set(answer.codes) == {"duplicate-key", "more-errors"}


def test_errors_beyond_the_bound_are_only_counted() -> None:
    findings = Findings()
    for number in range(600):
        findings.error(Text(str(number), str(number)), "empty")
    findings.error(Text("7", "7"), "empty")  # known already
    assert (len(findings.errors), findings.beyond, findings.full) == (500, 100, True)


def test_warnings_beyond_the_bound_are_left_out() -> None:
    findings = Findings()
    for number in range(600):
        findings.warning(Text(str(number), str(number)), "empty")
    assert len(findings.warnings) == 500


def test_a_pattern_that_many_services_have_is_compiled_once(tmp_path: Path) -> None:
    text = "defaults: {ready: {log: 'up [0-9]+'}}\nservices: {a: {command: /bin/true}, b: {command: /bin/true}}"
    assert read(tmp_path, text)["b"].spec.ready is not None
