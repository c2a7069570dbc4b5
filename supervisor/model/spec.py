"""What may a user say about a service? Every configuration key, declared once.

A key is a field: its name, type, default and the docstring under it. `config/` derives validation, the JSON Schema and the
reference page from these declarations; the plan is decoded by them. There are no unions of shapes: a short form is a marker
that rewrites what was written to the one shape before it is validated, so each mistake gives exactly one error.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from supervisor.model.record import Record
from supervisor.model.words import Seconds, ServiceName

__all__ = [
    "UNLIMITED",
    "Argv",
    "Commands",
    "Condition",
    "ControlSpec",
    "DependencySpec",
    "Kind",
    "LimitPair",
    "NamespaceSpec",
    "ReadySpec",
    "RestartLimitSpec",
    "RestartPolicy",
    "RestartSpec",
    "ServiceSpec",
    "Short",
    "ShutdownOn",
    "ShutdownSpec",
    "StopScope",
    "StopSpec",
    "SystemSpec",
]

_EMPTY: Mapping[Any, Any] = MappingProxyType({})


class Short(NamedTuple):
    """The short form of a mapping: a lone text, number or list stands for `{key: …}`."""

    key: str


class Kind(NamedTuple):
    """How a scalar is written. `word` is one of: duration, size, whole, number, flag, signal, exit-status, command,
    commands, limit, texts, env, dependencies, name, path, address, url, regex, mode."""

    word: str


Duration: TypeAlias = Annotated[Seconds, Kind("duration")]
Size: TypeAlias = Annotated[int, Kind("size")]
Whole: TypeAlias = Annotated[int, Kind("whole")]
Number: TypeAlias = Annotated[float, Kind("number")]
Flag: TypeAlias = Annotated[bool, Kind("flag")]
SignalName: TypeAlias = Annotated[str, Kind("signal")]
"""Always the full name: SIGTERM, SIGRTMIN+3."""
ExitStatus: TypeAlias = Annotated[str, Kind("exit-status")]
"""A number 0–255 or a signal's name, as text."""
Argv: TypeAlias = Annotated[tuple[str, ...], Kind("command")]
"""One command: its argument vector."""
Commands: TypeAlias = Annotated[tuple[tuple[str, ...], ...], Kind("commands")]
"""Several commands, one after the other."""
Texts: TypeAlias = Annotated[tuple[str, ...], Kind("texts")]
"""A list of texts; a lone text is a list of one."""
Environment: TypeAlias = Annotated[Mapping[str, str], Kind("env")]
"""A mapping, or Compose's list of NAME=VALUE."""
Path: TypeAlias = Annotated[str, Kind("path")]
Name: TypeAlias = Annotated[str, Kind("name")]
Address: TypeAlias = Annotated[str, Kind("address")]
"""HOST:PORT, HOST numeric or localhost, IPv6 in brackets."""
Url: TypeAlias = Annotated[str, Kind("url")]
Regex: TypeAlias = Annotated[str, Kind("regex")]
Mode: TypeAlias = Annotated[int, Kind("mode")]
"""Octal permission bits, written as text: "0600"."""

ServiceType: TypeAlias = Literal["simple", "oneshot"]
Condition: TypeAlias = Literal["started", "ready", "completed", "ended"]
RestartPolicy: TypeAlias = Literal["always", "on-failure", "on-abnormal", "never"]
ShutdownOn: TypeAlias = Literal["never", "exit", "success", "failure"]
StopScope: TypeAlias = Literal["main", "all", "main-only"]

UNLIMITED = -1
"""RLIM_INFINITY, as getrlimit(2) and Python spell it."""


class DependencySpec(Record):
    condition: Condition = "ready"
    """What must be true of the other service before this one starts: `started`, `ready`, `completed` (ended
    successfully) or `ended`. Compose's `service_started`, `service_healthy`, `service_completed_successfully` are accepted."""
    required: Flag = True
    """With `false` this service goes on when the other one fails."""
    restart: Flag = False
    """With `true` this service is stopped when the other one goes down or restarts, and comes back after it."""


