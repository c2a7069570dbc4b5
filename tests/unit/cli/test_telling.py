"""Do why, show, events, graph and ps --ns say what they were told, in every form, and end with the status of CLI.md?"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli.drawing import FORMATS
from supervisor.cli.events import line_of
from supervisor.cli.output import Look
from supervisor.cli.session import every_number
from supervisor.cli.show import whole
from supervisor.cli.why import moment, story
from supervisor.client.trouble import Trouble
from supervisor.inspect.elsewhere import numbers_of
from tests.fakes.backend import service
from tests.unit.cli.told import Typist, told

_AT = "2026-01-31T12:00:00.250Z"
_NOON = 1_769_860_800.0
_EDGE = {"run": 2, "from": "starting", "to": "running", "reason": {"code": "ready", "text": "it is ready"}}
_EXIT = {"code": 1, "signal": None, "core": False}
_ASKED = {"kind": "request", "ticket": 3, "verb": "stop", "services": ["web"], "code": "", "text": "", "service": None}
_EVENTS: Sequence[dict[str, Any]] = [
    {"kind": "edge", "service": "web", **_EDGE},
    {"kind": "edge", "service": "db", **_EDGE, "run": 0, "from": None, "to": "inactive"},
    {"kind": "orphan", "pid": 14, "comm": "sh\x1b[2J", "service": "web", "rule": "tag", "exit": _EXIT},
    {"kind": "orphan", "pid": 15, "comm": "", "service": None, "rule": "", "exit": {"signal": "SIGSEGV", "core": True}},
    {**_ASKED, "verdict": "pending", "also": [], "uid": 1000},
    {**_ASKED, "verdict": "failed", "text": "does not die", "service": "web", "also": ["worker"]},
    {"kind": "signal", "signal": "SIGTERM", "meaning": "stop", "pid": 0, "uid": 0, "count": 2},
    {"kind": "signal", "signal": "SIGUSR2", "meaning": "dump", "pid": 77, "uid": 1000, "count": 0},
    {"kind": "reload", "service": "web"},
]
_HAPPENED = [{"schema": "pidone/v1", "at": _AT, "number": place, **event} for place, event in enumerate(_EVENTS, 1)]
_DEFINITION = [
    {"key": "command", "value": [["web"]], "text": "web --x", "default": False},
    {"key": "environment", "value": ["TOKEN"], "text": "TOKEN", "default": False},
    {"key": "groups", "value": [], "text": "", "default": True},
]
_NEED = {"name": "db", "condition": "ready", "required": True}
_WEB = service("web", needs=[_NEED], needed_by=["worker"], groups=["all"], restarts=1, description="the page")
_DB = service("db", "failed", needed_by=["web"], groups=["all"])
_ROWS = [
    {"pid": 12, "ppid": 1, "service": "web", "role": "main", "comm": "web", "args": ["web"], "ns_pids": [12]},
    {"pid": 14, "ppid": 12, "service": "web", "role": "member", "comm": "in", "args": ["in"], "ns_pids": [14, 1]},
]
_ROWS = [{"state": "S", "uid": 0, **row} for row in _ROWS]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("t") / "s"
    accounts = {"web": {"definition": _DEFINITION, "history": [{"at": _AT, **_EDGE}]}}
    with told(path, _WEB, _DB, accounts=accounts, happened=_HAPPENED, processes=_ROWS):
        yield path


@pytest.fixture
def ask(world: Path, monkeypatch: pytest.MonkeyPatch, type_in: Typist) -> Typist:
    monkeypatch.setenv("PIDONE_SOCKET", str(world))
    return type_in


@pytest.mark.parametrize("command", ["why", "show"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("web", 0),
        ("nobody", 4),
        ("", 2),
        ("web db", 2),
        ("@all", 2),
        ("web -q", 0),
        ("web -o name", 0),
        ("web -o x", 2),
    ],
)
def test_the_exit_status_of_telling(ask: Typist, command: str, words: str, code: int) -> None:
    assert ask(command, *words.split()).code == code


@pytest.mark.parametrize("typed", ["why web", "show web", "events", "graph", "ps --ns"])
def test_without_a_world_the_status_is_5(monkeypatch: pytest.MonkeyPatch, type_in: Typist, typed: str) -> None:
    monkeypatch.setenv("PIDONE_SOCKET", "/nowhere/s")
    said = type_in(*typed.split())
    assert (said.code, said.out) == (5, "")
    assert ("pidone graph -c PATH" in said.err) == (typed == "graph")


@pytest.mark.parametrize("typed", ["why web", "show web", "graph", "events"])
def test_json_carries_the_schema(ask: Typist, typed: str) -> None:
    assert ask(*typed.split(), "--json").json["schema"] == "pidone/v1"


@pytest.mark.parametrize("command", ["why", "show"])
def test_a_name_is_printed_as_a_name(ask: Typist, command: str) -> None:
    assert ask(command, "@all", "-o", "name").code == 2
    assert ask(command, "web", "-o", "name").out == "web\n"
    assert ask(command, "web", "-q").out == ""


def test_why_is_the_whole_story(ask: Typist) -> None:
    said = ask("why", "web").out.splitlines()
    assert said[1] == "  run 1, restarted 1 time by itself"
    assert said[2:] == [
        "what happened",
        f"  {_AT}  starting → running  it is ready",
        "what it waits for",
        "  db, until it is ready",
        said[6],
        "who waits for it",
        "  worker, until it is ready",
        "what would change it",
        "  `pidone start web` tries again",
    ]
    assert re.fullmatch(r"    ✗ failed for .*: exit status 1, .* ago ← the cause", said[6])


def test_what_is_to_be_typed_names_the_world(ask: Typist, world: Path) -> None:
    assert f"`pidone --socket {world} start web` tries again" in ask("why", "web", "--socket", str(world)).out


def test_without_utf_8_everything_is_ascii(ask: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C")
    for typed in ("why web", "show web", "events", "graph", "ps --tree --ns"):
        said = ask(*typed.split())
        assert said.code == 0
        assert said.out.isascii()


def test_a_story_follows_every_branch_once() -> None:
    def link(name: str, waiter: str, until: str, root: bool) -> dict[str, Any]:
        told = {"phase": "stopping", "ready": False, "since": _AT, "reason": {"code": "x", "text": "slow"}}
        return {"service": name, "for": waiter, "until": until, "root": root, **told}

    document = {
        **service("web", "running", reason={"code": "ready", "text": "it is ready"}),
        "service": "web",
        "fate": {"code": "operator", "text": "asked to stop by operator"},
        "history": [],
        "waits_for": [
            link("a", "web", "stopped", False),
            link("b", "web", "stopped", False),
            link("c", "a", "order", True),
            link("c", "b", "order", True),
        ],
        "waited_by": [],
        "left_out": 2,
        "changes": [{"service": "web", "text": "one"}, {"service": "c", "text": "two"}],
    }
    said = story(document, Look(), _NOON, "pidone")
    assert said[1] == "  it is about to be stopped: asked to stop by operator"
    assert "what happened" not in said
    assert [line.strip() for line in said if ", until" in line] == [
        "a, until it has stopped",
        "c, until it is no longer on its way",
        "b, until it has stopped",
        "c, until it is no longer on its way",
    ]
    assert sum("the cause" in line for line in said) == 2
    assert sum("(see above)" in line for line in said) == 1
    assert said[-4:] == ["  … and 2 more", "what would change it", "  one", "  c: two"]


def test_on_a_narrow_terminal_nothing_is_cut() -> None:
    told = {"at": _AT, "run": 1, "from": "running", "to": "backoff", "reason": {"code": "exit", "text": "why " * 40}}
    document = {**service("web"), "service": "web", "fate": None, "history": [told]}
    more: dict[str, Any] = {"waits_for": [], "waited_by": [], "left_out": 0, "changes": []}
    narrow = Look(width=40, terminal=True)
    assert ("why " * 40).strip() in "\n".join(story({**document, **more}, narrow, _NOON, "pidone"))


@pytest.mark.parametrize(("later", "text"), [(60, "12:00:00.250"), (100_000, "2026-01-31 12:00:00.250")])
def test_a_moment_has_its_date_when_that_is_long_ago(later: int, text: str) -> None:
    assert moment(_AT, Look(terminal=True), _NOON + later) == text
    assert moment(_AT, Look(), _NOON + later) == _AT


def test_show_tells_what_was_written_and_wide_tells_all(ask: Typist) -> None:
    said, wide = ask("show", "web").out, ask("show", "web", "-o", "wide").out
    for piece in (
        "description:   the page",
        "command:      web --x",
        "environment:  TOKEN",
        "needs:         db (ready)",
    ):
        assert piece in said
    assert "  12 web\n  └─ 14 in\n" in said
    assert "groups:       -" not in said
    assert "groups:       -" in wide


def test_everything_that_is_known_is_shown() -> None:
    ended = {"code": None, "signal": "SIGSEGV", "core": True, "result": "core-dump", "at": _AT, "text": "killed"}
    more = {
        "want": "down", "attempts": 2, "restarts_in_window": 1, "shortages": 3, "restarts": 4, "definition": [],
        "history": [], "executables": ["/bin/a", ""], "last_exit": ended, "next_start": _AT,
        "identity": {"uid": 5, "gid": 6, "groups": [7, 8], "user": "us"}, "after": ["x"], "pid": None, "processes": [],
    }  # fmt: skip
    said = "\n".join(whole({**service("web", "backoff", wanted=False), **more}, [], Look(), _NOON + 1, False))
    for piece in (
        "no, stopped by operator",
        "4 by itself, 2 in a row for the pause, 1 for the limit, 3 starts for which the machine had nothing",
        "killed (core-dump), 0s ago",
        "us (uid 5, gid 6, groups 7 8)",
        "/bin/a, (not found when it was looked up)",
        f"next start:  {_AT}",
    ):
        assert piece in said, said


@pytest.mark.parametrize(
    ("want", "wanted", "text"),
    [("up", True, "yes"), ("none", True, "yes, because others need it"), ("none", False, "no")],
)
def test_show_says_who_wants_it(want: str, wanted: bool, text: str) -> None:
    counters = {"attempts": 0, "restarts_in_window": 0, "shortages": 0, "identity": None, "executables": []}
    document = {**service("web", wanted=wanted), **counters, "want": want, "definition": [], "history": []}
    (line,) = (line for line in whole(document, [], Look(), _NOON, False) if "wanted:" in line)
    assert line.split("wanted:")[1].strip() == text


def test_events_are_lines_and_nothing_escapes(ask: Typist) -> None:
    said = ask("events")
    assert "\x1b" not in said.out
    assert [line[len(_AT) + 2 :].rstrip() for line in said.out.splitlines()] == [
        "edge     ● web         starting → running (run 2): it is ready",
        "edge     ○ db          inactive: it is ready",
        "orphan   · web         sh\\x1b[2J (14), known by its tag: exit status 1",
        "orphan   · -           somebody (15): killed by SIGSEGV (core dumped)",
        "request  · web         stop asked by user 1000 (ticket 3)",
        "request  · web         stop failed: web: does not die, with worker (ticket 3)",
        "signal   · -           SIGTERM: shut down, number 2 from the monitor",
        "signal   · -           SIGUSR2: write the state to the log, from process 77 of user 1000",
        "reload   · web",
    ]


def test_events_are_cut_and_have_a_record_each(ask: Typist) -> None:
    assert [json.loads(line)["number"] for line in ask("events", "-n", "2", "-o", "jsonl").out.splitlines()] == [8, 9]
    assert len(ask("events", "-n", "0", "--json").json["events"]) == 0
    assert len(ask("events", "--json").json["events"]) == len(_HAPPENED)
    assert ask("events", "-f", "--json").code == 2


def test_following_shows_the_last_ones_first_and_ends_well_with_the_world(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with told(path, _WEB, happened=_HAPPENED * 2) as server:
        follower = subprocess.Popen(
            [sys.executable, "-m", "supervisor", "events", "-f", "--socket", str(path)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert follower.stdout is not None
        first = [follower.stdout.readline() for _ in range(10)]
        assert "write the state" in first[-2]
        os.kill(server, signal.SIGKILL)
        assert follower.wait(timeout=20) == 0
        follower.stdout.close()


_INTERRUPTIBLE = """
import signal, sys
from supervisor.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupted_follower_ends_with_130(world: Path) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, "events", "-f", "--socket", str(world)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert follower.stdout is not None
    follower.stdout.readline()  # it has begun
    follower.send_signal(signal.SIGINT)
    assert follower.wait(timeout=20) == 130
    follower.stdout.close()


