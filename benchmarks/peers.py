"""How are the other supervisors told what to run? One function each: its configuration, its commands, its smallest pause.

dinit and systemd are written from their manuals (dinit-service(5), systemd.service(5)): where these figures were made neither could be had.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from contenders import Contender, Order, Unavailable, Work
from tools import programs, venv

__all__ = ["PEERS"]


def _supervisord(tools: Path) -> Contender:
    # setuptools: it imports pkg_resources, which later ones have no more
    scripts = venv(tools, "supervisord", ("supervisor", "setuptools<81"))
    version = subprocess.run([scripts / "supervisord", "-v"], capture_output=True, text=True, check=True).stdout.strip()

    def configure(folder: Path, work: Work) -> None:
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
        for index in range(work.number):
            text += f"[program:s{index}]\ncommand={work.program}\nautorestart=true\nstartsecs=0\n"
        (folder / "supervisord.conf").write_text(text)

    def start(folder: Path) -> Sequence[str]:
        return (f"{scripts}/supervisord", "-c", f"{folder}/supervisord.conf")

    def status(folder: Path) -> Sequence[str]:
        return (f"{scripts}/supervisorctl", "-c", f"{folder}/supervisord.conf", "status")

    note = f"{version}, one process; logs into files, `startsecs=0`, `minfds=8000`"
    return Contender("supervisord", note, configure, start, status, order=Order.ALWAYS)


def _service_folders(folder: Path, work: Work) -> None:
    for index in range(work.number):
        service = folder / "services" / f"s{index}"
        service.mkdir(parents=True)
        (service / "run").symlink_to(work.program)


def _runit(tools: Path) -> Contender:
    found = programs(tools, "runsvdir", ("runit",))

    def start(folder: Path) -> Sequence[str]:
        return (f"{found.binaries}/runsvdir", f"{folder}/services")

    def status(folder: Path) -> Sequence[str]:
        return (f"{found.binaries}/sv", "status", *map(str, sorted((folder / "services").iterdir())))

    return Contender(
        "runit",
        f"{found.version}, `runsvdir` and one `runsv` per service; a second between two starts of one service",
        _service_folders,
        start,
        status,
        stop=signal.SIGHUP,
        environment={"PATH": f"{found.binaries}:{os.environ['PATH']}"},
    )


def _s6(tools: Path) -> Contender:
    found = programs(tools, "s6-svscan", ("s6", "libs6-2.11", "libskarnet2.13", "libexecline2.9"))
    scan, beside = found.binaries / "s6-svscan", ".s6-here"
    if found.libraries:
        # Debian's s6-svscan knows its helper by an absolute path. The copy looks for it in the scan directory, which it makes its
        # working directory. Both are as long as each other, because the helper's own name is the end of the same string.
        absolute, relative = b"/usr/bin/s6-supervise\0", f"{beside}/s6-supervise\0".encode()
        moved = found.binaries / "s6-svscan-moved"
        moved.write_bytes(scan.read_bytes().replace(absolute, relative))
        moved.chmod(0o755)
        scan = moved

    def configure(folder: Path, work: Work) -> None:
        _service_folders(folder, work)
        (folder / "services" / beside).symlink_to(found.binaries)

    def start(folder: Path) -> Sequence[str]:
        return (str(scan), "-c", "2000", f"{folder}/services")

    def status(folder: Path) -> Sequence[str]:
        quoted = shlex.quote(f"{found.binaries}/s6-svstat")
        return ("/bin/sh", "-c", f"for name in {shlex.quote(str(folder))}/services/*; do {quoted} $name || exit; done")

    return Contender(
        "s6",
        f"{found.version}, `s6-svscan` and one `s6-supervise` per service; a second before each restart; status is one "
        "`s6-svstat` per service",
        configure,
        start,
        status,
        environment=found.environment(),
    )


def _dinit(_: Path) -> Contender:
    if not shutil.which("dinit"):
        raise Unavailable("`dinit` is not in PATH, and Debian 12 has no package of it")

    def configure(folder: Path, work: Work) -> None:
        services = folder / "dinit.d"
        services.mkdir()
        names = [f"s{index}" for index in range(work.number)]
        (services / "boot").write_text("type = internal\n" + "".join(f"waits-for = {name}\n" for name in names))
        for index, name in enumerate(names):
            needs = f"depends-on = {names[index - 1]}\n" if work.chained and index else ""
            (services / name).write_text(
                f"type = process\ncommand = {work.program}\nrestart = true\nsmooth-recovery = true\n"
                f"restart-delay = 0\nrestart-limit-count = 0\n{needs}"
            )

    def start(folder: Path) -> Sequence[str]:
        return ("dinit", "--container", "-d", f"{folder}/dinit.d", "-p", f"{folder}/sock")

    def status(folder: Path) -> Sequence[str]:
        return ("dinitctl", "-p", f"{folder}/sock", "list")

    return Contender("dinit", "one process, `--container`", configure, start, status, order=Order.ASKED)


def _systemd(_: Path) -> Contender:
    if Path("/proc/1/comm").read_text().strip() != "systemd":
        raise Unavailable("it is not PID 1 of this machine, and does not run without its cgroup")

    def configure(folder: Path, work: Work) -> None:
        units = folder / "units"
        units.mkdir()
        for index in range(work.number):
            after = f"Requires=s{index - 1}.service\nAfter=s{index - 1}.service\n" if work.chained and index else ""
            (units / f"s{index}.service").write_text(
                f"[Unit]\nStartLimitIntervalSec=0\n{after}[Service]\nExecStart={work.program}\nRestart=always\nRestartSec=0\n"
            )
        wants = "".join(f"Wants=s{index}.service\n" for index in range(work.number))
        (units / "bench.target").write_text(f"[Unit]\n{wants}")

    def start(folder: Path) -> Sequence[str]:
        scope = ("systemd-run", "--scope", "--quiet", "--property=Delegate=yes", *_where(folder))
        return (*scope, "/lib/systemd/systemd", "--user", "--unit=bench.target")

    def status(folder: Path) -> Sequence[str]:
        return (*_where(folder), "systemctl", "--user", "--no-pager", "list-units", "s*.service")

    def _where(folder: Path) -> Sequence[str]:
        # the colon: its own targets, like exit.target, are found as well
        return ("env", f"XDG_RUNTIME_DIR={folder}", f"SYSTEMD_UNIT_PATH={folder}/units:")

    version = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    note = f"{version}, a `systemd --user` of its own in a delegated scope; the machine's own manager is left alone"
    return Contender("systemd", note, configure, start, status, order=Order.ASKED, reaps=False)


def _tini(tools: Path) -> Contender:
    found = programs(tools, "tini", ("tini",))

    def configure(folder: Path, work: Work) -> None:
        (folder / "command").symlink_to(work.program)

    def start(folder: Path) -> Sequence[str]:
        return (f"{found.binaries}/tini", "-s", "--", f"{folder}/command")

    note = f"{found.version}, one command and no services: see tini.py for `pidone init -- CMD` beside it"
    return Contender("tini", note, configure, start, None, most=1, restarts=False)


PEERS: Mapping[str, Callable[[Path], Contender]] = {
    "supervisord": _supervisord,
    "runit": _runit,
    "s6": _s6,
    "dinit": _dinit,
    "systemd": _systemd,
    "tini": _tini,
}
