"""How does a test start the monitor with a stand-in for init? A few lines of Python that say what they see.

Only for bodies that run in a world of their own (`tests.isolation`): nothing here cleans up.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from supervisor.model.plan import Plan
from supervisor.model.spec import SystemSpec
from supervisor.programs import monitor
from supervisor.programs.loading import Loaded
from supervisor.programs.monitor import UpOptions
from supervisor.wire.state import dump
from tests.minimal import Started, python

__all__ = ["LISTENER", "PLAIN", "SYSTEM", "nothing", "start_up"]

# Says its number, then what the monitor tells it, until the monitor is gone.
LISTENER = """
import os, sys
print(os.getpid(), flush=True)
while (message := os.read(int(sys.argv[2]), 1000)):
    print(message.decode(), flush=True)
print("alone", flush=True)
"""

PLAIN = UpOptions()
SYSTEM = SystemSpec()


def nothing() -> None:
    pass


def start_up(
    code: str,
    options: UpOptions = PLAIN,
    *,
    system: SystemSpec = SYSTEM,
    loaded: Loaded | None = None,
    prepare: Callable[[], Any] = nothing,
    command: Sequence[str] | None = None,
) -> Started:
    """A monitor, and a stand-in for init's program that gets the descriptors of the plan and the monitor as words, and on a
    line of stderr for which users the configuration was loaded."""
    out, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return Started(pid, out)
    status = 99
    try:
        os.setpgid(0, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for fd in (1, 2):
            os.dup2(write_end, fd)
        os.close(write_end)
        os.close(out)
        result = loaded or Loaded(True, plan=dump(Plan(system=system)))
        stand_in: Any = monitor
        worlds: list[str] = []

        def load(paths: object, *, stop_fd: int, world: str) -> Loaded:
            worlds.append(world)
            return result

        stand_in.load = load
        stand_in.init_command = lambda options, name, plan, pair: [
            *(command or python(code)),
            *(str(plan), str(pair), *worlds),
        ]
        prepare()
        status = monitor.run(options)
    finally:
        os._exit(status)
