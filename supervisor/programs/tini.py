"""How does one command run under the smallest init there can be? `pidone init -- CMD` (SERVICES §5).

CMD gets a process group of its own, the terminal, every signal that we get, and all else as we inherited it. Orphans are
reaped. When CMD ends, those it leaves get SIGTERM and a grace before SIGKILL; our exit status is CMD's.

Rules: one thread, all signals blocked and taken one by one, one caller of wait. Nothing of the standard library that costs time
or memory: no enum (hence the C half of `signal`), no typing, no argparse (docs/decisions/tini.md).
"""

from __future__ import annotations

import errno
import os
import time

from supervisor.kernel import leftovers
from supervisor.kernel.inheritance import inherited_environment
from supervisor.kernel.terminal import bring_to_front, controlling_terminal, foreground_group, retake
from supervisor.model.signals import SYNCHRONOUS
from supervisor.wire.durations import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Collection, Mapping, Sequence
    from typing import NoReturn
else:
    import _signal

__all__ = ["GRACE", "main", "run"]

GRACE = 2.0  # seconds for those who are left, of the 10 that docker stop gives to all
_KILLING = 5.0  # seconds until we give up on who does not die of SIGKILL: state D, or not ours to signal
_LOOK_EVERY = 0.05  # seconds between two looks for those whose end brings no SIGCHLD; only in the grace

_CANNOT_RUN, _USAGE, _INTERNAL, _NOT_EXECUTABLE, _NOT_FOUND = 1, 2, 70, 126, 127
_KILLED = 128  # + the signal's number, as shells say it

_TAKEN = frozenset(_signal.valid_signals()) - SYNCHRONOUS - {_signal.SIGKILL, _signal.SIGSTOP}
_TERMINAL_STOPS = (_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU)
_OUR_OWN = (_signal.SIGCHLD, *_TERMINAL_STOPS)  # ignored, we would lose CMD's status, or could not be stopped
_END_REQUESTS = (_signal.SIGTERM, _signal.SIGINT)
_CHANGES = os.WEXITED | os.WSTOPPED | os.WNOHANG

_DEFAULT_PATH = b"/bin:/usr/bin"  # execvp(3), when there is no PATH


def main(words: Sequence[str], mask: Collection[int]) -> NoReturn:
    """`words` stand after `pidone init`: [--grace D] -- CMD…; `mask` was blocked when we were started. Never returns."""
    try:
        status = _main(words, mask)
    except Exception as error:
        _say(f"internal error: {type(error).__name__}: {error}; please report it")
        status = _INTERNAL
    os._exit(status)  # there is nothing to finalize


def _main(words: Sequence[str], mask: Collection[int]) -> int:
    grace, todo = GRACE, list(words)
    while todo and todo[0] != "--":
        option, equals, value = todo.pop(0).partition("=")
        if option != "--grace":
            _say(f"{option} is not for `init -- CMD`, which knows only --grace; services need a configuration, -c PATH")
            return _USAGE
        if not equals:
            value = todo.pop(0) if todo and todo[0] != "--" else ""
        try:
            grace = duration(value)
        except ValueError as error:
            _say(f"--grace: {error}")
            return _USAGE
    if len(todo) < 2:
        _say("there is no command after --; try: pidone init -- sleep 10")
        return _USAGE
    return run(todo[1:], grace, mask)


def run(command: Sequence[str], grace: float = GRACE, mask: Collection[int] = frozenset()) -> int:
    """Run the command to its end, and see off what it leaves; the exit status that is ours then.

    The process belongs to this function: its signals stay blocked and its children are reaped, whoever forked them.
    """
    _signal.pthread_sigmask(_signal.SIG_SETMASK, _TAKEN)
    ignored = [number for number in _OUR_OWN if _signal.getsignal(number) == _signal.SIG_IGN]
    for number in ignored:
        _signal.signal(number, _signal.SIG_DFL)
    terminal = controlling_terminal()
    environment = inherited_environment()
    programs = _candidates(os.fsencode(command[0]), environment)
    ahead = terminal is not None and foreground_group(terminal) == os.getpgrp()
    try:
        child = os.fork()
    except OSError as error:
        _say(f"cannot make a process for {command[0]}: {error.strerror}")
        return _CANNOT_RUN
    if child == 0:
        _become(command, programs, environment, mask, ignored, terminal if ahead else None)
    try:  # noqa: SIM105 - contextlib is one of those that cost
        os.setpgid(child, child)  # the child does it too: whoever is first, no signal misses the group
    except OSError:
        pass  # it has ended or is executing CMD already
    return _Init(child, terminal, grace).run()


