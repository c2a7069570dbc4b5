from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from supervisor.kernel.filesystems import Mounts
from supervisor.model.plan import Launch
from supervisor.model.spec import ServiceSpec
from supervisor.programs.launches import Launches
from tests.unit.config.reading import read

_LOCAL = Mounts({"/": "ext4"})


def _program(path: Path, content: bytes = b"\x7fELF", mode: int = 0o755) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def _launch(
    spec: ServiceSpec, mounts: Mounts = _LOCAL, environ: Mapping[str, str] = MappingProxyType({"PATH": "/nowhere"})
) -> tuple[Launch, list[str]]:
    launch, missing = Launches(environ, mounts).launch(spec)
    return launch, [one.name for one in missing]


def _spec(*command: str, **more: object) -> ServiceSpec:
    return ServiceSpec(command=(command,), **more)  # type: ignore[arg-type]


def test_a_bare_name_is_looked_up_in_the_path_that_the_service_gets(tmp_path: Path) -> None:
    ours, own = _program(tmp_path / "ours" / "x"), _program(tmp_path / "own" / "x")
    environ = {"PATH": f"{tmp_path}/ours:{tmp_path}/own"}
    assert _launch(_spec("x"), environ=environ) == (Launch("fast", (ours,)), [])
    assert _launch(_spec("x", environment={"PATH": f"{tmp_path}/own"}), environ=environ)[0].executables == (own,)
    assert _launch(_spec("x", pass_environment=("TZ",)), environ=environ) == (Launch("safe", ("",)), ["x"])
    assert _launch(_spec("sh", pass_environment=()), environ={}, mounts=Mounts.here())[0].executables[0].endswith("/sh")


def test_what_is_not_executable_is_passed_over(tmp_path: Path) -> None:
    first, second = _program(tmp_path / "a" / "x", mode=0o644), _program(tmp_path / "b" / "x")
    (tmp_path / "c" / "x").mkdir(parents=True)
    search = f"{tmp_path}/c:{tmp_path}/a:{tmp_path}/b"
    assert _launch(_spec("x"), environ={"PATH": search}) == (Launch("fast", (second,)), [])
    assert _launch(_spec("x"), environ={"PATH": f"{tmp_path}/a"}) == (Launch("safe", (first,)), ["x"])


def test_a_name_with_a_slash_begins_at_the_working_dir(tmp_path: Path) -> None:
    program = _program(tmp_path / "bin" / "x")
    assert _launch(_spec("bin/x", working_dir=str(tmp_path))) == (Launch("fast", (program,)), [])
    assert _launch(_spec(program)) == (Launch("fast", (program,)), [])
    assert _launch(_spec("./bin/y", working_dir=str(tmp_path))) == (Launch("safe", ("",)), ["./bin/y"])


def test_a_place_in_the_path_may_be_relative_to_the_working_dir(tmp_path: Path) -> None:
    one, two = _program(tmp_path / "one" / "x"), _program(tmp_path / "two" / "x")
    launches = Launches({"PATH": ":/nowhere"}, _LOCAL)
    found = [launches.launch(_spec("x", working_dir=f"{tmp_path}/{name}"))[0].executables for name in ("one", "two")]
    assert found == [(one,), (two,)]


@pytest.mark.parametrize("far", ["bin", "work", "interpreters"])
def test_it_is_safe_where_anything_is_far(tmp_path: Path, far: str) -> None:
    interpreter = _program(tmp_path / "interpreters" / "sh")
    program = _program(tmp_path / "bin" / "x", f"#! {interpreter} -e\n".encode())
    (tmp_path / "work").mkdir()
    spec = _spec(program, working_dir=f"{tmp_path}/work")
    assert _launch(spec)[0].way == "fast"
    assert _launch(spec, Mounts({"/": "ext4", f"{tmp_path}/{far}": "nfs4"}))[0].way == "safe"


