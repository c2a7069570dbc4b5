"""How does a test look at an image without a container engine? `examples/container/without_engine.py` runs it; what an engine does
from outside – health checks, commands inside, the stop signal – is done here with util-linux's nsenter.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.eventually import eventually
from tests.outside.example import EXAMPLES
from tests.outside.world import Said, environment

__all__ = ["Container", "container", "instructions", "words_of"]

_SCRIPT = EXAMPLES / "container" / "without_engine.py"
_LOOK = "to look inside: "
_PATIENCE = 60.0  # seconds


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

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self._folder = folder
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
        """The container's first process, by its number out here."""
        return int(self._words()[2])

    def run(self, words: Sequence[str]) -> Said:
        """`docker exec`: a command inside, as the image's user, with the image's environment."""
        env = {"HOME": "/", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/pidone/bin"}
        # the word is found in there, not here
        inside = [*self._words()[:-2], "/usr/bin/env", *words]
        done = subprocess.run(inside, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
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
            return seen[0].code in codes

        try:
            eventually(there, timeout=_PATIENCE)
        except BaseException as failure:
            failure.add_note(f"last seen: {seen}\nlog:\n{self.log()}")
            raise
        return seen[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """What an engine does first: the stop signal to the first process, from outside of its namespace."""
        os.kill(self.pid, number)

    def ended(self, within: float = _PATIENCE) -> int | None:
        """Its exit status, or None when it still runs after so many seconds."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def _words(self) -> list[str]:
        if not self._enter:
            self.until_log(_LOOK)
            line = next(line for line in self.log().splitlines() if line.startswith(_LOOK))
            self._enter = shlex.split(line.removeprefix(_LOOK))
        return self._enter


@contextmanager
def container(*words: str, before: Sequence[str] = ()) -> Iterator[Container]:
    """The image, run with these options; killed when the test is over."""
    with tempfile.TemporaryDirectory(prefix="pido-") as folder:
        with open(Path(folder) / "log", "wb") as log:
            process = subprocess.Popen(
                [*before, sys.executable, _SCRIPT, *words],
                cwd="/",
                env=environment({"TMPDIR": folder}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        here = Container(process, Path(folder))
        try:
            yield here
        finally:
            if process.poll() is None:
                process.terminate()
                if here.ended(10) is None:
                    process.kill()
                    process.wait()


def words_of(instruction: str) -> list[str]:
    """The JSON list of an instruction in exec form."""
    words: list[str] = json.loads(instruction)
    return words
