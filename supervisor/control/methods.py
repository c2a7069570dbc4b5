"""What does each method do? It chooses the services that are meant, asks the backend, and gives a plain answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias, TypeVar

import trio

from supervisor.control.parameters import (
    ChangeParameters,
    EventsParameters,
    KillParameters,
    LogsParameters,
    NoParameters,
    ServiceParameters,
    ShutdownParameters,
    StatusParameters,
    StopParameters,
    WaitParameters,
)
from supervisor.control.port import Backend, Document, Verb
from supervisor.control.waiting import judge
from supervisor.model.record import Record
from supervisor.model.signals import signal_number
from supervisor.wire.jsonrpc import SCHEMA

__all__ = ["OUR_OWN", "Answer", "Context", "Method", "Refusal"]

OUR_OWN = "pidone"
"""The name under which our own messages stand among the services' lines."""

_NAMED = 5  # services of a group, in a hint

_P = TypeVar("_P", bound=Record, contravariant=True)


class Context(NamedTuple):
    """What a method may use besides its parameters."""

    backend: Backend
    notify: Callable[[str, Document], None]
    """Send a notification that belongs to this request. Never waits."""
    uid: int
    """Of who asks."""


class Answer(NamedTuple):
    result: Document
    fd: int = -1
    """Sent along and then closed by the server; -1 for none."""


class Refusal(NamedTuple):
    """An error of the application: `code` is stable."""

    code: str
    text: str
    hint: str = ""
    more: Document = {}


Method: TypeAlias = Callable[[Context, _P], Awaitable[Answer | Refusal]]


async def version(context: Context, parameters: NoParameters) -> Answer:
    backend = context.backend
    return Answer(
        {
            "schema": SCHEMA,
            "name": backend.name,
            "version": backend.version,
            "pid": backend.pid,
            "pid_ns": backend.pid_ns,
        }
    )


async def status(context: Context, parameters: StatusParameters) -> Answer | Refusal:
    backend = context.backend
    names = _choose(backend, parameters.names, everything=not parameters.names)
    if isinstance(names, Refusal):
        return names
    return Answer({**backend.status(names, parameters.brief), "exit_code": backend.status_code(names)})


async def ps(context: Context, parameters: NoParameters) -> Answer:
    backend = context.backend
    return Answer({"schema": SCHEMA, "pid_ns": backend.pid_ns, "processes": list(backend.processes())})


async def why(context: Context, parameters: ServiceParameters) -> Answer | Refusal:
    name = _one(context.backend, parameters.name)
    return name if isinstance(name, Refusal) else Answer(context.backend.why(name))


async def show(context: Context, parameters: ServiceParameters) -> Answer | Refusal:
    name = _one(context.backend, parameters.name)
    return name if isinstance(name, Refusal) else Answer(context.backend.show(name))


async def graph(context: Context, parameters: NoParameters) -> Answer:
    return Answer(context.backend.graph())


async def events(context: Context, parameters: EventsParameters) -> Answer:
    """Following has no result: it ends with the connection."""
    backend, after = context.backend, parameters.after or 0
    if not parameters.follow:
        return Answer({"schema": SCHEMA, **backend.events(after)})
    unsubscribe = backend.follow(lambda event: context.notify("event", event))
    try:
        for event in backend.events(after)["events"]:
            context.notify("event", event)
        await trio.sleep_forever()
    finally:
        unsubscribe()


async def start(context: Context, parameters: ChangeParameters) -> Answer | Refusal:
    return await _change(context, "start", parameters.names, parameters.all, parameters.wait, parameters.progress)


async def restart(context: Context, parameters: ChangeParameters) -> Answer | Refusal:
    return await _change(context, "restart", parameters.names, parameters.all, parameters.wait, parameters.progress)


async def stop(context: Context, parameters: StopParameters) -> Answer | Refusal:
    return await _change(
        context,
        "stop",
        parameters.names,
        parameters.all,
        parameters.wait,
        parameters.progress,
        dependents=parameters.dependents,
    )


async def kill(context: Context, parameters: KillParameters) -> Answer | Refusal:
    number = signal_number(parameters.signal)
    return await _change(
        context, "kill", parameters.names, parameters.all, True, False, signal=number, main_only=parameters.main
    )


