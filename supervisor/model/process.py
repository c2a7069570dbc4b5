"""What is known of a process? How it ended, why it could not be started, who it was."""

from __future__ import annotations

from typing import Literal, TypeAlias

from supervisor.model.record import Record

__all__ = ["Exit", "Result", "Role", "SpawnFailure"]

Role: TypeAlias = Literal["main", "stop"]
"""Which of a run's own processes: the main one, or the one `stop.command` made."""

Result: TypeAlias = Literal["success", "exit-code", "signal", "core-dump", "timeout", "exec-failed", "resources"]
"""How a run ended, in systemd's words ($SERVICE_RESULT, systemd.exec(5))."""


class Exit(Record):
    """How a process ended: exactly one of `code` and `signal` is set (waitid(2))."""

    code: int | None = None
    signal: int | None = None
    core: bool = False


class SpawnFailure(Record):
    """Why a process could not be started: the step that failed and its errno.

    `ours` is true for a fault that is not the service's: no process, memory or file descriptor to be had.
    """

    stage: str
    """What was tried: fork, session, cgroup, limits, stdin, working_dir, umask, groups, user, exec …"""
    errno: int
    subject: str = ""
    """The path, name or number it was tried with."""
    ours: bool = False
    text: str = ""
    """The errno in words (strerror(3)): the room that has the number has the words."""
    cancelled: bool = False
    """It was not tried: the service was asked to stop before its turn came."""
