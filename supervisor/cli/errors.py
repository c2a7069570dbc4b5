"""What does the operator hear when it did not work, and with which exit status? One table, one way to say it.

No traceback reaches a user: an error of ours is one line and status 70; PIDONE_DEBUG=1 shows the rest to whoever reports it.
"""

from __future__ import annotations

import os
import sys

from supervisor.cli.output import escape, look_of, say_json
from supervisor.client.trouble import Trouble
from supervisor.wire.jsonrpc import SCHEMA

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal  # the C half: the other one loads enum first

__all__ = [
    "FAILED",
    "INTERNAL",
    "INTERRUPTED",
    "NOT_RUNNING",
    "OK",
    "STATUSES",
    "TIMED_OUT",
    "guarded",
    "say_trouble",
    "status_of",
]

OK, FAILED, USAGE, NOT_RUNNING, UNKNOWN, UNREACHABLE, REFUSED, INVALID, TIMED_OUT = range(9)
INTERNAL = 70  # EX_SOFTWARE of sysexits.h, and what init ends with when it is broken
INTERRUPTED = 130
_PIPE_CLOSED = 141  # 128 + SIGPIPE: what the shell sees of cat in `cat … | head`

STATUSES = {
    "usage": USAGE,
    "several": USAGE,
    "not-running": NOT_RUNNING,
    "unknown-service": UNKNOWN,
    "unreachable": UNREACHABLE,
    "gone": UNREACHABLE,
    "refused": REFUSED,
    "config-invalid": INVALID,
    "timeout": TIMED_OUT,
}
"""Exit statuses by the codes of errors (CLI.md); every other code is 1."""


def status_of(code: str) -> int:
    return STATUSES.get(code, FAILED)


def say_trouble(trouble: Trouble, as_json: bool, color: str) -> None:
    """What went wrong and what to type next, on stderr; with --json as an object on stdout too."""
    if as_json:
        error = {"code": trouble.code, "message": trouble.message, "hint": trouble.hint, **trouble.more}
        say_json({"schema": SCHEMA, "error": error})
    look = look_of(sys.stderr, color, os.environ)
    print(look.paint("error:", "red"), escape(trouble.message), file=sys.stderr)
    if trouble.hint:
        print(look.paint("hint:", "dim"), escape(trouble.hint), file=sys.stderr)


def guarded(work: Callable[[], int], as_json: bool, color: str) -> int:
    """Do the work and give its exit status, or that of what went wrong, which has been said then."""
    silent = (
        _signal.getsignal(_signal.SIGINT) == _signal.SIG_DFL
    )  # since supervisor/__main__: Ctrl-C showed no traceback
    try:
        if silent:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        status = work()
        sys.stdout.flush()
    except Trouble as trouble:
        return _said(trouble, as_json, color)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return _PIPE_CLOSED
    except OSError as error:
        _forget_stdout()
        where = f"{error.filename}: " if error.filename else ""
        return _said(Trouble("failed", f"{where}{error.strerror or error}"), False, color)
    except Exception as error:
        if os.environ.get("PIDONE_DEBUG") == "1":
            raise
        text = f"internal error: {type(error).__name__}: {error}"
        _said(Trouble("internal", text, "please report it, with what PIDONE_DEBUG=1 adds"), as_json, color)
        return INTERNAL
    finally:
        if silent:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    return status


def _said(trouble: Trouble, as_json: bool, color: str) -> int:
    try:
        say_trouble(trouble, as_json, color)
        sys.stdout.flush()
    except OSError:
        _forget_stdout()
    return status_of(trouble.code)


def _forget_stdout() -> None:
    """Nobody reads it any more: let the interpreter flush what is left into nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
