"""What are the signals called? Linux' numbers (signal(7), the ones x86, ARM, RISC-V, s390 and POWER share) as a plain table,
so that rooms without a kernel can speak of them."""

from __future__ import annotations

__all__ = ["SIGCONT", "SIGKILL", "SIGRTMAX", "SIGRTMIN", "SIGTERM", "SYNCHRONOUS", "signal_name", "signal_number"]

_NAMES = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU "
    "XFSZ VTALRM PROF WINCH IO PWR SYS"
)
_BY_NUMBER = {number: f"SIG{name}" for number, name in enumerate(_NAMES.split(), 1)}
_BY_NAME = {name: number for number, name in _BY_NUMBER.items()} | {"SIGPOLL": 29, "SIGCLD": 17, "SIGIOT": 6}

_LONGEST = 32  # characters of what may still be a signal's name
SIGRTMIN = 34  # glibc keeps 32 and 33 for its threads (signal(7))
SIGRTMAX = 64
SIGKILL = _BY_NAME["SIGKILL"]
SIGTERM = _BY_NAME["SIGTERM"]
SIGCONT = _BY_NAME["SIGCONT"]
SYNCHRONOUS = frozenset(_BY_NAME[f"SIG{name}"] for name in ("SEGV", "BUS", "FPE", "ILL", "ABRT", "TRAP", "SYS"))
"""Raised by the process' own doing: nobody should catch them in Python (a handler for SIGSEGV loops for ever)."""


def signal_name(number: int) -> str:
    """SIGTERM for 15, SIGRTMIN+3 for 37; `signal 99` for what does not exist."""
    if number in _BY_NUMBER:
        return _BY_NUMBER[number]
    if SIGRTMIN <= number <= SIGRTMAX:
        return f"SIGRTMIN+{number - SIGRTMIN}" if number > SIGRTMIN else "SIGRTMIN"
    return f"signal {number}"


def signal_number(text: str) -> int:
    """The number for `SIGTERM`, `TERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`; raises ValueError for anything else."""
    word = text.strip().upper()
    if len(word) > _LONGEST:
        raise ValueError(f"no signal is called {text[:_LONGEST]}…")
    if word.isascii() and word.isdigit() and 1 <= int(word) <= SIGRTMAX:
        return int(word)
    word = word.removeprefix("SIG")
    if f"SIG{word}" in _BY_NAME:
        return _BY_NAME[f"SIG{word}"]
    for base, origin, sign in (("RTMIN", SIGRTMIN, "+"), ("RTMAX", SIGRTMAX, "-")):
        offset = word.removeprefix(base).removeprefix(sign) or "0"
        if word.startswith(base) and offset.isascii() and offset.isdigit():
            number = origin + int(sign + offset)
            if SIGRTMIN <= number <= SIGRTMAX:
                return number
    raise ValueError(f"no signal is called {text}")
