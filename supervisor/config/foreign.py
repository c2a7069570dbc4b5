"""What is this key called here? The words of systemd, Compose, supervisord, s6, dinit, runit and process-compose, and ours.

Somebody who brings a configuration along writes what he knows. Case, `_`, `-` and `.` make no difference in finding it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ALIASES", "LATER", "SERVICE_KEYS", "Foreign", "foreign_key", "foreign_top", "foreign_value"]


class Foreign(NamedTuple):
    """A key that is not ours: what to do instead, and which key of ours it means (may be empty)."""

    code: str
    ours: str
    meant: str


_STOP_SIGNAL = "`stop: {signal: …}`"
_STOP_TIMEOUT = "`stop: {timeout: …}`"
_RESTART = "`restart: always | on-failure | on-abnormal | never`"
_DELAY = "`restart: {delay: …}`"
_LIMIT = "`restart: {limit: {count: …, within: …}}`"
_DEPENDS = "`depends_on: {NAME: ready}`"
_DEPENDS_SOFT = "`depends_on: {NAME: {condition: started, required: false}}`"
_SUCCESS = "`restart: {success: […]}`"
_READY_LOG = "`ready: {log: REGEX}`"
_OUTPUT = "leave it out: every service's output is captured, see `pidone logs NAME`"

# What to write instead of a key of a service, by the system that has it. A table's text that begins with a key means that key.
_SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "systemd": {
        "ExecStart": "`command: …`",
        "ExecStop": "`stop: {command: …}`",
        "Type": "`type: simple | oneshot`",
        "Restart": _RESTART,
        "RestartSec": _DELAY,
        "RestartSteps": "`restart: {factor: …, max_delay: …}`",
        "RestartMaxDelaySec": "`restart: {max_delay: …}`",
        "RestartPreventExitStatus": "`restart: {never_on: […]}`",
        "RestartForceExitStatus": "`restart: {always_on: […]}`",
        "SuccessExitStatus": _SUCCESS,
        "StartLimitBurst": _LIMIT,
        "StartLimitIntervalSec": _LIMIT,
        "StartLimitInterval": _LIMIT,
        "TimeoutStartSec": "`start_timeout: …`",
        "TimeoutStopSec": _STOP_TIMEOUT,
        "TimeoutSec": "`start_timeout: …` and `stop: {timeout: …}`",
        "KillSignal": _STOP_SIGNAL,
        "KillMode": "`stop: {scope: main | all | main-only}`",
        "SendSIGKILL": "`stop: {kill: true | false}`",
        "Requires": _DEPENDS,
        "BindsTo": "`depends_on: {NAME: {condition: ready, restart: true}}`",
        "PartOf": "`depends_on: {NAME: {condition: ready, restart: true}}`",
        "Requisite": _DEPENDS,
        "Wants": _DEPENDS_SOFT,
        "After": "`after: [NAME]`",
        "Before": "`before: [NAME]`",
        "WantedBy": "`enabled: true`",
        "Description": "`description: …`",
        "Documentation": "`description: …`",
        "Environment": "`environment: {NAME: value}`",
        "EnvironmentFile": "`env_file: PATH`",
        "PassEnvironment": "`pass_environment: [NAME]`",
        "User": "`user: NAME`",
        "Group": "`group: NAME`",
        "SupplementaryGroups": "`extra_groups: [NAME]`",
        "WorkingDirectory": "`working_dir: PATH`",
        "UMask": "`umask: 022`",
        "StandardInput": "`stdin: null | inherit | PATH`",
        "SuccessAction": "`shutdown_on: success`",
        "FailureAction": "`shutdown_on: failure`",
        "StandardOutput": _OUTPUT,
        "StandardError": _OUTPUT,
    },
    "compose": {
        "image": "`command: …`: pidone runs programs, not images",
        "build": "`command: …`: pidone runs programs, not images",
        "entrypoint": "`command: …`",
        "stop_signal": _STOP_SIGNAL,
        "stop_grace_period": _STOP_TIMEOUT,
        "group_add": "`extra_groups: [NAME]`",
        "ulimits": "`limits: {nofile: 65536}`",
        "profiles": "`enabled: false`, or `groups: [NAME]`",
        "container_name": "it as the name of the service, under `services`",
        "hostname": "`system: {hostname: …}`",
        "ports": "leave it out: services share pidone's network",
        "expose": "leave it out: services share pidone's network",
        "networks": "`system: {namespace: {net: true}}`",
        "network_mode": "`system: {namespace: {net: true}}`",
        "links": _DEPENDS,
        "volumes": "leave it out: services see pidone's files",
        "stdin_open": "`stdin: inherit`",
        "scale": "a service of its own for each, with an anchor for what they share",
        "replicas": "a service of its own for each, with an anchor for what they share",
        "restart_policy": _RESTART,
    },
    "supervisord": {
        "autostart": "`enabled: true | false`",
        "autorestart": _RESTART,
        "startsecs": "`ready: {after: 1s}`",
        "startretries": _LIMIT,
        "exitcodes": _SUCCESS,
        "stopsignal": _STOP_SIGNAL,
        "stopwaitsecs": _STOP_TIMEOUT,
        "stopasgroup": "`stop: {scope: all}`",
        "killasgroup": "`stop: {scope: all}`",
        "redirect_stderr": "leave it out: stdout and stderr are both captured",
        "stdout_logfile": _OUTPUT,
        "stderr_logfile": _OUTPUT,
        "stdout_logfile_maxbytes": _OUTPUT,
        "directory": "`working_dir: PATH`",
        "priority": "`depends_on`, `after` and `before`",
        "process_name": "it as the name of the service, under `services`",
        "numprocs": "a service of its own for each, with an anchor for what they share",
        "programs": "`groups: [NAME]` in each service",
        "minfds": "`limits: {nofile: …}`",
        "minprocs": "`limits: {nproc: …}`",
    },
    "s6": {
        "run": "`command: …`",
        "up": "`command: …` with `type: oneshot`",
        "finish": "`stop: {command: …}`",
        "down": "`enabled: false`",
        "down_signal": _STOP_SIGNAL,
        "timeout_kill": _STOP_TIMEOUT,
        "timeout_finish": _STOP_TIMEOUT,
        "timeout_up": "`start_timeout: …`",
        "timeout_down": _STOP_TIMEOUT,
        "max_death_tally": _LIMIT,
        "dependencies": _DEPENDS,
        "dependencies.d": _DEPENDS,
        "contents": "`groups: [NAME]` in each service",
        "flag_essential": "`shutdown_on: exit`",
    },
    "dinit": {
        "stop_command": "`stop: {command: …}`",
        "smooth_recovery": _RESTART,
        "restart_delay": _DELAY,
        "restart_limit_count": _LIMIT,
        "restart_limit_interval": _LIMIT,
        "stop_timeout": _STOP_TIMEOUT,
        "term_signal": _STOP_SIGNAL,
        "depends_ms": _DEPENDS_SOFT,
        "waits_for": _DEPENDS_SOFT,
        "chain_to": "`after: [NAME]` in the other service",
        "env_file": "`env_file: PATH`",
        "run_as": "`user: NAME`",
        "rlimit_nofile": "`limits: {nofile: …}`",
        "rlimit_core": "`limits: {core: …}`",
        "rlimit_data": "`limits: {data: …}`",
        "rlimit_addrspace": "`limits: {as: …}`",
    },
    "runit": {
        "exec": "`command: …`",
        "chpst": "`user`, `group`, `limits`, `umask` …",
        "sv_timeout": _STOP_TIMEOUT,
    },
    "process-compose": {
        "availability": "`restart: {policy: …, delay: …, limit: …}`; exit_on_end is `shutdown_on: exit`",
        "availability.restart": _RESTART,
        "backoff_seconds": _DELAY,
        "max_restarts": _LIMIT,
        "exit_on_end": "`shutdown_on: exit`",
        "exit_on_skipped": "`shutdown_on: failure`",
        "shutdown": "`stop: {signal: …, timeout: …, command: …}`",
        "shutdown.signal": _STOP_SIGNAL,
        "shutdown.timeout_seconds": _STOP_TIMEOUT,
        "shutdown.command": "`stop: {command: …}`",
        "disabled": "`enabled: false`",
        "namespace": "`groups: [NAME]`",
        "readiness_probe": "`ready: {http: URL}` or `ready: {exec: CMD}`",
        "liveness_probe": "`ready: {http: URL}` or `ready: {exec: CMD}`; this version looks only until it is ready",
        "ready_log_line": _READY_LOG,
        "log_location": _OUTPUT,
        "is_foreground": "`stdin: inherit`",
        "is_tty": "`stdin: inherit`",
        "is_elevated": "`user: root`",
    },
    "spoken": {
        "cmd": "`command: …`",
        "args": "`command: [PROGRAM, ARGUMENT]`",
        "program": "`command: …`",
        "cwd": "`working_dir: PATH`",
        "workdir": "`working_dir: PATH`",
        "chdir": "`working_dir: PATH`",
        "env": "`environment: {NAME: value}`",
        "vars": "`environment: {NAME: value}`",
        "uid": "`user: NUMBER`",
        "gid": "`group: NUMBER`",
        "needs": _DEPENDS,
        "depends": _DEPENDS,
        "requires": _DEPENDS,
        "wants": _DEPENDS_SOFT,
        "autostart_delay": "`depends_on`, or `ready: {after: …}` in the other service",
        "max_retries": _LIMIT,
        "timeout": "`start_timeout: …` or `stop: {timeout: …}`",
        "signal": _STOP_SIGNAL,
        "shell": "`command: {shell: …}`",
        "rlimits": "`limits: {nofile: 65536}`",
    },
}

# Below a key: what people write there.
_BELOW: Mapping[str, Mapping[str, str]] = {
    "StopSpec": {
        "grace_period": "`timeout: …`",
        "stop_grace_period": "`timeout: …`",
        "grace": "`timeout: …`",
        "timeout_seconds": "`timeout: …`",
        "wait": "`timeout: …`",
        "sig": "`signal: …`",
        "mode": "`scope: main | all | main-only`",
        "exec": "`command: …`",
        "parent_only": "`scope: main-only`",
    },
    "RestartSpec": {
        "restart": "`policy: always | on-failure | on-abnormal | never`",
        "condition": "`policy: always | on-failure | on-abnormal | never`",
        "sec": "`delay: …`",
        "backoff": "`delay: …` and `factor: …`",
        "backoff_seconds": "`delay: …`",
        "max_attempts": "`limit: {count: …, within: …}`",
        "max_restarts": "`limit: {count: …, within: …}`",
        "attempts": "`limit: {count: …, within: …}`",
        "window": "`limit: {count: …, within: …}`",
        "exit_codes": "`success: […]`",
    },
    "RestartLimitSpec": {
        "burst": "`count: …`",
        "max": "`count: …`",
        "interval": "`within: …`",
        "window": "`within: …`",
        "period": "`within: …`",
    },
    "ReadySpec": {
        "http_get": "`http: http://127.0.0.1:PORT/PATH`",
        "test": "`exec: [PROGRAM, ARGUMENT]`",
        "cmd": "`exec: [PROGRAM, ARGUMENT]`",
        "command": "`exec: [PROGRAM, ARGUMENT]`",
        "url": "`http: http://127.0.0.1:PORT/PATH`",
        "port": "`tcp: 127.0.0.1:PORT`",
        "socket": "`unix: PATH`",
        "path": "`file: PATH`",
        "regex": "`log: REGEX`",
        "log_line": "`log: REGEX`",
        "delay": "`after: 2s`",
        "seconds": "`after: 2s`",
        "period": "`interval: …`",
        "period_seconds": "`interval: …`",
        "timeout": "`start_timeout: …` beside `ready`",
        "start_period": "`start_timeout: …` beside `ready`",
    },
    "DependencySpec": {"when": "`condition: …`", "state": "`condition: …`", "optional": "`required: false`"},
    "SystemSpec": {
        "shutdown_timeout": "`shutdown: {timeout: …}`",
        "socket": "`control: {socket: PATH}`",
        "unix_http_server": "`control: {socket: PATH}`",
        "isolate": "`namespace: {uts: true, ipc: true, net: true}`",
        "namespaces": "`namespace: {uts: true, ipc: true, net: true}`",
    },
    "ControlSpec": {
        "path": "`socket: PATH`",
        "file": "`socket: PATH`",
        "chmod": "`mode: 0600`",
        "chown": "`group: NAME`",
    },
    "NamespaceSpec": {
        "network": "`net: true`",
        "pid": "leave it out: `pidone up` always makes one",
        "hostname": "`uts: true`",
    },
}

_TOP: Mapping[str, str] = {
    "service": "`services: {NAME: …}`",
    "processes": "`services: {NAME: …}`",
    "programs": "`services: {NAME: …}`",
    "program": "`services: {NAME: …}`",
    "default": "`defaults: {…}`",
    "name": "`system: {name: …}`",
    "environment": "`defaults: {environment: …}`",
    "shutdown": "`system: {shutdown: {timeout: …}}`",
    "override": "`override: true inside the service that is added to`",
    "include": "several -c PATH on the command line, or name a folder",
    "volumes": "leave it out: services see pidone's files",
    "networks": "`system: {namespace: {net: true}}`",
    "unit": "`services: {NAME: …}`",
    "supervisord": "`system: {…}`",
}

LATER: Mapping[str, frozenset[str]] = {
    "ServiceSpec": frozenset(
        {
            *(
                "capabilities",
                "conflicts",
                "cpu_affinity",
                "credentials",
                "file_descriptor_store",
                "healthcheck",
                "hide",
            ),
            *("hooks", "instances", "io_priority", "isolate", "labels", "log", "nice", "no_new_privileges"),
            *("oom_score_adj", "pid_file", "private_tmp", "read_only", "reload", "resources", "root_dir", "schedule"),
            *("scheduler", "sockets", "stderr", "tty", "watchdog", "writable"),
        }
    ),
    "ReadySpec": frozenset({"notify", "fd"}),
    "SystemSpec": frozenset({"boot", "exit_when_done", "log", "watchdog"}),
}
"""Keys that pidone is going to have; they are unknown until they do something."""

ALIASES: Mapping[str, str] = {
    "service_started": "started",
    "service_healthy": "ready",
    "service_completed_successfully": "completed",
}
"""Compose's words for conditions, accepted as they are."""