def test_a_follower_gives_up_when_its_time_is_over(ask: Typist) -> None:
    assert ask("events", "-f", "--timeout", "50ms").code == 8


class _Hanging:
    """A world that hangs up after so many events of a connection; in the end nobody is there."""

    def __init__(self, *turns: int | Trouble) -> None:
        self.turns = list(turns)
        self.asked: list[int] = []
        self.pid = 1

    def __call__(self, asked: object) -> _Hanging:
        if not self.turns:
            raise Trouble("unreachable", "nobody is there")
        return self

    def ask(self, method: str) -> dict[str, Any]:
        if method == "version":
            return {"name": "default", "pid": self.pid, "pid_ns": 1}
        return {"schema": "pidone/v1", "events": [], "count": 10}

    def ask_long(self, method: str, params: dict[str, Any], told: Any) -> None:
        self.asked.append(params["after"])
        turn = self.turns.pop(0)
        if isinstance(turn, Trouble):
            raise turn
        for place in range(turn):
            told({**_HAPPENED[0], "id": 1, "number": params["after"] + place + 1})
        raise Trouble("gone", "it went away")


@pytest.mark.parametrize(
    ("turns", "code", "asked"),
    [
        ((2, 3, 0), 0, [10, 12, 15]),
        ((1, Trouble("refused", "no")), 6, [10, 11]),
        ((0,) * 30, 5, [10] * 20),
    ],
)
def test_who_was_given_up_goes_on_where_he_was(
    monkeypatch: pytest.MonkeyPatch, type_in: Typist, turns: tuple[Any, ...], code: int, asked: list[int]
) -> None:
    world = _Hanging(*turns)
    monkeypatch.setattr("supervisor.cli.events.open_caller", world)
    monkeypatch.setattr("supervisor.cli.events._PAUSE", 0)
    assert type_in("events", "-f").code == code
    assert world.asked == asked


