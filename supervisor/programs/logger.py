"""The logger: forked from PID 1 straight into its own loop, so that what both have loaded is in memory once.

Rules: it never goes back into what PID 1 was doing, and nothing of PID 1's is cleaned up in it: the descriptors of those objects
are closed and may be another file's by now. It ignores every signal that asks; PID 1 tells it when to end.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import socket
import traceback
from typing import NoReturn

from supervisor.kernel import libc
from supervisor.kernel.prctl import set_name
from supervisor.kernel.signals import CATCHABLE, held
from supervisor.logger import guard
from supervisor.logger.console import Stages, open_consoles
from supervisor.logger.desk import Desk
from supervisor.logger.loop import Logger
from supervisor.logger.shelf import Shelf
from supervisor.logger.style import Colour
from supervisor.wire.logmessages import Failed

__all__ = ["fork"]

_OURS = os.path.dirname(os.path.dirname(__file__))
_MOST_FILES = 1 << 20  # what Linux allows unless fs.nr_open was raised
_FAULT = 70  # status of a mistake of ours (SERVICES §5)
# a mistake shows itself by these, and the kernel's answer to them is the right one; a child is none of the logger's
_LEFT_ALONE = frozenset(
    (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS)
) | {signal.SIGCHLD}


def fork(control: int, stages: Stages, colour: Colour = "auto") -> int:
    """Make a logger that listens on `control` and writes through `stages`, descriptors of ours; returns its number. Raises
    OSError."""
    libc.load()  # once, in both
    with held():
        pid = os.fork()
        if pid == 0:
            _become(control, stages, colour)
    return pid


def _become(control: int, stages: Stages, colour: Colour) -> NoReturn:
    status = _FAULT
    desk: Desk | None = None
    try:
        gc.freeze()  # what was there before is never looked at again, let alone collected
        _close_all_but(control, *stages[0], *stages[1])
        _settle_signals()
        os.setsid()  # what is typed at PID 1's terminal is not meant for us
        set_name("pidone-logger")
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))  # a ring's file only grows, though its memory does not
        desk = Desk(socket.socket(fileno=control))
        Logger(desk, Shelf(open_consoles(stages, colour))).run()
        status = 0
    except BaseException as mistake:
        if desk is not None:
            desk.send(Failed(_where(mistake)))
            desk.flush()
    finally:
        os._exit(status)


def _close_all_but(*kept: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    begin = 3
    for fd in sorted(kept):
        os.closerange(begin, fd)
        begin = fd + 1
    os.closerange(begin, hard if hard != resource.RLIM_INFINITY else _MOST_FILES)
    with contextlib.suppress(OSError):  # a root without /dev: then our stdin stays what PID 1's is
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, 0)
        os.close(null)


def _settle_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in CATCHABLE:
        if number not in _LEFT_ALONE:
            signal.signal(number, signal.SIG_IGN)
        elif number == signal.SIGCHLD:
            signal.signal(number, signal.SIG_DFL)
    guard.install()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _where(mistake: BaseException) -> str:
    """In one line what went wrong and where."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(mistake.__traceback__)]
    places = [f"{os.path.basename(name)}:{line}" for name, line in frames if name.startswith(_OURS)]
    return f"{type(mistake).__name__}: {mistake} ({' < '.join(reversed(places[-4:]))})"
