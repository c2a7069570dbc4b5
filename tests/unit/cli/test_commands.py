"""Does every command ask for the right thing, say it right, and end with the status of CLI.md? Over a real socket."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.backend import service
from tests.unit.cli.told import Typist, ago, told

_PROCESSES = [
    {"pid": 12, "ppid": 1, "service": "web", "role": "main", "comm": "sh", "args": ["sh", "-c", "x\x1b[2J"]},
    {"pid": 14, "ppid": 12, "service": "web", "role": "member", "comm": "sleep", "args": ["sleep", "9"]},
    {"pid": 15, "ppid": 12, "service": "web", "role": "member", "comm": "kthing", "args": []},
    {"pid": 16, "ppid": 14, "service": None, "role": "orphan", "comm": "x", "args": ["x"]},
]
_LOG = [
    {"at": "2026-01-31T12:00:00.123Z", "service": "web", "stream": "stdout", "line": "he\x1bllo"},
    {"at": "2026-01-31T12:00:01.500Z", "service": "web", "stream": "stderr", "line": "oops"},
    {"at": "2026-01-31T12:00:02Z", "service": "db", "lost": 7},
    {"at": "2026-01-31T12:00:03Z", "service": "db", "stream": "stdout", "line": "?", "bytes": "/w=="},
]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A world that only looks are asked of."""
    path = tmp_path_factory.mktemp("w") / "s"
    services = [
        service("web", groups=["front"], needs=[{"name": "db", "condition": "ready", "required": False}], restarts=2),
        service("db", "done", needed_by=["web"], type="oneshot"),
        service("slow", "starting", ready_by="tcp 127.0.0.1:80"),
        service(
            "bad",
            "failed",
            last_exit={"code": None, "signal": "SIGSEGV", "core": True, "result": "core-dump", "at": ago(60)},
        ),
        service("off", "inactive"),
        service("held", "waiting", reason={"code": "dependency-stopped", "text": "db stopped by operator"}),
    ]
    rows = [{"state": "S", "uid": 0, "ns_pids": [one["pid"]], **one} for one in _PROCESSES]
    with told(path, *services, processes=rows, log=_LOG):
        yield path


