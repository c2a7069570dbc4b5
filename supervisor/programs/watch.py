"""What does the monitor do while its world lives? It waits. Stop signals become counted messages to init, some others are passed
on to it, and its end is ours.

Nothing that the monitor's start needed is of use then, so it executes itself once more, as this file: an interpreter without
`site`, which holds half the memory. Rules: one thread, every signal of ours blocked and taken one by one; nothing of the
standard library but its C halves (docs/decisions/monitor.md).
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Sequence
else:
    import _signal  # the C half: the other one makes enums of every constant

__all__ = ["LAST_RESORT", "PASSED_ON", "STOPS", "Init", "command", "watch"]

_RTMIN = 34  # signal(7)
_SI_USER = 0  # sigaction(2): what a process sent has this si_code or a smaller one; the kernel's are larger
STOPS = frozenset((_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGPWR, _RTMIN + 3, _RTMIN + 4))
"""Asked for an end: counted and told. Our terminal's hang-up is one (SERVICES §5)."""
PASSED_ON = frozenset((_signal.SIGQUIT, _signal.SIGUSR1, _signal.SIGUSR2, _RTMIN + 5, _RTMIN + 25))
"""Mean something of their own to init, which gets them as they are."""
LAST_RESORT = 5  # stop signals: init ends at the third by itself; one that cannot is killed with its namespace

_KILLED = 128  # + the signal's number, as shells say it


class Init:
    """Our child, seen from outside of its world."""

    __slots__ = ("asked", "pair", "pid", "single")

    def __init__(self, pid: int, pair: int, single: bool, asked: int = 0) -> None:
        self.pid = pid
        self.pair = pair
        """Our end of the socket pair with it."""
        self.single = single
        """Its death is its world's: it is PID 1 of a namespace."""
        self.asked = asked
        """How many stop signals it has been told of."""

    def hear(self, number: int) -> None:
        """This signal has come to us."""
        if number in STOPS:
            self._ask_for_the_end(number)
        elif number in PASSED_ON:
            os.kill(self.pid, number)  # our child, which only we reap

    def status(self) -> int | None:
        """Our exit status once it has ended, which reaps it; None before."""
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG)
        if ended is None:
            return None
        if ended.si_code == os.CLD_EXITED:
            return ended.si_status
        if self.asked < LAST_RESORT:
            _say(f"init was ended by {_name(ended.si_status)}")
        return _KILLED + ended.si_status

    def _ask_for_the_end(self, number: int) -> None:
        self.asked += 1
        message = f"stop {_name(number).removeprefix('SIG')} {self.asked}".encode()
        with_it = _socket.socket(fileno=os.dup(self.pair))
        try:
            with_it.send(message, _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL)
        except OSError:
            pass  # it does not read any more: it is about to end, or it hangs
        finally:
            with_it.close()
        if self.asked >= LAST_RESORT and self.single:
            os.kill(self.pid, _signal.SIGKILL)


def watch(init: Init, deaf: Sequence[int] = ()) -> int:
    """Until init has ended; our exit status. All that we hear is blocked already.

    What we are `deaf` to are the keys of a terminal, as who stands behind a shell's `&` is; somebody who sends us the same
    signal means us. Not so a hang-up, which shells send too.
    """
    heard = {_signal.SIGCHLD, *STOPS, *PASSED_ON}.difference({_signal.SIGHUP}.intersection(deaf))
    while (status := init.status()) is None:
        came = _signal.sigwaitinfo(heard)
        if came.si_signo not in deaf or came.si_code <= _SI_USER:
            init.hear(came.si_signo)
    return status


def command(init: Init, deaf: Sequence[int], words: Sequence[str]) -> list[str]:
    """How this file is executed to go on watching; `words` are what somebody who looks at us with ps shall see besides."""
    state = [str(init.pid), str(init.pair), str(int(init.single)), str(init.asked)]
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), *state, ",".join(map(str, deaf)), "--", *words]


def _name(number: int) -> str:
    from supervisor.model.signals import signal_name

    return signal_name(number)


def _say(text: str) -> None:
    try:  # noqa: SIM105 - contextlib costs 1 ms
        os.write(2, f"pidone up: {text}\n".encode())
    except OSError:
        pass  # nobody listens


def _main(words: Sequence[str]) -> int:
    pid, pair, single, asked, deaf = words[:5]
    init = Init(int(pid), int(pair), single == "1", int(asked))
    return watch(init, [int(number) for number in deaf.split(",") if number])


if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    os._exit(_main(sys.argv[1:]))  # there is nothing to finalize
