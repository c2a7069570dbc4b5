from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.kernel.filesystems import Mounts, Walk, parse_mounts

_TABLE = """\
21 1 0:20 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
22 21 0:21 / /proc rw - proc proc rw
23 21 0:22 / /srv/with\\040space rw master:1 propagate_from:2 - nfs4 server:/x rw
24 21 0:23 / /mnt rw - ext4 /dev/vdb rw
25 21 0:24 / /mnt rw - fuse.sshfs me@there: rw
not a line
"""


def test_the_table_of_mounts_is_read() -> None:
    assert parse_mounts(_TABLE.splitlines()) == {
        "/": "ext4",
        "/proc": "proc",
        "/srv/with space": "nfs4",
        "/mnt": "fuse.sshfs",  # the later one hides the earlier
    }


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph", "autofs", "fuse", "fuse.sshfs", "new"]
)
def test_what_may_hang_is_not_local(tmp_path: Path, kind: str) -> None:
    mounts = Mounts({"/": "ext4", str(tmp_path / "far"): kind})
    assert mounts.walk(f"{tmp_path}/far/bin/x") == Walk(f"{tmp_path}/far/bin/x", False)
    assert mounts.walk(f"{tmp_path}/near").local


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "rootfs", "zfs", "squashfs"])
def test_what_this_machine_answers_itself_is_local(tmp_path: Path, kind: str) -> None:
    assert Mounts({"/": kind, str(tmp_path): kind}).walk(str(tmp_path)).local


def test_symbolic_links_are_followed_wherever_they_lead(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "x").touch()
    (tmp_path / "up").symlink_to("bin/../bin")
    (tmp_path / "out").symlink_to(tmp_path / "far" / "x")
    (tmp_path / "loop").symlink_to("loop")
    mounts = Mounts({"/": "ext4", str(tmp_path / "far"): "nfs4"})
    assert mounts.walk(f"{tmp_path}/up//./x") == Walk(f"{tmp_path}/bin/x", True)
    assert not mounts.walk(f"{tmp_path}/out").local
    assert mounts.walk(f"{tmp_path}/loop/x").local
    assert mounts.walk(f"{tmp_path}/missing/x") == Walk(f"{tmp_path}/missing/x", True)


def test_what_lies_behind_a_far_mount_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    lstat = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: looked.append(path) or lstat(path))
    Mounts({"/": "ext4", str(tmp_path): "nfs4"}).walk(f"{tmp_path}/a/b")
    assert looked
    assert not any(path.startswith(str(tmp_path)) for path in looked)


def test_without_a_table_nothing_is_known_to_be_local() -> None:
    assert not Mounts({}).walk("/bin/sh").local
    assert not Mounts.here("/no/such/table").walk("/bin/sh").local


def test_a_far_root_makes_everything_far() -> None:
    assert not Mounts({"/": "nfs4"}).walk("/bin/sh").local


def test_a_chroot_whose_root_no_table_names_is_as_near_as_we_are() -> None:
    assert Mounts({"/proc": "proc"}).walk("/bin").local
    assert not Mounts({"/proc": "proc", "/bin": "nfs4"}).walk("/bin").local


def test_our_own_root_is_found() -> None:
    assert Mounts.here().walk("/proc").path == "/proc"
