"""Which bugs would the suite notice? One-line mistakes, each with the tests that must fail on it.

python -m tests.laws.mutants NUMBER [PYTEST-ARGUMENT…]    runs pytest on a core with that mistake in it
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

__all__ = ["MUTANTS", "Mutant", "mutated"]

_CORE = Path(__file__).parents[2] / "supervisor" / "core"
_LAWS = "tests/laws/test_explorer.py::test_every_law_holds_in_every_world_of"
_STORIES = "tests/unit/core/test"


class Mutant(NamedTuple):
    file: str
    old: str
    """Stands exactly once in the file, within a line."""
    new: str
    noticed_by: tuple[str, ...]
    """Each of these tests fails."""


def _laws(*scenarios: str) -> tuple[str, ...]:
    return tuple(f"{_LAWS}[{scenario}]" for scenario in scenarios)


def _story(file: str, name: str) -> tuple[str, ...]:
    return (f"{_STORIES}_{file}.py::test_{name}",)


MUTANTS: tuple[Mutant, ...] = (
    # who is needed, who moves
    Mutant(
        "settle.py",
        "while draft.unsure:",
        "if draft.unsure:",
        _story("wants", "stop_takes_the_running_dependents_first_and_they_stay_wanted"),
    ),
    Mutant("settle.py", "if forced or unborn or not any(", "if True or not any(", _laws("needs-ready")),
    Mutant(
        "settle.py",
        "draft.wake_earlier(name)  # it may stay",
        "pass  # it may stay",
        _story("order", "who_may_stay_after_all_is_in_nobodys_way"),
    ),
    Mutant("settle.py", "if edge.restart and not other.again", "if not other.again", _laws("needs-started")),
    Mutant("settle.py", 'down = replace(service, again="", ', "down = replace(service, ", _laws("follows", "chain")),
    Mutant("settle.py", "window = () if spec.limit is None else", "window = () if True else", _laws("daemon")),
    Mutant(
        "claims.py",
        "return met and not withdrawn(service)",
        "return met",
        _story("wants", "who_is_down_first_says_so_while_the_one_he_waits_for_is_still_up"),
    ),
    Mutant(
        "claims.py",
        "edge.required and view[other].needed",
        "view[other].needed",
        _story("wants", "an_optional_dependency_is_not_started_for_my_sake"),
    ),
    Mutant("claims.py", 'return stage != "overdue"', "return withdrawn(service)", _laws("job-undone-along")),
    # facts
    Mutant("facts.py", "return service if service.run == run.number else None", "return service", _laws("daemon")),
    Mutant("facts.py", "    elif not alone:", "    elif False:", _laws("daemon")),
    Mutant(
        "facts.py",
        "        and not withdrawn(service)",
        "        and True",
        _story("oneshots", "a_job_that_is_to_be_stopped_begins_no_further_command"),
    ),
    Mutant("facts.py", "    elif withdrawn(known):", "    elif False:", _laws("chain", "needs-ready")),
    Mutant(
        "facts.py",
        'if alone and state.main == "live":',
        "if False:",
        _story("stopping", "main_process_and_stop_command_found_dead_together_are_told_in_either_order"),
    ),
    # stopping
    Mutant(
        "stopping.py",
        'if isinstance(state, Starting) and state.main == "live" and state.ready_at == NEVER:',
        'if isinstance(state, Starting) and state.main == "live":',
        _laws("scope-all"),
    ),
    Mutant("stopping.py", 'stage="overdue", deadline=NEVER', 'stage="overdue"', _laws("daemon")),
    Mutant(
        "stopping.py",
        "draft.wake_earlier(service.name)",
        "pass",
        _story("stopping", "also_through_one_that_does_not_run"),
    ),
    Mutant(
        "stopping.py",
        "    if signal != SIGKILL:",
        "    if False:",
        _story("stopping", "every_stop_signal_is_followed_by_sigcont"),
    ),
    # restart, requests, tickets
    Mutant("restart.py", ">= spec.limit.count", "> spec.limit.count", _laws("daemon")),
    Mutant(
        "requests.py",
        'want="down", again="")',
        'want="down")',
        _story("restart_and_kill", "a_restart_that_a_stop_superseded_is_forgotten"),
    ),
    Mutant("tickets.py", "draft.effects.append(Answer(ticket.id, outcome))", "pass", _laws("daemon")),
    Mutant(
        "tickets.py",
        "if is_overdue(service):",
        "if False:",
        _story("requests", "what_does_not_die_fails_every_request_that_waits_for_it"),
    ),
    # the end
    Mutant(
        "shutdown.py",
        "for timeout in timeouts[1:]",
        "for timeout in timeouts",
        _story("shutdown", "a_wave_may_last_until_what_the_later_ones_reserve"),
    ),
    Mutant(
        "shutdown.py",
        "depth[name] + (name in stops)",
        "depth[name] + 1",
        _story("shutdown", "waves_reach_through_those_who_have_nothing_to_stop"),
    ),
    Mutant("ending.py", "return not is_overdue(service) and (", "return (", _laws("daemon")),
    Mutant(
        "ending.py",
        "draft.now.mono - shut.asked > _SAME_KEYPRESS",
        "draft.now.mono >= shut.asked",
        _story("end_of_the_world", "two_signals_within_a_second_are_one_wish"),
    ),
)


def mutated(mutant: Mutant) -> str:
    """The file's text with the mistake in it; raises ValueError when the line is not there any more."""
    text = (_CORE / mutant.file).read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.file}: {text.count(mutant.old)} × {mutant.old!r}")
    return text.replace(mutant.old, mutant.new)


class _Mutating(MetaPathFinder, InspectLoader):
    """Finds and loads the one module that is to have a mistake."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"supervisor.core.{mutant.file.removesuffix('.py')}"
        self._path = str(_CORE / mutant.file)
        self._text = mutated(mutant)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin=self._path) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        return self._text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self._path, "exec")


def _main() -> int:
    import pytest

    sys.meta_path.insert(0, _Mutating(MUTANTS[int(sys.argv[1])]))
    return int(pytest.main(["--tb=line", "-p", "no:cacheprovider", *sys.argv[2:]]))


if __name__ == "__main__":
    sys.exit(_main())
