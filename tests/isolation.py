"""How does a test get a process world of its own? A new PID and mount namespace that dies with the test's body.

    @isolated
    def test_something(tmp_path): ...           # the body is a child of the namespace's PID 1

    @isolated(pid1=True)
    async def test_something_else(): ...        # the body is PID 1 itself; async bodies run in trio

Three processes per test: the keeper leaves pytest's world (with a user namespace when it is not root: there the body is uid
0 of a single-id map), its child is the new PID 1 with a fresh /proc, and either that or its child runs the body. What the
body raises comes back as text. A body that hangs gets SIGALRM, whose traceback shows where; one that hangs on is killed.
Processes that the body leaves die with the namespace. Fixtures are made outside, by pytest, and used inside.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, overload

import pytest

from supervisor.kernel.libc import call

__all__ = ["HUNG_AFTER", "isolated"]

HUNG_AFTER = 60.0  # seconds
_LAST_GRACE = 5.0  # seconds between SIGALRM in the body and SIGKILL to its namespace

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000  # unshare(2)
_MS_REC, _MS_SLAVE = 0x4000, 0x80000  # mount(2)
_PR_SET_PDEATHSIG = 1  # prctl(2)
_REPORT_MAX = 60_000  # bytes: what a pipe takes at once

_Body = Callable[..., Any]


@overload
def isolated(body: _Body, /) -> _Body: ...
@overload
def isolated(*, pid1: bool = False, timeout: float = HUNG_AFTER) -> Callable[[_Body], _Body]: ...
def isolated(body: _Body | None = None, /, *, pid1: bool = False, timeout: float = HUNG_AFTER) -> Any:
    """Run a test's body in a fresh PID and mount namespace, bounded to `timeout` seconds."""

    def decorate(body: _Body) -> _Body:
        @functools.wraps(body)
        def test(*args: Any, **kwargs: Any) -> None:
            report = _run(functools.partial(body, *args, **kwargs), pid1, timeout)
            if report:
                pytest.fail(report, pytrace=False)

        return test

    return decorate if body is None else decorate(body)


def _run(body: Callable[[], Any], pid1: bool, timeout: float) -> str:
    """What went wrong; "" when nothing did."""
    sys.stdout.flush()
    sys.stderr.flush()
    inbox, outbox = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(inbox)
        _keep(body, pid1, timeout, outbox)
    os.close(outbox)
    pidfd = os.pidfd_open(keeper)
    try:
        ended, _, _ = select.select([pidfd], [], [], timeout + _LAST_GRACE)
        os.set_blocking(inbox, False)
        try:
            report = os.read(inbox, _REPORT_MAX + 1).decode(errors="replace")
        except BlockingIOError:
            report = ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.waitpid(keeper, 0)
        os.close(pidfd)
        os.close(inbox)
    if report == "ok":
        return ""
    if not ended:
        return report or f"the test's namespace hung for {timeout + _LAST_GRACE:.0f} s and was killed"
    return report or "the test's process died before it could report"


def _keep(body: Callable[[], Any], pid1: bool, timeout: float, outbox: int) -> NoReturn:
    """The keeper: stays outside, waits for the new PID 1."""
    status = 1
    try:
        os.setsid()  # a body that signals its process group must not hit pytest
        _leave()
        init = os.fork()
        if init == 0:
            _be_init(body, pid1, timeout, outbox)
        os.waitpid(init, 0)
        status = 0
    except BaseException:
        _report(outbox, traceback.format_exc())
    finally:
        os._exit(status)


def _leave() -> None:
    uid, gid = os.getuid(), os.getgid()
    flags = _CLONE_NEWPID | _CLONE_NEWNS
    try:
        call("unshare", flags)
    except PermissionError:
        call("unshare", flags | _CLONE_NEWUSER)
    else:
        return
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _be_init(body: Callable[[], Any], pid1: bool, timeout: float, outbox: int) -> NoReturn:
    """The new PID 1: runs the body, or reaps everybody until the body's process has ended."""
    try:
        call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL)
        call("mount", b"none", b"/", None, _MS_REC | _MS_SLAVE, None)
        call("mount", b"proc", b"/proc", b"proc", 0, None)
        if pid1:
            _perform(body, timeout, outbox)
        performer = os.fork()
        if performer == 0:
            _perform(body, timeout, outbox)
        while os.wait()[0] != performer:
            pass
    except BaseException:
        _report(outbox, traceback.format_exc())
    finally:
        os._exit(0)


def _perform(body: Callable[[], Any], timeout: float, outbox: int) -> NoReturn:
    try:
        signal.signal(signal.SIGALRM, _hung)
        signal.setitimer(signal.ITIMER_REAL, timeout)
        if inspect.iscoroutinefunction(body.func if isinstance(body, functools.partial) else body):
            import trio

            trio.run(body)
        else:
            body()
        sys.stdout.flush()
        sys.stderr.flush()
        _report(outbox, "ok")
    except BaseException:
        _report(outbox, traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        os._exit(0)


def _hung(number: int, frame: object) -> NoReturn:
    raise TimeoutError("the test's body hung")


def _report(outbox: int, text: str) -> None:
    os.write(outbox, text.encode(errors="replace")[-_REPORT_MAX:])
