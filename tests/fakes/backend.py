"""The world behind the control socket, in memory: services that are where a test puts them, changes that end as it says.

Run as a program it serves a socket until it is told to shut down: `python -m tests.fakes.backend PATH` reads services as JSON
from its stdin and closes its stdout when the socket is there.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio

from supervisor.control.access import Rules
from supervisor.control.listener import Listener, open_listener
from supervisor.control.port import Chosen, Document, Standing, Verb
from supervisor.control.server import serve

__all__ = ["FakeBackend", "service"]


def service(name: str, phase: str = "running", **more: Any) -> dict[str, Any]:
    """A SERVICE of `status --json`, with everything in it."""
    return {
        "name": name,
        "phase": phase,
        "ready": phase in ("running", "done"),
        "health": None,
        "wanted": phase != "inactive",
        "reason": {"code": phase, "text": f"it is {phase}"},
        "since": "2026-01-31T12:00:00Z",
        "run": 1,
        "restarts": 0,
        "pid": 12 if phase == "running" else None,
        "processes": [12] if phase == "running" else [],
        "last_exit": None,
        "status_text": None,
        "next_start": None,
        "defined_at": "services.d/all.yaml:3",
        "cpu_seconds": 1.5 if phase == "running" else None,
        "memory_bytes": 64 << 20 if phase == "running" else None,
        "description": "",
        "type": "simple",
        "ready_by": None,
        "groups": [],
        "needs": [],
        "needed_by": [],
        "after": [],
        **more,
    }


class FakeBackend:
    """`outcomes` says how a change of (verb, first name) ends; "never" is a change that does not. `asked` is what was asked.
    A stream of logs ends at once; with "logs" as "stay" the second one does not, with "die" we end when it is asked for."""

    def __init__(self, *services: Mapping[str, Any], outcomes: Mapping[str, Document | str] | None = None) -> None:
        self.name = "default"
        self.version = "0.1.0"
        self.pid = 1
        self.pid_ns = os.stat("/proc/self/ns/pid").st_ino
        self.services = {one["name"]: dict(one) for one in services}
        self.outcomes = dict(outcomes or {})
        self.asked: list[tuple[Any, ...]] = []
        self.listeners: list[Callable[[Document], None]] = []
        self.rows: list[Document] = []
        self.accounts: dict[str, Mapping[str, Any]] = {}
        """What `why` and `show` tell of a service besides."""
        self.happened: list[Document] = []
        self.users: list[int | None] = []
        """Who asked for each change."""
        self.followers: list[Callable[[Document], None]] = []
        self.log: list[Document] = []
        self.state = "running"
        self.orphans = {"adopted": 3, "reaped": 2, "alive": 1}
        self.statuses = 0
        self.ended = trio.Event()

    def status(self, names: Sequence[str], brief: bool = False) -> Document:
        self.statuses += 1
        return {
            "schema": "pidone/v1",
            "version": self.version,
            "pid": self.pid,
            "state": self.state,
            "pid_ns": self.pid_ns,
            "name": self.name,
            "uptime": 187_200.5,
            "orphans": self.orphans,
            "services": [self.services[name] for name in names],
        }

    def status_code(self, names: Sequence[str]) -> int:
        phases = {self.services[name]["phase"] for name in names}
        return 1 if "failed" in phases else 3 if phases & {"starting", "backoff"} else 0

    def choose(self, words: Sequence[str], everything: bool) -> Chosen:
        if everything:
            return tuple(self.services), ()
        wanted = {name for name, one in self.services.items() for word in words if word in (name, *self._groups(one))}
        groups = {group for one in self.services.values() for group in self._groups(one)}
        unknown = [word for word in words if word not in self.services and word not in groups]
        near = {word: next((name for name in self.services if name[0] == word[:1]), "") for word in unknown}
        return tuple(name for name in self.services if name in wanted), tuple(near.items())

    def _groups(self, one: Mapping[str, Any]) -> list[str]:
        return [f"@{group}" for group in one["groups"]]

    def standing(self, name: str) -> Standing:
        one = self.services[name]
        return one["phase"], one["ready"], one["reason"]["code"], one["reason"]["text"]

    async def submit(
        self,
        verb: Verb,
        names: Sequence[str],
        *,
        wait: bool = True,
        dependents: bool = True,
        signal: int = 0,
        main_only: bool = False,
        uid: int | None = None,
    ) -> Document:
        self.users.append(uid)
        self.asked.append((verb, tuple(names), wait, dependents, signal, main_only))
        outcome = self.outcomes.get(f"{verb} {names[0]}" if names else verb, {})
        ticket = {"ticket": len(self.asked), "code": "", "text": "", "service": "", "also": []}
        if not wait:
            return {**ticket, "verdict": "pending"}
        for name in names:
            self.move(name, "running" if verb == "start" else "inactive")
        if outcome == "raise":
            raise RuntimeError("a bug")
        if outcome == "never":
            await trio.sleep_forever()
        if verb == "shutdown":
            self.ended.set()
        assert not isinstance(outcome, str)
        return {**ticket, "verdict": "done", **outcome}

    def processes(self) -> Sequence[Document]:
        return self.rows

    def why(self, name: str) -> Document:
        one = self.services[name]
        link = {"until": "ready", "phase": "failed", "ready": False, "since": one["since"], "root": True}
        told = {
            "fate": None,
            "history": [],
            "waits_for": [{**link, "service": need["name"], "for": name} for need in one["needs"]],
            "waited_by": [{"service": other, "until": "ready"} for other in one["needed_by"]],
            "left_out": 0,
            "changes": [{"service": name, "text": f"`pidone start {name}` tries again"}],
        }
        for waited in told["waits_for"]:
            waited["reason"] = {"code": "exit", "text": "exit status 1"}
        return {"schema": "pidone/v1", "service": name, **one, **told, **self.accounts.get(name, {})}

    def show(self, name: str) -> Document:
        counters = {"want": "up", "attempts": 0, "restarts_in_window": 0, "shortages": 0}
        told = {"identity": None, "executables": ["/bin/x"], "spawn": "fast", "definition": [], "history": []}
        return {"schema": "pidone/v1", **self.services[name], **counters, **told, **self.accounts.get(name, {})}

    def graph(self) -> Document:
        keep = ("name", "type", "phase", "ready", "needs", "after")
        nodes = [{"enabled": True, "before": [], **{key: one[key] for key in keep}} for one in self.services.values()]
        for node in nodes:
            node["needs"] = [{"restart": False, **need} for need in node["needs"]]
        return {"schema": "pidone/v1", "services": nodes}

    def events(self, after: int) -> Document:
        return {"events": self.happened[after:], "count": len(self.happened)}

    def follow(self, told: Callable[[Document], None]) -> Callable[[], None]:
        self.followers.append(told)

        def leave() -> None:
            if told in self.followers:
                self.followers.remove(told)

        return leave

    def log_stream(self, parameters: Document) -> int:
        self.asked.append(("logs", dict(parameters)))
        if self.outcomes.get("logs") == "raise":
            raise OSError(11, "Resource temporarily unavailable")
        followed = sum(asked[0] == "logs" for asked in self.asked)
        if self.outcomes.get("logs") == "die" and followed == 2:
            os._exit(0)
        ours, theirs = socket.socketpair()
        wanted = parameters["services"]
        lines = [entry for entry in self.log if not wanted or entry.get("service") in wanted]
        lines = lines[-parameters["lines"] :] if parameters["lines"] else lines
        ours.sendall(b"".join(json.dumps(entry).encode() + b"\n" for entry in lines))
        if self.outcomes.get("logs") == "stay" and followed == 2:
            ours.detach()
        else:
            ours.close()
        return theirs.detach()

    def subscribe(self, changed: Callable[[Document], None]) -> Callable[[], None]:
        self.listeners.append(changed)

        def unsubscribe() -> None:
            if changed in self.listeners:
                self.listeners.remove(changed)

        return unsubscribe

    def move(self, name: str, phase: str) -> None:
        """Put a service into another phase and tell it."""
        before = self.services[name]["phase"]
        kept = {key: self.services[name][key] for key in ("groups", "needs", "needed_by")}
        self.services[name] = service(name, phase, **kept)
        edge = {"at": "2026-01-31T12:00:00Z", "kind": "edge", "service": name, "run": 1, "from": before, "to": phase}
        for told in tuple(self.listeners):
            told({**edge, "reason": self.services[name]["reason"]})


async def _serve(listener: Listener, backend: FakeBackend) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, listener.socket, backend, Rules(os.geteuid()), lambda text: None)
        await backend.ended.wait()
        with trio.move_on_after(0.2):  # so long the answer may take to leave
            await trio.sleep_forever()
        nursery.cancel_scope.cancel()


def main() -> None:
    told = json.load(sys.stdin)
    backend = FakeBackend(*told.get("services", ()), outcomes=told.get("outcomes"))
    backend.log = told.get("log", [])
    backend.rows = told.get("processes", [])
    backend.accounts = told.get("accounts", {})
    backend.happened = told.get("happened", [])
    for name in ("name", "pid_ns", "state"):
        setattr(backend, name, told.get(name, getattr(backend, name)))
    listener = open_listener(sys.argv[1])
    assert isinstance(listener, Listener), listener
    os.close(1)
    trio.run(_serve, listener, backend)


if __name__ == "__main__":
    main()
