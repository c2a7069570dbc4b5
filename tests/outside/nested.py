"""How does a test get a world in a world in a world? Each level runs a `pidone up` of the next one as a service.

Level 1 is the outermost. Every level has a mark, a service that writes its level into the file `ended` when it is stopped, and
stops after the level below it; the innermost also asks its own world and the outermost for their states. Only for bodies
that run in a world of their own (`tests.isolation`).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.eventually import eventually
from tests.minimal import state_of
from tests.outside.world import PIDONE, Said, environment, pidone, service

__all__ = ["Nest"]

_PATIENCE = 60.0  # seconds until eight levels have come up one after the other, or gone down again


class Nest:
    """`depth` worlds inside each other, made with these options of `up`."""

    def __init__(self, folder: Path, depth: int, options: Sequence[str] = ()) -> None:
        self.folder, self.depth, self._options = folder, depth, tuple(options)
        self._prefix = f"n{secrets.token_hex(4)}"
        for level in range(1, depth + 1):
            (folder / f"{level}.yaml").write_text(yaml.safe_dump({"services": self._services(level)}))
        self._log = open(folder / "log", "wb")  # noqa: SIM115 - until `close`
        self.process = subprocess.Popen(
            [str(PIDONE), *self._up(1)],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def name(self, level: int) -> str:
        return f"{self._prefix}-{level}"

    def _up(self, level: int) -> list[str]:
        return ["up", "--name", self.name(level), "-c", f"{level}.yaml", *self._options]

    def _services(self, level: int) -> dict[str, Any]:
        stop = {"timeout": "60s"}
        mark = f"trap 'echo {level} >> ended; exit 0' TERM; echo $$ > mark.{level}; while :; do sleep 1000 & wait; done"
        services = {"mark": service(mark, stop=stop)}
        if level < self.depth:
            services["deeper"] = service(
                [str(PIDONE), *self._up(level + 1)], depends_on={"mark": "started"}, restart="never", stop=stop
            )
        else:
            ask = (
                f"{PIDONE} status --json > inside; {PIDONE} --name {self.name(1)} status --json > outside; echo > asked"
            )
            services["asks"] = service(ask, type="oneshot", depends_on={"mark": "started"})
        return services

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def until_all_are_up(self) -> None:
        for level in range(1, self.depth + 1):
            try:
                eventually((self.folder / f"mark.{level}").exists, timeout=_PATIENCE)
                eventually(lambda level=level: self.ask(level, "status").code == 0, timeout=_PATIENCE)
            except AssertionError as failure:
                failure.add_note(f"level {level}, log:\n{self.log()}")
                raise

    def ask(self, level: int, *words: str) -> Said:
        """A client command, from outside of all of them."""
        return pidone("--name", self.name(level), *words, cwd=self.folder)

    def service(self, level: int, name: str) -> dict[str, Any]:
        return {one["name"]: one for one in self.ask(level, "status", "--json").json["services"]}[name]

    def monitors(self) -> dict[int, int]:
        """The monitor of each level that lives, by its number out here."""
        found = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                for level in range(1, self.depth + 1):
                    if b"up" in words and self.name(level).encode() in words and state_of(int(name)) != "Z":
                        found[level] = int(name)
        return found

    def seen_from_within(self) -> dict[str, Any]:
        """What the innermost world hears: from itself `inside`, from the outermost `outside`."""
        eventually((self.folder / "asked").exists, timeout=_PATIENCE)
        return {where: json.loads((self.folder / where).read_text()) for where in ("inside", "outside")}

    def ended(self) -> list[int]:
        """The levels whose marks were stopped, in that order."""
        path = self.folder / "ended"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def shut_down(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()
        for base in (Path("/run/pidone"), *Path("/tmp").glob("pidone-*")):  # what killed worlds could not take away
            with contextlib.suppress(OSError):  # somebody else's
                for left in base.glob(f"{self._prefix}-*"):
                    shutil.rmtree(left, ignore_errors=True)
