"""Does an idle world rest? Nothing of pidone wakes up when nothing happens."""

from __future__ import annotations

from pathlib import Path

from tests.outside.world import World, service, world

_WATCHED = 2.0  # seconds
_WINDOWS = 3


def _below(pid: int) -> list[int]:
    """This process and everything below it."""
    found = [pid]
    for parent in found:
        found += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    return found


def _own(here: World) -> dict[int, int]:
    """pidone's own processes, with how often each has been put to sleep so far."""
    counted = {}
    for pid in _below(here.pid):
        if not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0"):
            fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            counted[pid] = int(fields["voluntary_ctxt_switches"])
    return counted


def test_an_idle_world_never_wakes_up() -> None:
    services = {f"s{number}": service() for number in range(5)}
    services["probed"] = service("echo up; exec sleep 100000", ready={"log": "up"})
    with world(services) as here:
        for name in services:
            here.until(name, lambda view: view["ready"])
        for _ in range(_WINDOWS):  # what the last question stirred has to settle first
            before = _own(here)
            assert here.ended(within=_WATCHED) is None
            if _own(here) == before:
                break
        assert len(before) == 3  # monitor, PID 1, logger
        assert _own(here) == before
