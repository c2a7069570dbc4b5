"""What does the logger do next? One loop over the pipes, PID 1's messages, the outputs and those who read along.

Rules: a turn is short and nothing in it waits; with nothing to do there are no wake-ups at all. Pipes rest for some
milliseconds between two reads, so that many lines cost one turn (docs/decisions/logger.md).
"""

from __future__ import annotations

import os
import select
import time

from supervisor.logger.answer import Answer
from supervisor.logger.console import Console
from supervisor.logger.desk import Desk
from supervisor.logger.intake import Intake
from supervisor.logger.ring import CHUNK, Ring
from supervisor.logger.shelf import Shelf
from supervisor.model.words import ServiceName
from supervisor.wire import logmessages as message

__all__ = ["Logger"]

_REST_LONGEST, _REST_SHORTEST = 0.01, 0.0005  # seconds between two reads of pipes that fill slowly, and quickly
_FILLED = CHUNK // 2  # bytes in a pipe after a rest: the next one shall be shorter
_RETRY = 1.0  # seconds until what failed for want of descriptors or memory is tried again
_ORPHANED = 1.0  # seconds to write out what there is when PID 1 has gone
_EVENTS = 64
_CATCH_UP = 16  # turns of the pipes before a question is answered

_IN, _OUT, _ONCE, _GONE = select.EPOLLIN, select.EPOLLOUT, select.EPOLLONESHOT, select.EPOLLRDHUP


