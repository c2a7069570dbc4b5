"""Which files are read, and how what they say comes together (SERVICES §1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.config.reading import read, read_paths

_A = "services: {a: {command: /bin/true}}\n"
_B = "services: {b: {command: /bin/true}}\n"


def _names(*paths: object) -> list[str]:
    answer = read_paths([str(path) for path in paths])
    assert not answer.errors
    return [planned.name for planned in answer.plan.services]


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name, text in (("20-b.yml", _B), ("10-a.yaml", _A), ("notes.txt", "x: ["), (".hidden.yaml", "x: [")):
        (tmp_path / name).write_text(text)
    assert _names(tmp_path) == ["a", "b"]


def test_several_places_are_read_in_the_order_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yaml").write_text(_A)
    (tmp_path / "b.conf").write_text(_B)
    assert _names(tmp_path / "b.conf", tmp_path / "sub") == ["b", "a"]


def test_without_a_place_it_is_the_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.config.sources.DEFAULT_PLACES", (str(tmp_path / "nowhere"), "services.d"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "services.d").mkdir()
    (tmp_path / "services.d" / "a.yaml").write_text(_A)
    answer = read_paths([])
    assert answer["a"].defined_at == "services.d/a.yaml:1"


def test_the_folder_of_the_machine_goes_before_the_one_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.config.sources.DEFAULT_PLACES", (str(tmp_path / "etc"), "services.d"))
    monkeypatch.chdir(tmp_path)
    for folder, text in (("etc", _A), ("services.d", _B)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.yaml").write_text(text)
    assert _names() == ["a"]


def test_no_configuration_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.config.sources.DEFAULT_PLACES", (str(tmp_path / "etc"), "services.d"))
    monkeypatch.chdir(tmp_path)
    error = read_paths([]).errors[0]
    assert (error.code, error.file) == ("no-configuration", "")
    assert "services.d" in error.message
    assert "-c" in error.hint


def test_a_folder_without_files_is_allowed_with_a_warning(tmp_path: Path) -> None:
    answer = read_paths([str(tmp_path)])
    assert not answer.errors
    assert [warning.code for warning in answer.warnings] == ["no-services", "empty-folder"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "services:\n", "services: {}\n", "---\n", "x-a: 3\n", "version: '1'\n"]
)
def test_a_file_without_services_is_allowed_with_a_warning(tmp_path: Path, text: str) -> None:
    answer = read(tmp_path, text)
    assert not answer.errors
    assert [warning.code for warning in answer.warnings] == ["no-services"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: None, "unreadable"),
        (os.mkfifo, "no-file"),
        (lambda path: path.symlink_to("/dev/zero"), "no-file"),
        (lambda path: path.symlink_to("/dev/tty"), None),
        (lambda path: path.symlink_to(path), "unreadable"),
        (lambda path: path.symlink_to("/proc/self/mem"), None),
    ],
)
def test_what_is_no_file_is_refused_and_waited_for_never(tmp_path: Path, make: object, code: str | None) -> None:
    path = tmp_path / "a.yaml"
    assert callable(make)
    make(path)
    error = read_paths([str(path)]).errors[0]
    assert error.code in ({code} if code else {"no-file", "unreadable"})
    assert error.file == str(path)


def test_a_folder_with_a_folder_called_like_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    assert read_paths([str(tmp_path)]).codes == ["no-file"]


def test_a_folder_that_cannot_be_listed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", forbidden)
    error = read_paths([str(tmp_path)]).errors[0]
    assert (error.code, error.file) == ("unreadable", str(tmp_path))
    assert "Permission denied" in error.message


def test_the_same_file_twice_is_an_error_and_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(_A)
    assert read_paths([str(path), str(path)]).codes == ["file-twice"]


def test_a_name_with_strange_characters_is_read_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31m.yaml"
    path.write_text("services: {a: {comand: x}}")
    assert read_paths([str(path)]).errors[0].file == str(path)


def test_a_byte_order_mark_and_dos_lines_are_taken_as_they_are_meant(tmp_path: Path) -> None:
    answer = read(tmp_path, b"\xef\xbb\xbfservices:\r\n  a:\r\n    command: [/bin/echo, x]\r\n    description: y\r\n")
    assert answer["a"].spec.command == (("/bin/echo", "x"),)
    assert answer["a"].spec.description == "y"


def test_columns_count_characters_and_the_caret_stands_under_what_is_wrong(tmp_path: Path) -> None:
    error = read(tmp_path, "services:\n  a: {description: 'żółć 日本', umask: 99, command: /bin/true}\n").errors[0]
    assert (error.line, error.column) == (2, 38)
    source, caret = error.excerpt.split("\n")
    assert caret.index("^") == source.index("99") + 2  # two of the characters are two columns wide


def test_a_long_line_is_cut_around_the_place(tmp_path: Path) -> None:
    error = read(tmp_path, f"services: {{a: {{description: '{'x' * 500}', umask: 99, command: y}}}}\n").errors[0]
    source, caret = error.excerpt.split("\n")
    assert len(source) < 120
    assert source[caret.index("^") :].startswith("99")


def test_a_tab_before_the_place_moves_the_caret_as_it_moves_the_text(tmp_path: Path) -> None:
    error = read(tmp_path, "services: {a: {command: x,\tumask: 99}}\n").errors[0]
    assert error.excerpt.split("\n")[1] == " " * 26 + "\t" + " " * 7 + "^"


# ---- services over several files ----


def test_a_later_file_adds_to_a_service_under_override(tmp_path: Path) -> None:
    first = """services:
  a:
    command: [/bin/echo, one]
    environment: {A: 1, B: 2}
    stop: {signal: INT, timeout: 3s}
    depends_on: {b: {condition: started, required: no}}
    limits: {core: 0}
    groups: [x, y]
  b: {command: /bin/true}