class ReadySpec(Record):
    tcp: Address | None = None
    """Ready when a TCP connection to HOST:PORT succeeds."""
    unix: Path | None = None
    """Ready when a connection to this UNIX stream socket succeeds."""
    http: Url | None = None
    """Ready when a GET answers 2xx or 3xx. `http://` to a numeric address or localhost only."""
    exec: Argv | None = None
    """Ready when this command exits 0. It runs with the service's identity, one at a time."""
    file: Path | None = None
    """Ready when this path exists and was created or changed by this run."""
    log: Regex | None = None
    """Ready when a line of stdout or stderr matches this regular expression (first 4 KiB of the line)."""
    after: Duration | None = None
    """Ready when the main process has lived this long."""
    interval: Duration = Seconds(0.2)
    """Time between two probes."""


class RestartLimitSpec(Record):
    count: Whole
    """Automatic restarts allowed in the window; one more and the service has failed."""
    within: Duration
    """Length of the sliding window."""


class RestartSpec(Record):
    policy: RestartPolicy = "always"
    """When a run that ended by itself is followed by another. The default is `never` for a oneshot and beside `shutdown_on`."""
    delay: Duration = Seconds(0.1)
    """Pause before the first restart."""
    factor: Number = 2.0
    """Each further pause is this many times longer."""
    max_delay: Duration = Seconds(30.0)
    """No pause grows longer than this; `jitter` comes on top."""
    jitter: Number = 0.1
    """Each pause is lengthened by a random part of up to this share of it."""
    reset_after: Duration = Seconds(60.0)
    """After this long ready, the next pause is `delay` again."""
    limit: RestartLimitSpec | None = None
    """`{count, within}`: gives up when automatic restarts come more often than this. `none`: never gives up."""
    success: tuple[ExitStatus, ...] = ()
    """Exit statuses and signals that count as a clean end, besides 0."""
    never_on: tuple[ExitStatus, ...] = ()
    """Exit statuses and signals after which it is never restarted."""
    always_on: tuple[ExitStatus, ...] = ()
    """Exit statuses and signals after which it is always restarted."""


class StopSpec(Record):
    signal: SignalName = "SIGTERM"
    """The signal that asks the service to end. It is followed by SIGCONT."""
    timeout: Duration = Seconds(10.0)
    """The one budget for `command` and signal; after it SIGKILL."""
    scope: StopScope = "main"
    """`main`: the signal to the main process, SIGTERM to what is left when it has ended. `all`: the signal to every process
    of the service at once. `main-only`: leave the others alone."""
    command: Argv | None = None
    """Run first to stop the service; for a oneshot, to undo it. Gets MAINPID in its environment."""
    kill: Flag = True
    """With `false` no SIGKILL follows when the budget is used up (the end of the world still does)."""


class LimitPair(Record):
    soft: int
    """What applies; -1 for unlimited."""
    hard: int
    """What an unprivileged process may raise it to; -1 for unlimited."""


