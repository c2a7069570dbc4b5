"""How does what was read become the plan, or a list of everything that is wrong with it?

The one place where config, core, kernel and wire meet: programs are looked up, services are judged together, findings get
their words and their source line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from supervisor.config.configuration import Configuration, locate, read
from supervisor.config.excerpt import excerpt
from supervisor.config.findings import Finding, Findings
from supervisor.config.messages import message_of
from supervisor.config.nearest import nearest
from supervisor.config.nodes import NOWHERE, Map, Node, Seq, Text
from supervisor.config.sources import Sources
from supervisor.core.graph import problems
from supervisor.kernel.filesystems import Mounts
from supervisor.model.plan import Plan, PlannedService
from supervisor.model.realm import EVERYBODY, Realm
from supervisor.model.record import replace
from supervisor.programs.launches import Launches, Missing
from supervisor.wire.diagnostics import Diagnostic, to_plain
from supervisor.wire.state import wrap

__all__ = ["plan_of"]

_DECIDES_ITS_END = frozenset({"type", "restart", "shutdown_on"})
"""Where one of these keys is wrong, to judge whether the service ever ends would be a guess."""

_BESIDE = (("stop", "command"), ("ready", "exec"))
"""The commands that a service may have beside its own."""

_SUGGESTIONS = 50  # unknown names for which a known one is looked for; each costs up to 40 ms among 2000 names


def plan_of(paths: Iterable[str], environ: Mapping[str, str], realm: Realm = EVERYBODY) -> dict[str, Any]:  # Any: JSON
    """The loader's document, for a world in which this realm exists."""
    findings = Findings()
    configuration = read(paths, environ, findings, realm)
    _judge_together(configuration, findings)
    plan = _with_launches(configuration, environ, findings)
    errors, warnings = findings.errors, findings.warnings
    told = [to_plain(_diagnostic(finding, configuration.sources)) for finding in warnings]
    if not errors:
        return {"ok": True, "plan": wrap(plan), "warnings": told}
    wrong = [to_plain(_diagnostic(finding, configuration.sources)) for finding in errors]
    if findings.beyond:
        more = Finding(NOWHERE, "more-errors", (("count", str(findings.beyond)),))
        wrong.append(to_plain(_diagnostic(more, configuration.sources)))
    return {"ok": False, "errors": wrong, "warnings": told}


def _judge_together(configuration: Configuration, findings: Findings) -> None:
    """Mistakes that show only across services; none that another mistake may have made."""
    names = [planned.name for planned in configuration.plan.services]
    suggested = 0
    for problem in problems(configuration.plan):
        texts = {name: _short(text) for name, text in problem.args.items()}
        if problem.code == "unknown-service":
            if not configuration.whole:
                continue
            suggested += 1
            texts["near"] = nearest(texts["name"], names) if suggested <= _SUGGESTIONS else ""
        elif problem.code in ("never-ends", "never-fires"):
            judged = texts.get("name", problem.path[1])
            if configuration.broken[str(judged)] & _DECIDES_ITS_END:
                continue
        findings.error(locate(configuration, problem.path), problem.code, **texts)


def _short(text: str) -> str:
    """A cycle of a thousand services is told by its beginning and its end."""
    return text if len(text) <= 400 else f"{text[:300]} … {text[-60:]}"


def _with_launches(configuration: Configuration, environ: Mapping[str, str], findings: Findings) -> Plan:
    launches = Launches(environ, Mounts.here())
    services: list[PlannedService] = []
    for planned in configuration.plan.services:
        launch, missing = launches.launch(planned.spec)
        services.append(replace(planned, launch=launch))
        written, broken = configuration.written[planned.name], configuration.broken[planned.name]
        if "command" not in broken:
            for one in missing:
                _tell_missing(written, one, findings)
        for key, name in _BESIDE:
            part = getattr(planned.spec, key)
            argv = getattr(part, name, None)
            if argv and key not in broken and (other := launches.missing(planned.spec, argv)):
                node = written[Text(key)]
                assert isinstance(node, Map)
                _tell_missing(node, other, findings, name)
    return replace(configuration.plan, services=tuple(services))


def _tell_missing(written: Map, missing: Missing, findings: Findings, key: str = "command") -> None:
    """A warning only: something may put the program there before the service starts."""
    command: Node = written[Text(key)]
    if isinstance(command, Seq) and command and not isinstance(command[0], Text):
        command = command[missing.nth]
    if missing.path:
        findings.warning(command, "not-executable", name=missing.path)
    else:
        where = f"in PATH ({missing.searched})" if missing.searched else "now"
        findings.warning(command, "command-not-found", name=missing.name, where=where)


def _diagnostic(finding: Finding, sources: Sources) -> Diagnostic:
    message, hint = message_of(finding)
    file, line, column = finding.place
    source = sources.line(file, line)
    shown = "" if source is None else excerpt(source, column)
    return Diagnostic(finding.code, message, file, line, column, hint, shown)
