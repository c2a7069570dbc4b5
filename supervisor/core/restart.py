"""May a service that ended by itself start again, and when? Knows no clock and no process.

Order of deciding (SERVICES §4): in `never_on` – no; in `always_on` – yes; else the policy. An end is clean with status 0 or
one listed in `success`, for daemons also with SIGHUP, SIGINT, SIGTERM, SIGPIPE (as systemd.service(5), SuccessExitStatus=).
"""

from __future__ import annotations

from collections.abc import Iterator
from errno import ENOENT
from typing import Literal, TypeAlias

from supervisor.model.process import Exit, Result
from supervisor.model.service import Ended, Service
from supervisor.model.signals import signal_name, signal_number
from supervisor.model.spec import RestartSpec, ServiceSpec
from supervisor.model.words import Monotonic, Seconds, Wall

__all__ = [
    "Decision",
    "attempts_after",
    "clean",
    "decide",
    "delay",
    "exhausted",
    "exit_status",
    "final_ends",
    "forbidden",
    "result_of",
    "window_at",
]

Decision: TypeAlias = Literal["restart", "done", "failed"]

_DAEMON_ENDS = frozenset({"SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"})
_ABNORMAL: frozenset[Result] = frozenset({"signal", "core-dump", "timeout"})


def clean(spec: ServiceSpec, exit: Exit) -> bool:
    """Whether this is how the service should end."""
    token = _token(exit)
    if token == "0" or token in spec.restart.success:
        return True
    return spec.type != "oneshot" and token in _DAEMON_ENDS


def result_of(spec: ServiceSpec, exit: Exit) -> Result:
    """How a run ended, in systemd's words."""
    if clean(spec, exit):
        return "success"
    if exit.signal is None:
        return "exit-code"
    return "core-dump" if exit.core else "signal"


def forbidden(spec: ServiceSpec, ended: Ended) -> bool:
    """Whether `never_on` names this end, whatever the policy says."""
    return _deed(ended) in spec.restart.never_on


def decide(spec: ServiceSpec, ended: Ended) -> Decision:
    """What follows when a run ended by itself. When we had to end it because it took too long, its status is our doing."""
    good = ended.result == "success"
    final: Decision = "done" if good else "failed"
    if forbidden(spec, ended):
        return final
    if _deed(ended) in spec.restart.always_on:
        return "restart"
    again = {
        "always": True,
        "on-failure": not good,
        "on-abnormal": ended.result in _ABNORMAL,
        "never": False,
    }[spec.restart.policy]
    return "restart" if again else final


def final_ends(spec: ServiceSpec) -> frozenset[Decision]:
    """In which ways it can end for good by itself: `done`, `failed`, both or none."""
    found = {decide(spec, ended) for ended in _possible_ends(spec)}
    if "restart" in found and spec.restart.limit is not None:
        found.add("failed")
    return frozenset(found - {"restart"})


def _possible_ends(spec: ServiceSpec) -> Iterator[Ended]:
    """One of each kind of end that its restart policy can tell apart."""
    listed = {"0", *_DAEMON_ENDS, *spec.restart.success, *spec.restart.never_on, *spec.restart.always_on}
    other_code = next((str(code) for code in range(1, 256) if str(code) not in listed), "1")
    other_signal = next(
        (signal_name(number) for number in range(1, 65) if signal_name(number) not in listed), "SIGKILL"
    )
    for token in (*listed, other_code, other_signal):
        exit = Exit(code=int(token)) if token.isdigit() else Exit(signal=signal_number(token))
        yield Ended(result_of(spec, exit), exit, Wall(0.0))
    yield Ended("exec-failed", None, Wall(0.0))
    if spec.start_timeout is not None:
        yield Ended("timeout", None, Wall(0.0))


def window_at(spec: RestartSpec, window: tuple[Monotonic, ...], now: Monotonic) -> tuple[Monotonic, ...]:
    """The automatic restarts that still count; none are remembered without a limit."""
    if spec.limit is None:
        return ()
    return tuple(at for at in window if now - at < spec.limit.within)


def exhausted(spec: RestartSpec, window: tuple[Monotonic, ...], now: Monotonic) -> bool:
    """Whether one more automatic restart would break the limit."""
    return spec.limit is not None and len(window_at(spec, window, now)) >= spec.limit.count


def delay(spec: RestartSpec, attempts: int, seed: int, service: Service) -> Seconds:
    """The pause before the next start after `attempts` ends in a row (1 for the first): it grows by `factor` up to
    `max_delay`, then jitter lengthens it by up to its share."""
    pause = spec.delay
    for _ in range(attempts - 1):
        pause = Seconds(pause * spec.factor)
        if pause >= spec.max_delay:
            break
    pause = Seconds(min(pause, spec.max_delay))
    return Seconds(pause * (1 + spec.jitter * _share(seed, service.name, service.run)))


def attempts_after(service: Service, now: Monotonic) -> int:
    """How many ends in a row this one makes; a run that was ready for `reset_after` begins the count anew."""
    rested = now - service.ready_since >= service.plan.spec.restart.reset_after
    return 1 if rested else service.attempts + 1


def exit_status(ended: Ended) -> int:
    """The status a shell would report for it (128+n for a signal); 127 or 126 when nothing could be executed."""
    if ended.exit is None:
        return 1 if ended.result != "exec-failed" else 127 if ended.errno == ENOENT else 126
    if ended.exit.signal is not None:
        return 128 + ended.exit.signal
    return ended.exit.code or 0


def _deed(ended: Ended) -> str:
    """The exit that the service itself has brought about; "" when there was none, or we had to end it."""
    return _token(ended.exit) if ended.exit and ended.result != "timeout" else ""


def _token(exit: Exit) -> str:
    return signal_name(exit.signal) if exit.signal is not None else str(exit.code)


def _share(seed: int, name: str, run: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments (FNV-1a, then the finisher of splitmix64)."""
    mixed = 0xCBF29CE484222325 ^ seed
    for byte in f"{name}#{run}".encode():
        mixed = (mixed ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ mixed >> 31) / 2**64
