from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from supervisor.config import configuration
from supervisor.config.findings import Findings
from supervisor.config.messages import MESSAGES
from supervisor.wire.diagnostics import render
from tests.unit.config.mistakes import MISTAKES, Mistake
from tests.unit.config.reading import read

_ELSEWHERE = {
    # warnings and files: test_sources; bounds: test_bombs; the child: tests/linux; who cannot be had: test_realms
    *("no-configuration", "unreadable", "no-file", "file-twice", "empty-folder", "no-services", "loader-failed"),
    *("more-errors", "regex-too-slow", "variable-unset", "looks-like-shell", "command-not-found", "not-executable"),
    *("no-size", "rootless-id", "namespace-id", "foreign-id", "unknown-peer", "nameless-peer"),
}


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """libyaml's parser, and the one in Python where PyYAML was built without it."""
    monkeypatch.setattr("supervisor.config.compose._Parser", getattr(yaml, request.param))
    return str(request.param)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.code}-{mistake.text[-30:]!r}")
def test_a_mistake_is_one_error_at_its_place(tmp_path: Path, mistake: Mistake, parser: str) -> None:
    answer = read(tmp_path, mistake.text, mistake.environ, **mistake.files)
    assert answer.places == [(mistake.code, *mistake.place)]
    error = answer.errors[0]
    assert mistake.words in f"{error.message} {error.hint}"
    assert error.message
    assert not error.message.endswith(".")
    if error.line:
        source, caret = error.excerpt.split("\n")
        assert caret.strip() == "^"
        assert source.strip() in (tmp_path / Path(error.file).name).read_text(errors="replace")


def test_every_code_is_shown_to_occur() -> None:
    shown = {mistake.code for mistake in MISTAKES}
    assert shown | _ELSEWHERE == set(MESSAGES)


def test_all_mistakes_are_told_at_once_over_all_files_in_order(tmp_path: Path) -> None:
    answer = read(
        tmp_path,
        """services:
  web:
    comand: x
    stop: {signal: FOO, timeout: never, colour: red}
    depends_on: [dbb, ok]
  db: {command: [], umask: 9, user: no-such-user}
  ok: {command: /bin/true, before: [web]}
""",
        b_yaml="services:\n  x: {command: 'a'}\n  y: {command: b: c}\n",
        c_yaml="services:\n  z: {enabled: maybe}\n",
    )
    assert [(Path(error.file).name, error.line, error.code) for error in answer.errors] == [
        ("a.yaml", 3, "unknown-key"),
        ("a.yaml", 4, "no-signal"),
        ("a.yaml", 4, "no-duration"),
        ("a.yaml", 4, "unknown-key"),
        ("a.yaml", 6, "empty-command"),
        ("a.yaml", 6, "no-mode"),
        ("a.yaml", 6, "unknown-user"),
        ("b.yaml", 3, "yaml-flow"),
        ("c.yaml", 2, "missing-key"),
        ("c.yaml", 2, "no-flag"),
    ]  # dbb may stand in b.yaml, which could not be read: that is not an error yet


def test_a_mistake_in_the_defaults_is_told_once_however_many_services_inherit_it(tmp_path: Path) -> None:
    text = "defaults: {umask: 9, stop: {sginal: TERM}}\nservices: {a: {command: /bin/true}, b: {command: /bin/true}}\n"
    assert read(tmp_path, text).places == [("no-mode", 1, 19), ("unknown-key", 1, 29)]


