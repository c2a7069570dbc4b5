"""Somebody who speaks to a served socket: half lines, whole requests, silence; everything on trio, everything bounded."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from supervisor.control.access import Rules
from supervisor.control.bounds import ORDINARY, Bounds
from supervisor.control.listener import Listener, open_listener
from supervisor.control.server import serve
from tests.fakes.backend import FakeBackend

__all__ = ["OURS", "SOMEBODY", "Peer", "Served", "serving"]

OURS = Rules(os.geteuid())
SOMEBODY = os.geteuid() or 1
"""A user who is not root: ourselves, or whom root can play."""
_PATIENCE = 10.0  # seconds
_US = os.geteuid()


class Peer:
    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._rest = b""
        self._count = 0

    async def say(self, data: bytes) -> None:
        with trio.fail_after(_PATIENCE):
            await self.stream.send_all(data)

    async def hear(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        with trio.fail_after(_PATIENCE):
            while b"\n" not in self._rest:
                try:
                    data = await self.stream.receive_some(65536)
                except trio.BrokenResourceError:
                    return None
                if not data:
                    return None
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    async def request(self, method: str, **params: Any) -> int:
        self._count += 1
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        await self.say(json.dumps(message).encode() + b"\n")
        return self._count

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request; notifications in between are passed over."""
        number = await self.request(method, **params)
        while True:
            message = await self.hear()
            assert message is not None, "the connection was closed"
            if message.get("id") == number:
                return message


class Served:
    def __init__(self, path: str, backend: FakeBackend, nursery: trio.Nursery) -> None:
        self.path = path
        self.backend = backend
        self.nursery = nursery
        self.reports: list[str] = []

    async def peer(self) -> Peer:
        return Peer(await trio.open_unix_socket(self.path))

    def raw(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(self.path)
        return peer

    async def somebody(self) -> Peer:
        """A connection made by SOMEBODY: the kernel notes at connect(2) who it is."""
        if os.geteuid() == 0:
            for place in (Path(self.path), *Path(self.path).parents[:-1]):
                place.chmod(place.stat().st_mode | (0o666 if place.is_socket() else 0o011))
            os.seteuid(SOMEBODY)
        try:
            peer = self.raw()
        finally:
            os.seteuid(_US)
        return Peer(trio.SocketStream(trio.socket.from_stdlib_socket(peer)))


@asynccontextmanager
async def serving(
    folder: Path, backend: FakeBackend, rules: Rules = OURS, bounds: Bounds = ORDINARY
) -> AsyncIterator[Served]:
    path = str(folder / "s")
    listener = open_listener(path)
    assert isinstance(listener, Listener), listener
    async with trio.open_nursery() as nursery:
        served = Served(path, backend, nursery)
        nursery.start_soon(serve, listener.socket, backend, rules, served.reports.append, bounds)
        yield served
        nursery.cancel_scope.cancel()
