"""`pidone init` and `pidone up`: from words to the programs that begin a world. (`init -- CMD` never comes here.)"""

from __future__ import annotations

from supervisor.cli.session import stderr_look
from supervisor.client.trouble import Trouble
from supervisor.wire.worlds import is_name

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from supervisor.cli.parse import Asked
    from supervisor.programs.init import InitOptions
    from supervisor.programs.monitor import UpOptions

__all__ = ["init_options", "run", "up_options"]

_ISOLATES = ("net", "uts", "ipc", "cgroup", "user", "rootless", "hostname")
_NO_FD = -1


def run(asked: Asked) -> int:
    assert asked.command is not None  # the parser found this module by it
    if asked.command.name == "up":
        options = up_options(asked)
        from supervisor.programs import monitor

        return monitor.run(options)
    wanted = init_options(asked)
    from supervisor.programs import init

    return init.run(wanted)


def init_options(asked: Asked) -> InitOptions:
    """Raises Trouble (usage)."""
    from supervisor.programs.init import InitOptions

    options = asked.options
    if "grace" in options:
        raise Trouble("usage", "--grace belongs to `pidone init -- CMD` without -c", "services have stop: {timeout: …}")
    return InitOptions(
        paths=tuple(options.get("config", ())),
        socket=options.get("socket", ""),
        name=_name(asked),
        color=options.get("color", "auto"),
        plan_fd=options.get("plan_fd", _NO_FD),
        monitor_fd=options.get("monitor_fd", _NO_FD),
        names=tuple(options.get("wanted", ())),
        as_up="monitor_fd" in options,
        command=tuple(asked.rest or ()),
    )


def up_options(asked: Asked) -> UpOptions:
    """Raises Trouble (usage)."""
    from supervisor.model.words import is_host_name
    from supervisor.programs.monitor import UpOptions

    options = asked.options
    if not is_host_name(hostname := options.get("hostname", "")):
        raise Trouble("usage", f"{hostname[:70]!r} is no host name", "letters, digits, . and -, at most 64 of them")
    if "no_namespace" in options:
        for key in ("namespace", *_ISOLATES):
            if key in options:
                raise Trouble("usage", f"--no-namespace isolates nothing, --{key} does", "leave one of them out")
    return UpOptions(
        paths=tuple(options.get("config", ())),
        names=tuple(asked.words),
        name=_name(asked),
        socket=options.get("socket", ""),
        color=options.get("color", "auto"),
        paint=stderr_look(asked).colour,
        no_namespace="no_namespace" in options,
        namespace_auto="namespace" in options,
        exit_when_done="exit_when_done" in options,
        hostname=hostname,
        net="net" in options,
        uts="uts" in options,
        ipc="ipc" in options,
        cgroup="cgroup" in options,
        user="user" in options,
        rootless="rootless" in options,
    )


def _name(asked: Asked) -> str:
    name: str = asked.options.get("name", "")
    if name and not is_name(name):
        raise Trouble("usage", f"no world can be called {name!r}", "letters, digits, _ . - and at most 64 of them")
    return name
