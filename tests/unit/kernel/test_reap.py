"""Is a wait status told in our words?"""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest

from supervisor.kernel import reap
from supervisor.kernel.port import Zombie
from supervisor.model.process import Exit


@pytest.mark.parametrize(
    ("code", "status", "exit_"),
    [
        (os.CLD_EXITED, 0, Exit(code=0)),
        (os.CLD_EXITED, 255, Exit(code=255)),
        (os.CLD_KILLED, signal.SIGTERM, Exit(signal=signal.SIGTERM)),
        (os.CLD_DUMPED, signal.SIGSEGV, Exit(signal=signal.SIGSEGV, core=True)),
    ],
)
def test_an_end_is_told_as_code_signal_or_core_dump(
    monkeypatch: pytest.MonkeyPatch, code: int, status: int, exit_: Exit
) -> None:
    monkeypatch.setattr(os, "waitid", lambda *_: SimpleNamespace(si_pid=7, si_code=code, si_status=int(status)))
    assert reap.peek() == Zombie(7, exit_)


def test_a_kernel_that_cannot_wait_by_pidfd_is_asked_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def waitid(kind: int, which: int, options: int) -> None:
        asked.append((kind, which))
        if kind == os.P_PIDFD:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "waitid", waitid)
    reap.reap(7, 5)
    assert asked == [(os.P_PIDFD, 5), (os.P_PID, 7)]
