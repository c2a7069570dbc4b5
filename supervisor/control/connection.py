"""What is said on one connection? Lines come in, each becomes a request of its own, answers go out in the order they are ready.

The peer is known and may speak before this begins. Whatever it sends, the worst that happens is an error with a place and
the end of the connection; what goes wrong in us is told to `report` in one line and to the peer as an internal error.
"""

from __future__ import annotations

import select
from collections.abc import Callable

import trio

from supervisor.control.access import Guest, permits
from supervisor.control.bounds import Bounds
from supervisor.control.methods import Answer, Context, Refusal
from supervisor.control.outbox import Outbox, Stalled
from supervisor.control.parameters import Unreadable, read
from supervisor.control.port import Backend, Document
from supervisor.control.routes import ROUTES, Route
from supervisor.control.stream import Stream
from supervisor.model.record import Record
from supervisor.wire import jsonrpc
from supervisor.wire.jsonrequest import Malformed, Request, RequestId, parse

__all__ = ["converse", "failure_line"]

_CHUNK = 64 * 1024  # bytes per read
_LOOK_AGAIN = 1.0  # seconds between two looks whether a peer that has said all it wants is still there


async def converse(
    peer: Stream,
    guest: Guest,
    backend: Backend,
    bounds: Bounds,
    turns: trio.Lock,
    report: Callable[[str], None],
) -> None:
    """Serve one connection to its end. The socket stays the caller's.

    All connections share `turns`: who has an answer to compute queues there, so that a flood of requests leaves room for
    everything else between any two of them.
    """
    outbox = Outbox(peer, bounds)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_send, outbox, nursery.cancel_scope)
            await _Conversation(peer, guest, backend, bounds, turns, report, outbox).listen()
            nursery.cancel_scope.cancel()
    finally:
        outbox.close()


def failure_line(request_id: RequestId | None, refusal: Refusal, number: int = jsonrpc.APPLICATION) -> bytes:
    data = {"code": refusal.code, **({"hint": refusal.hint} if refusal.hint else {}), **refusal.more}
    return jsonrpc.failure(request_id, number, refusal.text, data)


async def _send(outbox: Outbox, conversation: trio.CancelScope) -> None:
    try:
        await outbox.send_all()
    except (OSError, Stalled):
        conversation.cancel()  # nobody is there to be answered


