"""Which mistakes in deciding would be noticed, by which laws and stories of core?"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

__all__ = ["IN_CORE"]

_LAWS = "tests/laws/test_explorer.py::test_every_law_holds_in_every_world_of"
_STORIES = "tests/unit/core/test"


def _laws(*scenarios: str) -> tuple[str, ...]:
    return tuple(f"{_LAWS}[{scenario}]" for scenario in scenarios)


def _story(file: str, name: str) -> tuple[str, ...]:
    return (f"{_STORIES}_{file}.py::test_{name}",)


IN_CORE: tuple[Mutant, ...] = (
    # who is needed, who moves
    Mutant(
        "core/settle.py",
        "while draft.unsure:",
        "if draft.unsure:",
        _story("wants", "stop_takes_the_running_dependents_first_and_they_stay_wanted"),
    ),
    Mutant("core/settle.py", "if forced or unborn or not any(", "if True or not any(", _laws("needs-ready")),
    Mutant(
        "core/settle.py",
        "draft.wake_earlier(name)  # it may stay",
        "pass  # it may stay",
        _story("order", "who_may_stay_after_all_is_in_nobodys_way"),
    ),
    Mutant(
        "core/settle.py",
        'draft.put(replace(other, again="dependency"))',
        "pass",
        _story("dependencies", "restart_true_hands_it_on"),
    ),
    Mutant(
        "core/settle.py", 'down = replace(service, again="", ', "down = replace(service, ", _laws("follows", "chain")
    ),
    Mutant("core/settle.py", "window = () if spec.limit is None else", "window = () if True else", _laws("daemon")),
    Mutant(
        "core/claims.py",
        "return met and not withdrawn(service)",
        "return met",
        _story("wants", "who_is_down_first_says_so_while_the_one_he_waits_for_is_still_up"),
    ),
    Mutant(
        "core/claims.py",
        "edge.required and view[other].needed",
        "view[other].needed",
        _story("wants", "an_optional_dependency_is_not_started_for_my_sake"),
    ),
    Mutant("core/claims.py", 'return stage != "overdue"', "return withdrawn(service)", _laws("job-undone-along")),
    # facts
    Mutant("core/facts.py", "return service if service.run == run.number else None", "return service", _laws("daemon")),
    Mutant("core/facts.py", "    elif not alone:", "    elif False:", _laws("daemon")),
    Mutant(
        "core/facts.py",
        "        and not withdrawn(service)",
        "        and True",
        _story("oneshots", "a_job_that_is_to_be_stopped_begins_no_further_command"),
    ),
    Mutant("core/facts.py", "    elif withdrawn(known):", "    elif False:", _laws("chain", "needs-ready")),
    Mutant(
        "core/facts.py",
        'if alone and state.main == "live":',
        "if False:",
        _story("stopping", "main_process_and_stop_command_found_dead_together_are_told_in_either_order"),
    ),
    # stopping
    Mutant(
        "core/stopping.py",
        'if isinstance(state, Starting) and state.main == "live" and state.ready_at == NEVER:',
        'if isinstance(state, Starting) and state.main == "live":',
        _laws("scope-all"),
    ),
    Mutant("core/stopping.py", 'stage="overdue", deadline=NEVER', 'stage="overdue"', _laws("daemon")),
    Mutant(
        "core/stopping.py",
        "draft.wake_earlier(service.name)",
        "pass",
        _story("stopping", "also_through_one_that_does_not_run"),
    ),
    Mutant(
        "core/stopping.py",
        "    if signal != SIGKILL:",
        "    if False:",
        _story("stopping", "every_stop_signal_is_followed_by_sigcont"),
    ),
    # restart, requests, tickets
    Mutant("core/restart.py", ">= spec.limit.count", "> spec.limit.count", _laws("daemon")),
    Mutant(
        "core/requests.py",
        'want="down", again="")',
        'want="down")',
        _story("restart_and_kill", "a_restart_that_a_stop_superseded_is_forgotten"),
    ),
    Mutant("core/tickets.py", "draft.effects.append(Answer(ticket.id, outcome))", "pass", _laws("daemon")),
    Mutant(
        "core/tickets.py",
        "if is_overdue(service):",
        "if False:",
        _story("requests", "what_does_not_die_fails_every_request_that_waits_for_it"),
    ),
    # the end
    Mutant(
        "core/shutdown.py",
        "for timeout in timeouts[1:]",
        "for timeout in timeouts",
        _story("shutdown", "a_wave_may_last_until_what_the_later_ones_reserve"),
    ),
    Mutant(
        "core/shutdown.py",
        "depth[name] + (name in stops)",
        "depth[name] + 1",
        _story("shutdown", "waves_reach_through_those_who_have_nothing_to_stop"),
    ),
    Mutant("core/ending.py", "return not is_overdue(service) and (", "return (", _laws("daemon")),
    Mutant(
        "core/ending.py",
        "draft.now.mono - shut.asked > _SAME_KEYPRESS",
        "draft.now.mono >= shut.asked",
        _story("end_of_the_world", "two_signals_within_a_second_are_one_wish"),
    ),
)
