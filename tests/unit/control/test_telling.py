"""Are why, show, graph and events answered as they are asked, and does following end with whoever follows?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trio

from supervisor.control.bounds import Bounds
from tests.fakes.backend import FakeBackend, service
from tests.unit.control.peers import OURS, Peer, serving

WEB = service("web", groups=["front", "all"], needed_by=["worker"])
WORKER = service("worker", "waiting", groups=["all"], needs=[{"name": "web", "condition": "ready", "required": True}])


def _event(number: int) -> dict[str, Any]:
    return {"schema": "pidone/v1", "at": "2026-01-31T12:00:00.000Z", "kind": "signal", "number": number}


async def _told(peer: Peer) -> dict[str, Any]:
    message = await peer.hear()
    assert message is not None
    assert message["method"] == "event"
    params: dict[str, Any] = message["params"]
    return params


@pytest.mark.parametrize("method", ["why", "show"])
async def test_one_service_is_told_of(tmp_path: Path, method: str) -> None:
    async with serving(tmp_path, FakeBackend(WEB, WORKER)) as served:
        peer = await served.peer()
        assert (await peer.ask(method, name="worker"))["result"]["name"] == "worker"
        assert (await peer.ask(method, name="@front"))["result"]["name"] == "web"  # who is alone in it is meant


@pytest.mark.parametrize("method", ["why", "show"])
@pytest.mark.parametrize(
    ("word", "code", "hint"), [("wbe", "unknown-service", "web"), ("@all", "usage", "web, worker")]
)
async def test_none_or_several_are_not_one(tmp_path: Path, method: str, word: str, code: str, hint: str) -> None:
    async with serving(tmp_path, FakeBackend(WEB, WORKER)) as served:
        error = (await (await served.peer()).ask(method, name=word))["error"]
        assert error["data"]["code"] == code
        assert hint in error["data"]["hint"]


async def test_who_asks_for_a_change_is_named(tmp_path: Path) -> None:
    backend = FakeBackend(WEB)
    async with serving(tmp_path, backend) as served:
        peer = await served.peer()
        for verb in ("start", "stop", "restart", "kill"):
            await peer.ask(verb, names=["web"])
        await peer.ask("shutdown")
        assert backend.users == [os.geteuid()] * 5


async def test_a_graph_has_everybody(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB, WORKER)) as served:
        found = (await (await served.peer()).ask("graph"))["result"]
        assert [node["name"] for node in found["services"]] == ["web", "worker"]


async def test_events_are_those_that_are_remembered(tmp_path: Path) -> None:
    backend = FakeBackend(WEB)
    backend.happened = [_event(1), _event(2), _event(3)]
    async with serving(tmp_path, backend) as served:
        peer = await served.peer()
        everything = (await peer.ask("events"))["result"]
        assert (everything["schema"], len(everything["events"]), everything["count"]) == ("pidone/v1", 3, 3)
        later = (await peer.ask("events", after=2))["result"]
        assert [event["number"] for event in later["events"]] == [3]
        assert (await peer.ask("events", after="yesterday"))["error"]["data"]["code"] == "usage"


async def test_who_follows_misses_nothing_between_looking_and_following(tmp_path: Path) -> None:
    backend = FakeBackend(WEB)
    backend.happened = [_event(1), _event(2)]
    async with serving(tmp_path, backend) as served:
        peer = await served.peer()
        number = await peer.request("events", after=1, follow=True)
        assert await _told(peer) == {"id": number, **_event(2)}
        for follower in backend.followers:
            follower(_event(3))
        assert await _told(peer) == {"id": number, **_event(3)}
        assert (await peer.ask("version"))["result"]["version"]  # other requests go on beside


async def test_following_ends_with_the_connection(tmp_path: Path) -> None:
    backend = FakeBackend(WEB)
    backend.happened = [_event(1)]
    async with serving(tmp_path, backend) as served:
        peer = await served.peer()
        await peer.request("events", follow=True)
        await _told(peer)
        assert len(backend.followers) == 1
        await peer.stream.aclose()
        with trio.fail_after(10):
            while backend.followers:
                await trio.lowlevel.checkpoint()


async def test_a_slow_follower_is_told_how_many_events_it_lost(tmp_path: Path) -> None:
    backend = FakeBackend(WEB)
    backend.happened = [_event(number) for number in range(1, 11)]
    async with serving(tmp_path, backend, OURS, Bounds(notes=4)) as served:
        peer = await served.peer()
        await peer.request("events", follow=True)  # all ten at once, and room for four
        assert [(await _told(peer))["number"] for _ in range(4)] == [1, 2, 3, 4]
        for follower in backend.followers:
            follower(_event(11))
        assert (await _told(peer))["lost"] == 6