def test_another_world_of_the_same_name_is_not_followed(monkeypatch: pytest.MonkeyPatch, type_in: Typist) -> None:
    world, younger = _Hanging(1, 1), _Hanging(1)
    younger.pid = 2
    worlds = [world, younger]
    monkeypatch.setattr("supervisor.cli.events.open_caller", lambda asked: worlds.pop(0))
    assert type_in("events", "-f").code == 0
    assert (world.asked, younger.asked) == ([10], [])


def test_lost_events_are_told_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    from supervisor.cli.events import _shower
    from supervisor.cli.parse import parse

    _shower(parse(["events"]))({**_HAPPENED[0], "lost": 5})
    said = capfd.readouterr()
    assert "5 events were lost here" in said.err
    assert said.out == line_of(_HAPPENED[0], Look(), _NOON) + "\n"


# --- graphs


def _node(
    name: str, *needs: Any, after: Sequence[str] = (), before: Sequence[str] = (), phase: str | None = None
) -> Any:
    edges = [{"condition": "ready", "required": True, "restart": False, **need} for need in needs]
    shape = {"type": "simple", "enabled": True, "ready": True, "after": list(after), "before": list(before)}
    return {"name": name, "needs": edges, "phase": phase, **shape}


_DIAMOND = [
    _node("web", {"name": "app"}, {"name": "cache", "condition": "started", "required": False, "restart": True}),
    _node("app", {"name": "db"}, after=["log", "db"]),
    _node("cache", {"name": "db"}),
    _node("db", after=["log"]),
    _node("log", before=["alone"]),
    _node("alone", after=["nobody"]),
]


