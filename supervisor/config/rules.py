"""Do the keys of one service, or of `system`, go together? And what do they mean where nothing was written?

Defaults that depend on other keys are settled here, so that the plan says outright what will happen.
"""

from __future__ import annotations

import os

from supervisor.config.commands import shell_signs
from supervisor.config.findings import Findings
from supervisor.config.nodes import Map, Node, Seq, Text, key_of
from supervisor.config.scalars import is_name
from supervisor.model.record import fields_of, replace
from supervisor.model.spec import ReadySpec, RestartSpec, ServiceSpec, SystemSpec
from supervisor.model.words import Seconds, is_host_name

__all__ = ["settled", "settled_system"]

_PROBES = tuple(name for name in fields_of(ReadySpec) if name != "interval")


def settled(spec: ServiceSpec, written: Map, broken: frozenset[str], findings: Findings) -> ServiceSpec:
    """The same service with nothing left open. `broken` keys were wrong and are judged no further."""
    if spec.ready is not None:
        _judge_ready(spec, written, broken, findings)
    if not broken & {"command", "type"} and spec.type != "oneshot" and len(spec.command) > 1:
        findings.error(written[Text("command")], "several-commands", count=len(spec.command))
    if "command" not in broken and (sign := shell_signs(written.get(Text("command"), Text("")))):
        findings.warning(written[Text("command")], "looks-like-shell", sign=sign)
    for name in spec.groups:
        if not is_name(name):
            findings.error(_item(written[Text("groups")], name), "no-group-name", text=name[:40])
    if spec.stdin == "":
        findings.error(written[Text("stdin")], "empty")
    changes: dict[str, object] = {"restart": _settled_restart(spec, written, findings)}
    if spec.type == "oneshot" and "start_timeout" not in written:
        changes["start_timeout"] = None
    if spec.working_dir and not spec.working_dir.startswith("/"):
        changes["working_dir"] = os.path.abspath(spec.working_dir)
    return replace(spec, **changes)


def _judge_ready(spec: ServiceSpec, written: Map, broken: frozenset[str], findings: Findings) -> None:
    at = written[Text("ready")]
    probes = [name for name in _PROBES if getattr(spec.ready, name) is not None]
    if not probes:
        findings.error(at, "ready-empty", probes=", ".join(_PROBES))
    elif len(probes) > 1:
        findings.error(at, "ready-several", probes=" and ".join(probes))
    if spec.type == "oneshot" and "type" not in broken:
        findings.error(key_of(written, "ready"), "ready-oneshot")


def _settled_restart(spec: ServiceSpec, written: Map, findings: Findings) -> RestartSpec:
    """A oneshot and a service whose end is the world's end do not restart unless it was written."""
    at = written.get(Text("restart"))
    keys = at if isinstance(at, Map) else Map()
    restart = spec.restart
    if "policy" not in keys and (spec.type == "oneshot" or spec.shutdown_on != "never"):
        restart = replace(restart, policy="never")
    if restart.delay > restart.max_delay:
        if "max_delay" in keys:
            findings.error(keys[Text("max_delay")], "delay-above-max")
        else:  # who writes only `delay: 1m` means it
            restart = replace(restart, max_delay=Seconds(restart.delay))
    return restart


def _item(node: Node, word: str) -> Node:
    """The item of a list that says this."""
    assert isinstance(node, Seq)
    return next(item for item in node if item == word)


def settled_system(system: SystemSpec, written: Map, findings: Findings) -> SystemSpec:
    """The same, for `system`."""
    if not system.namespace.mount:
        namespace = written[Text("namespace")]
        assert isinstance(namespace, Map)
        findings.error(namespace[Text("mount")], "stale-proc")
    if not is_host_name(system.hostname):
        findings.error(written[Text("hostname")], "no-hostname", text=system.hostname[:70])
    if system.control.socket and not system.control.socket.startswith("/"):
        return replace(system, control=replace(system.control, socket=os.path.abspath(system.control.socket)))
    return system
