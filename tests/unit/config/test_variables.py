from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.budget import Budget
from supervisor.config.findings import Findings, Refused
from supervisor.config.nodes import Text
from supervisor.config.variables import Variables
from tests.unit.config.reading import read, service

_ENVIRON = {"A": "alpha", "EMPTY": "", "DOLLAR": "${A} $$", "LIST": "[1, 2]"}


def _expand(text: str) -> str:
    findings = Findings()
    value = str(Variables(_ENVIRON, "web", Budget(), findings).expand(Text(text)))
    assert not findings.errors
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "alpha"),
        ("<${A}${A}>", "<alphaalpha>"),
        ("${A:-x}", "alpha"),
        ("${NOPE:-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${NOPE:-}", ""),
        ("${NOPE:-a b: {c}", "a b: {c"),
        ("${NOPE:-${A}}", "alpha"),
        ("${NOPE:-<${NEITHER:-${A}}>}", "<alpha>"),
        ("${NOPE:-$$}", "$"),
        ("${NOPE:-:-?}", ":-?"),
        ("${A:?must}", "alpha"),
        ("${service}", "web"),
        ("${DOLLAR}", "${A} $$"),  # what a variable holds is not looked at again
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$$${A}", "$alpha"),
        ("$A $ $( $1 $", "$A $ $( $1 $"),
        ("echo $HOME $(date) $?", "echo $HOME $(date) $?"),
        ("no dollar }", "no dollar }"),
    ],
)
def test_a_value_is_expanded(text: str, expected: str) -> None:
    assert _expand(text) == expected


def test_a_variable_that_is_not_set_is_an_empty_text_and_a_warning(tmp_path: Path) -> None:
    answer = read(tmp_path, "services: {a: {command: /bin/true, description: '<${NOPE}>'}}")
    assert answer["a"].spec.description == "<>"
    assert [(warning.code, warning.line, warning.column) for warning in answer.warnings] == [("variable-unset", 1, 49)]
    assert "NOPE" in answer.warnings[0].message


def test_variables_are_put_into_values_of_every_kind_and_not_into_keys(tmp_path: Path) -> None:
    keys = """command: [/bin/echo, '${A}'], stop: {timeout: '${T}', signal: '${S}'}, enabled: '${F}',
      environment: {'${A}': '${A}', B: '${A}'}, groups: ['${A}'], limits: {nofile: '${N}'}, restart: {success: ['${N}']}"""
    environ = {**_ENVIRON, "T": "3s", "S": "INT", "F": "no", "N": "7"}
    spec = service(tmp_path, keys, environ).spec
    assert spec.command == (("/bin/echo", "alpha"),)
    assert (spec.stop.timeout, spec.stop.signal, spec.enabled) == (3.0, "SIGINT", False)
    assert spec.environment == {"${A}": "alpha", "B": "alpha"}
    assert (spec.groups, spec.limits["nofile"].soft, spec.restart.success) == (("alpha",), 7, ("7",))


def test_what_a_variable_holds_is_one_text_and_no_yaml(tmp_path: Path) -> None:
    assert service(tmp_path, "command: [/bin/echo, '${LIST}']", _ENVIRON).spec.command == (("/bin/echo", "[1, 2]"),)


def test_a_dependency_may_be_named_by_a_variable(tmp_path: Path) -> None:
    text = "services: {a: {command: /bin/true, depends_on: ['${DB}']}, b: {command: /bin/true}}"
    assert set(read(tmp_path, text, {"DB": "b"})["a"].spec.depends_on) == {"b"}


def test_the_defaults_speak_of_the_service_that_inherits_them(tmp_path: Path) -> None:
    text = "defaults: {description: 'I am ${service}'}\nservices: {a: {command: /bin/true}, b: {command: /bin/true}}"
    answer = read(tmp_path, text)
    assert [answer[name].spec.description for name in ("a", "b")] == ["I am a", "I am b"]


def test_a_value_that_became_empty_was_written(tmp_path: Path) -> None:
    assert read(tmp_path, "services: {a: {command: '${NOPE:-}'}}").codes == ["empty-command"]


def test_variables_that_multiply_are_bounded() -> None:
    findings = Findings()
    variables = Variables({"A": "x" * 100_000}, "web", Budget(), findings)
    with pytest.raises(Refused) as caught:
        variables.expand(Text("${A}" * 100_000))
    assert caught.value.code == "config-too-large"


def test_defaults_inside_defaults_are_bounded() -> None:
    findings = Findings()
    Variables({}, "web", Budget(), findings).expand(Text("${A:-" * 5000 + "}" * 5000))
    assert [finding.code for finding in findings.errors] == ["bad-variable"]


@given(st.text(st.sampled_from("${}:-?A \n"), max_size=30))
def test_whatever_is_written_is_expanded_or_refused(text: str) -> None:
    findings = Findings()
    value = Variables({"A": "alpha"}, "web", Budget(), findings).expand(Text(text))
    assert findings.errors or "$" in value or "$" not in text or "${" in text


@given(st.text(max_size=30))
def test_doubled_dollars_write_any_text(text: str) -> None:
    assert _expand(text.replace("$", "$$")) == text
