"""How does a reason read? The one place where codes become sentences."""

from __future__ import annotations

from supervisor.model.process import Exit, SpawnFailure
from supervisor.model.reason import REASONS, Phase, Reason
from supervisor.model.signals import signal_name
from supervisor.model.words import Seconds

__all__ = ["duration_text", "exit_text", "failure_text", "reason"]


_FIXED = {
    (phase, code): Reason(code, sentence)
    for phase, sentences in REASONS.items()
    for code, sentence in sentences.items()
    if "{" not in sentence
}
"""One for all: histories hold thousands of them."""


def reason(phase: Phase, code: str, **texts: str) -> Reason:
    """The reason with this code of this phase's closed table; raises KeyError for one that is not there."""
    return _FIXED.get((phase, code)) or Reason(code, REASONS[phase][code].format_map(texts))


def duration_text(seconds: Seconds | float) -> str:
    """250ms, 2.5s, 1m30s, 2h."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    short = float(f"{seconds:.3g}")
    if short < 60:
        return f"{short:g}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if number)


def exit_text(exit: Exit) -> str:
    """`exit status 1`, `killed by SIGSEGV (core dumped)`."""
    if exit.signal is not None:
        return f"killed by {signal_name(exit.signal)}{' (core dumped)' if exit.core else ''}"
    return f"exit status {exit.code}"


def failure_text(failure: SpawnFailure) -> str:
    """`exec /bin/x: No such file or directory`."""
    words = failure.text or f"errno {failure.errno}"
    return f"{failure.stage} {failure.subject}: {words}" if failure.subject else f"{failure.stage}: {words}"