class ServiceSpec(Record):
    command: Commands
    """The main process; a oneshot may list several, run one after the other. A list of texts is an argument vector, a text
    is split like a shell splits words, `{shell: "…"}` is run by /bin/sh -c. A bare name is looked up in the service's PATH."""
    type: ServiceType = "simple"
    """`simple`: started when exec succeeded. `oneshot`: runs to its end, then is done."""
    description: str = ""
    """For people; shown by `pidone status NAME`."""
    enabled: Flag = True
    """Wanted at boot."""
    depends_on: Annotated[Mapping[ServiceName, DependencySpec], Kind("dependencies")] = _EMPTY
    """What must be true of other services before this one starts: `{db: ready, migrate: completed, cache: {condition:
    started, required: false, restart: true}}`; a list means `ready`."""
    after: Texts = ()
    """Starts after these if they start too, stops before them; no requirement."""
    before: Texts = ()
    """Starts before these if they start too, stops after them; no requirement."""
    groups: Texts = ()
    """Names usable as @group in every command."""
    ready: ReadySpec | None = None
    """How readiness is seen: one of `tcp`, `unix`, `http`, `exec`, `file`, `log`, `after`; plus `interval`."""
    start_timeout: Duration | None = Seconds(60.0)
    """Budget for start and readiness; a oneshot has none unless it is written."""
    restart: Annotated[RestartSpec, Short("policy")] = RestartSpec()
    """What happens when a run ends by itself."""
    shutdown_on: ShutdownOn = "never"
    """`exit`, `success` or `failure`: when the service has ended for good, not stopped by the operator, the world shuts
    down with its exit status."""
    stop: StopSpec = StopSpec()
    """How it is stopped."""
    environment: Environment = _EMPTY
    """Variables of the service, on top of `pass_environment` and `env_file`."""
    env_file: Texts = ()
    """Files with NAME=VALUE lines; a later one wins, `environment` wins over all."""
    pass_environment: Annotated[tuple[str, ...], Kind("texts"), Short("all")] = ("*",)
    """Which of pidone's own variables the service gets: `all`, or patterns such as AWS_*; with a list also a standard PATH and LANG."""
    user: str = ""
    """Name or number of the user it runs as; its primary group and groups in the database come with it. Default: ours.
    Who does not exist in the world (one made without privileges has only ourselves) is an error."""
    group: str = ""
    """Name or number of its primary group."""
    extra_groups: Texts = ()
    """Names or numbers of supplementary groups, besides the user's."""
    working_dir: Path = ""
    """Where it runs; default: where pidone was started."""
    umask: Mode = 0o022
    """File mode creation mask."""
    limits: Annotated[Mapping[str, LimitPair], Kind("limit")] = _EMPTY
    """Resource limits by the names of setrlimit(2) in small letters: `nofile: 65536`, `core: 0`, `nproc: [soft, hard]`, `unlimited`."""
    stdin: str = "null"
    """`null`, `inherit` (one service at most), or a file."""


class ShutdownSpec(Record):
    timeout: Duration | None = None
    """One deadline for the whole shutdown. Default: `init` 8s (25s under Kubernetes), `up` 30s; $PIDONE_SHUTDOWN_TIMEOUT wins."""


class ControlSpec(Record):
    socket: Path = ""
    """Path of the control socket. Default: control.sock in the world's own directory."""
    mode: Mode = 0o600
    """Permissions of the socket. Where `read` or `admin` list users and this admits nobody else, it is 0666: who may do what
    is decided by the peer's credentials."""
    group: str = ""
    """Group of the socket."""
    read: Texts = ()
    """Users who may look, from within the world: who asks from outside its PID namespace is on no list, nor is nobody (65534)."""
    admin: Texts = ()
    """Users who may do everything, from within the world; root and pidone's own user may from anywhere."""


class NamespaceSpec(Record):
    mount: Flag = True
    """A mount namespace with a fresh /proc; `false` is refused, a stale /proc would lie."""
    uts: Flag = False
    """A host name of its own."""
    ipc: Flag = False
    """System V IPC and POSIX message queues of its own."""
    net: Flag = False
    """A network of its own, with only a loopback interface."""
    user: Flag = False
    """A user namespace, also for root."""


class SystemSpec(Record):
    name: Name = ""
    """The world's name; default `default`."""
    hostname: str = ""
    """Host name of the world; needs and implies a UTS namespace."""
    shutdown: Annotated[ShutdownSpec, Short("timeout")] = ShutdownSpec()
    """How the world ends."""
    exit_when_done: Flag = False
    """With `true` the world ends when nothing runs any more and nothing will by itself: with 0, or with 1 when something
    failed or could never start. What the operator stopped is his to start again and keeps the world."""
    control: Annotated[ControlSpec, Short("socket")] = ControlSpec()
    """The control socket."""
    namespace: NamespaceSpec = NamespaceSpec()
    """What `pidone up` isolates besides processes."""