_VALUES: Mapping[str, str] = {
    "no": "never",
    "off": "never",
    "false": "never",
    "none": "never",
    "unless-stopped": "always",
    "yes": "always",
    "true": "always",
    "unexpected": "on-failure",
    "exit_on_failure": "on-failure",
    "on-abort": "on-abnormal",
    "on-watchdog": "on-abnormal",
    "healthy": "ready",
    "process_healthy": "ready",
    "process_started": "started",
    "process_completed": "ended",
    "process_completed_successfully": "completed",
    "process_log_ready": "ready",
    "running": "started",
    "done": "completed",
    "finished": "ended",
    "exited": "ended",
    "exec": "simple",
    "idle": "simple",
    "daemon": "simple",
    "process": "simple",
    "longrun": "simple",
    "scripted": "oneshot",
    "job": "oneshot",
    "control-group": "all",
    "cgroup": "all",
    "group": "all",
    "mixed": "main",
    "process-group": "all",
}

SERVICE_KEYS: Mapping[str, Mapping[str, str]] = _SYSTEMS


def foreign_key(owner: str, key: str) -> Foreign | None:
    """What this key of another system is here; `owner` is the name of the record it was written in."""
    if key in LATER.get(owner, ()):
        return Foreign("not-available", "", "")
    tables = tuple(_SYSTEMS.values()) if owner == "ServiceSpec" else (_BELOW.get(owner, {}),)
    return _found(key, tables)


def foreign_top(key: str) -> Foreign | None:
    """The same for the keys of a file."""
    return _found(key, (_TOP,))


def foreign_value(word: str, choices: tuple[str, ...]) -> str:
    """Which of these words of ours another system's word means; "" when it means none."""
    ours = _VALUES.get(word.lower().replace("_", "-"), "") or _VALUES.get(word.lower(), "")
    return ours if ours in choices else ""


def _found(key: str, tables: tuple[Mapping[str, str], ...]) -> Foreign | None:
    wanted = _plain(key)
    for table in tables:
        for theirs, ours in table.items():
            if _plain(theirs) == wanted:
                meant = ours.split("`")[1].partition(":")[0] if ours.startswith("`") else ""
                return Foreign("foreign-key", ours if ours.startswith("leave") else f"write {ours}", meant)
    return None


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
