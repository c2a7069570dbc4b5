"""What is refused, and how? Wrong configurations, a second world of one name, what cannot run (SERVICES §1, CLI.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.outside.world import Said, pidone, service, world


def _up(folder: Path, text: str, *options: str) -> Said:
    (folder / "world.yaml").write_text(text)
    return pidone("up", "-c", "world.yaml", "--name", f"refused-{folder.name[:20]}", *options, cwd=folder)


_STARTS_SOMETHING = "services:\n  a:\n    command: touch started\n    type: oneshot\n"


@pytest.mark.parametrize(
    ("addition", "place", "words"),
    [
        ("  b: {comand: sleep 1}", "world.yaml:5", "command"),
        ("  b: {command: sleep 1, stop_signal: INT}", "world.yaml:5", "stop"),
        ("  b: {command: sleep 1, autorestart: true}", "world.yaml:5", "restart"),
        ("  b: {command: sleep 1, depends_on: [nobody]}", "world.yaml:5", "nobody"),
        ("  b: {command: sleep 1, depends_on: [c]}\n  c: {command: sleep 1, depends_on: [b]}", "world.yaml", "b"),
        ("  b: {command: sleep 1, restart: sometimes}", "world.yaml:5", "on-failure"),
        ("  b: {command: sleep 1, umask: 99}", "world.yaml:5", "umask"),
        ("  b: {command: sleep 1, user: no-such-user-here}", "world.yaml:5", "no-such-user-here"),
        ("  b: {command: sleep 1, limits: {sigpending: 10}}", "world.yaml:5", "sigpending"),
        ("  b: {command: sleep 1, stop: {timeout: 10 parsecs}}", "world.yaml:5", "parsecs"),
        ("  b: {command: sleep 1, environment: {A: '${NOT_SET_ANYWHERE:?say where}'}}", "world.yaml:5", "say where"),
        ("  b: {command: sleep 1, ready: {http: 'https://127.0.0.1/'}}", "world.yaml:5", "exec"),
        ("  b: {command: sleep 1, depends_on: {a2: completed}}\n  a2: {command: sleep 1}", "world.yaml", "a2"),
        ("  a: {command: sleep 1}", "world.yaml:5", "a"),
        ("  b: [this, is, no, mapping]", "world.yaml:5", "b"),
        ("  b: {command: 'sleep 1}", "world.yaml", ""),
        ("  b: !!python/object/apply:os.system ['touch started']", "world.yaml:5", ""),
        ("  b: {command: sleep 1, healthcheck: {exec: ['true']}}", "world.yaml:5", "healthcheck"),
    ],
)
def test_a_wrong_configuration_is_refused_whole(tmp_path: Path, addition: str, place: str, words: str) -> None:
    said = _up(tmp_path, f"{_STARTS_SOMETHING}{addition}\n")
    assert said.code == 7, said
    assert place in said.err
    assert words in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "started").exists()


def test_check_says_the_same_as_up_and_starts_nothing(tmp_path: Path) -> None:
    text = f"{_STARTS_SOMETHING}  b: {{comand: sleep 1}}\n"
    up = _up(tmp_path, text)
    check = pidone("check", "world.yaml", cwd=tmp_path)
    assert check.code == 7
    assert check.err.splitlines()[0] == up.err.splitlines()[0]
    assert not (tmp_path / "started").exists()


def test_check_as_json_has_the_promised_fields(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text("services:\n  b: {comand: sleep 1}\n  c: {comand: sleep 1}\n")
    said = pidone("check", "world.yaml", "--json", cwd=tmp_path)
    assert said.code == 7
    assert (said.json["schema"], said.json["ok"]) == ("pidone/v1", False)
    assert [error["line"] for error in said.json["errors"]] == [2, 3]  # all at once, a typo not also a missing key
    for error in said.json["errors"]:
        assert set(error) >= {"file", "line", "column", "code", "message", "hint"}
    assert said.json["warnings"] == []


def test_check_of_a_good_file_is_content(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(_STARTS_SOMETHING)
    assert pidone("check", "world.yaml", cwd=tmp_path).code == 0
    assert pidone("check", "world.yaml", "--json", cwd=tmp_path).json["ok"] is True
    assert not (tmp_path / "started").exists()


def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = pidone("up", "-c", "nowhere.yaml", cwd=tmp_path)
    assert said.code == 7
    assert "nowhere.yaml" in said.err


def test_a_second_world_of_the_same_name_is_refused() -> None:
    with world({"a": service()}) as here:
        here.until_phase("a", "running")
        said = pidone("up", "--name", here.name, "-c", "world.yaml", cwd=here.folder)
        assert said.code == 1
        assert here.name in said.err
        assert "--name" in said.err
        assert here.service("a")["phase"] == "running"


def test_a_name_is_free_again_when_its_world_has_ended(tmp_path: Path) -> None:
    text = "services:\n  a: {command: 'true', shutdown_on: exit}\n"
    assert [_up(tmp_path, text).code for _ in range(2)] == [0, 0]


def test_a_folder_of_files_is_read_and_override_changes_a_service() -> None:
    more = "services:\n  a:\n    override: true\n    environment: {COLOUR: blue}\n"
    first = "services:\n  a:\n    command: {shell: 'echo $COLOUR-$SHAPE > out; exec sleep 100000'}\n"
    first += "    environment: {SHAPE: round}\n"
    with world(first, "-c", "more.yaml", files={"more.yaml": more}) as here:
        assert here.read("out") == "blue-round"


def test_override_adds_and_without_it_a_second_definition_is_refused(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("services:\n  a:\n    environment: {COLOUR: blue}\n")
    assert _up(tmp_path, _STARTS_SOMETHING, "-c", "more.yaml").code == 7


def test_defaults_apply_below_every_service() -> None:
    text = "defaults: {restart: never}\nservices:\n  a: {command: 'false'}\n  b: {command: 'false', restart: always}\n"
    with world(text) as here:
        here.until_phase("a", "failed")
        here.until("b", lambda view: view["run"] > 1)


def test_another_version_of_the_file_is_refused(tmp_path: Path) -> None:
    assert _up(tmp_path, f"version: 2\n{_STARTS_SOMETHING}").code == 7


def test_what_begins_with_x_is_a_place_for_anchors() -> None:
    text = "x-never: &never {restart: never}\nservices:\n  a: {command: 'false', <<: *never}\n"
    with world(text) as here:
        here.until_phase("a", "failed")


def test_scalars_stay_text_where_text_is_wanted() -> None:
    said = "services:\n  a:\n    command: {shell: 'echo $A $B $C $D > out; exec sleep 100000'}\n"
    said += "    environment: {A: no, B: 1:30, C: 0755, D: 1e3}\n"
    with world(said) as here:
        assert here.read("out") == "no 1:30 0755 1e3"


def test_variables_are_expanded_in_values() -> None:
    said = "services:\n  a:\n    command: {shell: 'echo ${COLOUR:-grey} ${SHAPE:-round} ${service} $$HOME > out; exec sleep 9999'}\n"
    with world(said, env={"COLOUR": "red", "HOME": "/"}) as here:
        assert here.read("out") == "red round a /"


def test_a_yaml_bomb_is_refused_quickly(tmp_path: Path) -> None:
    rows = ["x-a: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    said = _up(tmp_path, "\n".join([*rows, _STARTS_SOMETHING]))
    assert said.code == 7
    assert "config-too-large" in said.err or "too large" in said.err


def test_a_stale_proc_is_not_accepted(tmp_path: Path) -> None:
    said = _up(tmp_path, f"system: {{namespace: {{mount: false}}}}\n{_STARTS_SOMETHING}")
    assert said.code == 7
    assert not (tmp_path / "started").exists()
