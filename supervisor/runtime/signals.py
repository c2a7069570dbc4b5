"""What does a signal to init mean? One receiver for all of them, and for the stop signals that a monitor forwards.

Rules: the signals are blocked from our first statement on and read from descriptors, so that none is lost and nothing of ours
runs in a handler. What a signal means stands in one table. SIGCHLD has a descriptor of its own: in a storm nobody looks at it
while a batch is reaped. The ones that a fault raises keep their default.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol, TypeAlias, assert_never

import trio

from supervisor.kernel.signalfd import open_signalfd, read_signals
from supervisor.kernel.signals import CATCHABLE, unblock
from supervisor.model.event import Event, StopAsked
from supervisor.model.signals import SYNCHRONOUS, signal_name, signal_number

__all__ = ["Ears", "Meaning", "Signals", "Tell", "hear_monitor"]

Meaning: TypeAlias = Literal["stop", "fast", "reboot", "reload", "reopen", "dump", "reexec", "continue"]

_SIGCHLD, _SIGHUP, _SIGRTMIN = signal_number("SIGCHLD"), signal_number("SIGHUP"), signal_number("SIGRTMIN")
_MEANINGS: Mapping[int, Meaning] = {
    signal_number("SIGTERM"): "stop",
    signal_number("SIGINT"): "stop",
    signal_number("SIGPWR"): "stop",
    _SIGRTMIN + 3: "stop",  # systemd(1): start halt.target
    _SIGRTMIN + 4: "stop",  # poweroff.target
    _SIGRTMIN + 5: "reboot",  # reboot.target
    signal_number("SIGQUIT"): "fast",
    _SIGHUP: "reload",
    signal_number("SIGUSR1"): "reopen",
    signal_number("SIGUSR2"): "dump",
    _SIGRTMIN + 25: "reexec",  # as systemd(1)
    signal_number("SIGCONT"): "continue",
}
_SAID: Mapping[Meaning, str] = {
    "reload": "reload is not available in this version",
    "reexec": "re-execution is not available in this version",
}
_PER_TURN = 16
_DATAGRAM_MAX = 256
_AT_ONCE = 3  # a third stop signal kills without grace (SERVICES §5)


class Tell(Protocol):
    """Who is told of each signal besides: its name, what it means, who sent it, and how many the monitor has counted."""

    def __call__(self, signal: str, meaning: str, pid: int = 0, uid: int = 0, count: int = 0) -> None: ...


def _nobody(signal: str, meaning: str, pid: int = 0, uid: int = 0, count: int = 0) -> None:
    pass


class Ears:
    """The two descriptors, open from the moment on when signals are wanted."""

    def __init__(self) -> None:
        """Raises OSError when descriptors are not to be had. Every signal must be blocked."""
        self.children = open_signalfd([_SIGCHLD])
        self.others = open_signalfd(number for number in CATCHABLE if number != _SIGCHLD and number not in SYNCHRONOUS)
        unblock(SYNCHRONOUS)


class Signals:
    """Turns signals into events, words and counts."""

    def __init__(
        self,
        ears: Ears,
        feed: Callable[[Event], None],
        say: Callable[[str], None],
        dump: Callable[[], None],
        reopen: Callable[[], None],
        hangup_stops: bool,
        continued: Callable[[], None] = lambda: None,
        readable: Callable[[int], Awaitable[None]] = trio.lowlevel.wait_readable,
        tell: Tell = _nobody,
    ) -> None:
        """`hangup_stops`: our terminal's end is ours (a foreground `up`). `continued`: SIGCONT has come."""
        self._ears = ears
        self._feed = feed
        self._say = say
        self._dump = dump
        self._reopen = reopen
        self._continued = continued
        self._readable = readable
        self._tell = tell
        self._meanings = {**_MEANINGS, _SIGHUP: "stop"} if hangup_stops else _MEANINGS
        self.ignored: dict[int, int] = {}
        """How often a signal came that means nothing."""

    async def run(self) -> None:
        while True:
            await self._readable(self._ears.others)
            for arrived in read_signals(self._ears.others, _PER_TURN):
                self.came(arrived.number, arrived.pid, arrived.uid)
            await trio.lowlevel.checkpoint()

    async def child_ended(self) -> None:
        """Until SIGCHLD has come again."""
        await self._readable(self._ears.children)
        read_signals(self._ears.children)

    def came(self, number: int, pid: int = 0, uid: int = 0) -> None:
        meaning = self._meanings.get(number)
        self._tell(signal_name(number), meaning or "ignored", pid, uid)
        match meaning:
            case "stop":
                self._feed(StopAsked(signal_name(number)))
            case "fast":
                self._feed(StopAsked(signal_name(number), fast=True))
            case "reboot":
                self._feed(StopAsked(signal_name(number), reboot=True))
            case "dump":
                self._dump()
            case "reopen":
                self._reopen()
            case "continue":
                self._continued()
            case None:
                self.ignored[number] = self.ignored.get(number, 0) + 1
            case "reload" | "reexec":
                self._say(f"{signal_name(number)}: {_SAID[meaning]}")
            case _:
                assert_never(meaning)


async def hear_monitor(fd: int, feed: Callable[[Event], None], tell: Tell = _nobody) -> None:
    """Stop signals that the monitor counted: datagrams `stop NAME COUNT`. When it has died the world ends at once."""
    os.set_blocking(fd, False)
    while True:
        await trio.lowlevel.wait_readable(fd)
        try:
            words = os.read(fd, _DATAGRAM_MAX).split()
        except BlockingIOError:
            continue
        except OSError:
            words = []
        if not words:
            feed(StopAsked("the death of its monitor", count=_AT_ONCE))
            return
        if len(words) == 3 and words[0] == b"stop" and words[2].isdigit():
            name, count = f"SIG{words[1].decode(errors='replace')}", int(words[2])
            tell(name, "stop", count=count)
            feed(StopAsked(name, count=count))
