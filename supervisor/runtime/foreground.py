"""Whose turn is it at our terminal, while a command is in our foreground? Its, until it ends; then ours again.

Rules: what is typed goes to the command, Ctrl-C and Ctrl-Z included. We are never stopped, for the services are ours to look
after; so a command that was stopped with Ctrl-Z goes on at once: nobody else would continue it. Where the shell that started us
put all of us in the background, and brings us back, the command comes to the front with us.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from supervisor.kernel.reap import stopped_by
from supervisor.kernel.terminal import bring_to_front, controlling_terminal, foreground_group, retake, tell_group
from supervisor.model.effect import Edge
from supervisor.model.signals import SIGCONT, signal_number
from supervisor.model.words import ServiceName

__all__ = ["Foreground"]

_SIGTSTP = signal_number("SIGTSTP")
_NO_TERMINAL = -1


class Foreground:
    """Our session's terminal and the command that has it."""

    def __init__(self, command: ServiceName | None, leader: Callable[[], int]) -> None:
        """`command`: the service that is one, if there is. `leader`: the number of its main process, 0 while there is none."""
        terminal = None if command is None else controlling_terminal()
        self._terminal = _NO_TERMINAL if terminal is None else terminal
        self._command = command
        self._leader = leader
        self._us = os.getpgrp()
        self._lent = 0

    def heard(self, edge: Edge) -> None:
        """What becomes of the services."""
        if edge.service == self._command:
            if edge.to in ("starting", "running"):
                self._lent = self._leader() or self._lent
            elif not self._leader():
                self.retake()

    def child_changed(self) -> None:
        """SIGCHLD has come."""
        leader = self._leader() if self._terminal != _NO_TERMINAL else 0
        if leader and stopped_by(leader) == _SIGTSTP:
            tell_group(leader, SIGCONT)

    def continued(self) -> None:
        """SIGCONT has come: the shell's `fg`, or `bg`."""
        leader = self._leader() if self._terminal != _NO_TERMINAL else 0
        if leader:
            if foreground_group(self._terminal) == self._us:
                bring_to_front(self._terminal, leader)
            tell_group(leader, SIGCONT)

    def retake(self) -> None:
        """The command has ended, or all of us do."""
        if self._terminal != _NO_TERMINAL:
            retake(self._terminal, self._us, self._lent)
