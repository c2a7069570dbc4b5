"""How is a function of the C library called that Python does not offer?

Rules: ctypes is loaded at the first call (1.5–2.5 ms), never by importing this module; one call is one call, no policy.
"""

from __future__ import annotations

import os
from typing import Any

__all__ = ["call", "load"]

_library: Any = None  # Any: ctypes.CDLL, whose import is what we put off


def load() -> None:
    """Load ctypes and the C library now, so that no later call can fail for want of memory or files."""
    global _library
    if _library is None:
        import ctypes

        _library = ctypes.CDLL(None, use_errno=True)


def call(name: str, *args: int | bytes | None) -> int:
    """Call a function that returns an int and -1 for an error: integers go as C longs, bytes as pointers, None as NULL.

    Raises OSError with the errno that the call left; AttributeError when the C library has no such function.
    """
    if _library is None:
        load()
    import ctypes

    ctypes.set_errno(0)
    words = [ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word) for word in args]
    result: int = getattr(_library, name)(*words)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result