"""
    more = """services:
  a:
    override: true
    environment: [B=3, C=4]
    stop: {timeout: 4s}
    depends_on: {b: {restart: yes}, c: ready}
    limits: {nofile: 9}
    groups: [z]
    restart: on-failure
  c: {command: /bin/true}
"""
    spec = read(tmp_path, first, b_yaml=more)["a"].spec
    assert spec.command == (("/bin/echo", "one"),)
    assert spec.environment == {"A": "1", "B": "3", "C": "4"}
    assert (spec.stop.signal, spec.stop.timeout) == ("SIGINT", 4.0)
    edge = spec.depends_on["b"]  # type: ignore[index]  # a name
    assert (edge.condition, edge.required, edge.restart) == ("started", False, True)
    assert set(spec.limits) == {"core", "nofile"}
    assert spec.groups == ("z",)  # lists are replaced as a whole
    assert spec.restart.policy == "on-failure"


def test_an_override_keeps_the_place_of_the_definition(tmp_path: Path) -> None:
    answer = read(tmp_path, f"\n{_A}", b_yaml="services: {a: {override: yes, enabled: no}}")
    assert answer["a"].defined_at == f"{tmp_path}/a.yaml:2"
    assert not answer["a"].spec.enabled


def test_override_off_and_empty_are_as_if_not_written(tmp_path: Path) -> None:
    assert read(tmp_path, "services: {a: {override: no, command: /bin/true}, b: {override: , command: /bin/true}}")["b"]


def test_a_mistake_in_an_override_stands_in_its_own_file(tmp_path: Path) -> None:
    error = read(tmp_path, _A, b_yaml="services: {a: {override: yes, umask: 99}}").errors[0]
    assert (Path(error.file).name, error.line, error.column) == ("b.yaml", 1, 38)


def test_defaults_lie_below_every_service_of_every_file(tmp_path: Path) -> None:
    text = "defaults: {restart: {delay: 3s}, environment: {A: 1}, stop: {signal: INT}, umask: '077'}\n" + _A
    answer = read(
        tmp_path, text, b_yaml="services: {b: {command: /bin/true, restart: on-failure, umask: ~, stop: {timeout: 1s}}}"
    )
    for name in ("a", "b"):
        spec = answer[name].spec
        assert (spec.restart.delay, spec.environment, spec.stop.signal, spec.umask) == (
            3.0,
            {"A": "1"},
            "SIGINT",
            0o077,
        )
    assert (answer["a"].spec.restart.policy, answer["b"].spec.restart.policy) == ("always", "on-failure")
    assert answer["b"].spec.stop.timeout == 1.0


def test_defaults_of_a_later_file_lie_over_those_of_an_earlier_one(tmp_path: Path) -> None:
    first, second = "defaults: {umask: '077', environment: {A: 1}}\n", "defaults: {umask: '007', environment: {B: 2}}\n"
    spec = read(tmp_path, first + _A, b_yaml=second)["a"].spec
    assert (spec.umask, spec.environment) == (0o007, {"A": "1", "B": "2"})


def test_a_default_may_be_switched_off_with_none(tmp_path: Path) -> None:
    text = """defaults: {restart: {limit: {count: 3, within: 1m}}, ready: {after: 1s}, stop: {command: x}, start_timeout: 3s}
