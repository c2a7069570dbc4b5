"""How do the services' lines survive their logger? PID 1 keeps the read end of every pipe and every ring, and gives them to
whoever is the logger now.

Rules: nothing here waits for the logger; trio only says when its socket is ready. The logger is never waited for: whoever reaps
it says so by `logger_died`, and its successor is there when that returns.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import trio

from supervisor.kernel import pidfd as pidfds
from supervisor.kernel.signals import name_of
from supervisor.model.process import Exit
from supervisor.model.words import RunId, ServiceName
from supervisor.runtime.loglink import Link
from supervisor.runtime.logpipes import Pipes
from supervisor.wire import logmessages as message

__all__ = ["Logs"]

_KILL = 9
_PATIENCE = 5.0  # seconds after which nobody waits for a run's last line any more
_LONGEST = 12_000  # characters of a message of ours
_LAST_WORDS = 1.0  # seconds for the logger to write out what there is (SERVICES §5)
_SOON = 0.01  # seconds between two tries to tell it so
_GRACE = 0.25  # seconds more until it is killed
_QUICK = 1.0  # seconds: who lives shorter than this died quickly
_PATIENT = 3  # quick deaths in a row before successors have to wait
_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds that they wait, growing
_STUCK = (
    0.05  # seconds until a socket is tried again that says it has room and takes nothing (too many fds on their way)
)
_POISONED = 5  # quick deaths in a row by mistakes of its own, and what the rings hold is suspected

_Stages: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


class Logs:
    """PID 1's side of the logs."""

    def __init__(self, fork: Callable[[int, _Stages], int]) -> None:
        """`fork` makes a logger that listens on a descriptor of ours and writes to our stdout and stderr through two pipes of
        ours, and returns its number; it raises OSError. Raises OSError itself when no descriptors are to be had."""
        self.logger_pid = 0
        """The number of the logger, 0 while there is none."""
        self.deaths = 0
        """How many loggers have died unasked."""
        self.dropped = 0
        """How many messages of pidone itself were thrown away."""
        self.on_fork: Callable[[int], None] = lambda pid: None
        """Called with the number of every new logger, before anybody could take it for a stranger."""
        self._fork = fork
        self._link = Link()
        self._stages: _Stages = (os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC))
        self._pidfd = -1
        self._pipes = Pipes()
        self.rings: dict[ServiceName, int] = {}
        """A memory file per service that has ever written anything."""
        self._hurried = False
        self._stopping = False
        self._born_at = 0.0
        self._quick_deaths = self._mistakes = 0
        self._unsaid = 0
        self._pause = 0.0
        self._backlog = trio.Event()
        self._wanted = trio.Event()
        self._awaited = trio.Event()
        self._gone = trio.Event()

    # --- what the runtime asks

    def start(self) -> None:
        """Fork the first logger. Raises OSError."""
        self._beget()

    def open(self, run: RunId, uid: int | None = None) -> tuple[int, int]:
        """The run's stdout and stderr to write to, the same at every call until `end`, which closes them. With `uid` this user
        may open /dev/stdout and /dev/stderr by name. Raises OSError."""
        entry = self._pipes.of(run)
        if entry is None or entry.write is None:
            entry = self._pipes.make(run)
            for letter, fds in self._pipes.letters(run):
                self._post(letter, fds)
        write = entry.write
        assert write is not None
        if uid is not None:
            for fd in write:
                with contextlib.suppress(OSError):  # a user we cannot give things to: then only the names do not work
                    os.fchown(fd, uid, -1)
        return write

    def end(self, run: RunId, on_drained: Callable[[], None] | None = None) -> None:
        """No process of the run is left that matters. `on_drained` is called when its last line is in the ring, unfinished ones
        ended, or after some seconds. Who still has its stdout may go on writing."""
        entry = self._pipes.of(run)
        if entry is None:
            if on_drained is not None:
                on_drained()
            return
        if on_drained is not None:
            entry.on_drained = on_drained
            self._awaited.set()
        if entry.write is not None:
            entry.close_write()
            entry.found = None
            self._post(message.End(run))

    def say(self, text: str) -> None:
        """A message of pidone itself. Thrown away and counted when the logger has not read hundreds of them."""
        if self._unsaid and self._mention(f"{self._unsaid} messages of pidone were lost here"):
            self._unsaid = 0
        if not self._mention(text[:_LONGEST]):
            self._unsaid += 1
            self.dropped += 1

    def watch(self, run: RunId, pattern: str, found: Callable[[], None]) -> Callable[[], None]:
        """Call `found` once when a line of the run matches. Answers what ends the watch."""
        entry = self._pipes.of(run)
        if entry is None or entry.write is None:
            return lambda: None
        entry.pattern, entry.found = pattern, found
        self._post(message.Watch(run, pattern))
        return lambda: self.unwatch(run)

    def unwatch(self, run: RunId) -> None:
        entry = self._pipes.of(run)
        if entry is not None and entry.found is not None:
            entry.found = None
            self._post(message.Unwatch(run))

    def stream(self, parameters: Mapping[str, Any]) -> int:  # Any: whatever JSON holds
        """A stream socket from which the lines asked for can be read, the caller's to close; parameters as in control/port.
        Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._link.post(message.Ask(parameters), (theirs.detach(),), owned=True)
        self._note_backlog()
        return ours.detach()

    def forget(self, service: ServiceName) -> None:
        """The service is not defined any more."""
        ring = self.rings.pop(service, None)
        if ring is not None:
            self._link.withdraw(service)
            os.close(ring)
        self._post(message.Forget(service))

    def reopen(self) -> None:
        """Try outputs again that could not be written to."""
        self._post(message.Reopen())

    def hurry(self) -> None:
        """The shutdown has begun: nobody may be held up by what our stdout does not take. What it misses is counted."""
        if not self._hurried:
            self._hurried = True
            self._post(message.Hurry())

    def pids(self) -> Collection[int]:
        """The logger, if there is one: it ends last."""
        return (self.logger_pid,) if self.logger_pid else ()

    def drain(self) -> None:
        """Act on what the logger has said already, and send what had to wait."""
        self._link.flush()
        for letter, fds in self._link.hear():
            self._heed(letter, fds)

    # --- what the logger says

    def _heed(self, letter: message.Upward, fds: list[int]) -> None:
        match letter:
            case message.Made(service) if fds:
                before = self.rings.get(service)
                if before is not None:
                    self._link.withdraw(service)
                    os.close(before)
                self.rings[service] = fds.pop()
            case message.Made():
                pass  # we had no room for the descriptor: the logger has the only one
            case message.Drained(channel, closed):
                self._pipes.drained(channel, closed)
            case message.Matched(run):
                entry = self._pipes.of(run)
                if entry is not None and entry.found is not None:
                    found, entry.found = entry.found, None
                    found()
            case message.Want(channel):
                wanted = self._pipes.run_of(channel)
                if wanted is not None:
                    for again, beside in self._pipes.letters(wanted, channel):
                        self._post(again, beside)
            case message.Failed(text):
                self.say(f"the logger has made a mistake: {text}")
        for fd in fds:
            os.close(fd)

    # --- the logger's life

    def logger_died(self, exit: Exit) -> None:
        """The logger has been reaped. Unless it was asked to end, its successor is there when this returns, or soon."""
        self.drain()
        self.logger_pid = 0
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        if self._stopping:
            self._gone.set()
            return
        self.deaths += 1
        quick = time.monotonic() - self._born_at < _QUICK
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        self._mistakes = self._mistakes + 1 if quick and exit.signal != _KILL else 0
        if self._mistakes >= _POISONED:
            self._discard_rings()
        how = name_of(exit.signal) if exit.signal is not None else f"status {exit.code}"
        self.say(f"the logger has ended ({how}); another one takes over")
        self._pause = _PAUSE
        if self._quick_deaths <= _PATIENT:
            self.revive()
        else:
            self._pause = min(_PAUSE * 2 ** (self._quick_deaths - _PATIENT - 1), _LONGEST_PAUSE)
        if not self.logger_pid:
            self._wanted.set()

    def revive(self) -> bool:
        """Have a logger again, if there is none; False when none is to be had now."""
        if not self.logger_pid and not self._stopping:
            try:
                self._beget()
            except OSError:
                return False
        return True

    def _beget(self) -> None:
        self._link.salvage()  # before there is somebody who would read it
        pid = self._fork(self._link.theirs.fileno(), self._stages)
        self.logger_pid = pid
        self._pidfd = pidfds.open_pidfd(pid)
        self._born_at = time.monotonic()
        self.on_fork(pid)
        self._link.begin(self._everything())
        self._note_backlog()

    def _everything(self) -> list[tuple[message.Downward, tuple[int, ...]]]:
        """What a new logger must know."""
        letters: list[tuple[message.Downward, tuple[int, ...]]] = []
        letters += [(message.Ring(service), (fd,)) for service, fd in self.rings.items()]
        for run, entry in self._pipes:
            letters += self._pipes.letters(run)
            if entry.found is not None:
                letters.append((message.Watch(run, entry.pattern), ()))
        if self._hurried:
            letters.append((message.Hurry(), ()))
        letters.append((message.Begin(), ()))
        return letters

    def _discard_rings(self) -> None:
        self._mistakes = 0
        for fd in self.rings.values():
            os.close(fd)
        self.rings.clear()
        self.say("the logger keeps dying: it starts again without the lines it had kept")

    def _mention(self, text: str) -> bool:
        said = self._link.mention(message.Say(time.time_ns(), text))
        self._note_backlog()
        return said

    def _post(self, letter: message.Downward, fds: tuple[int, ...] = ()) -> None:
        if self.logger_pid:  # else its successor is told everything anyway
            self._link.post(letter, fds)
            self._note_backlog()

    def _note_backlog(self) -> None:
        if self._link.waiting:
            self._backlog.set()

    # --- tasks

    async def serve(self) -> None:
        """Hear the logger, send what had to wait, and find it a successor when that could not be done at once."""
        async with trio.open_nursery() as nursery:
            for task in (self._hear, self._send, self._replace, self._lose_patience):
                nursery.start_soon(task)

    async def _hear(self) -> None:
        while True:
            await trio.lowlevel.wait_readable(self._link.ours.fileno())
            self.drain()

    async def _send(self) -> None:
        while True:
            await self._backlog.wait()
            self._backlog = trio.Event()
            await self._flush()

    async def _flush(self) -> None:
        self._link.flush()
        while self._link.waiting:
            await trio.lowlevel.wait_writable(self._link.ours.fileno())
            before = self._link.unsent
            self._link.flush()
            if self._link.unsent == before:
                await trio.sleep(_STUCK)

    async def _replace(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            while not self.logger_pid and not self._stopping:
                await trio.sleep(self._pause)
                if not self.revive():
                    self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _lose_patience(self) -> None:
        while True:
            await self._awaited.wait()
            self._awaited = trio.Event()
            waited_for = [entry for _, entry in self._pipes if entry.on_drained is not None]
            if waited_for:
                await trio.sleep(_PATIENCE)
                for entry in waited_for:
                    entry.tell_drained()
                self._awaited.set()  # for those who have come meanwhile

    async def drain_and_stop(self, within: float = _LAST_WORDS) -> None:
        """Let the logger write out what there is, for so many seconds, and end. Then it is killed. It is not reaped here."""
        if not self._finish(within):
            return
        with trio.move_on_after(within + _GRACE):
            while self._link.waiting:
                await trio.sleep(_SOON)
                self._link.flush()
            await self._until_gone()
        if self.logger_pid:
            pidfds.send(self.logger_pid, self._pidfd, _KILL)
            with trio.move_on_after(_GRACE):
                await self._until_gone()

    def last_words(self, within: float = _LAST_WORDS) -> None:
        """The same where there is no loop any more: waits for so many seconds at most, and kills nobody."""
        if not self._finish(within):
            return
        until = time.monotonic() + within + _GRACE
        gone = select.poll()
        if self._pidfd >= 0:
            gone.register(self._pidfd, select.POLLIN)
        while time.monotonic() < until and not gone.poll(_SOON * 1000):
            self._link.flush()

    def _finish(self, within: float) -> bool:
        """Tell the logger to write out what there is and to end; False when there is none."""
        there_is_one = self.revive()
        self._stopping = True
        if there_is_one:
            for _, entry in self._pipes:
                entry.close_write()
            self._link.post(message.Finish(within))
            self._link.flush()
        return there_is_one

    async def _until_gone(self) -> None:
        if self._pidfd >= 0:
            await trio.lowlevel.wait_readable(
                self._pidfd
            )  # a pidfd is readable when its process has ended (pidfd_open(2))
        else:
            await self._gone.wait()
