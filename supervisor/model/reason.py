"""Why is a service where it is? One closed table of codes per phase, each with the sentence people read.

A sentence is a format string over named texts; the reason carries the finished text, so that every view says the same.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.record import Record

__all__ = ["REASONS", "Phase", "Reason"]

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
        "start-timeout": "not ready within {timeout}",
        "leftovers": "its main process ended ({how}); the rest of the run is being stopped",
        "unkillable": "does not die of SIGKILL",
        "kill-disabled": "outlived its stop.timeout of {timeout}, and stop.kill is false",
    },
    "backoff": {
        "exit": "{how}; next start in {delay}",
        "timeout": "{how}; next start in {delay}",
        "exec-failed": "{how}; next start in {delay}",
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
