"""Are a service's lines where its user looks for them: on our stdout and in `pidone logs`, whatever dies?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from tests.eventually import eventually
from tests.outside.world import PIDONE, World, environment, service, world

_FOREVER = "; exec sleep 100000"


def logger_of(here: World) -> int:
    """Its number out here, 0 while there is none."""
    for pid in here.pids_outside():
        try:
            if Path(f"/proc/{pid}/comm").read_text() == "pidone-logger\n":
                return pid
        except OSError:
            continue
    return 0


def lines_of(here: World, name: str) -> list[str]:
    return [line.partition(" | ")[2] for line in here.log().splitlines() if line.split(" ")[1:2] == [name]]


def test_old_lines_of_one_service_can_be_asked_for() -> None:
    services = {
        "talker": service("for n in 1 2 3; do echo out $n; done; echo trouble >&2" + _FOREVER),
        "other": service("echo not asked for" + _FOREVER),
    }
    with world(services) as here:
        eventually(lambda: len(lines_of(here, "talker")) == 4)
        eventually(lambda: lines_of(here, "other") == ["not asked for"])
        everything = here.ask("logs", "talker")
        assert everything.code == 0
        assert [line.rpartition("out ")[2] for line in everything.out.splitlines()[:3]] == ["1", "2", "3"]
        assert "not asked for" not in everything.out
        newest = here.ask("logs", "talker", "-n", "2", "-o", "jsonl")
        records = [json.loads(line) for line in newest.out.splitlines()]
        assert [(record["service"], record["stream"], record["line"]) for record in records] == [
            ("talker", "stdout", "out 3"),
            ("talker", "stderr", "trouble"),
        ]
        assert here.ask("logs", "nobody").code == 4


def test_the_last_line_of_a_dying_service_needs_no_newline() -> None:
    services = {"brief": service("printf 'first\\nlast words'; exit 3", restart="never")}
    with world(services) as here:
        here.until_phase("brief", "failed")
        assert here.ask("logs", "brief", "-o", "cat").out.splitlines() == ["first", "last words"]
        eventually(lambda: lines_of(here, "brief") == ["first", "last words"])


def test_new_lines_can_be_followed_also_past_the_death_of_the_logger() -> None:
    code = "n=0; while [ ! -e stop ]; do n=$((n + 1)); echo line $n; sleep 0.01; done" + _FOREVER
    with world({"counter": service(code)}) as here:
        eventually(lambda: lines_of(here, "counter"))
        follower = subprocess.Popen(
            [PIDONE, "--name", here.name, "logs", "counter", "-f", "-n", "1", "-o", "cat"],
            env=environment(),
            stdout=(here.folder / "followed").open("wb"),
        )
        try:
            for _ in range(2):
                seen = len(here.lines("followed"))
                eventually(lambda: len(here.lines("followed")) > seen + 5)  # noqa: B023  # called before the next turn
                os.kill(logger_of(here), signal.SIGKILL)
            seen = len(here.lines("followed"))
            eventually(lambda: len(here.lines("followed")) > seen + 5)
        finally:
            follower.terminate()
            follower.wait()
        numbers = [int(line.split()[1]) for line in here.lines("followed")]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_a_killed_logger_is_replaced_and_no_line_is_lost_or_doubled() -> None:
    code = "n=0; while [ ! -e stop ]; do n=$((n + 1)); echo $n; done; echo done $n" + _FOREVER
    with world({"chatty": service(code)}) as here:
        for _ in range(3):
            victim = eventually(lambda: logger_of(here))
            seen = len(here.log())
            eventually(lambda: len(here.log()) > seen + 10_000)  # noqa: B023  # called before the next turn
            os.kill(victim, signal.SIGKILL)
            eventually(lambda: logger_of(here) not in (0, victim))  # noqa: B023
        here.touch("stop")
        eventually(lambda: lines_of(here, "chatty")[-1].startswith("done"))
        *numbers, last = lines_of(here, "chatty")
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        assert last == f"done {len(numbers)}"
        assert here.service("chatty")["run"] == 1
        assert "the logger has ended (SIGKILL); another one takes over" in here.log()


def test_at_the_end_everything_is_written() -> None:
    code = "trap 'echo asked; printf bye; exit' TERM; echo up; while :; do sleep 0.1; done"
    with world({"polite": service(code)}) as here:
        eventually(lambda: lines_of(here, "polite") == ["up"])
        assert here.shut_down() == 0
        assert lines_of(here, "polite") == ["up", "asked", "bye"]
