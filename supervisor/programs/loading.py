"""How is the loader run, and what did it say? Starts it, bounds it, and reads its one document.

The loader is a child so that whatever a configuration does to a parser, it does not do it to us: a crash, an exhausted limit
or silence becomes an error like any other. `load` waits for it; PID 1 uses `start_loader` and `read_result` around its own
loop. Rules: no exception of the child's making, no traceback, never longer than `PATIENCE`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from supervisor.model.process import Exit
from supervisor.model.record import Record, replace
from supervisor.model.signals import signal_name
from supervisor.model.words import Seconds
from supervisor.wire.diagnostics import Diagnostic, from_plain

__all__ = [
    "DOCUMENT_LIMIT",
    "PATIENCE",
    "Loaded",
    "LoadedFor",
    "LoaderChild",
    "load",
    "not_started",
    "out_of_patience",
    "read_result",
    "start_loader",
    "too_long",
]

PATIENCE = Seconds(60)
"""How long we wait for the loader. It limits itself to less (programs/loader): this is for one that cannot even die."""

DOCUMENT_LIMIT = 64 << 20  # bytes; a plan of 1000 services has about 0.5 MB

_LOADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loader.py")
_CHUNK = 1 << 16

LoadedFor: TypeAlias = Literal["here", "rootless", "perhaps"]
"""Whose users count: those that exist here and that we may become; only ourselves; or whatever this user's `up` would have,
and then whoever is missing is a warning (`check`)."""


class LoaderChild(NamedTuple):
    """The loader at work. Both are ours: read `fd` until its end, then reap `pid`."""

    pid: int
    fd: int


class Loaded(Record):
    """What the loader found out: `ok` with a plan, or not with errors."""

    ok: bool
    errors: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    plan: bytes = b""
    """For `wire.state.load(Plan, …)`."""
    interrupted: bool = False
    """We were told to stop before it had finished; there are no errors then."""
    judged: bool = True
    """False when the loader could not even be started: nobody knows then what the configuration is like."""


def start_loader(paths: Iterable[str], world: LoadedFor = "here") -> LoaderChild:
    """Start the loader on these files and folders (none: the default places) and return at once.

    It gets a session of its own, so that Ctrl-C on our terminal is our affair, an empty signal mask and default
    dispositions. Raises OSError when it cannot be started; `not_started` makes a result of that.
    """
    fd, output = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", _LOADER, f"--world={world}", "--", *paths],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
    except BaseException:
        os.close(fd)
        raise
    finally:
        os.close(output)
    return LoaderChild(pid, fd)


def load(paths: Iterable[str], *, stop_fd: int = -1, patience: Seconds = PATIENCE, world: LoadedFor = "here") -> Loaded:
    """Run the loader to its end and return what it said.

    When `stop_fd` becomes readable (nothing is read from it), the loader is ended and the result says `interrupted`. An
    exception from a signal handler ends the loader too and goes on up.
    """
    try:
        child = start_loader(paths, world)
    except OSError as error:
        return not_started(error)
    data = bytearray()
    try:
        ended = _read_all(child.fd, data, stop_fd, time.monotonic() + patience)
    except BaseException:
        _finish(child, kill=True)
        raise
    exit = _finish(child, kill=ended != "eof")
    match ended:
        case "eof":
            return read_result(data, exit)
        case "stop":
            return Loaded(False, interrupted=True)
        case "late":
            return out_of_patience(patience)
        case _:
            return too_long()


def _read_all(fd: int, data: bytearray, stop_fd: int, deadline: float) -> str:
    """Collect the document; says why it ended: eof, stop, late or long."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if stop_fd >= 0:
        poll.register(stop_fd, select.POLLIN)
    while True:
        left = deadline - time.monotonic()
        ready = {number for number, _ in poll.poll(left * 1000)} if left > 0 else set()
        if not ready:
            return "late"
        if stop_fd in ready:
            return "stop"
        chunk = os.read(fd, _CHUNK)
        if not chunk:
            return "eof"
        data += chunk
        if len(data) > DOCUMENT_LIMIT:
            return "long"


def _finish(child: LoaderChild, *, kill: bool) -> Exit:
    """Close, end if asked, and reap it."""
    os.close(child.fd)
    try:
        if kill:
            _kill(child.pid)
        info = os.waitid(os.P_PID, child.pid, os.WEXITED)
    except (ChildProcessError, ProcessLookupError):
        return Exit()  # SIGCHLD is ignored here and the kernel has reaped it: the document must speak for itself
    assert info is not None  # no WNOHANG
    if info.si_code == os.CLD_EXITED:
        return Exit(code=info.si_status)
    return Exit(signal=info.si_status, core=info.si_code == os.CLD_DUMPED)


def _kill(pid: int) -> None:
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:  # no fd to be had; until it is reaped its number is its own
        os.kill(pid, signal.SIGKILL)
        return
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    finally:
        os.close(pidfd)


def read_result(data: bytes | bytearray, exit: Exit) -> Loaded:
    """What a loader that printed `data` and ended like this has found out. Never raises."""
    try:
        document = json.loads(data)
        if not isinstance(document, Mapping):
            raise ValueError("no mapping")
        warnings = tuple(map(from_plain, document.get("warnings", ())))
        if document["ok"] is True:
            return Loaded(True, warnings=warnings, plan=json.dumps(document["plan"], separators=(",", ":")).encode())
        return Loaded(False, errors=tuple(map(from_plain, document["errors"])), warnings=warnings)
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError):
        return _failed(*_explain(exit))


_TOO_LARGE = {
    signal.SIGXCPU: "used up its processor time",
    signal.SIGALRM: "took too long",
    signal.SIGKILL: "was killed, most likely because memory ran out",
    signal.SIGABRT: "was aborted, most likely because memory ran out",  # what pydantic's core does then
    signal.SIGXFSZ: "wrote too much",
}


def _explain(exit: Exit) -> tuple[str, str, str]:
    """Code, message and hint for a loader that left no document."""
    if exit.signal in _TOO_LARGE:
        why = f"reading the configuration {_TOO_LARGE[signal.Signals(exit.signal)]} ({signal_name(exit.signal)})"
        return "config-too-large", why, "look for anchors and aliases that multiply, or split the configuration"
    how = f"status {exit.code}" if exit.signal is None else signal_name(exit.signal)
    return (
        "loader-failed",
        f"the loader ended without a result ({how})",
        f"run `{sys.executable} -I -m supervisor.programs.loader` by hand to see what it says",
    )


def not_started(error: OSError) -> Loaded:
    """The result when `start_loader` raised."""
    words = error.strerror or str(error)
    failed = _failed("loader-failed", f"the loader cannot be started: {sys.executable or 'python'}: {words}", "")
    return replace(failed, judged=False)


def out_of_patience(patience: Seconds = PATIENCE) -> Loaded:
    """The result when the loader had to be killed because it said nothing for so long."""
    return _failed(
        "config-too-large",
        f"reading the configuration took longer than {patience:g} s",
        "is one of its files on a file system that does not answer?",
    )


def too_long() -> Loaded:
    """The result when its document grew beyond DOCUMENT_LIMIT."""
    return _failed("config-too-large", f"the plan is larger than {DOCUMENT_LIMIT >> 20} MiB", "")


def _failed(code: str, message: str, hint: str) -> Loaded:
    return Loaded(False, errors=(Diagnostic(code, message, hint=hint),))
