"""Does a world in a world behave like any other, eight deep? Asked from everywhere, ended in order, killed anywhere."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.isolation import isolated
from tests.minimal import state_of
from tests.outside.nested import Nest
from tests.outside.world import PIDONE, service, world

_DEPTH = 8
_EVERY_WAY = pytest.mark.parametrize("options", [(), ("--rootless",)], ids=["plain", "rootless"])


def _alive() -> int:
    """How many live in this test's world besides its PID 1 and us."""
    numbers = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1, os.getpid()}
    return sum(state_of(number) not in ("", "Z") for number in numbers)


@_EVERY_WAY
@isolated(timeout=120)
def test_eight_worlds_inside_each_other_answer_and_end_in_order(tmp_path: Path, options: Sequence[str]) -> None:
    nest = Nest(tmp_path, _DEPTH, options)
    nest.until_all_are_up()
    for level in (1, _DEPTH):
        assert nest.service(level, "mark")["phase"] == "running"
        assert f"{nest.service(level, 'mark')['pid']}" == (tmp_path / f"mark.{level}").read_text().strip()
    assert nest.service(1, "deeper")["phase"] == "running"
    seen = nest.seen_from_within()
    assert [seen[where]["name"] for where in ("inside", "outside")] == [nest.name(_DEPTH), nest.name(1)]
    assert nest.shut_down() == 0
    assert nest.ended() == list(range(_DEPTH, 0, -1))
    assert _alive() == 0
    nest.close()


@_EVERY_WAY
@isolated(timeout=120)
def test_a_killed_monitor_takes_everything_below_along_and_nothing_above(
    tmp_path: Path, options: Sequence[str]
) -> None:
    nest = Nest(tmp_path, _DEPTH, options)
    nest.until_all_are_up()
    living = _DEPTH
    for level in (7, 4, 2):
        os.kill(nest.monitors()[level], signal.SIGKILL)
        eventually(lambda level=level: nest.service(level - 1, "deeper")["phase"] == "failed", timeout=30)
        eventually(lambda level=level: sorted(nest.monitors()) == list(range(1, level)), timeout=30)
        assert nest.service(level - 1, "deeper")["last_exit"]["signal"] == "SIGKILL"
        assert nest.service(level - 1, "mark")["phase"] == "running"
        for gone in range(level, living + 1):
            assert nest.ask(gone, "status").code == 5
        living = level - 1
    assert nest.shut_down() == 0
    assert nest.ended()[-1] == 1
    assert _alive() == 0
    nest.close()


@isolated
def test_a_world_in_a_world_needs_a_name_of_its_own_and_says_how() -> None:
    again = service(
        f"{PIDONE} up -c world.yaml > again 2>&1; echo $? > status; exec sleep 1000", environment={"PIDONE_SOCKET": ""}
    )
    with (
        tempfile.TemporaryDirectory(prefix="pido-") as runtime,  # a socket's path is short (unix(7))
        world({"again": again}, named=False, env={"XDG_RUNTIME_DIR": runtime}, begun=False) as here,
    ):
        assert here.read("status") == "1"
        said = here.read("again")
    assert "a world named default is alive already" in said
    assert "--name NAME" in said
    assert said.count("\n") == 0