class Logger:
    """Runs until it is told to finish, or PID 1 is gone."""

    def __init__(self, desk: Desk, shelf: Shelf) -> None:
        self._desk = desk
        self._shelf = shelf
        self._intake = Intake(self)
        self._wanted: set[int] = set()  # channels whose descriptors got lost on the way
        self._rest = _REST_LONGEST
        self._read_at = 0.0
        self._resting_until: float | None = None
        self._desk_waits = False
        self._begun = False  # PID 1 has told us everything
        self._reading = False  # pipes had more than was taken
        self._retry_at: float | None = None
        self._finish_by: float | None = None
        self._troubles: set[Console] = set()
        self._outputs: dict[int, Console] = {}  # asked to say when they take more
        shelf.announce = self._announce
        shelf.on_room = self._intake.room_made
        shelf.on_match = lambda run: desk.send(message.Matched(run))
        shelf.on_answer = self._answered
        self._poll = select.epoll()
        self._poll.register(desk.fileno(), _IN)
        self._poll.register(self._intake.fileno(), _IN | _ONCE)

    def run(self) -> None:
        while not self._done():
            self._turn()

    def _turn(self) -> None:
        desk, pipes = self._desk, self._reading
        for fd, mask in self._poll.poll(self._patience(), _EVENTS):
            if fd == desk.fileno():
                self._converse(mask)
            elif fd == self._intake.fileno():
                pipes = self._may_read()
            elif fd in self._outputs:
                self._poll.unregister(fd)
                self._outputs.pop(fd).wake()
            else:
                self._hear_reader(fd, mask)
        now = time.monotonic()
        if pipes or (self._resting_until is not None and now >= self._resting_until):
            self._read_pipes()
        if self._intake.starved and self._retry_at is None:
            self._retry_at = now + _RETRY
        if self._retry_at is not None and now >= self._retry_at:
            self._retry()
        if (
            self._begun
        ):  # what a predecessor left in an output's pipe says how far it got: not before all rings are known
            for console in self._shelf.consoles:
                self._write(console, now)
        if self._shelf.busy:
            self._shelf.turn()
        desk.flush()
        if desk.waiting != self._desk_waits and not desk.closed:
            self._desk_waits = desk.waiting
            self._poll.modify(desk.fileno(), _IN | _OUT if desk.waiting else _IN)

    def _patience(self) -> float | None:
        """How long nothing is due; None for ever."""
        shelf = self._shelf
        if self._reading or shelf.busy or (self._begun and any(console.busy for console in shelf.consoles)):
            return 0.0
        due = [moment for moment in (self._resting_until, self._retry_at, self._finish_by) if moment is not None]
        due += [console.wakes for console in shelf.consoles if console.wakes]
        # epoll waits whole milliseconds: half a one more, or the last of them would be spent in a spin
        return max(0.0, min(due) - time.monotonic()) + 0.0005 if due else None

    # --- the pipes

    def _may_read(self) -> bool:
        """Whether the pipes have rested since they were read; else they are read when they have."""
        ready = self._read_at + self._rest
        if ready <= time.monotonic():
            return True
        self._resting_until = ready
        return False

    def _read_pipes(self) -> None:
        rested, self._resting_until = self._resting_until is not None, None
        most, more = self._intake.turn()
        self._reading = more
        self._read_at = time.monotonic()
        if rested:
            self._rest = max(self._rest / 2, _REST_SHORTEST) if most >= _FILLED else min(self._rest * 2, _REST_LONGEST)
        if not more:
            self._poll.modify(self._intake.fileno(), _IN | _ONCE)

    def _catch_up(self) -> None:
        """Who asks now wants to see what was written before he asked."""
        for _ in range(_CATCH_UP):
            most, _ = self._intake.turn()
            if not most:
                return

    def ring_for(self, service: ServiceName) -> Ring:
        return self._shelf.ring_for(service)

    def ring_of(self, service: ServiceName) -> Ring | None:
        return self._shelf.ring_of(service)

    def drained(self, channel: int, closed: bool) -> None:
        self._desk.send(message.Drained(channel, closed))

    def _announce(self, ring: Ring) -> bool:
        return self._desk.closed or self._desk.send_now(message.Made(ring.service), ring.fd)

    def _retry(self) -> None:
        self._retry_at = None
        self._intake.feed_the_starved()
        for channel in self._wanted:
            self._desk.send(message.Want(channel))
        self._wanted.clear()

    # --- the outputs

    def _write(self, console: Console, now: float) -> None:
        if console.wakes and now >= console.wakes:
            console.wake()
        if console.busy:
            console.pump()
        if console.full and console.output.fd not in self._outputs:
            self._poll.register(console.output.fd, _OUT)
            self._outputs[console.output.fd] = console
        if console.trouble and console not in self._troubles:
            self._troubles.add(console)
            why = os.strerror(console.trouble)
            text = f"our {console.name} cannot be written to any more ({why}); lines go on to the rings only"
            self._shelf.say(text, time.time_ns())

    def _hear_reader(self, fd: int, mask: int) -> None:
        answer = self._shelf.answers.get(fd)
        if answer is None:
            return
        if mask & (select.EPOLLHUP | select.EPOLLERR | _GONE):
            answer.over = True
            self._answered(answer)
        elif mask & _OUT:
            self._poll.modify(fd, _GONE)
            self._shelf.resume(answer)

    def _answered(self, answer: Answer) -> None:
        if answer.over:
            self._poll.unregister(answer.socket.fileno())
            self._shelf.dismiss(answer)
        elif answer.full:
            self._poll.modify(answer.socket.fileno(), _GONE | _OUT)

    # --- PID 1

    def _converse(self, mask: int) -> None:
        desk = self._desk
        if mask & _OUT:
            desk.flush()
        if mask & ~_OUT:
            for letter, fds in desk.hear():
                self._obey(letter, fds)
        if desk.closed:
            self._poll.unregister(desk.fileno())
            self._begun = True
            if self._finish_by is None:
                self._finish(_ORPHANED)

    def _obey(self, letter: message.Downward, fds: list[int]) -> None:
        shelf = self._shelf
        match letter:
            case message.Open(run, channel, stream) if fds and not self._intake.knows(channel):
                self._intake.add(channel, run, stream, fds[0])
                return
            case message.Open(_, channel):
                if not fds:
                    self._wanted.add(channel)
                    self._retry_at = self._retry_at or time.monotonic() + _RETRY
            case message.Ring(service) if fds:
                shelf.inherit(service, fds[0])
                return
            case message.Ask(parameters) if fds:
                self._catch_up()
                answer = shelf.ask(parameters, fds[0])
                if answer is not None:
                    self._poll.register(answer.socket.fileno(), _GONE)
                return
            case message.Ring() | message.Ask():
                pass  # no room for the descriptor: the ring is made anew, the reader sees the end
            case message.Begin():
                self._begun = True
            case message.End(run):
                self._intake.end(run)
            case message.Say(wall, text):
                shelf.say(text, wall)
            case message.Watch(run, pattern):
                shelf.watch(run, pattern)
            case message.Unwatch(run):
                shelf.unwatch(run)
            case message.Forget(service):
                shelf.forget(service)
            case message.Reopen():
                self._revive()
            case message.Hurry():
                self._intake.hurry()
            case message.Finish(within):
                self._finish(within)
        for fd in fds:
            os.close(fd)

    def _revive(self) -> None:
        for console in self._troubles:
            console.revive()
        self._troubles.clear()

    # --- the end

    def _finish(self, within: float) -> None:
        self._finish_by = time.monotonic() + max(0.0, within)
        self._intake.end_all()

    def _done(self) -> bool:
        if self._finish_by is None:
            return False
        shelf = self._shelf
        written = self._intake.empty and all(console.idle for console in shelf.consoles) and not shelf.busy
        return written or time.monotonic() >= self._finish_by
