"""How does a service end? Stops, their scopes and budgets, and what is left of a run (SERVICES §2 `stop`, §4)."""

from __future__ import annotations

import signal
import sys

from tests.eventually import eventually
from tests.outside.world import World, service, world

_HARDENED = "trap '' TERM; echo up > up; while :; do sleep 0.1; done"

_DAEMON = """
import os, select, sys
others = [entry for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]
hidden = 0
for pid in others:
    try:
        hidden += open(f"/proc/{pid}/cmdline").read().startswith("a-new-name")
    except OSError:
        pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["a-new-name", "100000"], {})
    os._exit(0)
os.wait()
print(hidden, file=open("found", "a"), flush=True)
select.select([], [], [], float(sys.argv[1]))
"""


def _daemoniser(main_lives: float, **keys: object) -> dict[str, object]:
    """A service that leaves a process behind which double-forked, made a session and wiped its environment. It notes how
    many of those there were when it began."""
    return service([sys.executable, "-IS", "-c", _DAEMON, str(main_lives)], **keys)


def _alive(here: World) -> int:
    """How many processes of services live, by what PID 1 of the world sees."""
    return sum(1 for process in here.json("ps")["processes"] if process["role"] in ("main", "member", "orphan"))


def test_a_stopped_service_is_inactive_whatever_its_status() -> None:
    with world({"a": service("trap 'exit 7' TERM; echo up > up; while :; do sleep 0.05; done")}) as here:
        here.read("up")
        assert here.ask("stop", "a").code == 0
        view = here.service("a")
        assert (view["phase"], view["pid"], view["processes"]) == ("inactive", None, [])
        assert view["reason"]["code"] == "operator"
        assert view["last_exit"]["code"] == 7


def test_stop_returns_when_no_process_is_left_double_forked_daemons_included() -> None:
    with world({"a": _daemoniser(100000)}) as here:
        here.read("found")
        here.until("a", lambda view: len(view["processes"]) == 2)
        assert here.ask("stop", "a").code == 0
        assert _alive(here) == 0


def test_what_the_main_process_leaves_is_stopped_before_the_next_run() -> None:
    with world({"a": _daemoniser(0.1, restart={"delay": "10ms"})}) as here:
        eventually(lambda: len(here.lines("found")) >= 4)
        assert set(here.lines("found")) == {"0"}


def test_main_only_leaves_the_rest_alone() -> None:
    with world({"a": _daemoniser(100000, stop={"scope": "main-only"})}) as here:
        here.read("found")
        here.until("a", lambda view: len(view["processes"]) == 2)
        assert here.ask("stop", "a").code == 0
        assert here.service("a")["phase"] == "inactive"
        assert _alive(here) == 1
        assert here.shut_down() == 0  # the end of the world takes it along
        eventually(lambda: not here.pids_outside())


def test_after_its_budget_a_stubborn_service_is_killed() -> None:
    with world({"a": service(_HARDENED, stop={"timeout": "300ms"})}) as here:
        here.read("up")
        assert here.ask("stop", "a").code == 0
        assert here.service("a")["last_exit"]["signal"] == "SIGKILL"


def test_a_child_that_ignores_the_signal_is_killed_too() -> None:
    child = "sh -c \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\" & wait"
    with world({"a": service(child, stop={"timeout": "300ms"})}) as here:
        here.read("up")
        assert here.ask("stop", "a").code == 0
        assert _alive(here) == 0


def test_a_paused_process_is_woken_by_the_stop_signal() -> None:
    with world(
        {"a": service("trap 'echo heard > heard; exit 0' TERM; echo up > up; while :; do sleep 0.05; done")}
    ) as here:
        here.read("up")
        assert here.ask("kill", "a", "-s", "STOP", "--main").code == 0
        assert here.ask("stop", "a").code == 0
        assert here.read("heard") == "heard"


def test_the_stop_command_knows_the_main_process() -> None:
    stop = {"command": {"shell": "echo $MAINPID > told; kill -TERM $MAINPID"}}
    with world({"a": service("echo $$ > pid; exec sleep 100000", stop=stop)}) as here:
        pid = here.read("pid")
        assert here.ask("stop", "a").code == 0
        assert here.read("told") == pid


