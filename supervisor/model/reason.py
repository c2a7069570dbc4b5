"""Why is a service where it is, and what would change that? Two closed tables of codes per phase, with the sentences people
read.

A sentence is a format string over named texts. A reason carries the finished text of the first table, so that every view says
the same; what would change it depends on the moment, and is told when somebody asks (`core/why`).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.record import Record

__all__ = ["CURES", "REASONS", "Phase", "Reason"]

Phase: TypeAlias = Literal["inactive", "waiting", "starting", "running", "stopping", "backoff", "done", "failed"]


class Reason(Record):
    code: str
    """From REASONS, stable."""
    text: str
    """A sentence, without a full stop; may improve."""


REASONS: dict[Phase, dict[str, str]] = {
    "inactive": {
        "not-wanted": "nothing wants it",
        "operator": "stopped by operator",
        "shutdown": "the world is shutting down",
    },
    "waiting": {
        "dependency": "{other}: waits until it is {condition}",
        "dependency-stopped": "{other} stopped by operator",
        "dependency-failed": "{other} failed",
        "order": "starts after {other}",
        "no-resources": "{how}; tries again by itself",
    },
    "starting": {
        "exec": "its program is being executed",
        "probe": "waits for {probe}",
    },
    "running": {
        "started": "its program runs",
        "ready": "it is ready",
        "job": "its job runs",
    },
    "stopping": {
        "operator": "asked to stop by operator",
        "restart": "asked to restart by operator",
        "shutdown": "the world is shutting down",
        "dependency": "{other} goes down",
        "not-needed": "nothing needs it any more",
        "start-timeout": "not {verb} within {timeout}",
        "leftovers": "its main process ended ({how}); the rest of the run is being stopped",
        "unkillable": "does not die of SIGKILL",
        "kill-disabled": "outlived its stop.timeout of {timeout}, and stop.kill is false",
    },
    "backoff": {
        "exit": "{how}; starts again after a pause of {delay}",
        "timeout": "{how}; starts again after a pause of {delay}",
        "exec-failed": "{how}; starts again after a pause of {delay}",
    },
    "done": {
        "success": "ended successfully",
    },
    "failed": {
        "exit": "{how}; restart policy is {policy}",
        "timeout": "{how}; restart policy is {policy}",
        "exec-failed": "{how}; restart policy is {policy}",
        "limit": "{how}; gave up: limit of {count} restarts in {within}",
    },
}

_START = "`pidone start {name}` starts it, and so does a start of a service that requires it"
_DAEMON = "it runs until it ends or is stopped; when it ends by itself, {follows}"
_DOWN = "{asked}; when nothing of it is left, {then}"
_PAUSE = "it starts by itself in {left}, `pidone start {name}` starts it now"
_MORE_TIME = "a longer start_timeout (now {timeout}) would give it more time"
_SAID = "`pidone logs {name}` shows what it said"

CURES: dict[Phase, dict[str, str]] = {
    "inactive": {
        "not-wanted": _START,
        "operator": _START,
        "shutdown": "nothing: the world is ending ({by}), and nothing starts any more",
    },
    "waiting": {
        "dependency": "it starts by itself as soon as {other} is {condition}",
        "dependency-stopped": "`pidone start {other}` brings both up, and so does `pidone start {name}`",
        "dependency-failed": "it starts by itself as soon as {other} is {condition}; `pidone start {name}` tries {other} again, "
        "too",
        "order": "it starts by itself as soon as {other} is no longer on its way up or down",
        "no-resources": "it tries again by itself in {left}; room for processes, memory or open files would help (`ulimit -a`, the "
        "limits of the container)",
    },
    "starting": {
        "exec": "it goes on by itself as soon as its program is executed{deadline}",
        "probe": "it is running as soon as that has come true{deadline}",
    },
    "running": {
        "started": _DAEMON,
        "ready": _DAEMON,
        "job": "it is done when its {command} has ended well{deadline}",
    },
    "stopping": {
        "operator": _DOWN,
        "restart": _DOWN,
        "shutdown": _DOWN,
        "dependency": _DOWN,
        "not-needed": _DOWN,
        "start-timeout": f"{_DOWN}; {_MORE_TIME}",
        "leftovers": _DOWN,
        "unkillable": "a process of it sleeps in the kernel, most often for a disk or a network file system that does not answer; "
        "when it wakes up it ends, and {then}",
        "kill-disabled": "`pidone kill {name} -s KILL` sends SIGKILL, `stop: {{kill: true}}` would have; when nothing of it is left, "
        "{then}",
    },
    "backoff": {
        "exit": f"{_PAUSE}; {_SAID}",
        "timeout": f"{_PAUSE}; {_MORE_TIME}",
        "exec-failed": f"{_PAUSE}; the reason names what has to be repaired",
    },
    "done": {
        "success": "`pidone restart {name}` runs it again",
    },
    "failed": {
        "exit": f"`pidone start {{name}}` tries again; {_SAID}; {{instead}}",
        "timeout": f"`pidone start {{name}}` tries again; {_MORE_TIME}; {{instead}}",
        "exec-failed": "`pidone start {name}` tries again when that has been repaired; {instead}",
        "limit": f"`pidone start {{name}}` tries again with its counters reset; {_SAID}; a larger restart.limit, or none, "
        "would go on",
    },
}
"""What would change it, for each reason."""
