"""Has the service come where somebody waits for it to be? One pure table over (phase, target)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from supervisor.control.port import Standing

__all__ = ["Verdict", "judge"]

Verdict: TypeAlias = Literal["there", "on its way", "never"]
"""`never`: it will not come there by itself, so nobody should wait."""

_VERDICTS: Mapping[str, Mapping[str, Verdict]] = {
    # `running` counts as ready only when it says so: a oneshot's job runs first and is ready when it is done
    "ready": {"running": "on its way", "done": "there", "failed": "never", "inactive": "never"},
    "stopped": {"inactive": "there", "done": "there", "failed": "there"},
    "done": {"done": "there", "failed": "never", "inactive": "never"},
}


def judge(standing: Standing, target: str) -> Verdict:
    """Every phase that the table does not name is on its way."""
    phase, ready, _, _ = standing
    if target == "ready" and ready:
        return "there"
    return _VERDICTS[target].get(phase, "on its way")
