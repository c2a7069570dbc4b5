"""Who is measured? pidone, and supervisord and runit where they can be had; how each is told to run N services.

Each contender gets a folder, writes its own configuration there, and is started in the foreground. Nothing is installed
into the system: supervisord comes into a virtual environment of its own (its package has the same name as ours), runit's programs are
unpacked from Debian's package into a folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["SLEEP", "Contender", "contenders"]

SLEEP = "987654321"
"""What every idle service sleeps: no other process of the machine has this argument."""

_IDLE = f"exec sleep {SLEEP}"


class Contender(NamedTuple):
    name: str
    configure: Callable[[Path, int, str], None]
    """(folder, number of services, path of a FIFO or ""): with a FIFO, each service writes its pid there when it starts."""
    start: Callable[[Path], Sequence[str]]
    status: Callable[[Path], Sequence[str]]
    stop_signal: str
    note: str = ""


def contenders(tools: Path) -> list[Contender]:
    """All that can be had on this machine; `tools` is where the others are put."""
    found = [_pidone()]
    for make in (_supervisord, _runit):
        try:
            found.append(make(tools))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"not measured: {make.__name__.strip('_')} ({error})", file=sys.stderr)
    return found


def _script(fifo: str) -> str:
    return f"echo $$ > {fifo}; {_IDLE}" if fifo else _IDLE


def _pidone() -> Contender:
    command = str(Path(sysconfig.get_path("scripts")) / "pidone")

    def configure(folder: Path, number: int, fifo: str) -> None:
        script = _script(fifo).replace("$$", "$$$$")
        row = f'command: {{shell: "{script}"}}, restart: {{delay: 0s}}' if fifo else f"command: sleep {SLEEP}"
        rows = "".join(f"  s{index}: {{{row}}}\n" for index in range(number))
        (folder / "world.yaml").write_text(f"services:\n{rows}")

    def start(folder: Path) -> Sequence[str]:
        return (command, "up", "--name", folder.name, "-c", str(folder / "world.yaml"))

    def status(folder: Path) -> Sequence[str]:
        return (command, "--name", folder.name, "status")

    return Contender("pidone", configure, start, status, "SIGTERM", "monitor, PID 1 and logger")


def _supervisord(tools: Path) -> Contender:
    home = tools / "supervisord"
    if not (home / "bin/supervisord").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin/pip", "install", "-q", "supervisor", "setuptools<81"], check=True)

    def configure(folder: Path, number: int, fifo: str) -> None:
        text = f"""
[supervisord]
nodaemon=true
logfile={folder}/log
pidfile={folder}/pid
childlogdir={folder}
minfds=8000
[unix_http_server]
file={folder}/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/sock
"""
        command = f"/bin/sh -c '{_script(fifo)}'" if fifo else f"sleep {SLEEP}"
        for index in range(number):
            text += f"[program:s{index}]\ncommand={command}\nautorestart=true\n" + ("startsecs=0\n" if fifo else "")
        (folder / "supervisord.conf").write_text(text)

    def start(folder: Path) -> Sequence[str]:
        return (f"{home}/bin/supervisord", "-c", f"{folder}/supervisord.conf")

    def status(folder: Path) -> Sequence[str]:
        return (f"{home}/bin/supervisorctl", "-c", f"{folder}/supervisord.conf", "status")

    return Contender("supervisord", configure, start, status, "SIGTERM", "one process, logs written to files")


def _runit(tools: Path) -> Contender:
    home = tools / "runit"
    if not (home / "usr/bin/runsvdir").exists():
        if shutil.which("apt-get") is None:
            raise OSError("no apt-get to fetch it with")
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", "runit"], cwd=home, check=True, stdout=subprocess.DEVNULL)
        (package,) = home.glob("runit_*.deb")
        subprocess.run(["dpkg", "-x", package, home], check=True)

    def configure(folder: Path, number: int, fifo: str) -> None:
        for index in range(number):
            run = folder / "services" / f"s{index}" / "run"
            run.parent.mkdir(parents=True)
            run.write_text(f"#!/bin/sh\n{_script(fifo)}\n")
            run.chmod(0o755)

    def start(folder: Path) -> Sequence[str]:
        return ("env", f"PATH={home}/usr/bin:/usr/bin:/bin", "runsvdir", f"{folder}/services")

    def status(folder: Path) -> Sequence[str]:
        return (f"{home}/usr/bin/sv", "status", *map(str, sorted((folder / "services").iterdir())))

    return Contender(
        "runit", configure, start, status, "SIGHUP", "runsvdir and one runsv per service; waits 1 s between two starts"
    )
