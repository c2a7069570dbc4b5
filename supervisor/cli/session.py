"""How does a command reach its world? By what was typed and what the environment says."""

from __future__ import annotations

import os
import sys

from supervisor.cli.output import look_of
from supervisor.client.call import Caller
from supervisor.client.find import find

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supervisor.cli.output import Look
    from supervisor.cli.parse import Asked

__all__ = ["address", "every_number", "numbers_here", "open_caller", "stderr_look", "stdout_look"]


def open_caller(asked: Asked) -> Caller:
    """A connection to the world that is meant. Raises Trouble."""
    options = asked.options
    peer = find(options.get("socket", ""), options.get("name", ""), os.environ)
    return Caller(peer, options.get("timeout"))


def address(asked: Asked) -> str:
    """`pidone`, with the words that say which world, for hints that can be typed as they stand."""
    words = ["pidone"]
    for key in ("socket", "name"):
        if asked.options.get(key):
            words += [f"--{key}", asked.options[key]]
    return " ".join(words)


def stdout_look(asked: Asked) -> Look:
    return look_of(sys.stdout, asked.options.get("color", ""), os.environ)


def stderr_look(asked: Asked) -> Look:
    return look_of(sys.stderr, asked.options.get("color", ""), os.environ)


def numbers_here(caller: Caller, pid_ns: int, pids: Sequence[int | None]) -> Mapping[int | None, int | None] | None:
    """The numbers that we see for these processes of the caller's world; None when we are in the same namespace and see the
    same ones."""
    from supervisor.inspect.elsewhere import our_pid_ns, pids_here

    if our_pid_ns() in (0, pid_ns):
        return None
    here = pids_here(pid_ns, [pid for pid in pids if pid is not None], caller.peer_pid())
    return {pid: here.get(pid) if pid is not None else None for pid in pids}


def every_number(host_pid: int | None, ns_pids: Sequence[int]) -> list[int]:
    """A process' number in every namespace that sees it, from the outermost that we see to its own. `host_pid` is ours for it,
    `ns_pids` are those of its world and below."""
    from supervisor.inspect.elsewhere import numbers_of

    if host_pid is None:
        return list(ns_pids)
    seen = numbers_of(host_pid)
    return seen if seen[len(seen) - len(ns_pids) :] == list(ns_pids) else [host_pid, *ns_pids]
