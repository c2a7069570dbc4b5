"""Which mistakes would be noticed by the units of their rooms: in what is logged, written, read, answered, and run beside?"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

__all__ = ["IN_ROOMS"]

_MONITOR = "tests/linux/test_monitor.py"
_WATCH = "tests/linux/test_watch.py"
_UNITS = "tests/unit"


def _tests(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{name}" for name in names)


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
        "logger/intake.py",
        'source.fresh = ring.newest_byte() == b"\\n"',
        "source.fresh = True",
        _tests(f"{_UNITS}/logger/test_intake.py", "the_end_of_a_line_is_no_line_for_who_begins_to_read_there"),
    ),
    Mutant(
        "logger/intake.py",
        "ring is None or channel not in ring.unfinished",
        "True",
        _tests(f"{_UNITS}/logger/test_intake.py", "nor_is_it_one_when_the_line_was_begun_under_a_predecessor"),
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
    *_LOGGER,
    *_WIRE,
    *_CONFIG,
    *_CONTROL,
    *_PROGRAMS,
    *_CLIENT,
)
