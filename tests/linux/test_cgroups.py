"""Do we find out which cgroups are ours, and does a run's own group hold, show and end all of its processes?

Needs a v2 hierarchy that we may write to. Where there is none, the same tests hold us to saying so and doing without.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from supervisor.kernel import cgroups
from supervisor.kernel.libc import call
from supervisor.kernel.port import Born
from supervisor.kernel.procfs import v2_path
from supervisor.model.process import Exit
from tests.isolation import isolated
from tests.linux.stage import RealStage

_CLONE_NEWCGROUP = 0x02000000


@contextlib.contextmanager
def _group_of_ours() -> Iterator[Path | None]:
    """Move into a new group, which is ours then; None when that cannot be done here."""
    mounted = cgroups._mounted()
    path = v2_path(Path("/proc/self/cgroup").read_bytes())
    home = Path(cgroups.Tree("", *mounted).directory_of(path)) if mounted is not None else None
    group = home / f"pidone-test.{os.urandom(4).hex()}" if home is not None else None
    try:
        assert group is not None
        group.mkdir()
        (group / "cgroup.procs").write_text("0")
    except (OSError, AssertionError):
        situation = cgroups.find()
        assert situation.tree is None
        assert situation.line.startswith("cgroup v2: none: ")
        yield None
        return
    assert home is not None
    try:
        yield group
    finally:
        for pid in cgroups.members(str(group)):
            (home / "cgroup.procs").write_text(str(pid))
        for below in cgroups._groups(str(group)):
            os.rmdir(below)


def _stage(group: Path) -> RealStage:
    situation = cgroups.find()
    assert situation.tree is not None, situation.line
    assert situation.tree.base == str(group)
    return RealStage(tree=situation.tree)


def _start(stage: RealStage, *words: str, cgroup: str) -> Born:
    argv, executable = stage.actor(*words)
    born = stage.kernel.spawn(stage.order(argv, executable, cgroup=cgroup))
    assert isinstance(born, Born)
    assert stage.outcome(born) is None
    return born


@isolated
def test_a_group_in_which_all_are_ours_is_ours_and_one_with_a_bystander_is_not() -> None:
    with _group_of_ours() as group:
        if group is None:
            return
        situation = cgroups.find()
        assert situation.tree is not None
        assert "every process in it is ours" in situation.line
        assert "\n" not in situation.line
        (group / "cgroup.procs").write_text(str(os.getppid()))
        situation = cgroups.find()
        assert situation.tree is None
        assert "Delegate=yes" in situation.line
        assert [entry.name for entry in group.iterdir() if entry.is_dir()] == []


@isolated
def test_a_group_that_was_delegated_is_ours_whoever_is_in_it() -> None:
    with _group_of_ours() as group:
        if group is None:
            return
        (group / "cgroup.procs").write_text(str(os.getppid()))
        os.setxattr(group, "trusted.delegate", b"1")
        situation = cgroups.find()
        assert situation.tree is not None
        assert "delegated to us" in situation.line


@isolated
def test_the_root_of_our_own_cgroup_namespace_is_ours() -> None:
    with _group_of_ours() as group:
        if group is None:
            return
        (group / "cgroup.procs").write_text(str(os.getppid()))
        call("unshare", _CLONE_NEWCGROUP)
        call("mount", b"none", b"/mnt", b"cgroup2", 0, None)
        situation = cgroups.find()
        assert situation.tree is not None
        assert situation.tree.base == "/mnt"
        assert "the root of our cgroup namespace" in situation.line


@isolated
def test_a_daemon_that_hides_is_known_and_ended_by_its_group() -> None:
    with _group_of_ours() as group:
        if group is None:
            return
        stage = _stage(group)
        kernel = stage.kernel
        directory = kernel.new_cgroup("web.1")
        born = _start(stage, "daemonize", "ignore:TERM", "child:sleep", "rename:armed", "sleep", cgroup=directory)
        zombie = stage.until(kernel.peek)
        assert zombie is not None
        assert zombie.pid == born.pid
        person = kernel.identify(born.pid)
        assert person is not None
        assert person.cgroup == directory  # of a zombie too
        kernel.reap(born.pid, born.pidfd)
        (daemon,) = kernel.children()
        stage.until(lambda: (seen := kernel.identify(daemon)) is not None and seen.comm == "armed")
        person = kernel.identify(daemon)
        assert person is not None
        assert person.cgroup == directory
        assert daemon in kernel.cgroup_members(directory)
        assert len(kernel.cgroup_members(directory)) == 2
        assert cgroups.populated(directory)
        ourselves = kernel.identify(os.getpid())
        assert ourselves is not None
        assert ourselves.cgroup == str(group)

        assert kernel.kill_cgroup(directory)
        ends: list[Exit] = []
        while len(ends) < 2:
            zombie = stage.until(kernel.peek)
            assert zombie is not None
            ends.append(zombie.exit)
            kernel.reap(zombie.pid)
        assert ends == [Exit(signal=signal.SIGKILL)] * 2
        assert not cgroups.populated(directory)
        kernel.remove_cgroup(directory)
        assert not os.path.exists(directory)
        assert kernel.cgroup_members(directory) == ()
        assert not kernel.kill_cgroup(directory)
        assert not cgroups.populated(directory)


@isolated
def test_groups_that_a_service_made_below_its_own_belong_to_it() -> None:
    with _group_of_ours() as group:
        if group is None:
            return
        stage = _stage(group)
        directory = stage.kernel.new_cgroup("web.1")
        born = _start(stage, "sleep", cgroup=directory)
        below = Path(directory, "below.it")
        below.mkdir()
        (below / "cgroup.procs").write_text(str(born.pid))
        person = stage.kernel.identify(born.pid)
        assert person is not None
        assert person.cgroup == str(below)
        assert stage.kernel.cgroup_members(directory) == (born.pid,)
        stage.kernel.remove_cgroup(directory)
        assert below.exists()  # somebody lives there
        assert stage.kernel.kill_cgroup(directory)
        assert stage.until(stage.kernel.peek)
        stage.kernel.reap(born.pid)
        stage.kernel.new_cgroup("other.1")  # what could not be removed goes with the next
        assert not os.path.exists(directory)


@isolated
def test_a_groups_name_is_never_used_twice() -> None:
    with _group_of_ours() as group:
        if group is None:
            return
        stage = _stage(group)
        first, second = stage.kernel.new_cgroup("web.1"), stage.kernel.new_cgroup("web.1")
        assert first != second
        stage.kernel.remove_cgroup(first)
        assert stage.kernel.new_cgroup("web.1") not in (first, second)
        assert os.path.dirname(stage.kernel.new_cgroup("a/../../b")) == str(group)


@isolated
def test_a_group_that_cannot_be_made_is_none() -> None:
    tree = cgroups.Tree("/nowhere", "/nowhere", "/")
    assert tree.new("web.1") == ""
    tree.remove("/nowhere/web.1")
