"""Does the logger hear PID 1 out, and is what it says kept until PID 1 listens?"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from supervisor.logger.desk import Desk
from supervisor.model.words import RunId, ServiceName
from supervisor.wire import logmessages as message

RUN = RunId(ServiceName("web"), 1)


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, Desk]]:
    pid_1, logger = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield pid_1, Desk(logger)
    pid_1.close()
    logger.close()


def test_messages_come_in_order_with_their_descriptors(line: tuple[socket.socket, Desk]) -> None:
    pid_1, desk = line
    out, end = os.pipe()
    socket.send_fds(pid_1, [message.encode(message.Open(RUN, 1, 0))], [out])
    pid_1.send(message.encode(message.End(RUN)))
    (opened, fds), (ended, none) = desk.hear()
    assert (opened, ended, none) == (message.Open(RUN, 1, 0), message.End(RUN), [])
    os.write(end, b"x")
    assert os.read(fds[0], 2) == b"x"
    assert not os.get_inheritable(fds[0])
    assert desk.hear() == []
    for fd in (out, end, *fds):
        os.close(fd)


def test_what_is_no_message_is_skipped_and_leaves_no_descriptor(line: tuple[socket.socket, Desk]) -> None:
    pid_1, desk = line
    out, end = os.pipe()
    socket.send_fds(pid_1, [b"nonsense"], [out])
    pid_1.send(message.encode(message.Hurry()))
    os.close(out)
    assert [letter for letter, _ in desk.hear()] == [message.Hurry()]
    with pytest.raises(BrokenPipeError):
        os.write(end, b"nobody has the other end")
    os.close(end)


def test_what_pid_1_does_not_read_waits_in_order(line: tuple[socket.socket, Desk]) -> None:
    pid_1, desk = line
    for channel in range(20000):
        desk.send(message.Drained(channel, True))
    desk.flush()
    assert desk.waiting
    fd = os.memfd_create("ring")
    assert not desk.send_now(message.Made(ServiceName("web")), fd)
    heard = []
    while len(heard) < 20000:
        heard += [letter for letter, _ in message.unpack(pid_1.recv(message.LONGEST), ())[0]]
        desk.flush()
    assert heard == [message.Drained(channel, True) for channel in range(20000)]
    assert not desk.waiting
    assert desk.send_now(message.Made(ServiceName("web")), fd)
    os.close(fd)


def test_the_end_of_pid_1_is_noticed_after_all_it_has_said(line: tuple[socket.socket, Desk]) -> None:
    pid_1, desk = line
    desk.send(message.Drained(1, True))  # which it will not have read
    desk.flush()
    pid_1.send(message.encode(message.Hurry()))
    pid_1.close()
    assert [letter for letter, _ in desk.hear()] == [message.Hurry()]
    assert desk.closed
    desk.send(message.Drained(2, True))
    desk.flush()
    assert not desk.waiting
    fd = os.memfd_create("ring")
    assert not desk.send_now(message.Made(ServiceName("web")), fd)
    os.close(fd)
