"""Every form in which a value may be written, and what it then means (SERVICES §1, §2)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.config import scalars
from supervisor.config.commands import words
from supervisor.config.findings import Refused
from supervisor.config.nodes import Text
from supervisor.kernel.limits import NUMBERS
from supervisor.model.spec import UNLIMITED, DependencySpec, LimitPair, RestartLimitSpec
from supervisor.wire.durations import duration
from supervisor.wire.worlds import is_name
from tests.unit.config.reading import read, service


def _value(folder: Path, keys: str, path: str, **more: Any) -> Any:
    value: Any = service(folder, keys, **more).spec
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(
    ("keys", "path", "expected"),
    [
        # plain scalars stay text where text is wanted
        *[(f"description: {word}", "description", word) for word in ("no", "on", "1:30", "0755", "1e3", "1_000", "true")],
        ("description: 2001-01-01", "description", "2001-01-01"),
        ("description: .inf", "description", ".inf"),
        ("description: 'null'", "description", "null"),
        ("description: ~", "description", ""),
        ("description: null", "description", ""),
        ("description: ''", "description", ""),
        ("description: none", "description", "none"),
        ("groups: [on, 1]", "groups", ("on", "1")),
        ("groups: lights", "groups", ("lights",)),
        ("groups: []", "groups", ()),
        # flags
        *[(f"enabled: {word}", "enabled", True) for word in ("true", "yes", "on", "True", "YES")],
        *[(f"enabled: {word}", "enabled", False) for word in ("false", "no", "off", "Off")],
        ("enabled: ~", "enabled", True),
        ("enabled: , umask: 077", "enabled", True),
        # numbers
        ("restart: {factor: 2}", "restart.factor", 2.0),
        ("restart: {factor: 1.5}", "restart.factor", 1.5),
        ("restart: {jitter: 0}", "restart.jitter", 0.0),
        # durations
        ("stop: {timeout: 250ms}", "stop.timeout", 0.25),
        ("stop: {timeout: 10s}", "stop.timeout", 10.0),
        ("stop: {timeout: 1m30s}", "stop.timeout", 90.0),
        ("stop: {timeout: 2h}", "stop.timeout", 7200.0),
        ("stop: {timeout: 1.5}", "stop.timeout", 1.5),
        ("stop: {timeout: 3}", "stop.timeout", 3.0),
        ("stop: {timeout: '3'}", "stop.timeout", 3.0),
        ("stop: {timeout: 0}", "stop.timeout", 0.0),
        ("start_timeout: none", "start_timeout", None),
        ("start_timeout: 5s", "start_timeout", 5.0),
        ("start_timeout: ~", "start_timeout", 60.0),
        # signals
        *[(f"stop: {{signal: {word}}}", "stop.signal", "SIGUSR1") for word in ("SIGUSR1", "USR1", "usr1", "10", "'10'")],
        ("stop: {signal: RTMIN+3}", "stop.signal", "SIGRTMIN+3"),
        ("stop: {signal: 37}", "stop.signal", "SIGRTMIN+3"),
        # exit statuses
        ("restart: {success: [0, 15, SIGTERM, hup]}", "restart.success", ("0", "15", "SIGTERM", "SIGHUP")),
        ("restart: {never_on: 3}", "restart.never_on", ("3",)),
        # modes
        ("umask: 077", "umask", 0o077),
        ("umask: 77", "umask", 0o077),
        ("umask: '0027'", "umask", 0o027),
        ("umask: 0o27", "umask", 0o027),
        # commands
        ("command: echo a  b", "command", (("echo", "a", "b"),)),
        ("command: [echo, 'a  b', 3, yes]", "command", (("echo", "a  b", "3", "yes"),)),
        ("command: echo 'a  b'", "command", (("echo", "a  b"),)),
        ("command: [echo, '']", "command", (("echo", ""),)),
        ("command: {shell: echo $HOME | cat}", "command", (("/bin/sh", "-c", "echo $HOME | cat"),)),
        ("command: [[a, b]], type: oneshot", "command", (("a", "b"),)),
        ("command: [[a], {shell: b}, [c, d]], type: oneshot", "command", (("a",), ("/bin/sh", "-c", "b"), ("c", "d"))),
        ("stop: {command: nginx -s quit}", "stop.command", ("nginx", "-s", "quit")),
        ("stop: {command: none}", "stop.command", None),
        ("ready: {exec: {shell: test -e x}}", "ready.exec", ("/bin/sh", "-c", "test -e x")),
        # readiness
        ("ready: {tcp: '127.0.0.1:80'}", "ready.tcp", "127.0.0.1:80"),
        ("ready: {tcp: 'localhost:80'}", "ready.tcp", "localhost:80"),
        ("ready: {tcp: '[::1]:80'}", "ready.tcp", "[::1]:80"),
        ("ready: {http: 'http://127.0.0.1'}", "ready.http", "http://127.0.0.1"),
        ("ready: {http: 'http://localhost:8080/a?b=c'}", "ready.http", "http://localhost:8080/a?b=c"),
        ("ready: {http: 'http://[::1]:8080/'}", "ready.http", "http://[::1]:8080/"),
        ("ready: {http: 'http://[::1]/'}", "ready.http", "http://[::1]/"),
        ("ready: {http: 'HTTP://127.0.0.1/'}", "ready.http", "HTTP://127.0.0.1/"),
        ("ready: {file: none}", "ready.file", "none"),
        ("ready: {log: 'listening on \\d+'}", "ready.log", "listening on \\d+"),
        ("ready: {after: 2s}", "ready.after", 2.0),
        ("ready: none", "ready", None),
        # restart
        ("restart: on-failure", "restart.policy", "on-failure"),
        ("restart: {delay: 3s}", "restart.policy", "always"),
        ("restart: {limit: none}", "restart.limit", None),
        ("restart: {limit: {count: 5, within: 1m}}", "restart.limit", RestartLimitSpec(5, 60.0)),
        # limits
        ("limits: {nofile: 65536}", "limits", {"nofile": LimitPair(65536, 65536)}),
        ("limits: {nofile: 64K, memlock: 1G}", "limits", {"nofile": LimitPair(65536, 65536), "memlock": LimitPair(1 << 30, 1 << 30)}),
        ("limits: {nproc: [10, unlimited]}", "limits", {"nproc": LimitPair(10, UNLIMITED)}),
        ("limits: {core: unlimited, cpu: }", "limits", {"core": LimitPair(UNLIMITED, UNLIMITED)}),
        # environment
        ("environment: {A: no, B: 1:30, C: , D: ~, E: '~'}", "environment", {"A": "no", "B": "1:30", "C": "", "D": "", "E": "~"}),
        ("environment: [A=b=c, 'D=']", "environment", {"A": "b=c", "D": ""}),
        ("pass_environment: all", "pass_environment", ("*",)),
        ("pass_environment: []", "pass_environment", ()),
        ("pass_environment: [AWS_*, TZ]", "pass_environment", ("AWS_*", "TZ")),
        ("pass_environment: TZ", "pass_environment", ("TZ",)),
        # the rest
        ("stdin: inherit", "stdin", "inherit"),
        ("stdin: null", "stdin", "null"),
        ("working_dir: /srv", "working_dir", "/srv"),
        ("shutdown_on: failure", "shutdown_on", "failure"),
    ],
)  # fmt: skip
def test_what_is_written_means(tmp_path: Path, keys: str, path: str, expected: object) -> None:
    assert _value(tmp_path, keys, path) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[b]", DependencySpec("ready")),
        ("b", DependencySpec("ready")),
        ("{b: }", DependencySpec("ready")),
        ("{b: {}}", DependencySpec("ready")),
        ("{b: started}", DependencySpec("started")),
        ("{b: service_started}", DependencySpec("started")),
        ("{b: {condition: service_healthy}}", DependencySpec("ready")),
        ("{b: service_completed_successfully}", DependencySpec("completed")),
        ("{b: {condition: ended, required: no, restart: yes}}", DependencySpec("ended", False, True)),
    ],
)
def test_a_dependency_is_written_in_three_ways(tmp_path: Path, written: str, expected: DependencySpec) -> None:
    text = f"services: {{a: {{command: /bin/true, depends_on: {written}}}, b: {{command: /bin/true, type: oneshot}}}}"
    assert read(tmp_path, text)["a"].spec.depends_on == {"b": expected}


@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        ("type: simple", "always"),
        ("type: oneshot", "never"),
        ("shutdown_on: exit", "never"),
        ("shutdown_on: never", "always"),
        ("type: oneshot, restart: on-failure", "on-failure"),
        ("type: oneshot, restart: {delay: 3s}", "never"),
        ("type: oneshot, restart: ~", "never"),
        ("shutdown_on: failure, restart: {policy: on-failure, limit: {count: 3, within: 1m}}", "on-failure"),
    ],
)
def test_a_oneshot_and_the_end_of_the_world_do_not_restart_unless_it_is_written(
    tmp_path: Path, keys: str, policy: str
) -> None:
    assert _value(tmp_path, keys, "restart.policy") == policy


def test_a_oneshot_has_no_start_timeout_unless_it_is_written(tmp_path: Path) -> None:
    assert _value(tmp_path, "type: oneshot", "start_timeout") is None
    assert _value(tmp_path, "type: oneshot, start_timeout: 5s", "start_timeout") == 5.0
    assert _value(tmp_path, "type: simple", "start_timeout") == 60.0


def test_a_delay_above_the_default_maximum_is_meant(tmp_path: Path) -> None:
    assert _value(tmp_path, "restart: {delay: 2m}", "restart.max_delay") == 120.0


def test_a_relative_working_dir_begins_where_pidone_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _value(tmp_path, "working_dir: sub/../there", "working_dir") == str(tmp_path / "there")
    assert _value(tmp_path, "command: /bin/true", "working_dir") == ""


def test_block_texts_keep_their_lines(tmp_path: Path) -> None:
    text = "services:\n  a:\n    command:\n      shell: |\n        one\n        two\n    description: >-\n      one\n      two\n"
    spec = read(tmp_path, text)["a"].spec
    assert spec.command == (("/bin/sh", "-c", "one\ntwo\n"),)
    assert spec.description == "one two"


def test_system_is_read_in_its_short_and_long_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "system: {name: w, hostname: h.x, shutdown: 5s, control: here.sock, namespace: {net: yes}}\n"
    system = read(tmp_path, text).plan.system
    assert (system.name, system.hostname, system.shutdown.timeout) == ("w", "h.x", 5.0)
    assert system.control.socket == str(tmp_path / "here.sock")
    assert system.namespace.net
    long = "system: {shutdown: {timeout: 5s}, control: {socket: /run/x, mode: '0660', group: '0', read: [root], admin: ['7']}}"
    plan = read(tmp_path, long).plan
    assert (plan.system.control.socket, plan.system.control.mode) == ("/run/x", 0o660)
    assert (plan.admin_uids, plan.read_uids, plan.control_gid) == ((7,), (0,), 0)


def test_no_system_means_the_defaults(tmp_path: Path) -> None:
    plan = read(tmp_path, "services: {}").plan
    assert (plan.admin_uids, plan.read_uids, plan.control_gid) == ((), (), -1)


@given(st.from_regex(r"([0-9]{1,3}(\.[0-9]{1,2})?(ms|s|m|h|d|x|)){1,3}", fullmatch=True))
def test_a_duration_means_the_same_in_a_file_and_on_the_command_line(text: str) -> None:
    try:
        seconds = scalars.duration(Text(text))
    except Refused:
        seconds = None
    try:
        expected: float | None = duration(text)
    except ValueError:
        expected = None
    assert seconds == pytest.approx(expected) if expected is not None else seconds is None


@given(st.text(st.sampled_from("aZ0_.-@/ é"), max_size=70))
def test_a_name_means_the_same_for_services_and_worlds(text: str) -> None:
    assert scalars.is_name(text) == is_name(text)


def test_the_limits_are_those_of_the_kernel() -> None:
    assert set(scalars.LIMIT_NAMES) == set(NUMBERS)


@given(st.text(st.sampled_from("ab'\"\\ "), max_size=10))
@example("a\\\nb")
@example("'a\nb' \"c\nd\"")
@example('"\\$a \\` \\\n \\b"')
def test_a_text_is_split_like_a_shell_splits_words(line: str) -> None:
    script = f'set -- {line}\nprintf "%s\\0" "$#" "$@"'
    shell = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True)
    try:
        found = words(line)
    except Refused:
        assert shell.returncode != 0 or line.endswith("\\")
        return
    assert found == tuple(shell.stdout.split("\0")[1:-1])


def test_new_lines_and_tabs_separate_words() -> None:
    assert words("a\tb\n  c\r\n") == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("512K", 512 << 10), ("64M", 64 << 20), ("1G", 1 << 30), ("1.5K", 1536), ("7", 7), ("2T", 2 << 40)],
)
def test_a_size_is_a_number_of_bytes(text: str, expected: int) -> None:
    assert scalars.size(Text(text)) == expected


@pytest.mark.parametrize("text", ["", "K", "1KB", "-1", "1e3", "0x10", "1 K", "64k"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        scalars.size(Text(text))
