"""What does the control socket ask of the world behind it? The one interface between who asks and what happens.

The runtime implements it; `tests/unit/control/backend.py` does in memory. Everything that crosses it is plain data: mappings
of texts, numbers, lists and None, as they go over the wire. Names have been checked by `choose` before they come back here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

__all__ = ["Backend", "Chosen", "Document", "Standing", "Verb"]

Document: TypeAlias = Mapping[str, Any]  # Any: JSON, which Python's types cannot say
"""A JSON object."""

Verb: TypeAlias = Literal["start", "stop", "restart", "kill", "shutdown"]


# Plain tuples: the runtime, which may not import this, answers with records of its own of the same shape.
Chosen: TypeAlias = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""What words of an operator (`web`, `@group`) mean: the names, in the order of definition and each once; and each word that
means nothing, with the nearest one that does or ""."""
Standing: TypeAlias = tuple[str, bool, str, str]
"""Where a service is, cheaply: its phase, whether it is running and ready or done, code and text of its reason."""


class Backend(Protocol):
    name: str
    """The world's name."""
    version: str
    pid: int
    """Our own, as we see it."""
    pid_ns: int
    """Inode of /proc/self/ns/pid."""

    def status(self, names: Sequence[str], brief: bool = False) -> Document:
        """Everything `status --json` prints, with these services; `brief`: of each only what a table shows.

        Keys: schema, version, pid, state, pid_ns, name, uptime, orphans {adopted, reaped, alive}, services. A service has
        name, phase, ready, health, wanted, reason {code, text}, since, run, restarts, pid, processes, last_exit,
        status_text, next_start, defined_at, cpu_seconds, memory_bytes as CLI.md says, and for people
        description (text), type (text), ready_by (how readiness is seen: `tcp 127.0.0.1:80`, or null),
        groups ([name]), needs ([{name, condition, required}]), needed_by ([name]), after ([name]).
        """

    def status_code(self, names: Sequence[str]) -> int:
        """The exit status of `status` for these: 1 something has failed, 3 something is on its way or in trouble, 0 else."""

    def choose(self, words: Sequence[str], everything: bool) -> Chosen:
        """The services these words mean; with `everything` all of them, whatever the words."""

    def standing(self, name: str) -> Standing:
        """Where this service is now. No system call."""

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
        """Ask the world for a change, on behalf of this user. `dependents` belongs to stop, `signal` and `main_only` to kill;
        names of shutdown are ().

        With `wait` it returns when the ticket has ended, else at once; being cancelled ends the waiting, not the change.
        Answers {ticket: number, verdict, code, text, service, also: [name]} as in model.request.Outcome; the verdict of
        a ticket still open is `pending`. An answer the world gave before it returned is never `pending`. The ticket of a
        shutdown ends when the shutdown has begun.
        """

    def processes(self) -> Sequence[Document]:
        """The rows of `ps --json`: {pid, ppid, service, role, comm, args, state, uid, ns_pids}."""

    def why(self, name: str) -> Document:
        """Why this service is where it is: the document of `why --json`. No system call but to reap who has ended."""

    def show(self, name: str) -> Document:
        """Everything known of this service, but nothing secret: the document of `show --json`."""

    def graph(self) -> Document:
        """Who needs whom, and in which order: the document of `graph --json`."""

    def events(self, after: int) -> Document:
        """{events: what is remembered of what has happened after so many events, the oldest first; count: how many there have
        been}."""

    def follow(self, told: Callable[[Document], None]) -> Callable[[], None]:
        """From now on call `told` with every event, synchronously; it returns at once and raises nothing. Returns what ends
        that; calling it twice is harmless."""

    def log_stream(self, parameters: Document) -> int:
        """A file descriptor from which the lines asked for can be read; the caller owns it. Raises OSError.

        Parameters: {services: [name] (empty for all), lines: number of old lines or null for all there are, follow: bool,
        since: seconds since 1970 or null, grep: regular expression or null}. The name `pidone` means our own messages.
        """

    def subscribe(self, changed: Callable[[Document], None]) -> Callable[[], None]:
        """From now on call `changed` with every edge, in order, synchronously after the step that took it; it returns at
        once and raises nothing. An edge: {at, kind: "edge", service, run, from, to, reason: {code, text}}, from is null for
        a service that is new. Returns what ends the subscription; calling it twice is harmless.
        """
