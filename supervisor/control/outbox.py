"""What is still to be sent to one peer? A bounded queue: answers always get in, notifications of a slow reader are counted
and dropped, and a peer that reads nothing at all is given up.

It holds at most `Bounds.unsent` bytes and one answer: whoever has an answer to compute sees that it `has_room` first.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import trio

from supervisor.control.bounds import Bounds
from supervisor.control.stream import Stream
from supervisor.wire import jsonrpc
from supervisor.wire.jsonrequest import RequestId

__all__ = ["Outbox", "Stalled"]


class Stalled(Exception):
    """The peer has not read for too long."""


class _Item(NamedTuple):
    line: bytes
    fd: int
    is_note: bool


class Outbox:
    def __init__(self, peer: Stream, bounds: Bounds) -> None:
        self._peer = peer
        self._bounds = bounds
        self._items: deque[_Item] = deque()
        self._unsent = 0
        self._notes = 0
        self._lost: dict[RequestId, int] = {}
        self._changed = trio.Event()

    @property
    def has_room(self) -> bool:
        """Whether an answer may be added."""
        return self._unsent <= self._bounds.unsent

    async def room(self) -> None:
        while not self.has_room:
            await self._changed.wait()

    async def empty(self) -> None:
        """Wait until everything has been sent."""
        while self._items:
            await self._changed.wait()

    def add(self, line: bytes, take_fd: int = -1) -> None:
        """Send this when its turn comes. The fd is closed here, sent or not."""
        self._put(_Item(line, take_fd, False))

    def note(self, request_id: RequestId, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification, or count it as lost; the next one that gets through says how many were."""
        if self._notes >= self._bounds.notes:
            self._lost[request_id] = self._lost.get(request_id, 0) + 1
            return
        lost = self._lost.pop(request_id, 0)
        self._put(
            _Item(jsonrpc.notification(request_id, method, {**params, "lost": lost} if lost else params), -1, True)
        )

    def take_lost(self, request_id: RequestId) -> int:
        """How many notifications of this request nobody has been told to be lost."""
        return self._lost.pop(request_id, 0)

    async def send_all(self) -> None:
        """Send for ever. Raises OSError when the peer is gone, Stalled when it does not read."""
        while True:
            while self._items:
                item = self._items[0]
                await self._send(item)
                self._items.popleft()
                self._unsent -= len(item.line)
                self._notes -= item.is_note
                self._tell()
            await self._changed.wait()

    def close(self) -> None:
        """Drop what was not sent."""
        while self._items:
            _close(self._items.popleft().fd)

    def _put(self, item: _Item) -> None:
        self._items.append(item)
        self._unsent += len(item.line)
        self._notes += item.is_note
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _send(self, item: _Item) -> None:
        rest = memoryview(item.line)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, item.fd.to_bytes(4, sys.byteorder))] if item.fd >= 0 else []
        while rest:
            with trio.move_on_after(self._bounds.stalled) as patience:
                sent = await self._peer.send(rest, rights)
            if patience.cancelled_caught:
                raise Stalled
            rest = rest[sent:]
            rights = []
        _close(item.fd)


def _close(fd: int) -> None:
    if fd >= 0:
        with contextlib.suppress(OSError):
            os.close(fd)
