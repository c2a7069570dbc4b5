"""Does the server answer everybody who may ask, whatever the others do?"""

from __future__ import annotations

import array
import errno
import json
import os
import resource
import select
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.control.access import Rules
from supervisor.control.bounds import Bounds
from supervisor.control.routes import ROUTES
from tests.fakes.backend import FakeBackend, service
from tests.unit.control.peers import SOMEBODY, Peer, serving

STRANGERS = Rules(own_uid=4242)  # we are root or somebody, never this one
READERS = Rules(own_uid=4242, read=(SOMEBODY,))
WEB, DB = service("web"), service("db", "inactive", groups=["back"])


def _code(answer: dict[str, Any] | None) -> str:
    assert answer is not None
    code: str = answer["error"]["data"]["code"]
    return code


async def _gone(peer: Peer) -> bool:
    return await peer.hear() is None


async def test_status_is_the_document_with_the_services_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB, DB, service("bad", "failed"))) as served:
        peer = await served.peer()
        everything = (await peer.ask("status"))["result"]
        assert [one["name"] for one in everything["services"]] == ["web", "db", "bad"]
        assert (everything["schema"], everything["exit_code"]) == ("pidone/v1", 1)
        some = (await peer.ask("status", names=["@back", "web"]))["result"]
        assert [one["name"] for one in some["services"]] == ["web", "db"]
        assert some["exit_code"] == 0


async def test_an_unknown_name_is_told_with_what_is_near(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB)) as served:
        peer = await served.peer()
        for method in ("status", "start", "stop", "restart", "kill", "wait", "logs"):
            answer = await peer.ask(method, names=["wbe"])
            assert _code(answer) == "unknown-service"
            assert "web" in answer["error"]["data"]["hint"]
            assert answer["error"]["data"]["unknown"] == [["wbe", "web"]]


async def test_a_change_reaches_the_backend_with_everything_that_was_said(tmp_path: Path) -> None:
    backend = FakeBackend(WEB, DB)
    async with serving(tmp_path, backend) as served:
        peer = await served.peer()
        stopped = (await peer.ask("stop", names=["web"], dependents=False))["result"]
        assert (stopped["verdict"], stopped["names"], stopped["ticket"]) == ("done", ["web"], 1)
        await peer.ask("start", all=True)
        await peer.ask("restart", names=["@back"], wait=False)
        await peer.ask("kill", names=["web"], signal="RTMIN+3", main=True)
        await peer.ask("shutdown")
    assert backend.asked == [
        ("stop", ("web",), True, False, 0, False),
        ("start", ("web", "db"), True, True, 0, False),
        ("restart", ("db",), False, True, 0, False),
        ("kill", ("web",), True, True, 37, True),
        ("shutdown", (), True, True, 0, False),
    ]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stop", {}),
        ("stop", {"names": "web"}),
        ("stop", {"names": [1]}),
        ("stop", {"names": ["web"], "all": True}),
        ("stop", {"names": ["web"], "wait": "yes"}),
        ("stop", {"names": ["web"], "force": True}),
        ("stop", {"names": ["\udc80"]}),
        ("stop", {"names": ["a\0b"]}),
        ("kill", {"names": ["web"], "signal": "NOSUCH"}),
        ("kill", {"names": ["web"], "signal": 9}),
        ("wait", {"names": ["web"], "target": "rain"}),
        ("wait", {"names": ["web"], "target": []}),
        ("logs", {"lines": -1}),
        ("logs", {"lines": True}),
        ("logs", {"since": "yesterday"}),
        ("logs", {"since": 1e300}),
        ("logs", {"grep": 1}),
        ("version", {"x": 1}),
    ],
)
async def test_what_a_method_does_not_take_is_refused(tmp_path: Path, method: str, params: dict[str, Any]) -> None:
    backend = FakeBackend(WEB)
    async with serving(tmp_path, backend) as served:
        answer = await (await served.peer()).ask(method, **params)
        assert _code(answer) == "usage", answer
        assert not served.reports
    assert backend.asked == []


