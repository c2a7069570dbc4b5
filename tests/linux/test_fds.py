"""Are our descriptors what they must be, from the first moment on?"""

from __future__ import annotations

import os
import resource

from supervisor.kernel.fds import open_standard, raise_limit, seal_strays
from tests.isolation import isolated


@isolated
def test_the_standard_streams_are_open_when_nobody_gave_us_any() -> None:
    reader, writer = os.pipe()
    keep = os.dup(0), os.dup(2)
    os.close(0)
    os.close(2)
    os.dup2(writer, 1)
    open_standard()
    null = os.stat("/dev/null").st_rdev
    assert (os.fstat(0).st_rdev, os.fstat(2).st_rdev) == (null, null)
    assert [os.get_inheritable(fd) for fd in (0, 2)] == [True, True]
    os.write(1, b"untouched")
    assert os.read(reader, 100) == b"untouched"
    before = os.listdir("/proc/self/fd")
    open_standard()
    assert os.listdir("/proc/self/fd") == before
    os.dup2(keep[0], 0)
    os.dup2(keep[1], 2)


@isolated
def test_strays_are_sealed_but_for_those_that_are_kept() -> None:
    stray, kept, sealed = (os.open("/dev/null", os.O_RDONLY) for _ in range(3))
    os.set_inheritable(stray, True)
    os.set_inheritable(kept, True)
    assert stray in seal_strays(keep=[kept])
    assert [os.get_inheritable(fd) for fd in (0, stray, kept, sealed)] == [True, False, True, False]
    assert seal_strays(keep=[kept]) == ()


@isolated
def test_our_limit_is_raised_almost_to_the_hard_one_and_the_old_one_remembered() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1000))
    assert raise_limit() == 256
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (984, 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))
    assert raise_limit() == 1000
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (984, 1000)  # the reserve


@isolated
def test_a_tiny_limit_is_left_alone() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 40))
    assert raise_limit() == 32
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (32, 40)
