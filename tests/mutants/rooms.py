"""Which mistakes outside of core would be noticed? By stories on the fake kernel, by units, by processes in a world of their own."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

__all__ = ["IN_ROOMS"]

_STORIES = "tests/stories/test_stories.py::test_on_the_fake_kernel"
_NUMBERS = "tests/pid1/test_numbers.py"
_REAP = "tests/linux/test_reap.py"
_SPAWN = "tests/linux/test_spawn.py"
_MONITOR = "tests/linux/test_monitor.py"
_WATCH = "tests/linux/test_watch.py"
_UNITS = "tests/unit"


def _stories(*names: str) -> tuple[str, ...]:
    return tuple(f"{_STORIES}[{name}]" for name in names)


def _tests(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{name}" for name in names)


_RUNTIME = (
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
        "runtime/loop.py",
        "await self._hands.before_deadlines()",
        "pass",
        _stories("an_exit_that_nobody_has_told_us_of_wins_against_a_timer"),
    ),
    Mutant(
        "runtime/loop.py",
        "if late > OVERSLEPT and not self._forgiven:",
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

_KERNEL = (
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

_LOGGER = (
    Mutant(
        "logger/ring.py",
        "length = min(record.length, size - place - RECORD)",
        "length = record.length",
        _tests(f"{_UNITS}/logger/test_ring.py", "a_successor_reads_on_whenever_its_predecessor_was_killed"),
    ),
    Mutant(
        "logger/ring.py",
        "target = min([target, *",
        "target = max([target, *",
        _tests(
            f"{_UNITS}/logger/test_console.py",
            "a_successor_finds_the_beginning_of_a_line_that_others_have_written_far_past",
        ),
    ),
    Mutant(
        "logger/intake.py",
        "room = CHUNK if forced else ring.room",
        "room = CHUNK",
        _tests(f"{_UNITS}/logger/test_intake.py", "a_pipe_whose_ring_has_no_room_is_left_alone_until_there_is_some"),
    ),
    Mutant(
        "logger/console.py",
        "more += part if self.output.inherited == part else 0",
        "more += 0",
        _tests(
            f"{_UNITS}/logger/test_console.py", "wherever_it_is_killed_nothing_is_lost_and_nothing_written_twice[30]"
        ),
    ),
    Mutant(
        "logger/console.py",
        "if self._at and not self.output.durable:",
        "if False:",
        _tests(
            f"{_UNITS}/logger/test_console.py",
            "a_successor_goes_on_where_the_output_was_full_even_within_a_line[directly-30]",
        ),
    ),
    Mutant(
        "logger/reader.py",
        "        if flags & ENDED and rest:",
        "        if False:",
        _tests(f"{_UNITS}/logger/test_intake.py", "an_end_is_told_once_with_what_was_written_before"),
    ),
    Mutant(
        "logger/watch.py",
        "self._lines.append(line[:_LOOK_AT].decode",
        "self._lines.append(line.decode",
        _tests(f"{_UNITS}/logger/test_watch.py", "only_the_first_4_kib_of_a_line_are_looked_at"),
    ),
)

_WIRE = (
    Mutant(
        "wire/jsonrpc.py",
        "if end > self._limit:",
        "if end >= self._limit:",
        _tests(f"{_UNITS}/wire/test_jsonrpc.py", "a_line_may_be_as_long_as_the_limit"),
    ),
    Mutant(
        "wire/jsonrequest.py",
        "if isinstance(request_id, bool) or not",
        "if not",
        _tests(f"{_UNITS}/wire/test_jsonrpc.py", "an_id_is_a_short_text_or_a_whole_number[True]"),
    ),
    Mutant(
        "wire/jsonrequest.py",
        "len(text[: error.pos].encode())",
        "error.pos",
        _tests(f"{_UNITS}/wire/test_jsonrpc.py", "what_is_no_json_gets_an_error_with_its_place"),
    ),
    Mutant(
        "wire/durations.py",
        "_UNITS.get(unit, _LONGEST) >= smallest",
        "_UNITS.get(unit, _LONGEST) > smallest",
        _tests(f"{_UNITS}/wire/test_durations.py", "what_is_no_duration_is_refused[1s1s]"),
    ),
    Mutant(
        "wire/state.py",
        "        if found != len(data):",
        "        if False:",
        _tests(f"{_UNITS}/wire/test_state.py", "what_is_no_value_is_refused_with_its_place"),
    ),
    Mutant(
        "wire/logring.py",
        "if begin + length > size:",
        "if begin + length >= size:",
        _tests(f"{_UNITS}/wire/test_logring.py", "whole_records_come_back_and_a_cut_one_is_left_for_later"),
    ),
)

_CONFIG = (
    Mutant(
        "config/document.py",
        "    elif adds is False:",
        "    elif False:",
        _tests(f"{_UNITS}/config/test_mistakes.py", "a_mistake_is_one_error_at_its_place"),
    ),
    Mutant(
        "config/scalars.py",
        '"K": 1 << 10',
        '"K": 1000',
        _tests(f"{_UNITS}/config/test_values.py", "a_size_is_a_number_of_bytes[512K-524288]"),
    ),
    Mutant(
        "config/scalars.py",
        "if hard != UNLIMITED and (soft == UNLIMITED or soft > hard):",
        "if soft > hard:",
        _tests(f"{_UNITS}/config/test_mistakes.py", "a_mistake_is_one_error_at_its_place"),
    ),
    Mutant(
        "config/nodes.py",
        "return self.plain and (",
        "return (",
        _tests(f"{_UNITS}/config/test_mistakes.py", "a_mistake_is_one_error_at_its_place"),
    ),
    Mutant(
        "config/sources.py",
        "            if file in self.texts:",
        "            if False:",
        _tests(f"{_UNITS}/config/test_files.py", "the_same_file_twice_is_an_error_and_read_once"),
    ),
)

_CONTROL = (
    Mutant(
        "control/access.py",
        "    if peer.pid == 0 or peer.uid == UNKNOWN_UID:",
        "    if peer.uid == UNKNOWN_UID:",
        _tests(f"{_UNITS}/control/test_access.py", "access_follows_from_the_peer_and_the_lists[0-1001-None]"),
    ),
    Mutant(
        "control/access.py",
        "if peer.uid in (0, rules.own_uid):",
        "if peer.uid in (0, rules.own_uid, *rules.admin):",
        _tests(f"{_UNITS}/control/test_access.py", "access_follows_from_the_peer_and_the_lists[9-65534-None]"),
    ),
    Mutant(
        "control/access.py",
        '"read": frozenset({"read"}),',
        '"read": frozenset({"read", "admin"}),',
        _tests(f"{_UNITS}/control/test_access.py", "who_may_change_may_look_and_not_the_other_way_round"),
    ),
    Mutant(
        "control/outbox.py",
        "        if self._notes >= self._bounds.notes:",
        "        if False:",
        _tests(f"{_UNITS}/control/test_server.py", "a_slow_reader_is_told_how_many_notifications_it_lost"),
    ),
)

_PROGRAMS = (
    Mutant(
        "programs/watch.py",
        "        return _KILLED + ended.si_status",
        "        return ended.si_status",
        _tests(_WATCH, "one_that_was_killed_ends_us_as_shells_say_it"),
    ),
    Mutant(
        "programs/tini.py",
        "self.status = _KILLED + found.si_status",
        "self.status = found.si_status",
        _tests("tests/pid1/test_tini.py", "the_exit_status_is_the_command_s[command2-137-called as pid 1]"),
    ),
    Mutant(
        "programs/monitor.py",
        "        if _has_hung_up(start.monitor):",
        "        if False:",
        _tests(_MONITOR, "a_monitor_that_died_before_init_was_executed_leavesnothing"),
    ),
    Mutant(
        "programs/monitor.py",
        "    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  #",
        "    pass  #",
        _tests(_MONITOR, "the_exit_status_is_init_s_although_children_were_ignored"),
    ),
    Mutant(
        "programs/loading.py",
        "    if exit.signal in _TOO_LARGE:",
        "    if False:",
        _tests(f"{_UNITS}/programs/test_loading.py", "a_loader_that_ended_before_its_document_is_an_error"),
    ),
)

_CLIENT = (
    Mutant(
        "client/call.py",
        'elif message.get("id") in (self._count, None):',
        "else:",
        _tests(f"{_UNITS}/client/test_call.py", "an_answer_comes_after_its_notifications"),
    ),
)

IN_ROOMS: tuple[Mutant, ...] = (
    *_RUNTIME,
    *_KERNEL,
    *_LOGGER,
    *_WIRE,
    *_CONFIG,
    *_CONTROL,
    *_PROGRAMS,
    *_CLIENT,
)