async def test_an_unknown_method_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend()) as served:
        peer = await served.peer()
        for method in ("nonsense", "__class__", "submit", ""):
            answer = await peer.ask(method)
            assert answer["error"]["code"] == -32601
            assert _code(answer) == "unknown-method"


async def test_progress_comes_as_notifications_before_the_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB)) as served:
        peer = await served.peer()
        number = await peer.request("stop", names=["web"], progress=True)
        note = await peer.hear()
        assert note is not None
        assert (note["method"], note["params"]["id"], note["params"]["to"]) == ("progress", number, "inactive")
        answer = await peer.hear()
        assert answer is not None
        assert answer["id"] == number
        assert served.backend.listeners == []


async def test_several_requests_are_in_flight_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB, outcomes={"start web": "never"})) as served:
        peer = await served.peer()
        slow = await peer.request("wait", names=["web"], target="stopped")
        assert "result" in await peer.ask("version")
        served.backend.move("web", "inactive")
        answer = await peer.hear()
        assert answer is not None
        assert (answer["id"], answer["result"]["verdict"]) == (slow, "done")


@pytest.mark.parametrize(
    ("target", "phase", "verdict"),
    [
        ("ready", "running", "done"),
        ("ready", "done", "done"),
        ("ready", "failed", "failed"),
        ("ready", "inactive", "failed"),
        ("stopped", "inactive", "done"),
        ("stopped", "failed", "done"),
        ("stopped", "done", "done"),
        ("done", "done", "done"),
        ("done", "failed", "failed"),
        ("done", "inactive", "failed"),
    ],
)
async def test_wait_answers_when_it_is_there_or_never_will_be(
    tmp_path: Path, target: str, phase: str, verdict: str
) -> None:
    async with serving(tmp_path, FakeBackend(service("web", "starting"))) as served:
        peer = await served.peer()
        await peer.request("wait", names=["web"], target=target)
        await peer.ask("version")  # by now it waits
        assert len(served.backend.listeners) == 1
        served.backend.move("web", phase)
        answer = await peer.hear()
        assert answer is not None
        assert answer["result"]["verdict"] == verdict
        assert served.backend.listeners == []


async def test_wait_is_for_all_of_them(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(service("a", "starting"), service("b", "starting"))) as served:
        peer = await served.peer()
        number = await peer.request("wait", all=True)
        served.backend.move("a", "running")
        assert (await peer.ask("version"))["id"] != number
        served.backend.move("b", "running")
        answer = await peer.hear()
        assert answer is not None
        assert (answer["id"], answer["result"]["names"]) == (number, ["a", "b"])


async def test_wait_waits_anew_for_one_that_was_there_and_has_left(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(service("a", "running"), service("b", "starting"))) as served:
        peer = await served.peer()
        number = await peer.request("wait", all=True)
        await peer.ask("version")
        for name, phase in (("a", "backoff"), ("b", "running")):
            served.backend.move(name, phase)
            assert (await peer.ask("version"))["id"] != number
        served.backend.move("a", "running")
        answer = await peer.hear()
        assert answer is not None
        assert answer["id"] == number