@pytest.fixture
def looking(mixed: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist) -> Typist:
    monkeypatch.setenv("PIDONE_SOCKET", str(mixed))
    return type_in


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist) -> Iterator[Typist]:
    """A world of two services, whose changes end in every way."""
    outcomes: dict[str, Any] = {
        "start web": {"also": ["db"]},
        "stop db": {"also": ["web"]},
        "start off": {"verdict": "failed", "code": "start-failed", "service": "off", "text": "off: exit status 1"},
        "kill off": {"verdict": "refused", "code": "not-running", "service": "off", "text": "it does not run"},
        "restart off": {"verdict": "superseded", "code": "superseded", "service": "off", "text": "stop came after it"},
        "stop web": "never",
        "stop off": {
            "verdict": "refused",
            "code": "has-dependents",
            "service": "web",
            "text": "web would have to stop",
        },
        "restart web": "raise",
    }
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    with told(tmp_path / "s", service("web"), service("db"), service("off", "inactive"), outcomes=outcomes):
        yield type_in


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("status", 1),
        ("status web db", 0),
        ("status slow -q", 3),
        ("status nobody", 4),
        ("is-active web db", 0),
        ("is-active slow", 3),
        ("is-active --all", 3),
        ("is-failed bad web", 0),
        ("is-failed web", 1),
        ("is-failed --all", 0),
        ("is-ready web db", 0),
        ("is-ready slow web", 3),
        ("is-ready off", 3),
        ("is-ready bad", 1),
        ("is-ready --all", 1),
        ("wait web", 0),
        ("wait bad", 1),
        ("wait slow --timeout 50ms", 8),
        ("wait off --for stopped", 0),
        ("wait nobody", 4),
        ("logs nobody", 4),
        ("ps", 0),
        ("worlds", 0),
        ("version", 0),
        ("--version", 0),
        ("--help", 0),
        ("status --help", 0),
        ("", 2),
        ("nonsense", 2),
    ],
)
def test_the_exit_status_of_looking(looking: Typist, typed: str, code: int) -> None:
    said = looking(*typed.split())
    assert said.code == code, said
    assert bool(said.err) == (code in (2, 4, 8) or typed == "wait bad"), said


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ("start web", 0, "started web, and what it needs: db"),
        ("stop db", 0, "stopped db, its dependents first: web"),
        ("stop db -q", 0, ""),
        ("start --all", 0, "started web, db, off, and what it needs: db"),
        ("start web --no-wait", 0, "ticket 1"),
        ("kill web -s TERM", 0, "signalled web"),
        ("shutdown", 0, "shut down"),
    ],
)
def test_a_change_that_worked(changing: Typist, typed: str, code: int, says: str) -> None:
    said = changing(*typed.split())
    assert said == (code, f"{says}\n" if says else "", "")


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ("start off", 1, "start off: exit status 1"),
        ("restart off", 1, "restart off: stop came after it"),
        ("kill off", 3, "kill off: it does not run"),
        ("kill web -s NOSUCH", 2, "NOSUCH"),
        pytest.param(f"kill web -s {'1' * 5000}", 2, "no signal is called 1111", id="kill web -s 11111…"),
        ("stop web --timeout 50ms", 8, "timed out"),
        ("restart web", 1, "internal error"),
        ("stop nobody", 4, "'nobody'"),
    ],
)
def test_a_change_that_did_not(changing: Typist, typed: str, code: int, says: str) -> None:
    said = changing(*typed.split())
    assert (said.code, said.out) == (code, "")
    assert says in said.err.splitlines()[0]
    assert said.err.splitlines()[0].startswith("error: ")
    as_json = changing(*typed.split(), "--json")
    assert as_json.code == code
    assert as_json.json["schema"] == "pidone/v1"
    assert as_json.json["error"].keys() >= {"code", "message", "hint"}


def test_who_is_refused_for_the_sake_of_others_is_who_was_asked_for(changing: Typist) -> None:
    said = changing("stop", "off", "--no-dependents")
    assert (said.code, said.err.splitlines()[0]) == (1, "error: stop off: web would have to stop")


def test_a_change_in_json_is_its_ticket(changing: Typist) -> None:
    said = changing("stop", "db", "--no-dependents", "--json")
    assert said.json["verdict"] == "done"
    assert (said.json["schema"], said.json["names"], said.json["also"]) == ("pidone/v1", ["db"], ["web"])


def test_status_of_one_service_is_everything_about_it(looking: Typist) -> None:
    said = looking("status", "web", "db")
    assert "● web · running, ready\n" in said.out
    assert "defined at: services.d/all.yaml:3\n" in said.out
    assert "needs: db (ready, if it can)\n" in said.out
    assert "run: 1, restarted 2 times by itself\n" in said.out
    assert "   processes: 12 sh -c x\\x1b[2J\n              ├─ 14 sleep 9\n              └─ 15 [kthing]\n" in said.out
    assert "         log:\n    12:00:00.123 he\\x1bllo\n    12:00:01.500 oops\n" in said.out
    assert "needed by: web\n" in said.out
    assert "last exit: core-dump, SIGSEGV (core dumped), 1m" in looking("status", "bad").out


def test_status_has_a_line_per_service_in_every_form(looking: Typist) -> None:
    names = ["web", "db", "slow", "bad", "off", "held"]
    assert looking("status", "-o", "name").out.split() == names
    assert [json.loads(line)["name"] for line in looking("status", "-o", "jsonl").out.splitlines()] == names
    assert [one["name"] for one in looking("status", "--json").json["services"]] == names
    assert "exit_code" not in looking("status", "--json").json
    wide = looking("status", "web", "-o", "wide").out
    assert "services.d/all.yaml:3" in wide
    assert "PROCESSES" in wide
    assert "PHASE" in looking("status", "web", "-o", "table").out


