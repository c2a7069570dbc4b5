"""Who gets to see what the services have written? The rings, and everybody who reads from them.

Rule: those who look for a line and those who answer `pidone logs` take turns, a few milliseconds each time.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from supervisor.logger.answer import Answer, BadQuery, read_query
from supervisor.logger.console import Console
from supervisor.logger.guard import TooSlow, compiled
from supervisor.logger.ring import Ring
from supervisor.logger.watch import Watch
from supervisor.model.words import RunId, ServiceName
from supervisor.wire.logline import json_error
from supervisor.wire.logring import FRESH, Record

__all__ = ["Shelf"]

_US = ServiceName("pidone")
_STDERR = 1
_ANSWERS = 64  # at a time; each holds one descriptor
_TURN = 0.005  # seconds


class Shelf:
    """All rings and their readers."""

    def __init__(self, consoles: Sequence[Console]) -> None:
        self.consoles = consoles
        self.answers: dict[int, Answer] = {}
        """By the number of their sockets."""
        self.announce: Callable[[Ring], bool] = lambda ring: True
        """Called to show a new ring to PID 1; answers whether that went well."""
        self.on_room: Callable[[Ring], None] = lambda ring: None
        """Called when a reader that held a ring back has moved on."""
        self.on_match: Callable[[RunId], None] = lambda run: None
        self.on_answer: Callable[[Answer], None] = lambda answer: None
        """Called after each turn of an answer: it may be full, or over."""
        self._rings: dict[ServiceName, Ring] = {}
        self._retiring: set[Ring] = set()
        self._watches: dict[RunId, Watch] = {}
        self._scheduled: deque[Watch | Answer] = deque()
        for console in consoles:
            console.on_progress = self._progress

    # --- rings

    def ring_of(self, service: ServiceName) -> Ring | None:
        return self._rings.get(service)

    def ring_for(self, service: ServiceName) -> Ring:
        """The service's ring, made when it is first needed. Raises OSError, also when PID 1 could not be told of it: it would
        be lost with us."""
        ring = self._rings.get(service)
        if ring is None:
            ring = Ring.make(service)
            if not self.announce(ring):
                ring.close()
                raise BlockingIOError
            self._adopt(ring)
        return ring

    def inherit(self, service: ServiceName, fd: int) -> None:
        """Go on with a predecessor's ring; one that cannot be read is left alone."""
        try:
            self._adopt(Ring(service, fd))
        except (OSError, ValueError):
            os.close(fd)

    def _adopt(self, ring: Ring) -> None:
        self._rings[ring.service] = ring
        for console in self.consoles:
            console.attach(ring)
        for answer in self.answers.values():
            answer.attach(ring)
        for watch in self._watches.values():
            if watch.run.service == ring.service:
                watch.attach(ring)

    def forget(self, service: ServiceName) -> None:
        """The service is gone: its ring goes when it has been written out."""
        ring = self._rings.pop(service, None)
        if ring is not None:
            self._retiring.add(ring)
            self._retire(ring)

    def _progress(self, ring: Ring) -> None:
        self.on_room(ring)
        if ring in self._retiring:
            self._retire(ring)

    def _retire(self, ring: Ring) -> None:
        if any(console.behind(ring) for console in self.consoles):
            return
        self._retiring.discard(ring)
        for console in self.consoles:
            console.detach(ring)
        for answer in self.answers.values():
            answer.detach(ring)
        for watch in [watch for watch in self._watches.values() if watch.ring is ring]:
            self.unwatch(watch.run)
        ring.close()

    def say(self, text: str, wall: int) -> None:
        """Add lines of pidone's own; dropped when no ring can be had for them."""
        data = text.rstrip("\n").encode(errors="replace") + b"\n"
        try:
            ring = self.ring_for(_US)
            ring.put(Record(_STDERR, FRESH, 0, 0, 0, wall), data)
        except OSError:
            return
        ring.trim(hurried=ring.room < len(data))  # PID 1 never waits, so its oldest lines give way
        ring.tell()

    # --- those who read

    def watch(self, run: RunId, pattern: str) -> None:
        """Call `on_match` when a line of the run matches."""
        self.unwatch(run)
        try:
            watch = self._watches[run] = Watch(run, compiled(pattern), self._schedule)
        except (re.error, OverflowError, RecursionError, TooSlow) as mistake:
            self.say(f"{run.service}: ready.log cannot be used as a regular expression: {mistake}", time.time_ns())
            return
        ring = self._rings.get(run.service)
        if ring is not None:
            watch.attach(ring)

    def unwatch(self, run: RunId) -> None:
        watch = self._watches.pop(run, None)
        if watch is not None:
            ring = watch.ring
            watch.leave()
            if ring is not None:
                self.on_room(ring)

    def ask(self, parameters: Mapping[str, Any], fd: int) -> Answer | None:  # Any: whatever JSON holds
        """Answer on this socket; None when that is done already, the socket closed."""
        sock = socket.socket(fileno=fd)
        try:
            query = read_query(parameters)
            if len(self.answers) >= _ANSWERS:
                raise BadQuery(f"{_ANSWERS} readers of logs are at work already")
        except BadQuery as mistake:
            with sock:
                sock.setblocking(False)
                with contextlib.suppress(OSError):  # nobody may be listening any more
                    sock.send(json_error("bad-query", str(mistake)))
            return None
        answer = self.answers[fd] = Answer(query, sock, self._rings.values(), self._schedule)
        self._schedule(answer)
        return answer

    def dismiss(self, answer: Answer) -> None:
        del self.answers[answer.socket.fileno()]
        answer.close()

    # --- turns

    def _schedule(self, worker: Watch | Answer) -> None:
        if not worker.scheduled:
            worker.scheduled = True
            self._scheduled.append(worker)

    def resume(self, answer: Answer) -> None:
        """Its reader takes more."""
        answer.full = False
        self._schedule(answer)

    @property
    def busy(self) -> bool:
        return bool(self._scheduled)

    def turn(self) -> None:
        """Let watches and answers work for a few milliseconds."""
        end = time.monotonic() + _TURN
        for _ in range(len(self._scheduled)):
            worker = self._scheduled.popleft()
            worker.scheduled = False
            if worker.busy:
                worker.turn()
                if isinstance(worker, Watch):
                    self._looked(worker)
                else:
                    self.on_answer(worker)
                if worker.busy:
                    self._schedule(worker)
            if time.monotonic() > end:
                break

    def _looked(self, watch: Watch) -> None:
        if watch.slow and not watch.told:
            watch.told = True
            text = f"{watch.run.service}: matching ready.log took more than 50 ms for a line, which counts as no match"
            self.say(text, time.time_ns())
        if watch.matched:
            self.on_match(watch.run)
            self.unwatch(watch.run)
        elif watch.ring is not None:
            self.on_room(watch.ring)
