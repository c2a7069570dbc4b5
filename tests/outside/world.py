"""How does a test see pidone as its user does? It writes YAML, starts the installed command, and asks it by the command line.

A world is a folder of its own, a name of its own and one foreground `pidone up`. It ends with the test: asked first, then
killed, always by its pid. Nothing of pidone is imported here.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.eventually import eventually

__all__ = ["PIDONE", "Said", "World", "environment", "is_root", "pidone", "service", "world"]

PIDONE = Path(sysconfig.get_path("scripts")) / "pidone"
"""The command that was installed beside the interpreter that runs the tests."""

_PATIENCE = 20.0  # seconds for what takes milliseconds: two cores may be busy with something else
_GRACE = 2.0  # seconds for a world whose test is over; then the monitor is killed, and everything dies with it
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR")
_MEASURED = ("COVERAGE_PROCESS_START", "COVERAGE_FILE")


def is_root() -> bool:
    return os.geteuid() == 0


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(extra: Mapping[str, str] | None = None, *, measured: bool = False) -> dict[str, str]:
    """What a user's shell would pass on, without what is about another pidone. Worlds are measured for coverage where tests
    are; client commands are not: there are thousands, and they have tests of their own in `tests/unit/cli`."""
    names = _KEPT + _MEASURED if measured else _KEPT
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {"LANG": "C.UTF-8", **kept, **(extra or {})}


def pidone(
    *words: str, cwd: Path | str = "/", env: Mapping[str, str] | None = None, timeout: float = 60.0, stdin: str = ""
) -> Said:
    """Run `pidone WORDS` to its end."""
    done = subprocess.run(
        [PIDONE, *words],
        cwd=cwd,
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


class World:
    """One `pidone up` in the foreground, and the folder it was started in."""

    def __init__(self, folder: Path, name: str, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.name = name
        self.process = process

    @property
    def pid(self) -> int:
        """The monitor: the process that a terminal's signals reach."""
        return self.process.pid

    def ask(self, *words: str, timeout: float = 60.0) -> Said:
        """A client command, sent to this world."""
        return pidone("--name", self.name, *words, cwd=self.folder, timeout=timeout)

    def json(self, *words: str) -> Any:
        """What a client command prints with --json, whatever its exit status."""
        return self.ask(*words, "--json").json

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.json("status")
        return answer

    def services(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.status()["services"]}

    def service(self, name: str) -> dict[str, Any]:
        return self.services()[name]

    def until(self, name: str, holds: Callable[[dict[str, Any]], object], timeout: float = _PATIENCE) -> dict[str, Any]:
        """The service's view, as soon as this is true of it."""
        seen: list[dict[str, Any]] = []

        def there() -> bool:
            seen[:] = [self.service(name)]
            return bool(holds(seen[0]))

        try:
            eventually(there, timeout=timeout)
        except BaseException as failure:
            failure.add_note(f"last seen: {seen}\nlog:\n{self.log()}")
            raise
        return seen[0]

    def until_phase(self, name: str, *phases: str, timeout: float = _PATIENCE) -> dict[str, Any]:
        return self.until(name, lambda view: view["phase"] in phases, timeout)

    def becomes(self, name: str, holds: Callable[[dict[str, Any]], object], within: float) -> bool:
        """Whether this comes true of the service in so many seconds."""
        try:
            eventually(lambda: holds(self.service(name)), timeout=within)
        except AssertionError:
            return False
        return True

    def read(self, file: str, timeout: float = _PATIENCE) -> str:
        """The text that a service writes to this file of the folder, as soon as there is a whole line, without its end."""
        path = self.folder / file
        eventually(lambda: path.exists() and path.read_text().endswith("\n"), timeout=timeout)
        return path.read_text().rstrip("\n")

    def lines(self, file: str) -> list[str]:
        """The whole lines that services have written to this file so far."""
        path = self.folder / file
        text = path.read_text() if path.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()

    def touch(self, file: str) -> None:
        (self.folder / file).touch()

    def log(self) -> str:
        """What `pidone up` has printed so far."""
        return (self.folder / "log").read_text(errors="replace")

    def until_log(self, text: str, timeout: float = _PATIENCE) -> None:
        try:
            eventually(lambda: text in self.log(), timeout=timeout)
        except BaseException as failure:
            failure.add_note(f"log:\n{self.log()}")
            raise

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, within: float = _PATIENCE) -> int | None:
        """The exit status of `pidone up`, or None when it is still there after so many seconds."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def shut_down(self, within: float = _PATIENCE) -> int | None:
        """Ask it to end, as `kill PID` does; its exit status."""
        self.signal(signal.SIGTERM)
        return self.ended(within)

    def pids_outside(self) -> list[int]:
        """Every process of the world that still runs, by its number out here: known by the folder's name in its
        environment or, for pidone's own, on its command line."""
        mark = str(self.folder).encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if mark in text:
                    found.append(int(entry.name))
        return found


def service(command: str | Sequence[str] | None = None, **keys: Any) -> dict[str, Any]:
    """A service in YAML's terms: a text is run by the shell as it stands; by default it lives until it is asked to end."""
    if command is None:
        command = "exec sleep 100000"
    if isinstance(command, str):
        return {"command": {"shell": command.replace("$", "$$")}, **keys}  # a dollar of ours, not the configuration's
    return {"command": list(command), **keys}


@contextmanager
def world(
    services: Mapping[str, Any] | str,
    *options: str,
    system: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    named: bool = True,
    begun: bool = True,
) -> Iterator[World]:
    """A small world: `services` is the mapping under that key, or the whole file as text.

    "THIS-WORLD" in it stands for the world's name. With `begun` it is handed over when it answers or has already ended.
    Without `named` it gets no --name.
    """
    folder = Path(tempfile.mkdtemp(prefix="pido-"))  # short: a socket's path has room for 107 bytes
    folder.chmod(0o777)  # services of other users write here too
    name = f"t{secrets.token_hex(6)}"
    for file, content in (files or {}).items():
        (folder / file).write_text(content)
    text = services if isinstance(services, str) else yaml.safe_dump(_document(services, system), sort_keys=False)
    (folder / "world.yaml").write_text(text.replace("THIS-WORLD", name))
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [PIDONE, "up", *(("--name", name) if named else ()), "-c", "world.yaml", *options],
            cwd=folder,
            env=environment({"TEST_WORLD_FOLDER": str(folder), **(env or {})}, measured=True),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    here = World(folder, name, process)
    try:
        if begun:
            eventually(lambda: process.poll() is not None or here.ask("status").code != 5, timeout=_PATIENCE)
        yield here
    finally:
        if process.poll() is None:
            process.terminate()
            if here.ended(_GRACE) is None:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _document(services: Mapping[str, Any], system: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**({"system": dict(system)} if system is not None else {}), "services": dict(services)}
