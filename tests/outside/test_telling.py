"""Do `why`, `show`, `events`, `graph` and `ps --ns` tell the truth about a world that really runs?"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.eventually import eventually
from tests.outside.world import PIDONE, World, environment, pidone, service, world

_SERVICES = {
    "db": service("echo no disk >&2; exit 3", ready={"file": "never"}, restart={"delay": "1h"}),
    "app": service(depends_on=["db"], environment={"PASSWORD": "sword$fish"}),
    "web": service(depends_on={"app": "ready", "log": {"condition": "started", "required": False}}, enabled=False),
    "log": service(["sleep", "100000"], before=["db"], restart={"policy": "on-failure"}),
    "orphans": service("(setsid sh -c 'exit 9' &) ; exec sleep 100000"),
}


@pytest.fixture(scope="module")
def troubled() -> Iterator[World]:
    with world(_SERVICES) as here:
        here.until_phase("db", "backoff")
        here.until("orphans", lambda view: here.status()["orphans"]["reaped"] >= 1)
        yield here


def test_why_leads_to_the_cause(troubled: World) -> None:
    troubled.ask("start", "web", "--no-wait")
    told = troubled.json("why", "web")
    assert (told["schema"], told["service"], told["phase"]) == ("pidone/v1", "web", "waiting")
    links = [(link["for"], link["service"], link["until"], link["root"]) for link in told["waits_for"]]
    assert links == [("web", "app", "ready", False), ("app", "db", "ready", True)]
    assert told["history"][-1]["to"] == "waiting"
    assert [change["service"] for change in told["changes"]] == ["web", "db"]
    said = troubled.ask("why", "web")
    assert said.code == 0
    for piece in ("what happened", "exit status 3", "← the cause", f"`pidone --name {troubled.name} start db`"):
        assert piece in said.out
    assert [link["service"] for link in troubled.json("why", "db")["waited_by"]] == ["app"]
    assert "app, until it is ready" in troubled.ask("why", "db").out


def test_an_unknown_service_is_told_with_what_is_near(troubled: World) -> None:
    for command in ("why", "show"):
        said = troubled.ask(command, "wbe")
        assert (said.code, said.out) == (4, "")
        assert "did you mean 'web'?" in said.err
        assert troubled.ask(command, "wbe", "--json").json["error"]["code"] == "unknown-service"


def test_show_tells_everything_but_secrets(troubled: World) -> None:
    for form in ("table", "wide", "json"):
        said = troubled.ask("show", "app", "-o", form)
        assert said.code == 0
        assert "PASSWORD" in said.out
        assert "fish" not in said.out
    shown = troubled.json("show", "log")
    keys = {entry["key"]: entry for entry in shown["definition"]}
    assert (keys["restart.policy"]["value"], keys["restart.policy"]["default"]) == ("on-failure", False)
    assert (keys["stop.timeout"]["value"], keys["stop.timeout"]["text"], keys["stop.timeout"]["default"]) == (
        10.0,
        "10s",
        True,
    )
    assert shown["defined_at"].endswith(f":{_line_of('log')}")
    assert f"main process:  {shown['pid']}" in troubled.ask("show", "log").out


def _line_of(name: str) -> int:
    text = yaml.safe_dump({"services": _SERVICES}, sort_keys=False)
    return text.splitlines().index(f"  {name}:") + 1


def test_events_tell_what_happened_in_order(troubled: World) -> None:
    events = troubled.json("events")["events"]
    assert [event["number"] for event in events] == sorted(event["number"] for event in events)
    assert {"schema", "at", "kind", "service", "run", "from", "to", "reason"} <= events[0].keys()
    edges = [(event["to"], event["reason"]["code"]) for event in events if event.get("to") and event["service"] == "db"]
    assert edges[:4] == [("waiting", "order"), ("starting", "exec"), ("starting", "probe"), ("backoff", "exit")]
    orphan = next(event for event in events if event["kind"] == "orphan" and event["exit"]["code"] == 9)
    assert (orphan["service"], orphan["exit"]["signal"]) == ("orphans", None)
    assert orphan["rule"] in ("tag", "cgroup", "session")
    last = troubled.ask("events", "-n", "1", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["number"] for line in last] == [events[-1]["number"]]


def test_who_follows_sees_requests_orphans_edges_and_signals_until_the_world_ends() -> None:
    with world({"web": service("(setsid sh -c 'sleep 0.1; exit 9' &) ; exec sleep 100000")}) as here:
        here.until_phase("web", "running")
        out = here.folder / "events"
        with open(out, "wb") as file:
            follower = subprocess.Popen(
                [PIDONE, "events", "-f", "-n", "100", "-o", "jsonl", "--name", here.name],
                env=environment(),
                stdout=file,
            )
        eventually(lambda: out.read_text().endswith("\n"), timeout=20)
        here.ask("restart", "web")
        eventually(lambda: '"verdict":"done"' in out.read_text(), timeout=20)  # now it follows for certain
        here.signal(signal.SIGTERM)
        assert here.ended() == 0
        assert follower.wait(timeout=20) == 0
        events = [json.loads(line) for line in out.read_text().splitlines()]
    assert {event["kind"] for event in events} == {"edge", "orphan", "request", "signal"}
    asked, answered = (event for event in events if event["kind"] == "request")
    assert (asked["verb"], asked["services"], asked["verdict"], answered["verdict"]) == (
        "restart",
        ["web"],
        "pending",
        "done",
    )
    assert asked["uid"] is not None
    (heard,) = (event for event in events if event["kind"] == "signal" and event["meaning"] == "stop")
    assert (heard["signal"], heard["count"]) == ("SIGTERM", 1)
    assert all(event["schema"] == "pidone/v1" for event in events)


def test_a_graph_shows_the_world_and_what_files_would_make(troubled: World) -> None:
    said = troubled.ask("graph").out.splitlines()
    assert said[:4] == ["○ web", "├─ ○ app: ready", "│  └─ ↻ db: ready", "│     └─ ● log: after"]
    assert troubled.ask("graph", "--format", "dot").out.startswith("digraph pidone {\n")
    assert troubled.ask("graph", "--format", "mermaid").out.startswith("flowchart LR\n")
    planned = pidone("graph", "-c", str(troubled.folder / "world.yaml")).out.splitlines()
    assert planned[:3] == ["web", "├─ app: ready", "│  └─ db: ready"]


def test_a_process_has_a_number_in_every_namespace_that_sees_it(troubled: World) -> None:
    rows = {row["pid"]: row for row in troubled.json("ps", "--ns")["processes"]}
    main = troubled.service("log")["pid"]
    numbers = rows[main]["ns_pids"]
    assert numbers[-1] == main
    assert len(numbers) >= 2  # ours and the world's
    with open(f"/proc/{numbers[0]}/status") as file:
        (ours,) = (line for line in file if line.startswith("NSpid:"))
    assert [int(number) for number in ours.split()[1:]] == numbers
    assert " ".join(map(str, numbers)) in troubled.ask("ps", "--ns").out
    tree = troubled.ask("ps", "--tree", "--ns").out
    assert "NS PIDS" in tree
    assert "└─ " in tree
