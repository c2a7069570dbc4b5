"""How did the end go? What brought it about, who had to be killed, who made everybody wait, and how long it took.

It listens to the edges; what it says are messages of pidone itself.
"""

from __future__ import annotations

from collections.abc import Callable

from supervisor.core.reasons import duration_text
from supervisor.model.effect import Edge
from supervisor.model.service import Ended, Stopping
from supervisor.model.signals import SIGKILL
from supervisor.model.words import Instant, Seconds, ServiceName
from supervisor.model.world import World

__all__ = ["Report"]

_LONG = Seconds(1.0)  # who took less made nobody wait
_NAMED = 5


class Report:
    """Collects while the world ends."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world
        self._stopping: dict[ServiceName, float] = {}
        self._took: dict[ServiceName, float] = {}

    def heard(self, edge: Edge) -> None:
        if edge.to == "stopping":
            self._stopping.setdefault(edge.service, edge.at.mono)
        elif edge.service in self._stopping:
            began = self._stopping.pop(edge.service)
            shut = self._world().shutdown
            if shut is not None:  # before that nobody waited for the end
                self._took[edge.service] = edge.at.mono - max(began, shut.since.mono)

    def lines(self, now: Instant) -> list[str]:
        """What there is to say when nobody is left."""
        world = self._world()
        shut = world.shutdown
        if shut is None:
            return []
        lines = [f"shutdown ({shut.by}) took {duration_text(Seconds(round(now.mono - shut.since.mono, 3)))}"]
        for name, service in world.services.items():
            spec, last = service.plan.spec.stop, service.last
            if isinstance(service.state, Stopping):
                lines.append(f"shutdown: {name} was not down when its time was over ({service.state.reason.text})")
            elif name in self._took and last is not None and last.result == "timeout" and _killed(last):
                lines.append(f"shutdown: {name} was killed: it did not end after {spec.signal}")
        slow = sorted(((took, name) for name, took in self._took.items() if took >= _LONG), reverse=True)[:_NAMED]
        if slow:
            lines.append(
                "shutdown: waited for "
                + ", ".join(f"{name} ({duration_text(Seconds(round(took, 1)))})" for took, name in slow)
            )
        return lines


def _killed(last: Ended) -> bool:
    return last.exit is not None and last.exit.signal == SIGKILL