def test_ps_is_a_table_or_a_tree(looking: Typist) -> None:
    table = looking("ps").out.splitlines()
    assert table[0].split() == ["PID", "PPID", "UID", "S", "SERVICE", "ROLE", "COMMAND"]
    assert table[1].split(maxsplit=6) == ["12", "1", "0", "S", "web", "main", "sh -c x\\x1b[2J"]
    tree = looking("ps", "--tree").out.splitlines()
    assert [line.split(maxsplit=6)[6] for line in tree[1:]] == [
        "sh -c x\\x1b[2J",
        "├─ sleep 9",
        "│  └─ x",
        "└─ [kthing]",
    ]
    document = looking("ps", "--json").json
    assert document["processes"][0]["args"] == ["sh", "-c", "x\x1b[2J"]
    assert "host_pid" not in document["processes"][0]  # we are in the same namespace


@pytest.mark.parametrize(
    ("typed", "out"),
    [
        ("logs -o cat", b"he\x1bllo\noops\n\xff\n"),
        ("logs -o cat -n 1", b"\xff\n"),
        ("logs -o short web", b"12:00:00.123 web | he\x1bllo\n12:00:01.500 web | oops\n"),
        ("logs web", b"2026-01-31T12:00:00.123Z web | he\x1bllo\n2026-01-31T12:00:01.500Z web | oops\n"),
    ],
)
def test_logs_are_the_bytes_that_were_written(mixed: Path, typed: str, out: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", *typed.split()],
        env={**os.environ, "PIDONE_SOCKET": str(mixed)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == out


def test_lost_lines_are_told_beside_the_log(looking: Typist) -> None:
    assert "7 lines of db were lost here" in looking("logs").err


def test_logs_as_json(looking: Typist) -> None:
    lines = [json.loads(line) for line in looking("logs", "-o", "jsonl").out.splitlines()]
    assert lines == _LOG
    assert looking("logs", "--json").json == {"schema": "pidone/v1", "lines": _LOG}
    assert looking("logs", "--json", "-f").code == 2


@pytest.mark.parametrize("typed", ["logs --grep (", "logs --since yesterday"])
def test_logs_refuses_what_it_cannot_search_for(looking: Typist, typed: str) -> None:
    said = looking(*typed.split())
    assert said.code == 2
    assert said.err


@pytest.mark.parametrize("then", ["stay", "die"])
def test_following_goes_on_until_the_world_ends(tmp_path: Path, then: str) -> None:
    """The first stream ends, as when the logger has died. The world ends while the second is read, or is asked for."""
    with told(tmp_path / "s", service("web"), log=_LOG[:1], outcomes={"logs": then}) as server:
        follower = subprocess.Popen(
            [sys.executable, "-m", "supervisor", "--socket", str(tmp_path / "s"), "logs", "-f", "-o", "cat"],
            stdout=subprocess.PIPE,
        )
        assert follower.stdout is not None
        assert follower.stdout.readline() == b"he\x1bllo\n"
        if then == "stay":
            os.kill(server, signal.SIGKILL)
        assert follower.stdout.read() == b""  # what a new stream repeats is not said again
        assert follower.wait() == 0
        follower.stdout.close()


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    keyboard, terminal = pty.openpty()
    environ = {**os.environ, "PIDONE_SOCKET": str(tmp_path / "s"), "TERM": "xterm"}
    with told(tmp_path / "s", service("web")):
        command = [sys.executable, "-m", "supervisor", "stop", "web"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=environ, check=True)
        assert done.stdout == b"stopped web\n"
        shown = os.read(keyboard, 4096)
        assert b"web: inactive, it is inactive" in shown
        assert b"\x1b[" in shown
        done = subprocess.run([*command, "-q"], capture_output=True, env=environ, check=True)
        assert (done.stdout, done.stderr) == (b"", b"")
    os.close(keyboard)
    os.close(terminal)


def test_watching_shows_it_again_and_again_until_it_is_interrupted(mixed: Path) -> None:
    watcher = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "status", "--watch=10ms", "-o", "name"],
        env={**os.environ, "PIDONE_SOCKET": str(mixed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watcher.stdout is not None
    for _ in range(20):
        assert watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, err = watcher.communicate()
    assert (watcher.returncode, err) == (130, b"")


def test_a_reader_that_leaves_is_no_error_to_talk_about(mixed: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m supervisor status --watch=1ms | head -n1"],
        env={**os.environ, "PIDONE_SOCKET": str(mixed)},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
def test_a_stdout_that_cannot_be_written_is_one_line_at_most(mixed: Path, where: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m supervisor status {where}"],
        env={**os.environ, "PIDONE_SOCKET": str(mixed)},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert done.stderr.count(b"\n") == (where == "> /dev/full")
    assert done.returncode == 1  # status says that something has failed; and so does a full device


def test_an_error_of_ours_is_one_line_and_a_plea(
    type_in: Typist, monkeypatch: pytest.MonkeyPatch, looking: Typist
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("supervisor.cli.status.open_caller", broken)
    said = looking("status")
    assert said.code == 70
    assert said.err.splitlines()[0] == "error: internal error: RuntimeError: a bug"
    assert "report" in said.err
    assert looking("status", "--json").json["error"]["code"] == "internal"
    monkeypatch.setenv("PIDONE_DEBUG", "1")
    with pytest.raises(RuntimeError):
        looking("status")


def test_a_service_that_wants_to_draw_on_the_terminal_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist
) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    evil = "\x1b]0;evil\x07\u202e\x9b2J"
    with told(tmp_path / "s", service("web", status_text=evil, ready_by=evil, defined_at=evil, description=evil)):
        for words in ("status", "status -o wide", "status web"):
            shown = type_in(*words.split()).out
            assert "evil" in shown
            assert not set(shown) & set("\x1b\x07\u202e\x9b")


def test_where_symbols_cannot_be_shown_letters_stand_for_them(looking: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    assert looking("status").out.isascii()
    assert looking("status", "web").out.isascii()
    assert looking("ps", "--tree").out.isascii()


def test_colours_come_when_they_are_asked_for(looking: Typist) -> None:
    assert "\x1b[31m✗\x1b[0m  bad" in looking("status", "--color", "always").out
    assert "\x1b" not in looking("status").out


def test_a_hint_says_which_world_when_that_had_to_be_said(looking: Typist, mixed: Path) -> None:
    assert f"hint: pidone --socket {mixed} why bad" in looking("status", "--socket", str(mixed)).out


def test_check_says_what_the_loader_found(tmp_path: Path, type_in: Typist) -> None:
    (tmp_path / "w.yaml").write_text("services: {web: {command: sleep 1}}")
    assert type_in("check", str(tmp_path)) == (0, "ok\n", "")
    assert type_in("check", "-c", str(tmp_path), "--json").json["ok"] is True
    (tmp_path / "w.yaml").write_text("services: {web: {comand: sleep 1}}")
    said = type_in("check", str(tmp_path))
    assert said.code == 7
    assert "w.yaml:1:" in said.err
    assert "error" in said.out
    found = type_in("check", str(tmp_path), "--json")
    assert (found.code, found.json["ok"]) == (7, False)
    assert found.json["errors"][0].keys() >= {"file", "line", "column", "code", "message", "hint"}


def test_the_server_gone_in_the_middle_is_told(tmp_path: Path, type_in: Typist) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    child = os.fork()
    if child == 0:
        listener.accept()[0].recv(10)
        os._exit(0)
    listener.close()
    said = type_in("--socket", str(tmp_path / "s"), "status")
    os.waitpid(child, 0)
    assert said.code == 5
    assert "went away" in said.err


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b"[]\n", b"\xff\n"])
def test_what_is_no_pidone_is_told(tmp_path: Path, type_in: Typist, answer: bytes) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    child = os.fork()
    if child == 0:
        listener.accept()[0].sendall(answer)
        os._exit(0)
    said = type_in("--socket", str(tmp_path / "s"), "status")
    os.waitpid(child, 0)
    listener.close()
    assert said.code == 1
    assert "not pidone" in said.err


def test_nothing_heavy_is_loaded(mixed: Path) -> None:
    """Seconds are told by benchmarks; here it is the mechanism that counts."""
    heavy = (
        "trio yaml pydantic dataclasses typing enum inspect logging subprocess argparse socket difflib datetime locale"
    )
    program = (
        "import sys; before = set(sys.modules); sys.argv[1:] = ['status'];"
        "from supervisor.__main__ import main; status = main();"
        f"print(sorted((set(sys.modules) - before) & set({heavy.split()!r})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        env={**os.environ, "PIDONE_SOCKET": str(mixed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "NAME" in done.stdout
    # json loads re, and re loads enum: that is the price of speaking JSON
    assert done.stderr.strip() in ("[]", "['enum']")


def test_a_daemon_that_has_ended_well_is_not_active_and_a_finished_job_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist
) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    with told(tmp_path / "s", service("job", "done", type="oneshot"), service("daemon", "done")):
        assert [type_in("is-active", name).code for name in ("job", "daemon")] == [0, 3]


def test_questions_answer_in_words_and_in_json(looking: Typist) -> None:
    assert looking("is-active", "web").out == "running\n"
    assert looking("is-ready", "web", "slow").out == "web: running\nslow: starting\n"
    assert looking("is-ready", "web", "slow", "-q").out == ""
    said = looking("is-ready", "web", "slow", "--json").json
    assert (said["schema"], said["answer"]) == ("pidone/v1", False)
    assert [(one["name"], one["phase"], one["ready"]) for one in said["services"]] == [
        ("web", "running", True),
        ("slow", "starting", False),
    ]
    waited = looking("wait", "web", "--json").json
    assert (waited["schema"], waited["verdict"], waited["names"]) == ("pidone/v1", "done", ["web"])


def test_ps_in_other_forms(looking: Typist) -> None:
    assert [json.loads(line)["pid"] for line in looking("ps", "-o", "jsonl").out.splitlines()] == [12, 14, 15, 16]
    assert looking("ps", "-q") == (0, "", "")


def test_from_another_namespace_our_own_numbers_are_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist
) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    monkeypatch.setattr("supervisor.inspect.elsewhere.pids_here", lambda *asked: {12: 4711, 14: 4713})
    rows = [{"state": "S", "uid": 0, "ns_pids": [one["pid"]], **one} for one in _PROCESSES]
    with told(tmp_path / "s", service("web"), service("off", "inactive"), processes=rows, pid_ns=1):
        assert [one["host_pid"] for one in type_in("status", "--json").json["services"]] == [4711, None]
        assert "main process: 12 (here 4711)" in type_in("status", "web").out
        assert [one["host_pid"] for one in type_in("ps", "--json").json["processes"]] == [4711, 4713, None, None]
        assert type_in("ps").out.splitlines()[0].split()[:3] == ["PID", "HOST", "PID"]
        assert " 4711 " in type_in("status").out


def test_where_the_loader_cannot_be_started_nothing_is_said_against_the_configuration(
    monkeypatch: pytest.MonkeyPatch, type_in: Typist
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    said = type_in("check", "world.yaml")
    assert (said.code, said.out) == (1, "1 error\n")
    assert "/nowhere/python: No such file" in said.err


def test_worlds_lists_those_that_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist) -> None:
    monkeypatch.setattr("supervisor.client.find.SYSTEM_BASE", str(tmp_path / "nowhere"))
    monkeypatch.setattr("supervisor.client.find.looked_at", lambda *_: [str(tmp_path / "u")])
    for name in ("one", "mute"):
        (tmp_path / "u" / name).mkdir(parents=True)
    mute = socket.socket(socket.AF_UNIX)
    mute.bind(str(tmp_path / "u" / "mute" / "control.sock"))
    mute.listen()
    one = tmp_path / "u" / "one" / "control.sock"
    with told(one, name="one"):
        said = type_in("worlds", "--timeout", "500ms")
        assert said.code == 0
        assert [line.split() for line in said.out.splitlines()] == [
            ["NAME", "VERSION", "SOCKET"],
            ["mute", "?", str(tmp_path / "u" / "mute" / "control.sock")],
            ["one", "0.1.0", str(one)],
        ]
        several = type_in("status")
        assert several.code == 2
        assert "mute, one" in several.err
        assert "pidone worlds" in several.err
        mute.close()
        assert type_in("worlds", "-o", "name").out == "one\n"
        assert type_in("worlds", "-q").out == ""
        (found,) = type_in("worlds", "--json").json["worlds"]
        assert (found["name"], found["pid"], found["version"]) == ("one", 1, "0.1.0")


def _on_a_terminal(*words: str, environ: dict[str, str]) -> str:
    """What a command shows on a terminal."""
    keyboard, terminal = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "supervisor", *words],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", **environ},
        check=False,
    )
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(keyboard, 4096):
            shown += piece
    except OSError:  # EIO: nobody has the other end open any more
        pass
    os.close(keyboard)
    assert b"Traceback" not in shown
    return shown.decode()


def test_on_a_terminal_logs_are_coloured_and_cannot_steer_it(mixed: Path) -> None:
    shown = _on_a_terminal("logs", environ={"PIDONE_SOCKET": str(mixed)})
    assert "he\\x1bllo" in shown
    assert "\\xff" in shown
    assert "7 lines of db were lost here" in shown
    assert "\x1b[2m12:00:00.123\x1b[0m" in shown


def test_on_a_terminal_status_is_coloured_unless_somebody_minds(mixed: Path) -> None:
    environ = {"PIDONE_SOCKET": str(mixed)}
    assert "\x1b[31m" in _on_a_terminal("status", environ=environ)
    assert "\x1b" not in _on_a_terminal("status", environ={**environ, "NO_COLOR": "1"})
    assert "\x1b[31merror:" in _on_a_terminal("status", "nobody", environ=environ)
    assert "\x1b" not in _on_a_terminal("status", "nobody", "--color", "never", environ=environ)


@pytest.mark.parametrize("lines", [[b"not json"], [b'{"error":{"code":"no-such-run","message":"no"}}']])
def test_a_logger_that_fails_in_the_middle_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist, lines: list[bytes]
) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    monkeypatch.setattr("supervisor.cli.logs.read_lines", lambda take_fd, timeout=None: iter([lines]))
    with told(tmp_path / "s", service("web")):
        said = type_in("logs")
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("error: ")
        assert "         log:" not in type_in("status", "web").out  # the rest is worth showing all the same


def test_a_logger_that_ends_every_time_is_not_asked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist
) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    monkeypatch.setattr("supervisor.cli.logs._PAUSE", 0.0)
    with told(tmp_path / "s", service("web"), log=_LOG[:2]):
        said = type_in("logs", "-f", "-o", "cat")
    assert said.code == 1
    assert said.out == "he\x1bllo\noops\n"  # once, although every stream begins with them
    assert "the logger ends" in said.err


def test_logs_can_begin_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", str(tmp_path / "s"))
    with told(tmp_path / "s", service("web"), log=_LOG):
        assert type_in("logs", "--since", "10m", "--grep", "o+", "-n", "1", "-o", "cat", "web").out == "oops\n"
        assert type_in("logs", "--since", "soon").code == 2