class _Conversation:
    def __init__(
        self,
        peer: Stream,
        guest: Guest,
        backend: Backend,
        bounds: Bounds,
        turns: trio.Lock,
        report: Callable[[str], None],
        outbox: Outbox,
    ) -> None:
        self._peer = peer
        self._guest = guest
        self._backend = backend
        self._bounds = bounds
        self._turns = turns
        self._report = report
        self._outbox = outbox
        self._lines = jsonrpc.Lines(bounds.line)
        self._running: set[RequestId] = set()
        self._idle = trio.Event()

    async def listen(self) -> None:
        """Read requests until the peer has no more; return when all are answered, or when nobody waits for that."""
        async with trio.open_nursery() as nursery:
            deadline = trio.current_time() + self._bounds.first_byte
            while True:
                data = b""
                with trio.move_on_at(deadline) as patience:
                    try:
                        data = await self._peer.receive(_CHUNK)
                    except OSError:
                        nursery.cancel_scope.cancel()
                        return
                if patience.cancelled_caught:
                    self._complain(Refusal("too-slow", "no complete request came in time"))
                    break
                if not data:
                    break
                had_begun = self._lines.pending > 0
                lines = self._lines.feed(data)
                for line in lines:
                    self._take(line, nursery)
                if self._lines.overlong:
                    self._malformed(
                        Malformed(jsonrpc.PARSE_ERROR, f"line longer than {self._bounds.line} bytes", self._bounds.line)
                    )
                    break
                if not self._lines.pending:
                    deadline = float("inf")
                elif lines or not had_begun:
                    deadline = trio.current_time() + self._bounds.line_time
            await self._last_answers()
            nursery.cancel_scope.cancel()

    async def _last_answers(self) -> None:
        """The peer may have closed only its own direction, and still wait for what it asked."""
        while not _is_gone(self._peer):
            with trio.move_on_after(_LOOK_AGAIN):
                while self._running:
                    await self._idle.wait()
                await self._outbox.empty()
                return

    def _take(self, line: bytes, nursery: trio.Nursery) -> None:
        request = parse(line)
        if isinstance(request, Malformed):
            self._malformed(request)
        elif request.id in self._running:
            text = f"a request with the id {request.id!r} is still in flight"
            self._malformed(Malformed(jsonrpc.INVALID_REQUEST, text, None, request.id))
        elif len(self._running) >= self._bounds.requests:
            text = f"more than {self._bounds.requests} requests in flight"
            self._complain(Refusal("busy", text, "wait for an answer first"), request.id)
        else:
            self._running.add(request.id)
            nursery.start_soon(self._answer, request)

    async def _answer(self, request: Request) -> None:
        try:
            await self._turn()
            line, fd = await self._perform(request)
            self._outbox.add(line, fd)
        finally:
            self._running.discard(request.id)
            if not self._running:
                self._idle.set()
                self._idle = trio.Event()

    async def _turn(self) -> None:
        while True:
            await self._outbox.room()
            async with self._turns:
                pass
            if self._outbox.has_room:
                return

    async def _perform(self, request: Request) -> tuple[bytes, int]:
        """The answer's line, and the fd that goes along or -1."""
        route = ROUTES.get(request.method)
        if route is None:
            text = f"no method is called {request.method[:80]!r}"
            return failure_line(request.id, Refusal("unknown-method", text), jsonrpc.UNKNOWN_METHOD), -1
        if not permits(self._guest.access, route.access):
            return failure_line(request.id, _not_permitted(route)), -1
        parameters = read(route.parameters, request.params)
        if isinstance(parameters, Unreadable):
            refusal = Refusal("usage", f"{route.name}: {parameters.text}")
            return failure_line(request.id, refusal, jsonrpc.INVALID_PARAMS), -1
        return await self._guarded(request, route, parameters)

    async def _guarded(self, request: Request, route: Route, parameters: Record) -> tuple[bytes, int]:
        def notify(method: str, params: Document) -> None:
            self._outbox.note(request.id, method, params)

        try:
            answer = await route.perform(Context(self._backend, notify, self._guest.uid), parameters)
            if isinstance(answer, Answer):
                lost = self._outbox.take_lost(request.id)
                result = {**answer.result, "lost": lost} if lost else answer.result
                return jsonrpc.result(request.id, result), answer.fd
        except Exception as error:  # a bug of ours must not end the other requests, nor show its inside to a peer
            self._report(f"control: {route.name} failed inside: {type(error).__name__}: {error}")
            refusal = Refusal("internal", "internal error, see the log of pidone", "pidone logs pidone")
            return failure_line(request.id, refusal, jsonrpc.INTERNAL), -1
        return failure_line(request.id, answer), -1

    def _malformed(self, what: Malformed) -> None:
        position = {} if what.position is None else {"position": what.position}
        self._outbox.add(jsonrpc.failure(what.id, what.number, what.message, {"code": "malformed", **position}))

    def _complain(self, refusal: Refusal, request_id: RequestId | None = None) -> None:
        self._outbox.add(failure_line(request_id, refusal))


def _not_permitted(route: Route) -> Refusal:
    return Refusal(
        "refused",
        f"{route.name} needs {route.access} access, and you may only look",
        "ask as root, as pidone's own user, or be listed in system.control.admin",
    )


def _is_gone(peer: Stream) -> bool:
    """Whether both directions are closed: POLLHUP comes when nobody can read our answers any more (poll(2))."""
    look = select.poll()
    look.register(peer.fileno(), 0)
    return any(happened & (select.POLLHUP | select.POLLERR) for _, happened in look.poll(0))
