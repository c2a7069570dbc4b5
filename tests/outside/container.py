"""How does a test look at an image without a container engine? `examples/container/without_engine.py` runs it; what an engine does
from outside – health checks, commands inside, the stop signal – is done here with util-linux's nsenter.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.eventually import eventually
from tests.outside.example import EXAMPLES
from tests.outside.world import Said, environment

__all__ = ["Container", "container", "instructions", "words_of"]

_SCRIPT = EXAMPLES / "container" / "without_engine.py"
_LOOK = "to look inside: "
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/pidone/bin"  # base image and Dockerfile
_PATIENCE = 60.0  # seconds

# The pause container of a pod: reaps, and outlives the other one. At the end it says who is left beside it.
_PAUSE = '"$@" & wait $!; status=$?; echo "left in the pod:" /proc/[0-9]*; exit $status'


def instructions() -> dict[str, list[str]]:
    """What stands behind each word of the Dockerfile, in order."""
    found: dict[str, list[str]] = {}
    text = "\n".join(line for line in (_SCRIPT.parent / "Dockerfile").read_text().splitlines() if line[:1] != "#")
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        found.setdefault(word, []).append(rest)
    return found


class Container:
    """One that runs."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, env: Mapping[str, str], shared: bool) -> None:
        self.process = process
        self._folder = folder
        self._env = {"HOME": "/", "PATH": _PATH, **env}
        self._shared = shared
        self._enter: list[str] = []

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def until_log(self, text: str) -> None:
        try:
            eventually(lambda: text in self.log() or self.process.poll() is not None, timeout=_PATIENCE)
            assert text in self.log()
        except BaseException as failure:
            failure.add_note(f"log:\n{self.log()}")
            raise

    @property
    def pid(self) -> int:
        """The container's first process, by its number where the container was started: out here, or beside the pause."""
        return int(self._words()[2])

    def run(self, words: Sequence[str]) -> Said:
        """`docker exec`: a command inside, as the image's user, with the container's environment."""
        # the word is found in there, not here
        inside = [*self._pod(), *self._words()[:-2], "/usr/bin/env", *words]
        done = subprocess.run(
            inside, env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def status(self) -> Any:
        return self.run(["pidone", "status", "--json"]).json

    def services(self) -> dict[str, Any]:
        return {one["name"]: one for one in self.status()["services"]}

    def until(self, words: Sequence[str], *codes: int) -> Said:
        """What the command says as soon as it ends with one of these."""
        seen: list[Said] = []

        def there() -> bool:
            seen[:] = [self.run(words)]
            return seen[0].code in codes and not seen[0].err.startswith("nsenter:")  # it is still being made

        try:
            eventually(there, timeout=_PATIENCE)
        except BaseException as failure:
            failure.add_note(f"last seen: {seen}\nlog:\n{self.log()}")
            raise
        return seen[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """What an engine does first: the stop signal to the first process."""
        subprocess.run([*self._pod(), "kill", f"-{number.name}", str(self.pid)], check=True)

    def ended(self, within: float = _PATIENCE) -> int | None:
        """Its exit status, or None when it still runs after so many seconds."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def _pod(self) -> list[str]:
        """The words that lead to where the container was started."""
        if not self._shared:
            return []
        pid = self.process.pid
        eventually(lambda: Path(f"/proc/{pid}/task/{pid}/children").read_text(), timeout=_PATIENCE)
        pause = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        return ["nsenter", "--target", pause, "--pid", "--mount", *_as(["--user", "--preserve-credentials"]), "--"]

    def _words(self) -> list[str]:
        if not self._enter:
            self.until_log(_LOOK)
            line = next(line for line in self.log().splitlines() if line.startswith(_LOOK))
            self._enter = shlex.split(line.removeprefix(_LOOK))
        return self._enter


@contextmanager
def container(*words: str, env: Mapping[str, str] | None = None, shared: bool = False) -> Iterator[Container]:
    """The image, run with these variables and options; killed when the test is over.

    `shared`: in a PID namespace that is there already, whose PID 1 only reaps, as in a pod with shareProcessNamespace.
    """
    before = ["unshare", *_as(["--user", "--map-root-user"]), "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
    variables = [word for name, value in (env or {}).items() for word in ("-e", f"{name}={value}")]
    pod = [*before, "sh", "-c", _PAUSE, "pause"] if shared else []
    folder = tempfile.mkdtemp(prefix="pido-")
    try:
        with open(Path(folder) / "log", "wb") as log:
            process = subprocess.Popen(
                [*pod, sys.executable, _SCRIPT, *(["--pid", "host"] if shared else []), *variables, *words],
                cwd="/",
                env=environment({"TMPDIR": folder}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        here = Container(process, Path(folder), env or {}, shared)
        try:
            yield here
        finally:
            process.kill()  # what it started dies with it, a moment later
            process.wait()
    finally:
        eventually(lambda: _is_cleared(folder), timeout=_PATIENCE)


def _is_cleared(folder: str) -> bool:
    """Whether it could be taken away: who is just dying may have written into it once more."""
    try:
        shutil.rmtree(folder)
    except OSError:
        return not os.path.exists(folder)
    return True


def _as(words: list[str]) -> list[str]:
    """What only somebody without privilege needs."""
    return [] if os.geteuid() == 0 else words


def words_of(instruction: str) -> list[str]:
    """The JSON list of an instruction in exec form."""
    words: list[str] = json.loads(instruction)
    return words
