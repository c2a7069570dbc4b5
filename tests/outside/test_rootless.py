"""Who can be a service's user, in each world that `pidone up` can make? Whoever cannot is an error before anything starts."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests import lacks
from tests.isolation import isolated
from tests.outside.world import PIDONE, environment, is_root, pidone, service, world

_WAYS = ((), ("--rootless",), ("--user",), ("--no-namespace",), ("--namespace", "auto"))

_STRANGER = """services:
  first: {command: touch started, type: oneshot}
  web:
    command: sleep 1
    user: daemon
  mail:
    command: sleep 1
    extra_groups: [tty]
"""


def _inside(options: tuple[str, ...]) -> int:
    """Our number in a world that is made so: nobody cannot be himself in a user namespace of his own."""
    return 0 if os.geteuid() == 65534 and "--no-namespace" not in options else os.geteuid()


@pytest.mark.parametrize("options", _WAYS, ids=" ".join)
def test_a_service_can_always_be_run_as_ourselves(options: tuple[str, ...]) -> None:
    uid = _inside(options)
    who = service("id -u > who; exec sleep 1000", user=str(uid), extra_groups=[])
    with world({"who": who}, *options) as here:
        assert here.read("who") == str(uid)
        assert here.ask("status").code == 0
        assert here.shut_down() == 0


@pytest.mark.parametrize("options", _WAYS, ids=" ".join)
def test_somebody_else_needs_a_world_in_which_he_exists(options: tuple[str, ...], tmp_path: Path) -> None:
    if is_root() and "--rootless" not in options:
        with world({"who": service("id -u > who; exec sleep 1000", user="daemon")}, *options) as here:
            assert here.read("who") == "1"
        return
    (tmp_path / "world.yaml").write_text(_STRANGER)
    said = pidone("up", "-c", "world.yaml", "--name", f"rootless-{os.getpid()}", *options, cwd=tmp_path)
    assert said.code == 7
    user, group = [line for line in said.err.splitlines() if ": error: " in line]
    kind = "foreign-id" if "--no-namespace" in options else "rootless-id"
    assert user.startswith("world.yaml:5:11: error: user daemon (uid 1): ")
    assert group.startswith("world.yaml:8:20: error: group tty (gid 5): ")
    for line in (user, group):
        assert line.endswith(f"[{kind}]")
        assert f"id {_inside(options)}" in line
    assert "start pidone as root" in said.err
    assert not (tmp_path / "started").exists()


def _as_in_a_container(folder: Path, *lacking: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """`pidone up` by a root who has not everything; its one service says who it is and in which world."""
    (folder / "world.yaml").write_text(
        "services: {who: {command: {shell: 'id -u; ls -d /proc/[1-9]*'}, user: root, shutdown_on: exit}}\n"
    )

    def prepare() -> None:
        for lack in lacking:
            lack()

    return subprocess.run(
        [str(PIDONE), "up", "-c", "world.yaml", "--name", f"container-{os.getpid()}"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=prepare,
        check=False,
    )


def _without_sys_admin() -> None:
    lacks.drop_capabilities(lacks.SYS_ADMIN)


@isolated
def test_root_of_a_container_gets_a_world_of_his_own(tmp_path: Path) -> None:
    said = _as_in_a_container(tmp_path, _without_sys_admin)
    assert said.returncode == 0
    assert said.stderr.startswith("pidone up: note: the capability SYS_ADMIN is not ours")
    assert "who | 0\n" in said.stdout
    assert "who | /proc/1\n" in said.stdout


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (lacks.cover_proc, ("/proc/fs", "systempaths=unconfined", "pidone init")),
        (partial(lacks.refuse_unshare, errno.EPERM), ("seccomp=unconfined", "pidone init")),
        (partial(lacks.forbid_namespaces, "user"), ("sysctl user.max_user_namespaces",)),
    ],
)
@isolated
def test_what_a_container_forbids_is_one_line_with_the_way_out(
    tmp_path: Path, lack: Callable[[], None], words: tuple[str, ...]
) -> None:
    said = _as_in_a_container(tmp_path, lack, _without_sys_admin)
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (1, "", 1)
    for word in ("pidone up: cannot ", *words, "--no-namespace"):
        assert word in said.stderr


def test_init_asks_who_it_may_become_itself(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(
        "services: {who: {command: {shell: 'id -u > who'}, user: daemon, shutdown_on: exit}}\n"
    )
    tmp_path.chmod(0o777)
    said = pidone("init", "-c", "world.yaml", "--socket", "c.sock", "--name", f"init-{os.getpid()}", cwd=tmp_path)
    if is_root():
        assert said.code != 7
    else:
        assert said.code == 7
        assert "world.yaml:1:" in said.err
        assert f"we are uid {os.geteuid()}" in said.err


def test_check_knows_only_who_asks_and_warns(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(_STRANGER)
    said = pidone("check", "world.yaml", cwd=tmp_path)
    assert said.code == 0
    if is_root():
        assert said.out == "ok\n"
    else:
        assert "world.yaml:5:11: warning: user daemon (uid 1): " in said.err
        assert "world.yaml:8:20: warning: group tty (gid 5): " in said.err
