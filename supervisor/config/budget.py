"""How much may a configuration ask of us? The bounds that turn a YAML bomb into an error.

The loader's own limits on memory and time (programs/loader) are behind these: whoever gets past one meets the other.
"""

from __future__ import annotations

from supervisor.config.findings import Refused
from supervisor.config.nodes import Node

__all__ = ["ALL_BYTES", "DEPTH", "FILES", "FILE_BYTES", "NODES", "Budget"]

FILE_BYTES = 1 << 20
FILES = 2000
DEPTH = 50
ALL_BYTES = 16 << 20
NODES = 300_000  # about a dozen times what a thousand services have
_EXPANDED = 4 << 20  # characters that variables put in


class Budget:
    """What is left of the bounds, over all files of one reading. What goes beyond raises Refused(config-too-large)."""

    __slots__ = ("_bytes", "_characters", "_nodes")

    def __init__(self) -> None:
        self._nodes, self._bytes, self._characters = NODES, ALL_BYTES, _EXPANDED

    @property
    def exhausted(self) -> bool:
        """There is no use in reading another file."""
        return min(self._nodes, self._bytes, self._characters) < 0

    def take_nodes(self, count: int, at: Node) -> None:
        """Values after the expansion of aliases."""
        self._nodes -= count
        if self._nodes < 0:
            raise Refused("config-too-large", at, what=f"more than {NODES} values after expanding aliases")

    def take_bytes(self, count: int) -> None:
        """Bytes of files."""
        self._bytes -= count
        if self._bytes < 0:
            raise Refused("config-too-large", what=f"more than {ALL_BYTES >> 20} MiB in all files together")

    def take_characters(self, count: int, at: Node) -> None:
        """Characters that came out of variables."""
        self._characters -= count
        if self._characters < 0:
            raise Refused("config-too-large", at, what=f"more than {_EXPANDED >> 20} MiB after expanding variables")