services:
  a: {command: /bin/true, restart: {limit: none}, ready: none, stop: {command: none}, start_timeout: none}
"""
    spec = read(tmp_path, text)["a"].spec
    assert (spec.restart.limit, spec.ready, spec.stop.command, spec.start_timeout) == (None, None, None, None)


def test_another_probe_replaces_that_of_the_defaults_and_keeps_its_interval(tmp_path: Path) -> None:
    text = "defaults: {ready: {after: 1s, interval: 3s}}\nservices: {a: {command: /bin/true, ready: {file: x}}}"
    ready = read(tmp_path, text)["a"].spec.ready
    assert ready is not None
    assert (ready.file, ready.after, ready.interval) == ("x", None, 3.0)


def test_a_command_in_the_defaults_is_enough(tmp_path: Path) -> None:
    text = "defaults: {command: {shell: 'echo ${service}'}}\nservices: {a: , b: {command: [/bin/true]}}"
    answer = read(tmp_path, text)
    assert answer["a"].spec.command == (("/bin/sh", "-c", "echo a"),)
    assert answer["b"].spec.command == (("/bin/true",),)


# ---- anchors and merges ----


def test_anchors_and_merges_share_what_is_alike(tmp_path: Path) -> None:
    text = """x-base: &base
  command: &cmd [/bin/true, 1]
  environment: &env {A: 1, B: 2}
x-more: &more {umask: '077', command: [/bin/false]}
services:
  a: {<<: *base, description: mine}
  b: {<<: [*more, *base], environment: {<<: *env, B: 3}}
  c: {command: *cmd, description: *name}
""".replace("*name", "text").replace("description: mine", "description: &d mine")
    answer = read(tmp_path, text)
    assert answer["a"].spec.command == (("/bin/true", "1"),)
    assert answer["b"].spec.command == (("/bin/false",),)
    assert answer["b"].spec.environment == {"A": "1", "B": "3"}
    assert answer["c"].spec.command == (("/bin/true", "1"),)


def test_a_quoted_merge_key_is_a_key(tmp_path: Path) -> None:
    assert read(tmp_path, "services: {a: {command: /bin/true, '<<': {umask: 7}}}").codes == ["unknown-key"]


def test_a_mistake_in_what_is_shared_is_told_once_where_it_stands(tmp_path: Path) -> None:
    text = "x-a: &a {command: /bin/true, umask: 99}\nservices: {b: *a, c: *a, d: {<<: *a}}\n"
    assert read(tmp_path, text).places == [("no-mode", 1, 37)]
