"""How does trio come into PID 1 without what PID 1 never uses? TLS, name resolution, threads, child processes, files.

`import trio` loads all of that: 30 ms and 9 MB (docs/decisions/lean.md). Here its modules that nothing of ours leads to are
empty placeholders while the package is imported. Rules: the placeholders exist under their own names only during the import
and nobody else ever meets one; what came of it is tried at once, and whatever goes wrong, the whole of trio is imported.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType

__all__ = ["LEFT_OUT", "import_trio"]

LEFT_OUT = (
    "trio._channel",
    "trio._core._mock_clock",
    "trio._core._thread_cache",
    "trio._core._unbounded_queue",
    "trio._dtls",
    "trio._file_io",
    "trio._highlevel_generic",
    "trio._highlevel_open_tcp_listeners",
    "trio._highlevel_open_tcp_stream",
    "trio._highlevel_open_unix_stream",
    "trio._highlevel_serve_listeners",
    "trio._highlevel_socket",
    "trio._highlevel_ssl_helpers",
    "trio._path",
    "trio._signals",
    "trio._socket",
    "trio._ssl",
    "trio._subprocess",
    "trio._threads",
    "trio._unix_pipes",
    "trio.from_thread",
    "trio.socket",
    "trio.to_thread",
)


class _Placeholder(ModuleType):
    """Has whatever is asked for: a class without anything."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def import_trio() -> bool:
    """Have trio imported; whether that is the lean one. Without the collector: nothing that is imported is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return "trio" not in sys.modules and (_lean() or _whole())
    finally:
        if was_on:
            gc.enable()


def _lean() -> bool:
    for name in LEFT_OUT:
        sys.modules[name] = _Placeholder(name)
    try:
        _try()
        return True
    except BaseException:  # whatever another version of trio makes of it
        return False
    finally:
        for name in LEFT_OUT:
            if isinstance(sys.modules.get(name), _Placeholder):
                del sys.modules[name]


def _whole() -> bool:
    """Everything, in place of what did not work."""
    for name in [name for name in sys.modules if name == "trio" or name.startswith("trio.")]:
        del sys.modules[name]
    import trio  # noqa: F401

    return False


def _try() -> None:
    """A life in small, with each kind of thing that the runtime does."""
    import trio

    inbox, outbox = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    async def life() -> None:
        heard, lock, lot = trio.Event(), trio.Lock(), trio.lowlevel.ParkingLot()

        async def hear() -> None:
            await trio.lowlevel.wait_readable(inbox)
            heard.set()
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear)
            nursery.start_soon(lot.park)
            with trio.move_on_after(0) as scope:
                await trio.sleep(1)
            assert scope.cancelled_caught
            await trio.lowlevel.wait_writable(outbox)
            os.write(outbox, b"!")
            await heard.wait()
            async with lock:
                lot.unpark_all()
            nursery.cancel_scope.cancel()

    try:
        trio.run(life)
    finally:
        os.close(inbox)
        os.close(outbox)
