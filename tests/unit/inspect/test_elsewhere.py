"""Are processes of another PID namespace found under our own numbers?"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from supervisor.inspect.elsewhere import our_pid_ns, pids_here
from supervisor.kernel.libc import call
from tests.isolation import isolated

_CLONE_NEWPID = 0x20000000


def test_our_own_namespace_is_the_one_of_proc() -> None:
    assert our_pid_ns() == os.stat("/proc/self/ns/pid").st_ino


def test_of_a_namespace_that_is_not_below_ours_nothing_is_known() -> None:
    assert pids_here(1, [1, 2]) == {}
    assert pids_here(1, [1, 2], os.getpid()) == {}  # somebody who is not in it


def _children(pid: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@isolated
def test_processes_below_are_found_with_those_of_namespaces_nested_in_theirs() -> None:
    """We fork a namespace whose PID 1 has a child (2) and a nested namespace whose PID 1 is its number 3."""
    inbox, outbox = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        call("unshare", _CLONE_NEWPID)
        if os.fork() == 0:
            if os.fork() == 0:
                signal.pause()
            call("unshare", _CLONE_NEWPID)
            if os.fork() == 0:
                os.write(outbox, b"x")
                signal.pause()
            signal.pause()
        signal.pause()
    assert os.read(inbox, 1) == b"x"
    (init,) = _children(keeper)
    namespace = os.stat(f"/proc/{init}/ns/pid").st_ino
    below = sorted(_children(init))
    known = {1: init, 2: below[0], 3: below[1]}
    assert pids_here(namespace, [1, 2, 3, 4]) == known
    assert pids_here(namespace, [1, 2, 3, 4], init) == known
    assert pids_here(namespace, [3], keeper) == {3: below[1]}  # his children are in it, he is not