def test_a_script_whose_interpreter_is_a_script_is_followed(tmp_path: Path) -> None:
    last = _program(tmp_path / "far" / "sh")
    second = _program(tmp_path / "second", f"#!{last}\n".encode())
    first = _program(tmp_path / "first", f"#!{second}\n".encode())
    assert _launch(_spec(first))[0].way == "fast"
    assert _launch(_spec(first), Mounts({"/": "ext4", f"{tmp_path}/far": "fuse"}))[0].way == "safe"
    loop = _program(tmp_path / "loop", f"#!{tmp_path}/loop\n".encode())
    assert _launch(_spec(loop))[0].way == "safe"


@pytest.mark.parametrize("line", [b"#!", b"#! \n", b"#!sh\n"])
def test_a_script_without_a_certain_interpreter_is_executed_the_safe_way(tmp_path: Path, line: bytes) -> None:
    assert _launch(_spec(_program(tmp_path / "x", line)))[0].way == "safe"


def test_a_program_that_cannot_be_read_is_executed_the_safe_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    program = _program(tmp_path / "x")
    monkeypatch.setattr("supervisor.programs.launches.open", forbidden, raising=False)
    assert _launch(_spec(program)) == (Launch("safe", (program,)), [])


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x", 0o755)
    assert _launch(_spec(f"{tmp_path}/x")) == (Launch("safe", (f"{tmp_path}/x",)), [f"{tmp_path}/x"])


def test_behind_a_far_place_in_the_path_the_child_looks_for_itself(tmp_path: Path) -> None:
    _program(tmp_path / "near" / "x")
    environ = {"PATH": f"{tmp_path}/far:{tmp_path}/near"}
    assert _launch(_spec("x"), Mounts({"/": "ext4", f"{tmp_path}/far": "nfs4"}), environ) == (
        Launch("safe", ("",)),
        ["x"],
    )


def test_each_of_several_commands_is_found(tmp_path: Path) -> None:
    program = _program(tmp_path / "x")
    spec = ServiceSpec(command=((program,), ("nothing-like-it",)))
    assert _launch(spec) == (Launch("safe", (program, "")), ["nothing-like-it"])


def test_a_program_that_is_not_there_is_a_warning_at_its_place(tmp_path: Path) -> None:
    plain = _program(tmp_path / "plain", mode=0o644)
    text = f"""services:
  a: {{command: no-such-program x}}
  b: {{command: /no/such/program}}
  c: {{type: oneshot, command: [[/bin/true], [no-such-program]]}}
  d: {{command: {plain}}}
  e: {{command: [no-such-program]}}
"""
    answer = read(tmp_path, text)
    assert not answer.errors
    assert [(warning.code, warning.line, warning.column) for warning in answer.warnings] == [
        ("command-not-found", 2, 16),
        ("command-not-found", 3, 16),
        ("command-not-found", 4, 45),
        ("not-executable", 5, 16),
        ("command-not-found", 6, 16),
    ]
    assert "in PATH" in answer.warnings[0].message
    assert answer["d"].launch.executables == (plain,)


def test_so_is_one_that_stops_it_or_looks_whether_it_is_ready(tmp_path: Path) -> None:
    text = """services:
  a:
    command: /bin/true
    stop: {command: [no-such-program, x]}
    ready: {exec: /no/such/program}
  b: {command: /bin/true, stop: {command: /bin/true}, ready: {exec: {shell: no-such-program}}}
defaults: {stop: {command: {shell: no-such-program}}}
"""
    answer = read(tmp_path, text)
    assert not answer.errors
    assert [(warning.code, warning.line, warning.column) for warning in answer.warnings] == [
        ("command-not-found", 4, 21),
        ("command-not-found", 5, 19),
    ]


def test_shell_signs_in_a_text_are_a_warning(tmp_path: Path) -> None:
    answer = read(tmp_path, "services: {a: {command: '/bin/true && /bin/false'}, b: {command: [/bin/true, '|']}}")
    assert [(warning.code, warning.column) for warning in answer.warnings] == [("looks-like-shell", 25)]
    assert "&&" in answer.warnings[0].message


def test_a_removed_working_directory_is_taken_as_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    try:
        assert _launch(_spec("/bin/sh"), Mounts.here())[0].executables == ("/bin/sh",)
    finally:
        monkeypatch.chdir(tmp_path)
