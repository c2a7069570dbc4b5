"""Which environment does a process of a service get? What ours passes on, who it runs as, what was listed, and who it is.

Ours, because what `docker run -e` gave must arrive; less what was meant for us (NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*,
PIDONE_*). A narrowed `pass_environment` adds a standard PATH and LANG, as systemd.exec(5) gives its services.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from supervisor.model.plan import PlannedService

__all__ = ["STANDARD_PATH", "environment_for", "inherited"]

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # systemd's DEFAULT_PATH
_MEANT_FOR_US = (
    "LISTEN_",
    "WATCHDOG_",
    "PIDONE_",
)  # how names begin: patterns would be a fifth of the price of a spawn


def inherited(ours: Mapping[str, str], patterns: tuple[str, ...]) -> dict[str, str]:
    """What a service inherits of our environment under its `pass_environment`."""
    everything = "*" in patterns
    passed = {
        name: value
        for name, value in ours.items()
        if not name.startswith(_MEANT_FOR_US) and name != "NOTIFY_SOCKET" and (everything or _matches(name, patterns))
    }
    if not everything:
        passed.setdefault("PATH", STANDARD_PATH)
        passed.setdefault("LANG", ours.get("LANG", "C.UTF-8"))
    return passed


def environment_for(
    ours: Mapping[str, str],
    planned: PlannedService,
    invocation_id: str,
    socket: str,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment of one process. `invocation_id` is 32 hexadecimal digits; `socket` is our control socket's
    path or ""; `extra` is what this kind of process gets besides (MAINPID for a stop command)."""
    spec, identity = planned.spec, planned.identity
    environment = inherited(ours, spec.pass_environment)
    if spec.user and identity is not None:
        who = {"HOME": identity.home, "USER": identity.user, "LOGNAME": identity.user, "SHELL": identity.shell}
        environment.update({name: value for name, value in who.items() if value})
    environment.update(spec.environment)
    environment["PIDONE_SERVICE"] = planned.name
    if socket:
        environment["PIDONE_SOCKET"] = socket
    environment["INVOCATION_ID"] = invocation_id
    environment.update(extra or {})
    return environment


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
