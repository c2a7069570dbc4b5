"""Does a process run as who its order says, and does it say so when that cannot be?

Where not every id is mapped (in a user namespace made without privileges) the same orders have another true answer.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from supervisor.kernel.libc import call
from supervisor.model.plan import Identity
from tests.isolation import isolated
from tests.linux.stage import RealStage, failed

_SOMEBODY = Identity(12345, 23456, (34567, 45678))
_CAT = ("/bin/cat", "/proc/self/status")
_REFUSED = failed("groups", errno.EPERM)


def _all_ids_are_mapped() -> bool:
    return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


def _lines(status: str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in status.splitlines())


@isolated
def test_user_group_and_groups_are_the_orders_saved_ones_too() -> None:
    stage = RealStage()
    order = stage.order(_CAT, identity=_SOMEBODY)
    if _all_ids_are_mapped():
        lines = _lines(stage.run(order))
        assert lines["Uid"].split() == ["12345"] * 4  # real, effective, saved, file system
        assert lines["Gid"].split() == ["23456"] * 4
        assert lines["Groups"].split() == ["34567", "45678"]
    else:
        assert stage.attempt(order) == _REFUSED
    assert os.getresuid() == (0, 0, 0)


@isolated
def test_no_capability_is_left_to_an_ordinary_user() -> None:
    stage = RealStage()
    order = stage.order(_CAT, identity=_SOMEBODY)
    if _all_ids_are_mapped():
        lines = _lines(stage.run(order))
        assert {lines[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    else:
        assert stage.attempt(order) == _REFUSED


@isolated
def test_who_is_already_that_one_needs_no_privileges() -> None:
    stage = RealStage()
    if _all_ids_are_mapped():
        os.setgroups([23456, 34567])
        os.setresgid(23456, 23456, 23456)
        os.setresuid(12345, 12345, 12345)
    uid, gid = os.getuid(), os.getgid()
    lines = _lines(stage.run(stage.order(_CAT, identity=Identity(uid, gid, tuple(os.getgroups())))))
    assert (lines["Uid"].split(), lines["Gid"].split()) == ([str(uid)] * 4, [str(gid)] * 4)
    # fewer groups than ours: that takes privileges, but nothing is gained by having more
    assert stage.attempt(stage.order(("/bin/true",), identity=Identity(uid, gid, ()))) is None
    # more groups than ours are not to be had
    refused = stage.attempt(stage.order(("/bin/true",), identity=Identity(uid, gid, (uid + 4242,))))
    assert refused == _REFUSED


@isolated
def test_the_working_dir_and_the_program_are_reached_as_that_user() -> None:
    stage = RealStage()
    call("mount", b"none", b"/mnt", b"tmpfs", 0, None)  # pytest's own folders are closed to others
    secret = Path("/mnt/secret")
    secret.mkdir(mode=0o700)
    program = secret / "x"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    failures = [
        stage.attempt(stage.order(("/bin/true",), identity=_SOMEBODY, working_dir="/mnt")),
        stage.attempt(stage.order(("/bin/true",), identity=_SOMEBODY, working_dir=str(secret))),
        stage.attempt(stage.order((str(program),), identity=_SOMEBODY)),
    ]
    if _all_ids_are_mapped():
        assert failures == [
            None,
            failed("working_dir", errno.EACCES, str(secret)),
            failed("exec", errno.EACCES, str(program)),
        ]
    else:
        assert failures == [_REFUSED] * 3
    assert stage.attempt(stage.order((str(program),), working_dir=str(secret), way="safe")) is None


@isolated
def test_another_user_can_reopen_its_stdout_and_stderr() -> None:
    stage = RealStage()
    order = stage.order(("/bin/sh", "-c", "echo a >/dev/stdout; echo b >/dev/stderr"), "/bin/sh", identity=_SOMEBODY)
    if _all_ids_are_mapped():
        assert stage.run(order) == "a\nb\n"
    else:
        assert stage.attempt(order) == _REFUSED


@isolated
def test_a_file_as_stdout_keeps_its_owner(tmp_path: Path) -> None:
    stage = RealStage()
    out = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    stage.attempt(stage.order(("/bin/true",), identity=_SOMEBODY, stdout=out))
    assert os.fstat(out).st_uid == 0
    assert stat.S_ISREG(os.fstat(out).st_mode)
