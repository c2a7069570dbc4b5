"""Who gets to speak? Every peer is weighed as it connects: refused before a byte of it is read, turned away when there are
too many, or given a conversation of its own.

No descriptors left means a pause, not a spin: whoever waits stays in the kernel's queue.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections import Counter
from collections.abc import Callable

import trio

from supervisor.control.access import Access, Guest, Rules, access_of, peer_of
from supervisor.control.bounds import ORDINARY, Bounds
from supervisor.control.connection import converse, failure_line
from supervisor.control.methods import Refusal
from supervisor.control.port import Backend
from supervisor.control.stream import Stream

__all__ = ["serve"]

_OUT_OF_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_REFUSED = failure_line(
    None,
    Refusal(
        "refused",
        "you may not speak to this pidone",
        "ask as root, as its own user, or be listed in system.control.read",
    ),
)
_BUSY = failure_line(None, Refusal("busy", "too many connections", "try again in a moment"))


async def serve(
    listener: socket.socket,
    backend: Backend,
    rules: Rules,
    report: Callable[[str], None],
    bounds: Bounds = ORDINARY,
) -> None:
    """Accept for ever; cancel it to end. Takes the listening socket and closes it. `report` gets a line for the log of
    whatever is wrong with us, never with a peer."""
    server = _Server(backend, rules, report, bounds)
    with contextlib.closing(Stream(listener)) as listening:
        async with trio.open_nursery() as nursery:
            while True:
                peer = await server.accept(listening)
                guest = server.admit(peer)
                if guest is None:
                    peer.close()
                else:
                    nursery.start_soon(server.converse, peer, guest)


class _Server:
    def __init__(self, backend: Backend, rules: Rules, report: Callable[[str], None], bounds: Bounds) -> None:
        self._backend = backend
        self._rules = rules
        self._report = report
        self._bounds = bounds
        self._turns = trio.Lock()
        self._present: Counter[Access] = Counter()

    async def accept(self, listening: Stream) -> Stream:
        starved = False
        while True:
            try:
                return await listening.accept()
            except OSError as error:
                if error.errno in _OUT_OF_MEANS and not starved:
                    self._report(f"control: cannot accept a connection: {error.strerror}; tries again by itself")
                    starved = True
                await trio.sleep(self._bounds.accept_pause)

    def admit(self, peer: Stream) -> Guest | None:
        """Who the peer is and what he may, and he is counted from now on; None when he has been told that he may not stay."""
        try:
            who = peer_of(peer.socket)
            access = access_of(who, self._rules)
        except OSError:
            return None
        if access is None or self._is_full(access):
            with contextlib.suppress(OSError):
                os.write(peer.fileno(), _REFUSED if access is None else _BUSY)  # a new socket has room for a line
            return None
        self._present[access] += 1
        return Guest(who.uid, access)

    async def converse(self, peer: Stream, guest: Guest) -> None:
        try:
            await converse(peer, guest, self._backend, self._bounds, self._turns, self._report)
        except Exception as error:  # a bug of ours ends this conversation and no other
            self._report(f"control: a connection failed inside: {type(error).__name__}: {error}")
        finally:
            self._present[guest.access] -= 1
            peer.close()

    def _is_full(self, access: Access) -> bool:
        if self._present.total() >= self._bounds.connections:
            return True
        return access == "read" and self._present["read"] >= self._bounds.readers
