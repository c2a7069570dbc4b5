"""Is /proc read as it is written, whatever stands in it?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.kernel import family, glimpse, procfs
from supervisor.kernel.port import Person
from supervisor.kernel.procfs import read_stat

_REST = "1 10 11 0 -1 {flags} 0 0 0 0 3 4 100 100 20 0 1 0 777 0 55 18446744073709551615 0 0\n"


def _stat(folder: Path, name: str, state: str, flags: int) -> procfs.Stat:
    (folder / "stat").write_text(f"42 ({name}) {state} {_REST.format(flags=flags)}")
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return read_stat(directory)
    finally:
        os.close(directory)


@pytest.mark.parametrize("name", ["sh", "a b", "x) R 1 (y", ")", "(", "line\nend", ""])
def test_a_name_may_hold_anything(tmp_path: Path, name: str) -> None:
    assert _stat(tmp_path, name, "S", 0x400000) == procfs.Stat(name, "S", 1, 10, 11, False, 7, 777, 55)


def test_kernel_threads_are_told_by_their_flag_and_are_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thread, process = _stat(tmp_path, "kthreadd", "S", 0x208040), _stat(tmp_path, "init", "S", 0x400100)
    assert (thread.kernel_thread, process.kernel_thread) == (True, False)

    def look(pid: int, place: object) -> tuple[Person, procfs.Stat]:
        return Person(pid, 0, "", "S", 0, 0, 0, 0, "", 0), thread if pid == 2 else process

    monkeypatch.setattr(procfs, "_look", look)
    assert [person.pid for person in procfs.people([1, 2, 3], None)] == [1, 3]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (b"Limit  Soft Limit\nMax file locks  unlimited\nMax pending signals       96364    96364    signals\n", 96364),
        (b"Limit  Soft Limit\nMax pending signals       unlimited    unlimited    signals\n", -1),
        (b"Limit  Soft Limit\n", -1),
    ],
)
def test_a_tag_is_the_soft_limit_of_pending_signals(text: bytes, tag: int) -> None:
    assert procfs._soft_pending(text) == tag


def test_who_is_handed_to_another_parent_during_the_look_is_counted_once() -> None:
    children = {5: [6, 7], 6: [7], 7: [5]}
    assert sorted(family._below([5], lambda pid: children.get(pid, []))) == [6, 7]


def test_numbers_in_other_namespaces_are_read_outermost_first() -> None:
    assert glimpse._ns_pids(b"Name:\tx\nNSpid:\t4711\t12\t1\nNSpgid:\t1\n") == (4711, 12, 1)
    assert glimpse._ns_pids(b"Name:\tx\n") == ()


def test_there_is_nobody_where_nobody_is() -> None:
    beyond = int(Path("/proc/sys/kernel/pid_max").read_text()) + 1
    assert procfs.identify(beyond) is None
    assert glimpse.glimpse(beyond) is None
    assert glimpse.pss(beyond) is None
