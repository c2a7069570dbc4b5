"""What does the configuration say? A short-lived child that reads it and prints one JSON document.

    python -I -m supervisor.programs.loader [--world=here|rootless|perhaps] [--] [PATH…]

`{"ok": true, "plan": …, "warnings": […]}` and status 0, or `{"ok": false, "errors": […], "warnings": […]}` and status 7. It
limits itself before it looks at a file, so that a YAML bomb ends here: programs/loading makes an error of whatever is left.
Who can be a service's user is asked here, in a process that was executed as PID 1 is: `here` as we are, `rootless` in a world
that we make without privileges, `perhaps` in the one that this user would make, and then it is only a warning.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from supervisor.kernel import ids
from supervisor.model.realm import EVERYBODY, Realm
from supervisor.model.record import replace
from supervisor.model.words import Seconds

__all__ = ["MEMORY", "PROCESSOR", "document_of", "main"]

MEMORY = 384 << 20  # bytes of address space; 40,000 services, as many as the budget allows, need less than 150 MB
PROCESSOR = 20  # seconds; a machine that is emulated needs a hundred times as long as ours
_WALL = Seconds(45)  # less than loading.PATIENCE
_WORLD = "--world="
_WRITTEN = 16 << 20  # bytes per file; we write none, but a profiler may


def main(words: list[str]) -> int:
    """The child's whole life; returns its exit status."""
    gc.disable()  # a collection finds nothing here and costs more than all it could find
    world, paths = "here", words
    if paths and paths[0].startswith(_WORLD):
        world, paths = paths[0].removeprefix(_WORLD), paths[1:]
    if paths[:1] == ["--"]:
        paths = paths[1:]
    no_room = _sorry("config-too-large", "reading it takes more memory than the loader may have")
    text = ""
    try:
        _warm_up()
        _limit_ourselves()
        text = json.dumps(document_of(paths, os.environ, _realm(world)), separators=(",", ":"), allow_nan=False)
    except MemoryError:
        pass  # what took the memory is held by the traceback until here: whatever needs memory comes after
    except Exception as error:  # a bug of ours must not look like silence
        text = _sorry("loader-failed", f"the loader failed: {type(error).__name__}: {error}")
    try:
        _print((text or no_room).encode("ascii"))
    except OSError:
        return 1  # nobody listens any more
    return 0 if text.startswith('{"ok":true') else 7


def _warm_up() -> None:
    """Import everything before the limits count, and while Python may still write its byte code."""
    import supervisor.config.configuration
    import supervisor.programs.planning  # noqa: F401


def _limit_ourselves() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    for which, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR + int(used.ru_utime + used.ru_stime)),
        (resource.RLIMIT_FSIZE, _WRITTEN),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        soft, hard = resource.getrlimit(which)
        if soft == resource.RLIM_INFINITY or soft > most:
            resource.setrlimit(which, (most, hard))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, _WALL)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as ours:
        ours.write("1000")  # if memory runs out, it shall be us and not PID 1


def _realm(world: str) -> Realm:
    if world == "here":
        return ids.here()
    if world == "rootless":
        return ids.rootless()
    return replace(ids.here() if os.geteuid() == 0 else ids.rootless(), certain=False)


def document_of(
    paths: Iterable[str], environ: Mapping[str, str], realm: Realm = EVERYBODY
) -> dict[str, Any]:  # Any: JSON
    """The loader's answer for these files and folders."""
    from supervisor.programs.planning import plan_of

    return plan_of(paths, environ, realm)


def _sorry(code: str, message: str) -> str:
    found = {"file": "", "line": 0, "column": 0, "code": code, "message": message, "hint": "", "excerpt": ""}
    return json.dumps({"ok": False, "errors": [found], "warnings": []}, separators=(",", ":"))


def _print(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status)
