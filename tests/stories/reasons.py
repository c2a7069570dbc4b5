"""How does a service come to each place where it can be, and what is told there? One scene per reason of the closed tables.

A scene ends when the service stands where it says; then `why` is asked. `says` are the pieces that matter, as a person reads
them: what happened, what is waited for, what would change it.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from supervisor.model.event import StopAsked
from supervisor.model.process import SpawnFailure
from supervisor.model.reason import Phase
from supervisor.model.record import replace
from supervisor.model.spec import DependencySpec, ReadySpec, RestartLimitSpec, RestartSpec, StopSpec
from supervisor.model.words import Seconds, ServiceName
from tests.stories.stage import NEVER_AGAIN, Stage

__all__ = ["SCENES", "Scene"]

NEVER_READY = ReadySpec(log="never")
NO_JITTER = RestartSpec(delay=Seconds(10), jitter=0.0)
DEAF = "ignore:TERM print:up sleep"
UP = ReadySpec(log="up")
"""With DEAF: it is ready when it ignores signals, and not before."""


class Scene(NamedTuple):
    play: Callable[[Stage], Awaitable[None]]
    says: tuple[str, ...]
    service: str = "web"
    after: Callable[[Stage], Awaitable[None]] | None = None
    """What must be done so that the world can end."""


SCENES: dict[tuple[Phase, str], Scene] = {}


def _scene(
    phase: Phase, code: str, *says: str, service: str = "web", after: Callable[[Stage], Awaitable[None]] | None = None
) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    def keep(play: Callable[[Stage], Awaitable[None]]) -> None:
        assert (phase, code) not in SCENES
        SCENES[phase, code] = Scene(play, says, service, after)

    return keep


def _needs(*names: str, condition: str = "ready") -> Mapping[ServiceName, DependencySpec]:
    return {ServiceName(name): DependencySpec(condition) for name in names}  # type: ignore[arg-type]


async def _file_systems_answer(stage: Stage) -> None:
    stage.fake.go_on()
    stage.fake.signal(stage.main_pid("web"), -1, signal.SIGKILL)


# --- inactive


@_scene("inactive", "not-wanted", "nothing wants it", "`pidone start web` starts it", "a service that requires it")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", enabled=False))


@_scene("inactive", "operator", "running → stopping", "stopped by operator", "`pidone start web` starts it")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")
    await stage.operator.submit("stop", ["web"])


@_scene("inactive", "shutdown", "stopping → inactive", "the world is ending (SIGTERM), and nothing starts any more")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"), stage.service("slow", DEAF, ready=UP))
    await stage.until_phase("slow", "running")
    stage.runtime.loop.feed(StopAsked("SIGTERM"))
    await stage.until_phase("web", "inactive")


# --- waiting


@_scene(
    "waiting",
    "dependency",
    "app: waits until it is ready",
    "app, until it is ready",
    "db, until it is completed",
    "exit status 1; starts again after a pause of 10s (in ",
    ") ← the cause",
    "it starts by itself as soon as app is ready",
    "db: it starts by itself in 9s, `pidone start db` starts it now",
)
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "sleep", depends_on=_needs("app")),
        stage.service("app", "sleep", depends_on=_needs("db", condition="completed")),
        stage.service("db", "exit:1", restart=NO_JITTER),
    )
    await stage.until_phase("db", "backoff")
    await stage.let_pass(1.0)


@_scene(
    "waiting",
    "dependency-stopped",
    "db stopped by operator",
    "app, until it is ready",
    "db, until it is ready",
    "`pidone start db` brings both up, and so does `pidone start web`",
    "db: `pidone start db` starts it",
)
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "sleep", depends_on=_needs("app")),
        stage.service("app", "sleep", depends_on=_needs("db")),
        stage.service("db", "sleep"),
    )
    await stage.until_phase("web", "running")
    await stage.operator.submit("stop", ["db"])


@_scene(
    "waiting",
    "dependency-failed",
    "db failed",
    "exit status 1; restart policy is never",
    "← the cause",
    "it starts by itself as soon as db is ready; `pidone start web` tries db again, too",
    "db: `pidone start db` tries again; `pidone logs db` shows what it said",
)
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "sleep", depends_on=_needs("db")),
        stage.service("db", "exit:1", restart=NEVER_AGAIN, ready=NEVER_READY),
    )
    await stage.until_phase("db", "failed")


@_scene(
    "waiting",
    "order",
    "starts after log",
    "log, until it is no longer on its way",
    "it starts by itself as soon as log is no longer on its way up or down",
    "log: it is running as soon as that has come true; if not, this attempt ends in 1m (start_timeout: 1m)",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", after=("log",)), stage.service("log", "sleep", ready=NEVER_READY))
    await stage.until(lambda: stage["log"].state.reason.code == "probe")


@_scene(
    "waiting",
    "no-resources",
    "fork: Resource temporarily unavailable; tries again by itself",
    "it tries again by itself in 100ms",
)
async def _(stage: Stage) -> None:
    refusal = SpawnFailure("fork", errno.EAGAIN, ours=True, text="Resource temporarily unavailable")
    stage.fake.refusals = [refusal]
    stage.begin(stage.service("web", "sleep"))
    while stage.phase("web") != "waiting":
        await stage.let_pass(0)


# --- starting


@_scene(
    "starting",
    "exec",
    "its program is being executed",
    "it goes on by itself as soon as its program is executed; if not, this attempt ends in 50s (start_timeout: 1m)",
    after=_file_systems_answer,
)
async def _(stage: Stage) -> None:
    stage.fake.hanging = {"/nfs"}
    stage.begin(stage.service("web", "sleep", way="safe", working_dir="/nfs"))
    await stage.let_pass(10)


@_scene(
    "starting",
    "probe",
    "waits for 1m30s to pass",
    "it is running as soon as that has come true; it waits for that as long as it takes (start_timeout: none)",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", ready=ReadySpec(after=Seconds(90)), start_timeout=None))
    await stage.until(lambda: stage["web"].state.reason.code == "probe")


# --- running


@_scene("running", "started", "its program runs", "when it ends by itself, it is started again (restart: always)")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep"))
    await stage.until_phase("web", "running")


@_scene(
    "running",
    "ready",
    "waits for log up",
    "running, ready",
    "it is started again unless it ended well (restart: on-failure)",
    "worker, until it has ended",
)
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "print:up sleep", ready=UP, restart=RestartSpec("on-failure")),
        stage.service("worker", "sleep", depends_on=_needs("web", condition="ended")),
    )
    await stage.until_phase("web", "running")


@_scene("running", "job", "its job runs", "it is done when its last command has ended well")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", "exit:0", type="oneshot", restart=NEVER_AGAIN, start_timeout=None))
    await stage.until_phase("web", "running")


# --- stopping


@_scene(
    "stopping",
    "operator",
    "asked to stop by operator",
    "SIGTERM was sent, SIGKILL follows in 6s; when nothing of it is left, it is inactive",
    "db, until it has stopped",
)
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service("web", DEAF, ready=UP, depends_on=_needs("db")),
        stage.service("db", "sleep"),
    )
    await stage.until_phase("web", "running")
    await stage.operator.submit("stop", ["web", "db"], wait=False)
    await stage.let_pass(4)


@_scene("stopping", "restart", "asked to restart by operator", "when nothing of it is left, it starts again")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", DEAF, ready=UP))
    await stage.until_phase("web", "running")
    await stage.operator.submit("restart", ["web"], wait=False)


@_scene(
    "stopping",
    "shutdown",
    "the world is shutting down",
    "SIGTERM was sent",
    "it stays down: the world is ending (SIGTERM)",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", DEAF, ready=UP))
    await stage.until_phase("web", "running")
    stage.runtime.loop.feed(StopAsked("SIGTERM"))


@_scene(
    "stopping",
    "dependency",
    "db goes down",
    "SIGINT was sent",
    "it waits for what it needs to come back",
    "db, until it has stopped",
)
async def _(stage: Stage) -> None:
    words = "ignore:INT print:up sleep"
    stage.begin(
        stage.service("web", words, ready=UP, depends_on=_needs("db"), stop=StopSpec("SIGINT")),
        stage.service("db", "sleep"),
    )
    await stage.until_phase("web", "running")
    await stage.operator.submit("stop", ["db"], wait=False)


@_scene("stopping", "not-needed", "nothing needs it any more", "it is inactive", service="db")
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service("web", "sleep", depends_on=_needs("db")), stage.service("db", DEAF, ready=UP, enabled=False)
    )
    await stage.until_phase("web", "running")
    await stage.operator.submit("stop", ["web"])


@_scene(
    "stopping",
    "start-timeout",
    "not finished within 1s",
    "SIGTERM was sent",
    "it has failed (restart: never); a longer start_timeout (now 1s) would give it more time",
)
async def _(stage: Stage) -> None:
    stage.begin(
        stage.service(
            "web", "ignore:TERM sleep", type="oneshot", start_timeout=Seconds(1), restart=NEVER_AGAIN, stop=StopSpec()
        )
    )
    await stage.until_phase("web", "stopping")


@_scene(
    "stopping",
    "leftovers",
    "its main process ended (exit status 1)",
    "SIGTERM was sent to what is left, SIGKILL follows in 10s",
    "it starts again after a pause (restart: always)",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "daemon:ignore:TERM,sleep exit:1"))
    await stage.until_phase("web", "stopping")


@_scene(
    "stopping",
    "unkillable",
    "does not die of SIGKILL",
    "a process of it sleeps in the kernel",
    "when it wakes up it ends, and it has failed (restart: never)",
    after=_file_systems_answer,
)
async def _(stage: Stage) -> None:
    stage.fake.hanging = {"/nfs"}
    stage.begin(
        stage.service(
            "web",
            "sleep",
            way="safe",
            working_dir="/nfs",
            start_timeout=Seconds(1),
            restart=NEVER_AGAIN,
            stop=StopSpec(timeout=Seconds(1)),
        )
    )
    await stage.until(lambda: stage["web"].state.reason.code == "unkillable")


@_scene(
    "stopping",
    "kill-disabled",
    "outlived its stop.timeout of 2s, and stop.kill is false",
    "`pidone kill web -s KILL` sends SIGKILL, `stop: {kill: true}` would have",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", DEAF, ready=UP, stop=StopSpec(timeout=Seconds(2), kill=False)))
    await stage.until_phase("web", "running")
    await stage.operator.submit("stop", ["web"], wait=False)
    await stage.let_pass(3)


# --- between two attempts


@_scene(
    "backoff",
    "exit",
    "killed by SIGSEGV; starts again after a pause of 10s",
    "it starts by itself in 10s, `pidone start web` starts it now; `pidone logs web` shows what it said",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "signal:SEGV", restart=NO_JITTER))
    await stage.until(lambda: stage.phase("web") == "backoff")


@_scene("backoff", "timeout", "not ready within 1s", "a longer start_timeout (now 1s) would give it more time")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", ready=NEVER_READY, start_timeout=Seconds(1), restart=NO_JITTER))
    await stage.until_phase("web", "backoff")


@_scene("backoff", "exec-failed", "exec /nowhere/at/all: No such file or directory", "what has to be repaired")
async def _(stage: Stage) -> None:
    stage.begin(_again(stage, "web"))
    await stage.until_phase("web", "backoff")


def _again(stage: Stage, name: str):  # type: ignore[no-untyped-def]
    """A program that is not there, tried again and again."""
    planned = stage.missing(name, "fast")
    return replace(planned, spec=replace(planned.spec, restart=NO_JITTER))


# --- at the end


@_scene("done", "success", "running → done", "ended successfully", "`pidone restart web` runs it again")
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "exit:0", type="oneshot", restart=NEVER_AGAIN))
    await stage.until_phase("web", "done")


@_scene(
    "failed",
    "exit",
    "exit status 3; restart policy is never for this end (restart.never_on)",
    "`pidone start web` tries again",
    "restart.never_on names this end",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "exit:3", restart=RestartSpec(never_on=("3",))))
    await stage.until_phase("web", "failed")


@_scene(
    "failed",
    "timeout",
    "not ready within 1s",
    "a longer start_timeout (now 1s)",
    "restart: on-failure would try again by itself, never does not",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.service("web", "sleep", ready=NEVER_READY, start_timeout=Seconds(1), restart=NEVER_AGAIN))
    await stage.until_phase("web", "failed")


@_scene(
    "failed",
    "exec-failed",
    "exec /nowhere/at/all: No such file or directory; restart policy is never",
    "`pidone start web` tries again when that has been repaired",
)
async def _(stage: Stage) -> None:
    stage.begin(stage.missing("web", "fast"))
    await stage.until_phase("web", "failed")


@_scene(
    "failed",
    "limit",
    "gave up: limit of 2 restarts in 1m",
    "restarted 2 times by itself",
    "tries again with its counters reset",
    "a larger restart.limit, or none, would go on",
)
async def _(stage: Stage) -> None:
    limit = RestartLimitSpec(2, Seconds(60))
    stage.begin(stage.service("web", "exit:1", restart=RestartSpec(delay=Seconds(0.1), limit=limit)))
    await stage.until_phase("web", "failed")