def _become(
    command: Sequence[str],
    programs: Sequence[bytes],
    environment: Mapping[bytes, bytes],
    mask: Collection[int],
    ignored: Sequence[int],
    terminal: int | None,
) -> NoReturn:
    """In the child: become CMD."""
    try:
        os.setpgid(0, 0)
        if terminal is not None:
            bring_to_front(terminal, os.getpid())  # before CMD can read from it
        for number in ignored:
            _signal.signal(number, _signal.SIG_IGN)
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them from the start
            _signal.signal(number, _signal.SIG_DFL)
        if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
            # Python's handler, which would only note what comes between here and exec
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        number = _execute(command, programs, environment)
        _say(f"cannot execute {command[0] or '(an empty text)'}: {_explain(number, command[0], programs, environment)}")
        os._exit(_NOT_FOUND if number == errno.ENOENT else _NOT_EXECUTABLE)
    except BaseException as error:
        _say(f"cannot prepare {command[0]}: {type(error).__name__}: {error}")
    finally:
        os._exit(_NOT_EXECUTABLE)


def _candidates(name: bytes, environment: Mapping[bytes, bytes]) -> list[bytes]:
    """Where execvp(3) would look."""
    if b"/" in name or not name:
        return [name] if name else []
    return [(folder or b".") + b"/" + name for folder in environment.get(b"PATH", _DEFAULT_PATH).split(b":")]


def _execute(command: Sequence[str], programs: Sequence[bytes], environment: Mapping[bytes, bytes]) -> int:
    """Returns only with the errno that says best why it failed: execvp(3)'s choice, but a folder of PATH that is closed to us
    is no proof that the program is there."""
    failure = errno.ENOENT
    for program in programs:
        try:
            os.execve(program, list(command), dict(environment))
        except OSError as error:
            number = error.errno or errno.ENOENT
        if number == errno.ENOEXEC:  # a script without `#!` is the shell's
            try:
                os.execve(b"/bin/sh", [b"sh", program, *map(os.fsencode, command[1:])], dict(environment))
            except OSError:
                return number
        if number == errno.EACCES:
            if len(programs) == 1 or os.path.exists(program):
                failure = number
        elif number not in (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ESTALE, errno.ETIMEDOUT):
            return number
    return failure


def _explain(number: int, name: str, programs: Sequence[bytes], environment: Mapping[bytes, bytes]) -> str:
    words = os.strerror(number).lower()
    there = [program for program in programs if os.path.exists(program)]
    if number == errno.ENOENT and there:
        return f"the interpreter that {os.fsdecode(there[0])} needs is not there; see its first line, or `file`"
    if number == errno.ENOENT and name and "/" not in name:
        path = os.fsdecode(environment.get(b"PATH", _DEFAULT_PATH))
        return f"there is none in PATH ({path})"
    if number == errno.EACCES and there and os.path.isdir(there[0]):
        return "it is a directory"
    if number == errno.EACCES:
        return f"{words}; it needs `chmod +x`, and a file system that is not mounted noexec"
    return words


