"""What does a scalar mean where a flag, a number, a duration, a signal … is wanted? One function per kind of model/spec.

Each takes the node as it was written and returns the value, or raises Refused. Flags and numbers must stand without quotes,
because quoted text is always text.
"""

from __future__ import annotations

import re

from supervisor.config.findings import Refused
from supervisor.config.nodes import Map, Node, Seq, Text
from supervisor.model.signals import signal_name, signal_number
from supervisor.model.spec import UNLIMITED, LimitPair

__all__ = [
    "LIMIT_NAMES",
    "bare",
    "duration",
    "exit_status",
    "filled",
    "flag",
    "is_name",
    "limit",
    "limit_name",
    "mode",
    "name",
    "number",
    "path",
    "shape_of",
    "signal",
    "size",
    "text",
    "whole",
]

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
_PART = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(ms|[smhd])", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # seconds
_LONGEST = 1e9  # seconds, 31 years: more is a slip of the finger
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)([KMGT]?)", re.ASCII)
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MODE = re.compile(r"(?:0o)?([0-7]{1,6})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)

LIMIT_NAMES = (
    *("as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio"),
    *("rttime", "sigpending", "stack"),
)


def shape_of(node: Node) -> str:
    """What a person calls this."""
    if isinstance(node, Map):
        return "a mapping"
    if isinstance(node, Seq):
        return "a list"
    return "a text in quotes" if not node.plain else f"`{node:.40}`"


def text(node: Node) -> str:
    if not isinstance(node, Text):
        raise Refused("wrong-shape", wanted="a text", found=shape_of(node))
    return str(node)


def filled(node: Node) -> str:
    """A text that is not empty."""
    value = text(node)
    if not value:
        raise Refused("empty")
    return value


def bare(node: Node, wanted: str) -> str:
    """A scalar that was written without quotes."""
    if not isinstance(node, Text):
        raise Refused("wrong-shape", wanted=wanted, found=shape_of(node))
    if not node.plain:
        raise Refused("quoted", wanted=wanted, text=str(node)[:40])
    return str(node)


def flag(node: Node) -> bool:
    word = bare(node, "true or false")
    value = _FLAGS.get(word.lower())
    if value is None:
        raise Refused("no-flag", text=word[:40])
    return value


def number(node: Node) -> float:
    word = bare(node, "a number")
    if not _NUMBER.fullmatch(word):
        raise Refused("no-number", text=word[:40])
    return float(word)


def whole(node: Node) -> int:
    word = bare(node, "a whole number")
    if not _WHOLE.fullmatch(word):
        raise Refused("no-whole", text=word[:40])
    return int(word)


def duration(node: Node) -> float:
    """Seconds. Units stand from large to small, each at most once (as in wire/durations)."""
    word = filled(node)
    if _NUMBER.fullmatch(word):
        seconds = float(word)
    else:
        seconds, done, smallest = 0.0, 0, _LONGEST
        for part in _PART.finditer(word):
            unit = _UNITS[part[2]]
            if part.start() != done or unit >= smallest:
                break
            seconds, done, smallest = seconds + float(part[1]) * unit, part.end(), unit
        if done != len(word):
            raise Refused("no-duration", text=word[:40])
    if seconds >= _LONGEST:
        raise Refused("too-long", text=word[:40])
    return seconds


def size(node: Node) -> int:
    """Bytes."""
    word = filled(node)
    found = _SIZE.fullmatch(word)
    if found is None:
        raise Refused("no-size", text=word[:40])
    return int(float(found[1]) * _SIZES[found[2]]) if "." in found[1] else int(found[1]) * _SIZES[found[2]]


def signal(node: Node) -> str:
    """The full name of a signal, whichever way it was written."""
    word = filled(node)
    try:
        return signal_name(signal_number(word))
    except ValueError:
        raise Refused("no-signal", text=word[:40]) from None


def exit_status(node: Node) -> str:
    """A number from 0 to 255, or a signal's full name."""
    word = filled(node)
    if _WHOLE.fullmatch(word):
        if int(word) > 255:
            raise Refused("no-exit-status", text=word[:40])
        return str(int(word))
    try:
        return signal_name(signal_number(word))
    except ValueError:
        raise Refused("no-exit-status", text=word[:40]) from None


def mode(node: Node) -> int:
    """Permission bits, octal whether or not a zero stands in front."""
    word = filled(node)
    found = _MODE.fullmatch(word)
    if found is None or int(found[1], 8) > 0o777:
        raise Refused("no-mode", text=word[:40])
    return int(found[1], 8)


def path(node: Node) -> str:
    return filled(node)


def is_name(word: str) -> bool:
    """Letters, digits, `_`, `.` and `-`, none of the last two in front, at most 64: a file name that is never special."""
    return _NAME.fullmatch(word) is not None


def name(node: Node) -> str:
    word = filled(node)
    if not is_name(word):
        raise Refused("no-name", text=word[:70])
    return word


def limit_name(node: Node) -> str:
    word = filled(node)
    if word == "sigpending":
        raise Refused("limit-sigpending")
    if word not in LIMIT_NAMES:
        raise Refused("unknown-limit", text=word[:40])
    return word


def limit(node: Node) -> LimitPair:
    """One value for both, or [soft, hard]."""
    if isinstance(node, Seq):
        if len(node) != 2:
            raise Refused("no-limit", text="a list of another length")
        soft, hard = (_limit_value(one) for one in node)
    else:
        soft = hard = _limit_value(node)
    if hard != UNLIMITED and (soft == UNLIMITED or soft > hard):
        raise Refused("soft-above-hard")
    return LimitPair(soft, hard)


def _limit_value(node: Node) -> int:
    word = text(node)
    if word == "unlimited":
        return UNLIMITED
    if not _SIZE.fullmatch(word):
        raise Refused("no-limit", node, text=f"`{word[:40]}`")
    return size(node)