async def shutdown(context: Context, parameters: ShutdownParameters) -> Answer | Refusal:
    with _progress(context, parameters.progress):
        return Answer({**await context.backend.submit("shutdown", (), uid=context.uid), "names": []})


async def wait(context: Context, parameters: WaitParameters) -> Answer | Refusal:
    """Looks again at who has moved, after every transition, until all are there or one of them will never be."""
    backend = context.backend
    names = _some(backend, parameters.names, parameters.all)
    if isinstance(names, Refusal):
        return names
    moved, away = dict.fromkeys(names), set(names)
    changed = trio.Event()

    def wake(edge: Document) -> None:
        if edge["service"] in meant:
            moved[edge["service"]] = None
            changed.set()

    meant = frozenset(names)
    unsubscribe = backend.subscribe(wake)
    try:
        while True:
            for name in moved:
                standing = phase, _, code, text = backend.standing(name)
                verdict = judge(standing, parameters.target)
                if verdict == "never":
                    found = {"verdict": "failed", "service": name, "code": code, "text": text}
                    return Answer({**found, "phase": phase, "names": list(names)})
                (away.discard if verdict == "there" else away.add)(name)
            if not away:
                return Answer({"verdict": "done", "service": "", "code": "", "text": "", "names": list(names)})
            moved.clear()
            await changed.wait()
            changed = trio.Event()
    finally:
        unsubscribe()


async def logs(context: Context, parameters: LogsParameters) -> Answer | Refusal:
    ours = OUR_OWN in parameters.names
    words = [word for word in parameters.names if word != OUR_OWN]
    chosen = _choose(context.backend, words, everything=False)
    if isinstance(chosen, Refusal):
        return chosen
    names = [*chosen, OUR_OWN] if ours else list(chosen)
    if parameters.names and not names:
        return Refusal("unknown-service", "no service is meant", "pidone status")
    asked = {
        "services": names,
        "lines": parameters.lines,
        "follow": parameters.follow,
        "since": parameters.since,
        "grep": parameters.grep,
    }
    try:
        fd = context.backend.log_stream(asked)
    except OSError as error:
        return Refusal("no-logs", f"the logger cannot be asked: {error.strerror or error}", "try again in a moment")
    return Answer({"names": names}, fd)


async def _change(
    context: Context,
    verb: Verb,
    words: Sequence[str],
    everything: bool,
    wait: bool,
    progress: bool,
    **options: Any,  # Any: bool and int, as Backend.submit declares them
) -> Answer | Refusal:
    names = _some(context.backend, words, everything)
    if isinstance(names, Refusal):
        return names
    with _progress(context, progress):
        outcome = await context.backend.submit(verb, names, wait=wait, uid=context.uid, **options)
    return Answer({**outcome, "names": list(names)})


@contextmanager
def _progress(context: Context, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    unsubscribe = context.backend.subscribe(lambda edge: context.notify("progress", edge))
    try:
        yield
    finally:
        unsubscribe()


def _some(backend: Backend, words: Sequence[str], everything: bool) -> tuple[str, ...] | Refusal:
    """The services meant, at least one unless all of none were asked for."""
    if everything and words:
        return Refusal("usage", "either names or all, not both")
    names = _choose(backend, words, everything)
    if names or everything:
        return names
    return Refusal("usage", "no service is named", "name one, a @group, or use --all")


def _one(backend: Backend, word: str) -> str | Refusal:
    """The one service meant."""
    names = _choose(backend, [word], everything=False)
    if isinstance(names, Refusal):
        return names
    if len(names) != 1:
        return Refusal("usage", f"{word} means {len(names)} services", f"name one of them: {', '.join(names[:_NAMED])}")
    return names[0]


def _choose(backend: Backend, words: Sequence[str], everything: bool) -> tuple[str, ...] | Refusal:
    names, unknown = backend.choose(words, everything)
    if not unknown:
        return names
    word, suggestion = unknown[0]
    others = len(unknown) - 1
    text = f"no service or group is called {word!r}" + (f" (and {others} more)" if others else "")
    return Refusal(
        "unknown-service",
        text,
        f"did you mean {suggestion!r}?" if suggestion else "pidone status lists the services",
        {"unknown": [list(pair) for pair in unknown]},
    )
