"""How does a world begin, and what is its exit status? `pidone init -c …`, and PID 1 below `pidone up`.

First what must happen before anything can be started: the plan, made by the loader while the loop's modules are imported; the
world's directory and socket; then the loop (programs/world). Rules: nothing is started before the plan is accepted, and a
stop that comes before that ends us with 0. Nothing that costs time is imported before the loader works.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

from supervisor.kernel import reap
from supervisor.kernel.signalfd import open_signalfd
from supervisor.kernel.signals import block_all
from supervisor.model.process import Exit
from supervisor.model.record import Record
from supervisor.programs import loading
from supervisor.wire.diagnostics import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.plan import Plan

__all__ = ["InitOptions", "run"]

_OK, _CANNOT, _INVALID, _BROKEN = 0, 1, 7, 70  # SERVICES §5
_RTMIN = 34  # signal(7)
_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGPWR, _RTMIN + 3, _RTMIN + 4, _RTMIN + 5)
_CHUNK = 1 << 16


class InitOptions(Record):
    """What init was asked for."""

    paths: tuple[str, ...] = ()
    """Files and folders of configuration; none: the default places."""
    socket: str = ""
    name: str = ""
    color: str = "auto"
    plan_fd: int = -1
    """Where the plan is read from instead; ours to close."""
    monitor_fd: int = -1
    """Our end of the pair with the monitor; ours to close."""
    names: tuple[str, ...] = ()
    """Only these are wanted at boot; none: all that are enabled."""
    as_up: bool = False
    """We are the world of a `pidone up` in the foreground."""
    command: tuple[str, ...] = ()
    """What runs in our foreground when all services are ready."""


class _Plain(Exception):
    """Init ends here with this status, after this sentence."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def run(options: InitOptions) -> int:
    """Be the supervisor until the world has ended; its exit status. Every signal is blocked already."""
    block_all()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # inherited as ignored it would swallow every exit status
    try:
        plan = _with_command(_plan(options), options)
        from supervisor.programs import world

        return world.run(options, plan)
    except _Plain as end:
        _say(end.text)
        return end.status
    except Exception as mistake:
        _say(f"pidone init: internal error: {type(mistake).__name__}: {mistake}; please report it\n")
        return _BROKEN


def _plan(options: InitOptions) -> Plan:
    """The plan, once the loader or whoever started us has made it; the loop's modules are imported meanwhile."""
    stops = [open_signalfd(_STOPS)]
    if options.monitor_fd >= 0:
        stops.append(options.monitor_fd)
    try:
        if options.plan_fd >= 0:
            _import_the_rest()
            plan = _decode(_read_whole(options.plan_fd))
        else:
            plan = _load(options, stops)
        if select.select(stops, [], [], 0)[0]:
            raise _Plain(_OK)  # nothing has begun
        return plan
    finally:
        os.close(stops[0])


def _with_command(plan: Plan, options: InitOptions) -> Plan:
    if not options.command:
        return plan
    from supervisor.programs import command

    found = command.in_foreground(plan, options.command)
    if isinstance(found, tuple):
        raise _Plain(_INVALID, render(found, colour=_has_colour(options)))
    return found


def _load(options: InitOptions, stops: list[int]) -> Plan:
    try:
        child = loading.start_loader(options.paths)
    except OSError as error:
        loaded = loading.not_started(error)
    else:
        _import_the_rest()
        loaded = _wait_for(child, stops)
    if loaded.interrupted:
        raise _Plain(_OK)
    findings = render(loaded.errors, loaded.warnings, colour=_has_colour(options))
    if not loaded.ok:
        raise _Plain(_INVALID if loaded.judged else _CANNOT, findings)
    _say(findings)
    return _decode(loaded.plan)


def _import_the_rest() -> None:
    """Trio and all that stands on it."""
    from supervisor.programs.lean import import_trio

    import_trio()
    import gc

    gc.disable()
    try:
        import supervisor.programs.world  # noqa: F401
    finally:
        gc.enable()


def _wait_for(child: loading.LoaderChild, stops: list[int]) -> loading.Loaded:
    """What the loader says. As PID 1 we may be given orphans meanwhile: they are reaped on the way."""
    data = bytearray()
    ended = _read_until(child.fd, stops, data)
    os.close(child.fd)
    exit = _reap(child.pid, kill=ended != "eof")
    match ended:
        case "eof":
            return loading.read_result(data, exit)
        case "stop":
            return loading.Loaded(False, interrupted=True)
        case "late":
            return loading.out_of_patience()
        case _:
            return loading.too_long()


def _read_until(fd: int, stops: list[int], data: bytearray) -> str:
    """Collect what it writes; says why that ended: eof, stop, late or long."""
    deadline = time.monotonic() + loading.PATIENCE
    while True:
        ready, _, _ = select.select([fd, *stops], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return "late"
        if ready != [fd]:
            return "stop"
        piece = os.read(fd, _CHUNK)
        if not piece:
            return "eof"
        data += piece
        if len(data) > loading.DOCUMENT_LIMIT:
            return "long"


def _reap(pid: int, kill: bool) -> Exit:
    pidfd = os.pidfd_open(pid)
    try:
        if kill:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        while True:
            select.select([pidfd], [], [])
            zombie = reap.peek()
            if zombie is None:
                return Exit()
            reap.reap(zombie.pid)
            if zombie.pid == pid:
                return zombie.exit
    finally:
        os.close(pidfd)


def _decode(data: bytes) -> Plan:
    from supervisor.model.plan import PLAN_VERSION, Plan
    from supervisor.wire import state

    try:
        plan = state.load(Plan, data)
    except ValueError as error:
        raise _Plain(_CANNOT, f"pidone init: the plan cannot be read: {error}\n") from None
    if plan.version != PLAN_VERSION:
        raise _Plain(_CANNOT, f"pidone init: the plan has version {plan.version}, not {PLAN_VERSION}\n")
    return plan


def _read_whole(fd: int) -> bytes:
    pieces = []
    try:
        while piece := os.read(fd, _CHUNK):
            pieces.append(piece)
    except OSError as error:
        raise _Plain(_CANNOT, f"pidone init: cannot read the plan from descriptor {fd}: {error.strerror}\n") from None
    os.close(fd)
    return b"".join(pieces)


def _has_colour(options: InitOptions) -> bool:
    return options.color == "always" or (options.color == "auto" and os.isatty(2))


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens
        while text:
            data = text.encode(errors="backslashreplace")
            text = data[os.write(2, data) :].decode(errors="replace")