def _drawn(form: str, services: Sequence[Any], utf8: bool = True) -> list[str]:
    return list(FORMATS[form](services, Look(utf8=utf8)))


def test_a_tree_leads_from_who_waits_to_who_is_waited_for() -> None:
    assert _drawn("text", _DIAMOND) == [
        "web",
        "├─ app: ready",
        "│  ├─ db: ready",
        "│  │  └─ log: after",
        "│  └─ log: after",
        "└─ cache: started, if it can, restarts with it",
        "   └─ db: ready (see above)",
        "alone",
        "└─ log: after",
    ]
    assert _drawn("text", [_node("a", {"name": "b"}), _node("b", phase="failed")], utf8=False) == ["a", "`- x b: ready"]


def test_a_long_chain_is_drawn_too() -> None:
    chain = [_node(f"s{place}", {"name": f"s{place + 1}"}) for place in range(2000)] + [_node("s2000")]
    assert len(_drawn("text", chain)) == 2001


def test_dot_has_every_edge_once_with_its_style() -> None:
    said = _drawn("dot", _DIAMOND)
    assert '  "web" -> "cache" [label="started, if it can, restarts with it", style=dashed];' in said
    assert '  "app" -> "db" [label="ready", style=solid];' in said  # not also as an order
    assert '  "alone" -> "log" [label="after", style=dotted];' in said
    assert sum("->" in line for line in said) == 7


