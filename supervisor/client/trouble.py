"""What went wrong for whoever asked? A word that stays, a sentence, and what to type next."""

from __future__ import annotations

TYPE_CHECKING = False  # clients import this: see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Trouble"]


class Trouble(Exception):
    """`code` is stable: unreachable, gone, several, refused, timeout, usage, or one of the server's own."""

    def __init__(self, code: str, message: str, hint: str = "", more: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.more = more or {}
