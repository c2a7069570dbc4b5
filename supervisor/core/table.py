"""Which ways can a service go? Every legal transition, when it is taken, and the reasons that may stand on it.

Pure data. The tests hold core to it both ways: no transition is taken that is not here, and each one here is taken
(tests/laws). `docs/states.md` is made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from supervisor.model.effect import Edge
from supervisor.model.reason import CURES, REASONS, Phase

__all__ = ["TABLE", "Way", "every_way", "legal", "page"]


class Way(NamedTuple):
    when: str
    """A sentence that goes on after "it goes this way when"."""
    codes: tuple[str, ...]
    """Reasons that may stand on it: those of the phase it leads to."""


_BLOCKED = ("dependency", "dependency-stopped", "dependency-failed", "order")
_DOWN = ("operator", "not-wanted", "shutdown")
_ASKED = ("operator", "restart", "shutdown", "dependency", "not-needed")

TABLE: Mapping[tuple[Phase, Phase], Way] = {
    ("inactive", "inactive"): Way("the operator stops what was not wanted anyway", ("operator",)),
    ("inactive", "waiting"): Way("it is wanted, and something must be true first", ("dependency", "order")),
    ("inactive", "starting"): Way("it is wanted, and nothing stands in the way", ("exec",)),
    ("waiting", "inactive"): Way("it is not wanted any more", _DOWN),
    ("waiting", "waiting"): Way("what it waits for is another now", _BLOCKED),
    ("waiting", "starting"): Way("what it waited for has come true", ("exec",)),
    ("starting", "inactive"): Way("it ended while it waited to be stopped in its turn", _DOWN),
    ("starting", "waiting"): Way(
        "the machine has nothing for it; or it ended while it waited to be stopped in its turn",
        (*_BLOCKED, "no-resources"),
    ),
    ("starting", "starting"): Way(
        "its program runs and its readiness is looked for; or it ended while it waited to be restarted",
        ("probe", "exec"),
    ),
    ("starting", "running"): Way("it is ready, or has nothing to be ready for", ("started", "ready", "job")),
    ("starting", "stopping"): Way(
        "it is asked to stop, takes too long, or ended and left others behind", (*_ASKED, "start-timeout", "leftovers")
    ),
    ("starting", "backoff"): Way("it ended before it was ready, or could not be executed", ("exit", "exec-failed")),
    ("starting", "done"): Way("it ended well before it was ready", ("success",)),
    ("starting", "failed"): Way(
        "it ended before it was ready, or could not be executed, and that was the last attempt",
        ("exit", "exec-failed", "limit"),
    ),
    ("running", "inactive"): Way("it ended while it waited to be stopped in its turn", _DOWN),
    ("running", "waiting"): Way(
        "the machine has nothing for a job's next command; or it ended while it waited to be stopped in its turn",
        (*_BLOCKED, "no-resources"),
    ),
    ("running", "starting"): Way("it ended while it waited to be restarted", ("exec",)),
    ("running", "stopping"): Way(
        "it is asked to stop, is a job that takes too long, or ended and left others behind",
        (*_ASKED, "start-timeout", "leftovers"),
    ),
    ("running", "backoff"): Way("it ended, and is to start again", ("exit", "exec-failed")),
    ("running", "done"): Way("it ended well, and is not to start again", ("success",)),
    ("running", "failed"): Way("it ended, and is not to start again", ("exit", "exec-failed", "limit")),
    ("stopping", "inactive"): Way("nothing of it is left", _DOWN),
    ("stopping", "waiting"): Way(
        "nothing of it is left, it is still wanted, and something must be true first", (*_BLOCKED, "no-resources")
    ),
    ("stopping", "starting"): Way("nothing of it is left, and it is wanted again", ("exec",)),
    ("stopping", "stopping"): Way("its budgets are used up, and it does not end", ("unkillable", "kill-disabled")),
    ("stopping", "backoff"): Way(
        "nothing is left of a run that ended by itself or took too long", ("exit", "timeout", "exec-failed")
    ),
    ("stopping", "done"): Way("nothing is left of a run that ended well by itself", ("success",)),
    ("stopping", "failed"): Way(
        "nothing is left of a run that ended by itself or took too long, and it is not to start again",
        ("exit", "timeout", "exec-failed", "limit"),
    ),
    ("backoff", "inactive"): Way("it is not wanted any more", _DOWN),
    ("backoff", "waiting"): Way("its pause is over or has lost its point, and something must be true first", _BLOCKED),
    ("backoff", "starting"): Way("its pause is over, or the operator starts it now", ("exec",)),
    ("done", "inactive"): Way("it is not wanted any more", ("operator", "not-wanted")),
    ("done", "waiting"): Way("it is wanted again, and something must be true first", _BLOCKED),
    ("done", "starting"): Way("it is wanted again", ("exec",)),
    ("done", "stopping"): Way("it is undone, or what it left behind is stopped", _ASKED),
    ("failed", "inactive"): Way("the operator stops it", ("operator",)),
    ("failed", "waiting"): Way("the operator starts it, and something must be true first", ("dependency", "order")),
    ("failed", "starting"): Way("the operator starts it", ("exec",)),
}


def every_way() -> Iterator[tuple[Phase, Phase, str]]:
    """All legal (origin, to, reason code)."""
    for (origin, to), way in TABLE.items():
        for code in way.codes:
            yield origin, to, code


def legal(edge: Edge) -> bool:
    """Whether this transition may be taken for this reason."""
    way = TABLE.get((edge.origin, edge.to)) if edge.origin is not None else None
    return way is not None and edge.reason.code in way.codes


def page() -> str:
    """The text of docs/states.md."""
    return "\n".join([_HEAD, *_diagram(), _WAYS, *_ways(), _REASONS, *_reasons()]) + "\n"


_HEAD = """# The states of a service

Made from `supervisor/core/table.py` and `supervisor/model/reason.py` by `python docs/generate.py`; the tests hold the program to it. What
the phases mean is told in [semantics](semantics.md).
"""

_WAYS = """
## Every way from one phase to another
| from | to | when | reasons |
|---|---|---|---|"""

_REASONS = """
## Every reason
A reason's code stays what it is in later versions; its sentence may improve. `pidone why NAME` tells what would change it. In braces:
what is filled in.

| phase | code | sentence | what would change it |
|---|---|---|---|"""


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "  [*] --> inactive"
    for origin, to in TABLE:
        if origin != to:
            yield f"  {origin} --> {to}"
    yield "```"


def _ways() -> Iterator[str]:
    for (origin, to), way in TABLE.items():
        codes = ", ".join(f"`{code}`" for code in way.codes)
        yield f"| `{origin}` | `{to}` | {way.when} | {codes} |"


def _reasons() -> Iterator[str]:
    for phase, sentences in REASONS.items():
        for code, sentence in sentences.items():
            cure = CURES[phase][code].replace("{{", "{").replace("}}", "}")
            yield f"| `{phase}` | `{code}` | {sentence} | {cure} |"