class _Init:
    """The parent of CMD, from its start to the end of those it leaves."""

    def __init__(self, child: int, terminal: int | None, grace: float) -> None:
        self.child = child
        self.terminal = terminal
        self.grace = grace
        self.group = os.getpgrp()
        self.status: int | None = None
        self.end_requests = 0
        self.passed_a_stop_on = False
        """The terminal stop that CMD got last was sent to us, not typed."""

    def run(self) -> int:
        while self.status is None:
            self._take(_signal.sigwaitinfo(_TAKEN).si_signo)
        self._retake_terminal()
        self._see_off()
        self._retake_terminal()  # a shell's last job may have had it
        return self.status

    def _take(self, number: int) -> None:
        if number == _signal.SIGCHLD:
            self._collect()
            return
        self.end_requests += number in _END_REQUESTS
        if self.status is not None:
            return  # CMD's group may be anybody's by now
        if number == _signal.SIGCONT:
            self._resume()
        else:
            self.passed_a_stop_on = number in _TERMINAL_STOPS
            self._tell(number)

    def _tell(self, number: int) -> None:
        """Send a signal to CMD's group. Its number is CMD's, which nobody can get before we have reaped it."""
        for target in (-self.child, self.child):
            try:
                # a job-control shell may have moved CMD to another group: then it is told by itself
                if target < 0 or os.getpgid(self.child) != self.child:
                    os.kill(target, number)
            except OSError:
                pass  # nobody is in the group, or CMD runs as somebody we may not signal

    def _collect(self) -> None:
        """Reap whoever has ended, and notice what became of CMD."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, _CHANGES | os.WNOWAIT)
                if found is None:
                    return
                if found.si_pid == self.child and not leftovers.is_namespace_init() and not leftovers.can_look():
                    self._tell_unseen(found.si_code)
                found = os.waitid(os.P_PID, found.si_pid, _CHANGES)
            except ChildProcessError:
                return
            if found is None or found.si_pid != self.child:
                continue
            if found.si_code == os.CLD_EXITED:
                self.status = found.si_status
            elif found.si_code in (os.CLD_KILLED, os.CLD_DUMPED):
                self.status = _KILLED + found.si_status
            elif found.si_status in _TERMINAL_STOPS:
                self._stop(found.si_status)

    def _tell_unseen(self, code: int) -> None:
        """Without /proc we know nobody but CMD's group: that is told while CMD's zombie keeps its number."""
        if code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
            self._tell(_signal.SIGTERM)
            self._tell(_signal.SIGCONT)

    def _stop(self, number: int) -> None:
        """CMD was stopped from the terminal: our own parent, a shell, shall see us stopped as it would see CMD."""
        typed, self.passed_a_stop_on = not self.passed_a_stop_on, False
        if self.terminal is not None and foreground_group(self.terminal) == self.child:
            bring_to_front(self.terminal, self.group)
        if _signal.SIGCONT in _signal.sigpending():
            return  # a stop would discard it (signal(7)), and it came after this one
        if not leftovers.is_namespace_init():
            os.kill(0 if typed else os.getpid(), number)  # typed: the rest of our pipeline would have got it too
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))  # here we stand still until SIGCONT
            _signal.pthread_sigmask(_signal.SIG_BLOCK, (number,))
            if _signal.SIGCONT in _signal.sigpending():
                return
        # Nobody is there to continue us: PID 1 cannot be stopped, nor can an orphaned process group (setpgid(2)). There,
        # Ctrl-Z would do nothing to CMD either if it were in our place.
        if typed and number == _signal.SIGTSTP:
            self._resume()

    def _resume(self) -> None:
        if self.terminal is not None and foreground_group(self.terminal) == self.group:
            bring_to_front(self.terminal, self.child)
        self.passed_a_stop_on = False
        self._tell(_signal.SIGCONT)

    def _retake_terminal(self) -> None:
        if self.terminal is not None:
            retake(self.terminal, self.group, self.child)

    def _see_off(self) -> None:
        """SIGTERM and the grace for everybody who is left, then SIGKILL until nobody is."""
        if self._nobody_is_left():
            return
        if self.grace > 0:
            leftovers.signal_everybody(_signal.SIGTERM, _signal.SIGCONT)
            if self._wait_until_empty(self.grace, patient=True):
                return
        if not leftovers.is_namespace_init() and not leftovers.can_look():
            _say("there is no /proc of ours to find those processes in that the command left: mount one, or be PID 1")
            return
        give_up = time.monotonic() + _KILLING
        while time.monotonic() < give_up:
            leftovers.signal_everybody(_signal.SIGKILL)
            if self._wait_until_empty(_LOOK_EVERY, patient=False):
                return
        _say(f"some processes did not die of SIGKILL within {_KILLING:.0f} s; they are left")

    def _wait_until_empty(self, seconds: float, patient: bool) -> bool:
        """Whether nobody is left before the time is over; a second request to end cuts it short for who is `patient`."""
        until = time.monotonic() + seconds
        while not self._nobody_is_left():
            rest = until - time.monotonic()
            if rest <= 0 or (patient and self.end_requests > 1):
                return False
            # who entered the namespace from outside is not our child: its end brings no signal
            found = _signal.sigtimedwait(_TAKEN, min(rest, _LOOK_EVERY) if not leftovers.has_children() else rest)
            if found is not None:
                self._take(found.si_signo)
        return True

    def _nobody_is_left(self) -> bool:
        self._collect()
        if leftovers.is_namespace_init():
            return not leftovers.somebody_else_lives()
        return not leftovers.has_children()


def _say(text: str) -> None:
    try:  # noqa: SIM105 - as above
        os.write(2, f"pidone init: {text}\n".encode(errors="replace"))
    except OSError:
        pass  # nobody listens
