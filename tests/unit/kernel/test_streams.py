"""Do bytes move without being lost, also where the kernel is older or a sandbox refuses?"""

from __future__ import annotations

import errno
import os

import pytest

from supervisor.kernel import streams


def test_a_memory_file_is_closed_on_exec_and_cannot_be_executed() -> None:
    fd = streams.memory_file("test")
    assert not os.get_inheritable(fd)
    assert not os.fstat(fd).st_mode & 0o111
    os.close(fd)


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EMFILE])
def test_an_older_kernel_gives_a_memory_file_too(error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.memfd_create

    def older(name: str, flags: int) -> int:
        if flags != os.MFD_CLOEXEC:
            raise OSError(error, os.strerror(error))
        return real(name, flags)

    monkeypatch.setattr(os, "memfd_create", older)
    if error == errno.EINVAL:
        os.close(streams.memory_file("test"))
    else:
        with pytest.raises(OSError, match="Too many"):
            streams.memory_file("test")


def test_what_waits_in_a_pipe_is_counted_and_moved_to_its_place() -> None:
    (out, end), file = os.pipe(), streams.memory_file("test")
    assert streams.waiting(out) == 0
    with pytest.raises(BlockingIOError):
        streams.move(out, file, 100, 10)
    os.write(end, b"0123456789")
    assert streams.waiting(out) == 10
    assert streams.move(out, file, 100, 4) == 4
    assert streams.waiting(out) == 6
    assert os.pread(file, 200, 100) == b"0123"
    for fd in (out, end, file):
        os.close(fd)


def test_a_full_pipe_takes_nothing_and_nobody_waits() -> None:
    (out, end), (goal_out, goal) = os.pipe(), os.pipe()
    os.write(end, b"x" * streams.capacity(end))
    assert streams.forward(out, goal, 1 << 20) == streams.capacity(end)
    os.write(end, b"y")
    with pytest.raises(BlockingIOError):
        streams.forward(out, goal, 1)
    assert streams.waiting(out) == 1
    for fd in (out, end, goal_out, goal):
        os.close(fd)


def test_memory_is_given_back_and_reads_as_zeros() -> None:
    file = streams.memory_file("test")
    os.write(file, b"x" * 4 * streams.PAGE)
    before = os.fstat(file).st_blocks
    assert streams.punch(file, streams.PAGE, 3 * streams.PAGE)
    assert os.fstat(file).st_blocks < before
    assert os.fstat(file).st_size == 4 * streams.PAGE
    assert os.pread(file, 1, 2 * streams.PAGE) == b"\0"
    os.close(file)
    out, end = os.pipe()
    assert not streams.punch(out, 0, streams.PAGE)
    os.close(out)
    os.close(end)