def test_a_oneshots_stop_command_undoes_it() -> None:
    with world({"a": service("echo made > it", type="oneshot", stop={"command": ["rm", "it"]})}) as here:
        here.until_phase("a", "done")
        assert here.ask("stop", "a").code == 0
        assert not (here.folder / "it").exists()


def test_a_oneshots_stop_command_runs_at_shutdown() -> None:
    with world({"a": service("echo made > it", type="oneshot", stop={"command": ["rm", "it"]})}) as here:
        here.until_phase("a", "done")
        assert here.shut_down() == 0
        assert not (here.folder / "it").exists()


def test_kill_counts_as_a_failure_and_not_as_a_stop() -> None:
    with world({"a": service("echo up > up; exec sleep 100000", restart={"delay": "10ms"})}) as here:
        here.read("up")
        assert here.ask("kill", "a", "-s", "KILL").code == 0
        view = here.until("a", lambda view: view["run"] == 2)
        assert view["restarts"] == 1


def test_kill_hits_all_processes_and_main_only_one() -> None:
    trap = "trap 'echo $0 >> heard' USR1; echo up >> up; while :; do sleep 0.05; done"
    with world({"a": service(f'sh -c "{trap.replace("$0", "child")}" & {trap.replace("$0", "parent")}')}) as here:
        eventually(lambda: len(here.lines("up")) == 2)
        assert here.ask("kill", "a", "-s", "USR1", "--main").code == 0
        eventually(lambda: here.lines("heard") == ["parent"])
        assert here.ask("kill", "a", "-s", "USR1").code == 0
        eventually(lambda: sorted(here.lines("heard")) == ["child", "parent", "parent"])


def test_stop_in_backoff_is_at_once() -> None:
    with world({"a": service("false", restart={"delay": "30s"})}) as here:
        here.until_phase("a", "backoff")
        assert here.ask("stop", "a").code == 0
        assert here.service("a")["phase"] == "inactive"


def test_stop_while_starting_ends_what_runs() -> None:
    with world({"a": service(ready={"file": "never"})}) as here:
        here.until_phase("a", "starting")
        assert here.ask("stop", "a").code == 0
        assert here.service("a")["phase"] == "inactive"
        assert _alive(here) == 0


def test_shutdown_stops_in_the_reverse_order_of_starting() -> None:
    tells = "trap 'echo {0} >> ended; exit 0' TERM; echo {0} >> begun; while :; do sleep 0.05; done"
    services = {
        name: service(tells.format(name), ready={"exec": {"shell": f"grep -q {name} begun"}}, depends_on=needs)
        for name, needs in (("web", ["app"]), ("app", ["db"]), ("db", []))
    }
    with world(services) as here:
        here.until("web", lambda view: view["ready"])
        assert here.lines("begun") == ["db", "app", "web"]
        assert here.shut_down() == 0
        assert here.lines("ended") == ["web", "app", "db"]


def test_a_second_signal_ends_the_grace() -> None:
    with world({"a": service(_HARDENED, stop={"timeout": "60s"})}, system={"shutdown": "60s"}) as here:
        here.read("up")
        here.signal(signal.SIGTERM)
        assert here.ended(within=1.2) is None
        here.signal(signal.SIGTERM)
        assert here.ended(within=8) == 0
        eventually(lambda: not here.pids_outside())


def test_one_deadline_bounds_the_whole_shutdown() -> None:
    services = {
        "db": service(_HARDENED, stop={"timeout": "60s"}),
        "web": service(_HARDENED.replace("> up", "> webup"), stop={"timeout": "60s"}, depends_on={"db": "started"}),
    }
    with world(services, system={"shutdown": "3s"}) as here:
        here.read("up")
        here.read("webup")
        assert here.shut_down(within=6) == 0
        eventually(lambda: not here.pids_outside())


def test_the_world_ends_when_the_monitor_is_killed() -> None:
    with world({"a": _daemoniser(100000)}) as here:
        here.read("found")
        here.until("a", lambda view: len(view["processes"]) == 2)
        here.signal(signal.SIGKILL)
        eventually(lambda: not here.pids_outside())
