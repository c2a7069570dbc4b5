"""How does PID 1 speak with its logger without ever waiting for it? A socket pair of which it holds both ends.

Rules: what is posted is sent soon, with what else there is; what cannot be sent is kept in order; a message that may be lost
says so. Because the logger's end is ours too, what a dead logger had not read is not gone with it: its successor gets what
nobody but a message knew.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from supervisor.kernel.letters import AT_ONCE, MOST_FDS, receive
from supervisor.model.words import ServiceName
from supervisor.wire.logmessages import LONGEST, Ask, Downward, Ring, Say, Upward, encode, join, unpack

__all__ = ["Link"]

_SAYINGS = 256  # messages that may be lost, kept while the logger is busy
_MOST = 1024  # datagrams heard at once
_ENOUGH = 64  # messages are not kept for company
_BUNDLE = 32768  # bytes of messages that are sent together
_FULL = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)


class _Parcel(NamedTuple):
    message: Downward
    fds: tuple[int, ...]
    owned: bool
    """The descriptors are closed when it has been sent or thrown away."""
    data: bytes


def _parcel(message: Downward, fds: Sequence[int], owned: bool = False) -> _Parcel:
    return _Parcel(message, tuple(fds), owned, encode(message))


class Link:
    def __init__(self) -> None:
        """Raises OSError."""
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.setblocking(False)
        self._unsent: deque[_Parcel] = deque()
        self._sayings = 0

    @property
    def waiting(self) -> bool:
        """Something is to be sent when there is room for it."""
        return bool(self._unsent)

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    def post(self, message: Downward, fds: Sequence[int] = (), *, owned: bool = False) -> None:
        """To be sent by the next `flush`; with `owned` the descriptors are closed then."""
        self._unsent.append(_parcel(message, fds, owned))
        if len(self._unsent) >= _ENOUGH:
            self.flush()

    def mention(self, message: Say) -> bool:
        """Send if that is possible soon; False when it was thrown away."""
        if self._sayings >= _SAYINGS:
            return False
        self._sayings += 1
        self.post(message)
        return True

    def flush(self) -> None:
        """Send what is waiting, as far as there is room."""
        while self._unsent:
            bundle = self._bundle()
            data, fds = join(parcel.data for parcel in bundle), [fd for parcel in bundle for fd in parcel.fds]
            try:
                socket.send_fds(self.ours, [data], fds, AT_ONCE)
            except OSError as error:
                if error.errno in _FULL:
                    return
                raise
            for parcel in bundle:
                self._unsent.popleft()
                self._settle(parcel)

    def _bundle(self) -> list[_Parcel]:
        """The first of those that are waiting: as many as one datagram shall hold, but one at least."""
        size = descriptors = 0
        bundle: list[_Parcel] = []
        for parcel in islice(self._unsent, _ENOUGH):
            size += len(parcel.data) + 1
            descriptors += len(parcel.fds)
            if bundle and (size > _BUNDLE or descriptors > MOST_FDS):
                break
            bundle.append(parcel)
        return bundle

    def _settle(self, parcel: _Parcel) -> None:
        self._sayings -= isinstance(parcel.message, Say)
        if parcel.owned:
            for fd in parcel.fds:
                os.close(fd)

    def hear(self) -> Iterator[tuple[Upward, list[int]]]:
        """What the logger has said; the descriptors are the caller's."""
        for _ in range(_MOST):
            letters = _receive(self.ours)
            if letters is None:
                return
            yield from letters  # type: ignore[misc]  # the logger sends only these

    def withdraw(self, service: ServiceName) -> None:
        """Do not send the ring of this service any more: its descriptor is about to be closed."""
        self._unsent = deque(parcel for parcel in self._unsent if parcel.message != Ring(service))

    def salvage(self) -> None:
        """The logger is dead: keep only what nobody but a message knew, those included that it had not read."""
        unread = deque[_Parcel]()
        while (letters := _receive(self.theirs)) is not None:
            for message, fds in letters:
                if isinstance(message, Say):
                    self._sayings += 1
                unread.append(_parcel(message, fds, True))  # type: ignore[arg-type]  # we have sent it
        kept = deque[_Parcel]()
        for parcel in (*unread, *self._unsent):
            if isinstance(parcel.message, (Say, Ask)):
                kept.append(parcel)
            else:
                self._settle(parcel)
        self._unsent = kept

    def begin(self, letters: Sequence[tuple[Downward, Sequence[int]]]) -> None:
        """Tell a new logger this, before anything else."""
        self._unsent.extendleft(_parcel(message, fds) for message, fds in reversed(letters))
        self.flush()

    def close(self) -> None:
        for parcel in self._unsent:
            self._settle(parcel)
        self._unsent.clear()
        self.ours.close()
        self.theirs.close()


def _receive(sock: socket.socket) -> list[tuple[Downward | Upward, list[int]]] | None:
    """The messages of the next datagram with their descriptors; None when there is none."""
    try:
        data, fds = receive(sock, LONGEST)
    except OSError:
        return None
    if not data:
        return None
    letters, nobodys = unpack(data, fds)
    for fd in nobodys:
        os.close(fd)
    return letters
