from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.envfile import variables_in
from supervisor.config.findings import Refused
from tests.unit.config.reading import read, service


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1", {"A": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\n# comment\n   # another\nA=1\n\n", {"A": "1"}),
        ("A=", {"A": ""}),
        ("  A = b c  ", {"A": "b c"}),
        ("A=b # comment", {"A": "b"}),
        ("A=b#c", {"A": "b#c"}),
        ("A=#c", {"A": ""}),
        ("A=b=c", {"A": "b=c"}),
        ("export A=1", {"A": "1"}),
        ("export=1", {"export": "1"}),
        ("A='b # c' # d", {"A": "b # c"}),
        ("A='b\\n'", {"A": "b\\n"}),
        ('A="b\\n\\"c\\" \\$d \\x"', {"A": 'b\n"c" $d \\x'}),
        ("A='two\nlines'\nB=2", {"A": "two\nlines", "B": "2"}),
        ('A="two\nlines"\nB=2', {"A": "two\nlines", "B": "2"}),
        ("A=$HOME ${B}", {"A": "$HOME ${B}"}),
        ("A=it's", {"A": "it's"}),
        ("A=1\nA=2", {"A": "2"}),
        ("OURS\nNOT_OURS\n", {"OURS": "here"}),
        ("a.b-c=1", {"a.b-c": "1"}),
        ("A=ż", {"A": "ż"}),
    ],
)
def test_a_file_says(text: str, expected: dict[str, str]) -> None:
    assert variables_in(text, {"OURS": "here"}) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\n=2", 2), ("A=1\nB C=3", 2), ("A='x\nB=1\nC=2", 1), ('A="x', 1), ("A='x' y", 1), ("A=\0", 1), ("'A'=1", 1)],
)
def test_a_line_that_says_nothing_is_refused_with_its_number(text: str, line: int) -> None:
    with pytest.raises(Refused) as caught:
        variables_in(text, {})
    assert caught.value.texts["line"] == str(line)


@given(st.text(st.sampled_from("A= '\"\\\n#\t$"), max_size=20))
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    try:
        found = variables_in(text, {})
    except Refused:
        return
    assert all(isinstance(value, str) for value in found.values())


def test_files_are_found_from_the_folder_of_the_file_that_names_them_and_later_ones_win(tmp_path: Path) -> None:
    keys = "env_file: [one.env, sub/two.env], environment: {C: own}"
    planned = service(tmp_path, keys, one_env="A=1\nB=1\nC=1\n", sub__two_env="B=2\nC=2\n")
    assert planned.spec.environment == {"A": "1", "B": "2", "C": "own"}
    assert planned.spec.env_file == (f"{tmp_path}/one.env", f"{tmp_path}/sub/two.env")


def test_a_file_named_by_the_defaults_of_another_folder_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yaml").write_text("services: {a: {override: on, env_file: x.env}}")
    (tmp_path / "sub" / "x.env").write_text("A=sub")
    read(tmp_path, "services: {a: {command: /bin/true}}")
    from tests.unit.config.reading import read_paths

    answer = read_paths([str(tmp_path / "a.yaml"), str(tmp_path / "sub")])
    assert answer["a"].spec.environment == {"A": "sub"}


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff", "encoding"), (b"A" * (1 << 20) + b"=1", "config-too-large")], ids=["bytes", "size"]
)
def test_a_file_that_is_none_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    error = read(tmp_path, "services: {a: {command: /bin/true, env_file: x.env}}", x_env=content).errors[0]
    assert error.code == "env-file"
    assert words in error.message


def test_a_mistake_in_a_file_does_not_show_what_stands_there(tmp_path: Path) -> None:
    error = read(tmp_path, "services: {a: {command: /bin/true, env_file: x.env}}", x_env="SECRET hunter2").errors[0]
    assert "hunter2" not in f"{error.message} {error.hint} {error.excerpt}"
    assert "x.env:1" in error.message


def test_many_services_with_a_long_file_are_bounded(tmp_path: Path) -> None:
    rows = [f"  s{number}: {{command: /bin/true, env_file: x.env}}" for number in range(400)]
    text = "\n".join(["services:", *rows])
    assert read(tmp_path, text, x_env="".join(f"V{n}=1\n" for n in range(2000))).codes == ["config-too-large"]