def test_a_mistake_in_the_defaults_is_told_even_where_nobody_inherits_it(tmp_path: Path) -> None:
    assert read(tmp_path, "defaults: {umask: 9}\nservices: {a: {command: /bin/true, umask: 7}}\n").codes == ["no-mode"]


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ("comand: x", ["unknown-key"]),  # not also a missing command
        ("ExecStart: x", ["foreign-key"]),
        ("entrypoint: x", ["foreign-key"]),
        ("command: x, restart: {limit: {cuont: 3, within: 1s}}", ["unknown-key"]),
        ("tpye: oneshot, command: [[a], [b]]", ["unknown-key"]),  # not also several commands of a simple service
        ("type: onehsot, command: [[a], [b]]", ["no-choice"]),
        ("type: onehsot, command: a, ready: {after: 1s}", ["no-choice"]),
        ("command: [], type: simple", ["empty-command"]),
        ("autorestart: false, command: a, shutdown_on: exit", ["foreign-key"]),
        ("restart: sometimes, command: a, shutdown_on: success", ["no-choice"]),
    ],
)
def test_one_mistake_does_not_make_another(tmp_path: Path, keys: str, codes: list[str]) -> None:
    assert read(tmp_path, f"services: {{a: {{{keys}}}}}\n").codes == codes


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ("depends_on: {b: redy, nosuch: ready}", ["no-choice", "unknown-service"]),
        ("depends_on: {nosuch: redy}", ["unknown-service", "no-choice"]),
        ("depends_on: {b: {conditon: ready}, nosuch: ready}", ["unknown-key", "unknown-service"]),
        ("depends_on: {b: {condition: ready, required: maybe}, nosuch: ready}", ["no-flag", "unknown-service"]),
        ("depends_on: {b: [ready], nosuch: ready}", ["wrong-shape", "unknown-service"]),
        ("depends_on: {'b b': ready, nosuch: ready}", ["no-name", "unknown-service"]),
        ("depends_on: [b, [c], nosuch]", ["dependency-item", "unknown-service"]),
        ("after: [b, '', nosuch]", ["empty", "unknown-service"]),
        ("before: [[b], nosuch]", ["wrong-shape", "unknown-service"]),
        ("depends_on: {c: redy}", ["no-choice", "cycle"]),  # however it is meant, they wait for each other
        ("depends_on: {b: compleated}", ["no-choice"]),  # and not also that b never ends
        ("umask: 9, depends_on: [nosuch]", ["no-mode", "unknown-service"]),
    ],
)
def test_what_is_wrong_about_one_dependency_does_not_hide_the_others(
    tmp_path: Path, keys: str, codes: list[str]
) -> None:
    text = f"services:\n  a: {{command: /bin/true, {keys}}}\n  b: {{command: /bin/true}}\n"
    answer = read(tmp_path, text + "  c: {command: /bin/true, after: [a]}\n")
    assert answer.codes == codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("services: {a: &a {command: *a}}", "recursive-alias"),
        ("services: {a: {command: *b}}", "unknown-alias"),
        ("services: {a: &a {command: /bin/true, depends_on: *a}}", "recursive-alias"),
        ("services: {a: {command: /bin/true, user: *b, umask: *b, restart: *b}}", "unknown-alias"),
        ("services: {a: {command: [/bin/true, *b], enabled: *b, stop: {timeout: *b}}}", "unknown-alias"),
        ("services: {a: {command: /bin/true, environment: *b, limits: *b, after: *b, type: *b}}", "unknown-alias"),
        ("services: {a: &a {command: /bin/true, <<: *a}}", "recursive-alias"),
        ("services: {a: *b, c: {command: /bin/true, depends_on: [a]}}", "unknown-alias"),
        ("services: {*b : {command: /bin/true}}", "unknown-alias"),
        ("services: *b", "unknown-alias"),
        ("{version: *b, defaults: *b, system: *b, services: {a: {command: /bin/true}}}", "unknown-alias"),
        ("{system: {name: *b, hostname: *b, control: *b}, services: {a: {command: /bin/true}}}", "unknown-alias"),
    ],
)
def test_an_alias_that_means_nothing_is_one_mistake(tmp_path: Path, text: str, code: str) -> None:
    answer = read(tmp_path, text)
    assert set(answer.codes) == {code}
    assert len(answer.codes) == text.count("*")
    assert answer.warnings == ()


def test_a_misspelled_type_does_not_make_its_dependents_wrong(tmp_path: Path) -> None:
    text = (
        "services:\n  a: {command: /bin/true, tpye: oneshot}\n  b: {command: /bin/true, depends_on: {a: completed}}\n"
    )
    assert read(tmp_path, text).codes == ["unknown-key"]


def test_a_cycle_is_told_although_something_else_is_wrong(tmp_path: Path) -> None:
    text = "services:\n  a: {command: x, depends_on: [b], umask: 9}\n  b: {command: x, after: [a]}\n"
    assert read(tmp_path, text).codes == ["no-mode", "cycle"]


def test_a_dependency_on_a_service_that_could_not_be_read_is_no_unknown_name(tmp_path: Path) -> None:
    for condition in ("ready", "completed"):
        text = f"services:\n  a: [x]\n  b: {{command: /bin/true, depends_on: {{a: {condition}}}}}\n"
        answer = read(tmp_path, text)
        assert (answer.codes, answer.warnings) == (["wrong-shape"], ())


def test_a_place_is_found_as_far_as_its_path_leads(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("services:\n  a: {command: x, after: [b, c], stop: {timeout: 3s}}\n")
    found = configuration.read([str(path)], {}, Findings())
    places = {
        ("a",): 3,
        ("a", "after"): 19,
        ("a", "after", "c"): 30,
        ("a", "after", "d"): 19,
        ("a", "stop", "timeout"): 41,
        ("a", "nothing", "like", "it"): 3,
    }
    assert {part: configuration.locate(found, ("services", *part)).column for part in places} == places


def test_more_mistakes_than_anybody_reads_are_counted(tmp_path: Path) -> None:
    rows = [f"  s{number}: {{comand: x}}" for number in range(700)]
    answer = read(tmp_path, "\n".join(["services:", *rows]))
    assert len(answer.errors) == 501
    assert answer.codes[-1] == "more-errors"
    assert "200" in answer.errors[-1].message


def test_an_error_is_shown_with_its_line_a_caret_and_what_would_help(tmp_path: Path) -> None:
    answer = read(tmp_path, "services:\n  web:\n    command: x\n    stop_signal: TERM\n")
    assert render(answer.errors) == (
        f"{tmp_path}/a.yaml:4:5: error: unknown key `stop_signal` [foreign-key]\n"
        "  4 |     stop_signal: TERM\n"
        "    |     ^\n"
        "  hint: write `stop: {signal: …}`\n"
    )
