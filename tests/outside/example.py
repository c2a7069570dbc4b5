"""How is one of the examples run? In a copy of its folder, with the words that its README says, on a port that is free.

Its services find the programs that are installed beside the interpreter that runs the tests. Examples that need more than
Python say what is missing and which packages bring it.
"""

from __future__ import annotations

import glob
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.outside.world import PIDONE, Said, World, environment, pidone

__all__ = ["EXAMPLES", "Example", "a_free_port", "copied", "example", "is_mapped", "needs", "who_may_be_a_server"]

EXAMPLES = Path(__file__).parents[2] / "examples"

_BROUGHT = {  # by each Debian package; PostgreSQL's programs lie in a folder of their version
    "nginx": "/usr/sbin/nginx",
    "redis-server": "/usr/bin/redis-server",
    "postgresql": "/usr/lib/postgresql/*/bin/initdb",
}
_PATIENCE = 60.0  # seconds: real servers, several of them, on two cores that may be busy
_GRACE = 5.0  # seconds for a world whose test is over


def needs(*packages: str) -> None:
    """Skips the test with the sentence that helps when these are not installed; `.ci/run` installs them and skips nothing."""
    missing = " ".join(package for package in packages if not glob.glob(_BROUGHT[package]))
    if missing:
        pytest.skip(f"this example runs real servers: apt-get install -y --no-install-recommends {missing}")


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def is_mapped(uid: int) -> bool:
    """Whether this user exists in our user namespace (user_namespaces(7))."""
    rows = [[int(field) for field in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(inside <= uid < inside + count for inside, _, count in rows)


def who_may_be_a_server(user: str) -> list[str]:
    """The words before a command by which we become somebody as whom servers run: not root, not nobody, and with a name.

    As root nobody has to: there services name their users. Who is nobody becomes root in the user namespace of a world
    (docs/decisions/monitor.md), which PostgreSQL refuses; so he is `user` there.
    """
    uid = os.geteuid()
    names = {entry.pw_uid for entry in pwd.getpwall()}
    if uid not in (0, 65534) and uid in names:
        return []
    entry = pwd.getpwnam(user)
    return ["unshare", "--user", f"--map-user={entry.pw_uid}", f"--map-group={entry.pw_gid}", "--"]


class Example(World):
    """A world that is found by its socket, whoever it is to itself."""

    def ask(self, *words: str, timeout: float = 60.0) -> Said:
        return pidone("--socket", str(self.folder / "control"), *words, cwd=self.folder, timeout=timeout)

    def order_of(self, *texts: str) -> list[str]:
        """These texts in the order in which they stand in the log; all must be there."""
        log = self.log()
        return sorted(texts, key=log.index)


@contextmanager
def copied(name: str) -> Iterator[Path]:
    """A copy of the example's folder, into which services of other users may write too."""
    folder = Path(tempfile.mkdtemp(prefix="pido-"))  # short: a socket's path has room for 107 bytes
    try:
        shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        folder.chmod(0o777)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def example(
    folder: Path, *words: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[Example]:
    """`pidone up WORDS` in that folder; handed over when it answers or has already ended."""
    path = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
    given = {"PATH": path, "XDG_RUNTIME_DIR": str(folder), "TEST_WORLD_FOLDER": str(folder), **(env or {})}
    name = f"t{secrets.token_hex(6)}"
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [*before, PIDONE, "up", "--name", name, "--socket", folder / "control", *words],
            cwd=folder,
            env=environment(given, measured=True),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    here = Example(folder, name, process)
    try:
        eventually(lambda: process.poll() is not None or here.ask("status").code != 5, timeout=_PATIENCE)
        yield here
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            if here.ended(_GRACE) is None:
                process.kill()
                process.wait()