def test_names_cannot_break_out_of_a_drawing() -> None:
    nasty = [_node('a"];evil[\\', {"name": "end"}), _node("end", phase="running")]
    dot, mermaid = _drawn("dot", nasty), _drawn("mermaid", nasty)
    assert dot[3] == '  "a\\"];evil[\\\\" [label="a\\"];evil[\\\\"];'
    assert mermaid == [
        "flowchart LR",
        '  s0["a#34;#93;#59;evil#91;#92;"]',
        '  s1["end: running"]',
        '  s0 -->|"ready"| s1',
    ]


def test_what_graphviz_reads_it_understands(tmp_path: Path) -> None:
    """Where dot(1) is installed it is asked; its grammar is simple enough to be held to it by hand everywhere."""
    text = "\n".join(_drawn("dot", [*_DIAMOND, _node('odd "name"\\')]))
    quoted = r'"(?:[^"\\]|\\.)*"'
    line = rf"  (?:rankdir=LR|node \[shape=box\]|{quoted}(?: -> {quoted})? \[label={quoted}(?:, style=\w+)?\]);"
    assert all(re.fullmatch(line, inner) for inner in text.splitlines()[1:-1])
    if dot := shutil.which("dot"):
        assert subprocess.run([dot, "-Tsvg"], input=text.encode(), capture_output=True, check=False).returncode == 0


def test_a_graph_is_drawn_from_the_world_or_from_files(ask: Typist, tmp_path: Path) -> None:
    assert ask("graph").out.splitlines() == ["● web", "└─ ✗ db: ready"]
    assert ask("graph", "-o", "name").out.split() == ["web", "db"]
    assert ask("graph", "-q").out == ""
    assert ask("graph", "--format", "svg").code == 2
    (tmp_path / "a.yaml").write_text("services: {a: {command: /bin/true, depends_on: [b]}, b: {command: /bin/true}}")
    assert ask("graph", "-c", str(tmp_path)).out.splitlines() == ["a", "└─ b: ready"]
    planned = ask("graph", "-c", str(tmp_path), "--json").json
    assert [(one["name"], one["phase"]) for one in planned["services"]] == [("a", None), ("b", None)]
    (tmp_path / "a.yaml").write_text("services: {a: {comand: x}}")
    wrong, as_json = ask("graph", "-c", str(tmp_path)), ask("graph", "-c", str(tmp_path), "--json")
    assert (wrong.code, wrong.out) == (7, "")
    assert "did you mean `command`?" in wrong.err
    assert as_json.code == 7
    assert as_json.json["ok"] is False


def test_where_the_loader_cannot_be_started_the_files_are_not_blamed(
    monkeypatch: pytest.MonkeyPatch, type_in: Typist
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    said = type_in("graph", "-c", "world.yaml")
    assert (said.code, said.out) == (1, "")
    assert "/nowhere/python" in said.err


# --- numbers


def test_ps_shows_the_numbers_of_every_namespace(ask: Typist) -> None:
    rows = ask("ps", "--ns").out.splitlines()
    head = rows[0].index("NS PIDS")
    assert [row[head : head + 7].strip() for row in rows] == ["NS PIDS", "12", "14 1"]
    assert "NS PIDS" in ask("ps", "-o", "wide").out
    assert "NS PIDS" not in ask("ps").out
    assert ask("ps", "-o", "name").out.split() == ["12", "14"]


def test_our_own_numbers_stand_before_those_of_the_world() -> None:
    ours = numbers_of(os.getpid())
    assert ours[0] == os.getpid()
    assert every_number(os.getpid(), ours[-1:]) == ours
    assert every_number(os.getpid(), [ours[-1] + 1]) == [os.getpid(), ours[-1] + 1]  # gone, and its number another's
    assert every_number(None, [4, 1]) == [4, 1]
    assert numbers_of(2**30) == []
