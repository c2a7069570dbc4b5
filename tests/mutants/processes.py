"""Which mistakes about processes would be noticed? In runtime and kernel, by stories on the fake kernel, and by real processes."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

__all__ = ["IN_KERNEL", "IN_RUNTIME"]

_STORIES = "tests/stories/test_stories.py::test_on_the_fake_kernel"
_NUMBERS = "tests/pid1/test_numbers.py"
_REAP = "tests/linux/test_reap.py"
_SPAWN = "tests/linux/test_spawn.py"
_UNITS = "tests/unit"


def _stories(*names: str) -> tuple[str, ...]:
    return tuple(f"{_STORIES}[{name}]" for name in names)


def _tests(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{name}" for name in names)


IN_RUNTIME: tuple[Mutant, ...] = (
    # the trap: reap first, look afterwards
    Mutant(
        "runtime/reaper.py",
        "            process = self._table.find(zombie.pid) or",
        "            self._kernel.reap(zombie.pid); process = self._table.find(zombie.pid) or",
        _tests(
            _NUMBERS,
            "an_orphan_whose_number_is_anothers_child_at_once_was_its_own_services",
            "a_main_process_whose_number_is_a_dead_orphans_at_once_has_its_own_exit",
        ),
    ),
    Mutant(
        "runtime/reaper.py",
        "            self._table.gone(process)  #",
        '            process.kind == "main" or self._table.gone(process)  #',
        _stories("a_number_that_is_another_s_at_once_is_not_taken_for_the_dead_one"),
    ),
    Mutant(
        "runtime/reaper.py",
        "for _ in range(_TURNS):",
        "for _ in range(1):",
        _stories("what_is_asked_while_a_batch_is_reaped_is_answered_before_the_next"),
    ),
    Mutant(
        "runtime/reaper.py",
        "if not self._catching_up.locked():",
        "if True:",
        _stories("what_is_asked_while_a_batch_is_reaped_is_answered_before_the_next"),
    ),
    Mutant(
        "runtime/reaper.py",
        "return self.look() and self.look()",
        "return True",
        _stories(
            "what_a_dead_service_left_is_stopped_before_its_next_run", "what_a_job_leaves_stays_until_it_is_stopped"
        ),
    ),
    Mutant(
        "runtime/reaper.py",
        "            self._drain({process.run: None for process, _ in own if process.run is not None})",
        "            pass",
        _stories("a_line_written_just_before_the_end_still_makes_it_ready"),
    ),
    Mutant(
        "runtime/reaper.py",
        "if entry is not None and entry.doomed:",
        "if False:",
        _stories("an_exec_probe_is_tried_until_it_succeeds"),
    ),
    Mutant(
        "runtime/processes.py",
        "        if person.tag in self._tags:",
        "        if False:",
        _stories("a_daemon_that_hides_is_counted_to_its_service_and_stopped_with_it"),
    ),
    Mutant(
        "runtime/processes.py",
        "            self.reaped += 1",
        "            pass",
        _stories("a_daemon_that_hides_is_counted_to_its_service_and_stopped_with_it"),
    ),
    Mutant(
        "runtime/processes.py",
        "            self._kernel.free_tag(entry.tag)",
        "            pass",
        _tests(
            f"{_UNITS}/runtime/test_processes.py",
            "who_is_over_has_no_marks_any_more_and_who_was_released_keeps_them",
        ),
    ),
    Mutant(
        "runtime/loop.py",
        "await self._hands.before_deadlines()",
        "pass",
        _stories("an_exit_that_nobody_has_told_us_of_wins_against_a_timer"),
    ),
    Mutant(
        "runtime/loop.py",
        "if not gap and late > OVERSLEPT and not self._forgiven:",
        "if False:",
        _stories("who_was_asleep_himself_does_not_blame_the_services"),
    ),
    Mutant(
        "runtime/launch.py",
        "if not spawn_is_wanted(self._world(), spawn):",
        "if False:",
        _stories("a_spawn_whose_service_was_stopped_before_its_turn_is_not_performed"),
    ),
    Mutant(
        "runtime/signals.py",
        '_SIGRTMIN + 4: "stop"',
        '_SIGRTMIN + 4: "fast"',
        _tests(f"{_UNITS}/runtime/test_signals.py", "these_ask_for_an_ordered_end[38]"),
    ),
    Mutant(
        "runtime/loglink.py",
        "if isinstance(parcel.message, (Say, Ask)):",
        "if isinstance(parcel.message, Say):",
        (
            *_tests(f"{_UNITS}/runtime/test_logs.py", "a_successor_is_told_everything_and_then_what_was_left_unread"),
            *_tests(
                "tests/linux/test_logger_successor.py",
                "messages_and_questions_that_it_had_not_read_are_answered_by_its_successor",
            ),
        ),
    ),
)

IN_KERNEL: tuple[Mutant, ...] = (
    Mutant(
        "kernel/reap.py",
        "_PEEK = os.WEXITED | os.WNOHANG | os.WNOWAIT",
        "_PEEK = os.WEXITED | os.WNOHANG",
        _tests(_REAP, "a_number_that_is_used_again_is_never_taken_for_its_former_owner"),
    ),
    Mutant(
        "kernel/reap.py",
        "core=found.si_code == os.CLD_DUMPED",
        "core=False",
        _tests(f"{_UNITS}/kernel/test_reap.py", "an_end_is_told_as_code_signal_or_core_dump"),
    ),
    Mutant(
        "kernel/pidfd.py",
        "if seen is not None and _same(seen, person) and send",
        "if seen is not None and send",
        _tests(
            _REAP,
            "a_number_that_is_used_again_is_never_taken_for_its_former_owner",
            "a_stranger_is_opened_only_as_the_one_that_was_seen",
        ),
    ),
    Mutant(
        "kernel/pidfd.py",
        "    if pid <= 1 and pidfd < 0:",
        "    if pid < 0 and pidfd < 0:",
        _tests(_REAP, "no_signal_goes_to_more_than_one_process"),
    ),
    Mutant(
        "kernel/tags.py",
        "if tag != self._own and tag not in self._taken:",
        "if tag != self._own:",
        _tests(f"{_UNITS}/kernel/test_tags.py", "when_all_are_taken_there_is_none_until_one_is_freed"),
    ),
    Mutant(
        "kernel/family.py",
        "for pid in numbers() if pid != us)",
        "for pid in numbers())",
        _tests(_REAP, "everybody_is_all_but_ourselves"),
    ),
    Mutant(
        "kernel/spawn.py",
        "                    setsid=True,",
        "",
        _tests(_SPAWN, "it_has_a_session_of_its_own[fast]"),
    ),
    Mutant(
        "kernel/spawn.py",
        "os.fchdir(self._home)",
        "pass",
        _tests(_SPAWN, "it_runs_in_its_working_dir_and_we_stay_where_we_are[fast]"),
    ),
    Mutant(
        "kernel/spawn.py",
        "        if order.tag:",
        "        if False:",
        _tests(_SPAWN, "the_tag_is_the_soft_limit_of_pending_signals[safe]"),
    ),
    Mutant(
        "kernel/leftovers.py",
        "if ppid == us or (ppid == parent and _is_unreaped(parent_fd)):",
        "if True:",
        _tests(f"{_UNITS}/kernel/test_leftovers.py", "a_number_that_changed_hands_is_not_signalled"),
    ),
    Mutant(
        "kernel/worlds.py",
        "os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC",
        "os.O_DIRECTORY | os.O_CLOEXEC",
        _tests(f"{_UNITS}/kernel/test_worlds.py", "a_symbolic_link_is_not_followed[base]"),
    ),
)
