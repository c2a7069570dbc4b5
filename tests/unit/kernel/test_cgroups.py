"""Are paths of the v2 hierarchy read right, and is what is missing said in one line?"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from supervisor.kernel import cgroups
from supervisor.kernel.cgroups import Tree
from supervisor.kernel.procfs import v2_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"0::/\n", "/"),
        (b"0::/system.slice/a b\n", "/system.slice/a b"),
        (b"9:name=systemd:/x\n1:cpu:/y\n0::/z\n", "/z"),
        (b"0::/gone (deleted)\n", "/gone"),
        (b"10::/no\n1:cpu:/0::/no\n", ""),
        (b"", ""),
    ],
)
def test_the_v2_path_is_found_among_the_others(text: bytes, path: str) -> None:
    assert v2_path(text) == path


@pytest.mark.parametrize(
    ("root", "path", "directory"),
    [
        ("/", "/", "/cg"),
        ("/", "/a/b", "/cg/a/b"),
        ("/a", "/a", "/cg"),
        ("/a", "/a/b", "/cg/b"),
        ("/a", "/ab", ""),
        ("/", "/../outside", ""),
        ("/", "", ""),
    ],
)
def test_a_path_is_below_what_is_mounted_or_nowhere(root: str, path: str, directory: str) -> None:
    assert Tree("/cg", "/cg", root).directory_of(path) == directory


def test_the_mount_that_lies_on_top_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        b"22 27 0:21 / /proc rw - proc proc rw\n"
        b"41 31 0:38 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n"
        b"42 31 0:38 /a\\040b /mnt/with\\040space rw - cgroup2 none rw\n"
        b"43 31 0:39 / /cpu rw - cgroup cgroup rw,cpu\n"
    )
    monkeypatch.setattr(cgroups, "_read", lambda path: lines)
    assert cgroups._mounted() == ("/mnt/with space", "/a b")


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers: dict[str, object] = {}

    def read(path: str) -> bytes:
        answer = answers.get(path)
        if isinstance(answer, bytes):
            return answer
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(cgroups, "_read", read)
    mount = f"1 1 0:1 / {tmp_path} rw - cgroup2 none rw\n".encode()
    situations = []
    for step in (
        {},
        {"/proc/self/mountinfo": mount},
        {"/proc/self/cgroup": b"0::/../up\n"},
        {"/proc/self/cgroup": b"0::/\n"},
    ):
        answers.update(step)
        situations.append(cgroups.find())
    monkeypatch.setattr(cgroups, "_claim", lambda base, path: "ours")
    situations.append(cgroups.find())
    (tmp_path / "cgroup.procs").touch()
    situations.append(cgroups.find())
    assert all(situation.tree is None for situation in situations)
    assert [
        situation.line.removeprefix("cgroup v2: none: ").replace(str(tmp_path), "CG") for situation in situations
    ] == [
        "it is not mounted",
        "/proc/self/cgroup: No such file or directory",
        "our own group /../up is not below CG",
        "CG holds processes that are not ours; `systemd-run --scope -p Delegate=yes pidone …` gives us one",
        "CG/cgroup.procs: not writable",
        situations[-1].line.removeprefix("cgroup v2: none: ").replace(str(tmp_path), "CG"),
    ]
    assert situations[-1].line.endswith("cgroup.procs: not writable")  # of the group that it tried to make
    assert [entry.name for entry in tmp_path.iterdir()] == ["cgroup.procs"]
