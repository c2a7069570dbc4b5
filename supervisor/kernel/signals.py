"""What are signals called, which can be had, and which are held back?

Names are the full ones of signal(7): SIGTERM, SIGRTMIN+3. On input the SIG may be missing, the case is free, and a number
will do.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

__all__ = ["CATCHABLE", "block_all", "decode_mask", "held", "name_of", "number_of", "unblock"]

_RTMIN, _RTMAX = int(signal.SIGRTMIN), int(signal.SIGRTMAX)

CATCHABLE: tuple[int, ...] = tuple(
    sorted(int(number) for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP))
)
"""Every signal whose disposition and mask bit a process may change; the C library keeps two of its own for itself."""


def _tables() -> tuple[Mapping[str, int], Mapping[int, str]]:
    # __members__ has the aliases (SIGCLD, SIGPOLL, SIGIOT) too; a number's own name is the one that Signals(number) has
    numbers = {name: int(member) for name, member in signal.Signals.__members__.items()}
    names = {int(member): member.name for member in signal.Signals}
    for offset in range(1, _RTMAX - _RTMIN):
        numbers[f"SIGRTMIN+{offset}"] = _RTMIN + offset
        numbers[f"SIGRTMAX-{offset}"] = _RTMAX - offset
        names[_RTMIN + offset] = f"SIGRTMIN+{offset}"
    return MappingProxyType(numbers), MappingProxyType(names)


_NUMBERS, _NAMES = _tables()


def number_of(name: str) -> int | None:
    """The number of a signal written as SIGTERM, TERM, term, 15, SIGRTMIN+3 or RTMAX-1; None when there is none such."""
    word = name.strip().upper()
    if word.isascii() and word.isdigit():
        number = int(word)
        return number if number in _NAMES else None
    return _NUMBERS.get(word if word.startswith("SIG") else f"SIG{word}")


def name_of(number: int) -> str:
    """Its full name; "signal 32" for one that has none."""
    return _NAMES.get(number, f"signal {number}")


def block_all() -> None:
    """Hold every signal back until `unblock`; the mask survives fork and exec (sigprocmask(2))."""
    signal.pthread_sigmask(signal.SIG_BLOCK, CATCHABLE)


def unblock(numbers: Iterable[int]) -> None:
    """Let these through again; what has arrived meanwhile is delivered at once."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold every signal back inside: a forked child must not run our handlers, whose wake-up fd it shares with us."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, CATCHABLE)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def decode_mask(text: str) -> tuple[int, ...]:
    """The signal numbers in a mask as /proc/PID/status writes it: SigBlk, SigIgn, SigCgt … (proc(5))."""
    bits = int(text, 16)
    return tuple(number for number in range(1, bits.bit_length() + 1) if bits >> (number - 1) & 1)
