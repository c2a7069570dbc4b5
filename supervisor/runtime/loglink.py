"""How does PID 1 speak with its logger without ever waiting for it? A socket pair of which it holds both ends.

Rules: what cannot be sent now is kept in order; a message that may be lost says so. Because the logger's end is ours too,
what a dead logger had not read is not gone with it: its successor gets what nobody but a message knew.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from supervisor.kernel.letters import receive
from supervisor.model.words import ServiceName
from supervisor.wire.logmessages import LONGEST, Ask, Downward, Ring, Say, Upward, decode, encode

__all__ = ["Link"]

_SAYINGS = 256  # messages that may be lost, kept while the logger is busy
_AT_ONCE = 1024  # messages heard at once
_FULL = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)


class _Parcel(NamedTuple):
    message: Downward
    fds: tuple[int, ...]
    owned: bool
    """The descriptors are closed when it has been sent or thrown away."""


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
        """Send, now or later; with `owned` the descriptors are closed then."""
        self._unsent.append(_Parcel(message, tuple(fds), owned))
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
            parcel = self._unsent[0]
            try:
                socket.send_fds(
                    self.ours, [encode(parcel.message)], parcel.fds, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
                )
            except OSError as error:
                if error.errno in _FULL:
                    return
                raise
            self._unsent.popleft()
            self._settle(parcel)

    def _settle(self, parcel: _Parcel) -> None:
        self._sayings -= isinstance(parcel.message, Say)
        if parcel.owned:
            for fd in parcel.fds:
                os.close(fd)

    def hear(self) -> Iterator[tuple[Upward, list[int]]]:
        """What the logger has said; the descriptors are the caller's."""
        for _ in range(_AT_ONCE):
            letter = _receive(self.ours)
            if letter is None:
                return
            yield letter  # type: ignore[misc]  # the logger sends only these

    def withdraw(self, service: ServiceName) -> None:
        """Do not send the ring of this service any more: its descriptor is about to be closed."""
        self._unsent = deque(parcel for parcel in self._unsent if parcel.message != Ring(service))

    def salvage(self) -> None:
        """The logger is dead: keep only what nobody but a message knew, those included that it had not read."""
        unread = deque[_Parcel]()
        while (letter := _receive(self.theirs)) is not None:
            message, fds = letter
            if isinstance(message, Say):
                self._sayings += 1
            unread.append(_Parcel(message, tuple(fds), True))  # type: ignore[arg-type]  # we have sent it
        kept = deque[_Parcel]()
        for parcel in (*unread, *self._unsent):
            if isinstance(parcel.message, (Say, Ask)):
                kept.append(parcel)
            else:
                self._settle(parcel)
        self._unsent = kept

    def begin(self, letters: Sequence[tuple[Downward, Sequence[int]]]) -> None:
        """Tell a new logger this, before anything else."""
        self._unsent.extendleft(_Parcel(message, tuple(fds), False) for message, fds in reversed(letters))
        self.flush()

    def close(self) -> None:
        for parcel in self._unsent:
            self._settle(parcel)
        self._unsent.clear()
        self.ours.close()
        self.theirs.close()


def _receive(sock: socket.socket) -> tuple[object, list[int]] | None:
    """The next message with its descriptors; None when there is none. What is no message is skipped."""
    while True:
        try:
            data, fds = receive(sock, LONGEST)
        except OSError:
            return None
        if not data:
            return None
        try:
            return decode(data), fds
        except ValueError:
            for fd in fds:
                os.close(fd)