async def test_wait_looks_only_at_who_has_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds who wait for hundreds of services must not hold PID 1 up at every transition."""
    looked: list[str] = []
    standing = FakeBackend.standing

    def look(backend: FakeBackend, name: str) -> object:
        looked.append(name)
        return standing(backend, name)

    monkeypatch.setattr(FakeBackend, "standing", look)
    async with serving(tmp_path, FakeBackend(*(service(name, "starting") for name in "abc"))) as served:
        peer = await served.peer()
        await peer.request("wait", names=["a", "c"])
        await peer.ask("version")
        for name, phase in (("a", "running"), ("b", "running"), ("c", "running")):
            served.backend.move(name, phase)
        assert await peer.hear() is not None
        assert looked == ["a", "c", "a", "c"]


async def test_a_peer_that_hangs_up_is_waited_for_no_longer(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(service("web", "starting"))) as served:
        peer = await served.peer()
        await peer.request("wait", names=["web"])
        await peer.ask("version")
        await peer.stream.aclose()
        with trio.fail_after(5):
            while served.backend.listeners:
                await trio.lowlevel.checkpoint()


async def test_a_peer_that_only_stops_talking_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(service("web", "starting"))) as served:
        peer = await served.peer()
        await peer.request("wait", names=["web"])
        await peer.request("version")
        await peer.stream.send_eof()
        first = await peer.hear()
        served.backend.move("web", "running")
        second = await peer.hear()
        assert first is not None
        assert second is not None
        assert "version" in first["result"]
        assert second["result"]["verdict"] == "done"
        assert await _gone(peer)


async def test_a_stranger_is_refused_before_a_byte_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB), STRANGERS) as served:
        peer = await served.somebody()
        await peer.say(b"not even json\n")
        assert _code(await peer.hear()) == "refused"
        assert await _gone(peer)


@pytest.mark.parametrize("method", sorted(ROUTES))
async def test_a_reader_may_look_and_not_change(tmp_path: Path, method: str) -> None:
    backend, route = FakeBackend(WEB), ROUTES[method]
    fields = route.parameters.__match_args__
    params: dict[str, Any] = {"names": ["web"]} if "names" in fields else {"name": "web"} if "name" in fields else {}
    async with serving(tmp_path, backend, READERS) as served:
        answer = await (await served.somebody()).ask(method, **params)
        if route.access == "read":
            assert "result" in answer
        else:
            assert _code(answer) == "refused"
            assert "admin" in answer["error"]["message"]
            assert backend.asked == []


@pytest.mark.parametrize("method", ["status", "start"])
async def test_an_administrator_by_the_list_may_everything(tmp_path: Path, method: str) -> None:
    async with serving(tmp_path, FakeBackend(WEB), Rules(4242, admin=(SOMEBODY,))) as served:
        assert "result" in await (await served.somebody()).ask(method, names=["web"])


async def test_a_bug_of_ours_is_reported_and_not_shown(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB, outcomes={"start web": "raise"})) as served:
        peer = await served.peer()
        answer = await peer.ask("start", names=["web"])
        assert (answer["error"]["code"], _code(answer)) == (-32603, "internal")
        assert "a bug" not in json.dumps(answer)
        (report,) = served.reports
        assert "start" in report
        assert "a bug" in report
        assert "result" in await peer.ask("version")


async def test_logs_come_as_a_file_descriptor_beside_the_answer(tmp_path: Path) -> None:
    backend = FakeBackend(WEB, DB)
    backend.log = [{"service": "web", "line": "hello"}, {"service": "db", "line": "no"}]
    async with serving(tmp_path, backend) as served:
        raw = served.raw()
        raw.settimeout(0)
        peer = trio.socket.from_stdlib_socket(raw)
        asked = {"names": ["web", "pidone"], "lines": 5, "follow": True, "since": 1.5, "grep": "h"}
        await peer.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "logs", "params": asked}).encode() + b"\n")
        with trio.fail_after(10):
            data, rights, _, _ = await peer.recvmsg(65536, socket.CMSG_SPACE(4))
        assert json.loads(data)["result"] == {"names": ["web", "pidone"]}
        (fd,) = array.array("i", rights[0][2])
        with os.fdopen(fd, "rb") as stream:
            assert [json.loads(line)["line"] for line in stream] == ["hello"]
        peer.close()
    (asked_for,) = backend.asked
    wanted = {"services": ["web", "pidone"], "lines": 5, "follow": True, "since": 1.5, "grep": "h"}
    assert asked_for == ("logs", wanted)


async def test_a_logger_that_cannot_be_asked_is_an_error_with_a_reason(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(WEB, outcomes={"logs": "raise"})) as served:
        answer = await (await served.peer()).ask("logs")
        assert _code(answer) == "no-logs"
        assert "temporarily" in answer["error"]["message"]


async def test_malformed_lines_get_an_error_with_a_position_and_the_next_one_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend()) as served:
        peer = await served.peer()
        await peer.say(b'{"jsonrpc": "2.0", oops}\n')
        answer = await peer.hear()
        assert answer is not None
        assert answer["id"] is None
        assert (answer["error"]["code"], answer["error"]["data"]["position"]) == (-32700, 19)
        assert "result" in await peer.ask("version")


async def test_a_line_that_is_too_long_ends_the_connection_with_an_error(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend()) as served:
        peer = await served.peer()
        await peer.say(b"x" * 65537)
        answer = await peer.hear()
        assert answer is not None
        assert (answer["error"]["code"], answer["error"]["data"]["position"]) == (-32700, 65536)
        assert await _gone(peer)
        assert "result" in await (await served.peer()).ask("version")


async def test_a_line_of_just_the_limit_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend()) as served:
        peer = await served.peer()
        line = b'{"jsonrpc":"2.0","id":1,"method":"version"}'
        await peer.say(line.ljust(65536) + b"\n")
        answer = await peer.hear()
        assert answer is not None
        assert "result" in answer


@pytest.mark.parametrize("begun", [b"", b'{"jsonrpc"'])
async def test_a_peer_that_never_finishes_a_line_is_let_go(tmp_path: Path, begun: bytes) -> None:
    bounds = Bounds(first_byte=0.05, line_time=0.05)
    async with serving(tmp_path, FakeBackend(), bounds=bounds) as served:
        peer = await served.peer()
        if begun:
            await peer.say(begun)
        assert _code(await peer.hear()) == "too-slow"
        assert await _gone(peer)


async def test_a_peer_that_has_spoken_may_be_silent(tmp_path: Path) -> None:
    bounds = Bounds(first_byte=0.3, line_time=0.3)
    async with serving(tmp_path, FakeBackend(WEB), bounds=bounds) as served:
        silent, other = await served.peer(), await served.peer()
        await silent.ask("version")
        assert _code(await other.hear()) == "too-slow"  # meanwhile more than that time has passed
        assert "result" in await silent.ask("version")


async def test_more_requests_than_allowed_are_turned_away(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(service("a", "starting")), bounds=Bounds(requests=2)) as served:
        peer = await served.peer()
        first = await peer.request("wait", names=["a"])
        await peer.request("wait", names=["a"])
        assert _code(await peer.ask("version")) == "busy"
        served.backend.move("a", "running")
        answers = [await peer.hear(), await peer.hear()]
        assert {answer["id"] for answer in answers if answer} == {first, first + 1}
        assert "result" in await peer.ask("version")


async def test_an_id_that_is_in_flight_cannot_be_used_again(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(service("a", "starting"))) as served:
        peer = await served.peer()
        line = b'{"jsonrpc":"2.0","id":"x","method":"wait","params":{"names":["a"]}}\n'
        await peer.say(line + line)
        assert _code(await peer.hear()) == "malformed"
        served.backend.move("a", "running")
        answer = await peer.hear()
        assert answer is not None
        assert answer["result"]["verdict"] == "done"


async def test_connections_are_bounded_and_freed(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(), bounds=Bounds(connections=2)) as served:
        one, two, three = await served.peer(), await served.peer(), await served.peer()
        assert _code(await three.hear()) == "busy"
        assert await _gone(three)
        assert "result" in await one.ask("version")
        await one.stream.aclose()
        with trio.fail_after(5):
            while True:
                four = await served.peer()
                try:
                    answer = await four.ask("version")
                except (AssertionError, trio.BrokenResourceError):
                    continue  # our hanging up has not been noticed yet
                if "result" in answer:
                    break
        assert "result" in await two.ask("version")


async def test_readers_cannot_take_all_connections(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(), READERS, Bounds(connections=3, readers=2)) as served:
        present = [await served.somebody(), await served.somebody()]
        for peer in present:
            await peer.ask("version")
        assert _code(await (await served.somebody()).hear()) == "busy"
        if os.geteuid() == 0:  # another user has room
            assert "result" in await (await served.peer()).ask("version")


async def test_a_slow_reader_is_told_how_many_notifications_it_lost(tmp_path: Path) -> None:
    backend = FakeBackend(WEB, outcomes={"start web": "never"})
    async with serving(tmp_path, backend, bounds=Bounds(notes=5)) as served:
        peer = await served.peer()
        await peer.request("start", names=["web"], progress=True)
        await peer.ask("version")
        for _ in range(20_000):  # far more than the socket takes at once
            served.backend.move("web", "running")
        heard, lost = 0, 0
        while heard + lost < 20_000:
            if lost or heard < 5:
                message = await peer.hear()
                assert message is not None
                heard += 1
                lost += message["params"].get("lost", 0)
            else:
                served.backend.move("web", "running")  # the next one that gets through says it
                message = await peer.hear()
                assert message is not None
                heard += 1
                lost += message["params"].get("lost", 0)
        assert lost > 0
        await peer.stream.aclose()


async def test_a_peer_that_reads_nothing_is_given_up_and_holds_little(tmp_path: Path) -> None:
    many = [service(f"s{number}", description="x" * 200) for number in range(200)]
    async with serving(tmp_path, FakeBackend(*many), bounds=Bounds(stalled=0.1, unsent=1000)) as served:
        peer = await served.peer()
        for _ in range(12):
            await peer.request("status")
        other = await served.peer()
        assert "result" in await other.ask("version")
        hung_up = select.poll()
        hung_up.register(peer.stream.socket.fileno(), 0)
        with trio.fail_after(5):
            while not hung_up.poll(0):
                await trio.lowlevel.checkpoint()
        assert served.backend.statuses < 12  # what could not be sent was not computed either


async def test_without_file_descriptors_accepting_pauses_and_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path, FakeBackend(), bounds=Bounds(accept_pause=0.02)) as served:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        raw = socket.socket(socket.AF_UNIX)
        raw.setblocking(False)
        lowest = os.dup(0)
        os.close(lowest)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
            raw.connect(served.path)  # waits in the kernel's queue
            with trio.fail_after(5):
                while not served.reports:
                    await trio.lowlevel.checkpoint()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert os.strerror(errno.EMFILE) in served.reports[0]
        assert "result" in await Peer(trio.SocketStream(trio.socket.from_stdlib_socket(raw))).ask("version")
        assert len(served.reports) == 1


_REQUEST = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "id": st.integers(0, 9), "method": st.sampled_from([*ROUTES, "x"])},
    optional={
        "params": st.dictionaries(
            st.sampled_from(["names", "name", "all", "wait", "signal", "lines", "after", "target", "progress", "x"]),
            st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.just("web"), max_size=2),
        )
    },
).map(lambda message: json.dumps(message).encode() + b"\n")
_BYTES = st.lists(st.binary(max_size=200) | _REQUEST | st.just(b"\n"), max_size=20)


@settings(max_examples=60, deadline=None)
@given(_BYTES)
def test_whatever_is_sent_the_server_goes_on_answering_others(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]
) -> None:
    async def main() -> None:
        async with serving(tmp_path_factory.mktemp("f"), FakeBackend(WEB)) as served:
            peer = await served.peer()
            for chunk in chunks:
                await peer.say(chunk)
            await peer.stream.send_eof()
            assert "result" in await (await served.peer()).ask("version")
            while (message := await peer.hear()) is not None:
                assert message["jsonrpc"] == "2.0"
            assert served.reports == []

    trio.run(main)
