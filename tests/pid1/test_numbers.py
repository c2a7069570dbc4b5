"""Is nobody taken for somebody else because he has his number? Numbers that are used again at once, and a hundred for all."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from supervisor.kernel.port import Born, SpawnOrder
from supervisor.model.effect import Edge
from supervisor.model.plan import Launch, PlannedService
from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.spec import RestartSpec, ServiceSpec
from supervisor.model.words import Seconds, ServiceName
from supervisor.runtime.processes import Process
from tests.isolation import isolated
from tests.pid1.numbers import FORKER, Forker, few_numbers
from tests.stories.stage import NEVER_AGAIN, Stage, play_on_real

_RUNS = 10_000
_PATIENCE = 300.0  # seconds; it takes 20

# The first half of what a run is called decides with which status its processes end: 16 × 8 proofs of whose they are.
_PROOF = 'first=${INVOCATION_ID%"${INVOCATION_ID#?}"}; proof=$((0x$first * 8 + $1)); '
_ALONE = _PROOF + "exit $proof"
_WITH_AN_ORPHAN = _PROOF + "end=$({ exit $proof; } & ); exit $proof"  # `$( )` ends with the last who could write there


def _service(name: str, *command: str) -> PlannedService:
    restart = RestartSpec(delay=Seconds(0.0), jitter=0.0)
    return PlannedService(
        ServiceName(name), ServiceSpec(command=(command,), restart=restart), launch=Launch("fast", (command[0],))
    )


def _when_reaped(stage: Stage, wanted: Callable[[int], bool], then: Callable[[int], None]) -> None:
    """Call `then` in the very moment in which a process' number is free again."""
    reap = stage.kernel.reap
    done: list[int] = []

    def reap_and_tell(pid: int, pidfd: int = -1) -> None:
        reap(pid, pidfd)
        if not done and wanted(pid):
            done.append(pid)
            then(pid)

    stage.kernel.reap = reap_and_tell  # type: ignore[method-assign]


class _Ends:
    """To whom the ends of adopted processes were counted."""

    def __init__(self, stage: Stage) -> None:
        self.seen: list[tuple[int, str, int | None]] = []
        """Number, service, status."""
        told = stage.runtime.reaper._orphan

        def ended(process: Process, exit: Exit) -> None:
            whose = "nobody" if process.run is None else process.run.service
            self.seen.append((process.pid, whose, exit.code))
            told(process, exit)

        stage.runtime.reaper._orphan = ended


@isolated(pid1=True)
def test_an_orphan_whose_number_is_anothers_child_at_once_was_its_own_services(tmp_path: Path) -> None:
    """Whoever reaps first and looks afterwards sees db's living child."""
    forker = Forker(tmp_path)

    async def told(stage: Stage) -> None:
        ends, born = _Ends(stage), list[int]()
        _when_reaped(stage, lambda pid: True, lambda pid: born.append(forker.bear("child", pid)))
        stage.begin(
            _service("db", sys.executable, "-IS", "-c", FORKER, *forker.words),
            stage.service("web", "daemon:exit:3 sleep"),
        )
        await stage.until(lambda: ends.seen)
        ((number, *whose),) = ends.seen
        assert born == [number]
        assert whose == ["web", 3]
        (row,) = (row for row in stage.operator.processes() if row["pid"] == number)
        assert (row["service"], row["role"], row["state"]) == ("db", "member", "S")
        assert (await stage.operator.submit("stop", ["web"]))["verdict"] == "done"
        assert number in stage.pids()  # the stop of web was no affair of its
        await stage.shut_down()
        assert len(ends.seen) == 2  # db's child lost its parent, and was swept out

    play_on_real(told)


@isolated(pid1=True)
def test_a_main_process_whose_number_is_a_dead_orphans_at_once_has_its_own_exit(tmp_path: Path) -> None:
    """Both are reaped in one batch, under one number."""
    forker = Forker(tmp_path)

    async def told(stage: Stage) -> None:
        ends, born = _Ends(stage), list[int]()
        stage.begin(
            _service("db", sys.executable, "-IS", "-c", FORKER, *forker.words),
            stage.service("web", "sleep", restart=NEVER_AGAIN),
        )
        await stage.until_phase("web", "running")
        await stage.until_phase("db", "running")
        number = stage.main_pid("web")
        _when_reaped(stage, number.__eq__, lambda pid: born.append(forker.bear("orphan", pid, 5)))
        stage.kernel.signal(number, -1, signal.SIGKILL)
        await stage.until_phase("web", "failed")
        await stage.until(lambda: ends.seen)
        assert born == [number]
        last = stage["web"].last
        assert last is not None
        assert last.detail == "killed by SIGKILL"
        assert ends.seen == [(number, "db", 5)]
        assert stage.runtime.table.find(number) is None
        assert (stage.phase("db"), stage["db"].restarts) == ("running", 0)

    play_on_real(told)


@isolated(pid1=True, timeout=_PATIENCE)
def test_ten_thousand_runs_that_share_a_hundred_numbers_are_never_mixed_up(unmeasured: None) -> None:
    """Every process proves whose it is by its status, which nobody but its service's present run has. Half of the services
    leave an orphan in every run, which is adopted when it is dead."""
    few_numbers()

    async def told(stage: Stage) -> None:
        proofs: dict[str, int] = {}
        wrong: list[object] = []
        count, numbers = Counter[str](), Counter[int]()
        spawn, ends = stage.kernel.spawn, _Ends(stage)

        def spawned(order: SpawnOrder) -> Born | SpawnFailure:
            born = spawn(order)
            if isinstance(born, Born):
                number = order.argv[-1]
                proofs[f"s{number}"] = int(order.environment["INVOCATION_ID"][0], 16) * 8 + int(number)
                numbers[born.pid] += 1
            return born

        def heard(edge: Edge) -> None:
            if edge.to == "backoff":
                count["runs"] += 1
                last = stage[edge.service].last
                if last is None or last.exit != Exit(code=proofs[edge.service]):
                    wrong.append((edge, last))
            for number, service, status in ends.seen:
                count["orphans"] += 1
                numbers[number] += 1
                if proofs.get(service) != status:
                    wrong.append((number, service, status))
            ends.seen.clear()

        stage.kernel.spawn = spawned  # type: ignore[method-assign]
        stage.runtime.loop.listen(heard)
        stage.begin(
            *(
                _service(f"s{number}", "/bin/sh", "-c", _ALONE if number % 2 else _WITH_AN_ORPHAN, "sh", str(number))
                for number in range(8)
            )
        )
        await stage.until(lambda: count["runs"] >= _RUNS or wrong, timeout=_PATIENCE - 5)
        assert wrong == []
        assert count["orphans"] > _RUNS / 4
        assert max(numbers) <= 400
        assert numbers.total() > 20 * len(numbers)  # each was many processes' own

    play_on_real(told)
