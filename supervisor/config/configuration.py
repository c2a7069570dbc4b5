"""What did the user write, all of it? Files in, services and `system` out, every mistake on the way remembered with its place.

The order: read, compose, gather over files, per service lay its files and `defaults` over each other, validate, settle what
depends on other keys, read what it names (env files, users). Nothing raises for what a user can write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from supervisor.config.budget import Budget
from supervisor.config.document import Definition, Document, gather
from supervisor.config.envfile import variables_in
from supervisor.config.findings import Findings, Refused
from supervisor.config.identities import control_gid, identity_of, uids_in
from supervisor.config.nodes import NOWHERE, Map, Node, Place, Seq, Text, key_of, place_of
from supervisor.config.rules import settled, settled_system
from supervisor.config.schema import validate
from supervisor.config.shapes import merged, shaped
from supervisor.config.sources import Sources, read_text
from supervisor.config.variables import Variables
from supervisor.model.plan import Plan, PlannedService
from supervisor.model.realm import EVERYBODY, Realm
from supervisor.model.record import Record, fields_of, replace
from supervisor.model.spec import ServiceSpec, SystemSpec
from supervisor.model.words import ServiceName

__all__ = ["Configuration", "locate", "read"]


class Configuration(Record):
    """What came of reading. The plan says nothing yet about programs and what is wrong between services."""

    plan: Plan
    """When there are errors: of what could be understood."""
    written: Mapping[str, Map]
    """Every service as it was written, with its defaults, for `locate`."""
    keys: Mapping[str, Text]
    """Every service's name where it was defined."""
    broken: Mapping[str, frozenset[str]]
    """The keys of each service whose values were wrong."""
    sources: Sources
    whole: bool
    """False when a file or service could not be understood: then what seems to be missing may stand there."""


def read(
    paths: Iterable[str], environ: Mapping[str, str], findings: Findings, realm: Realm = EVERYBODY
) -> Configuration:
    """Read the configuration that these paths mean, for a world in which this realm exists."""
    reader = _Reader(environ, findings, realm)
    sources = Sources()
    sources.read(paths, reader.budget, findings)
    document = gather(sources.texts.items(), reader.budget, findings)
    planned, written, broken = [], {}, {}
    try:
        reader.take_defaults(document)
        for name, definition in document.services.items():
            service, mapping, wrong = reader.service(ServiceName(name), definition)
            planned.append(service)
            written[name], broken[name] = mapping, wrong
        plan = reader.system(document, tuple(planned))
    except Refused as refusal:  # the one that ends everything: too large
        findings.refused(refusal, NOWHERE)
        plan = Plan()
    if not document.services and not findings.errors:
        findings.warning(NOWHERE, "no-services")
    keys = {name: definition.key for name, definition in document.services.items()}
    return Configuration(plan, written, keys, broken, sources, sources.whole and document.whole)


def locate(configuration: Configuration, path: tuple[str | int, ...]) -> Place:
    """Where a path such as ("services", "web", "depends_on", "db") was written, as far as it leads."""
    _, name, *rest = path
    node: Node = configuration.keys[str(name)]
    below: Node | None = configuration.written.get(str(name))
    for part in rest:
        if isinstance(below, Seq):
            node = next((item for item in below if item == part), node)
        elif isinstance(below, Map) and part in below:
            key = key_of(below, str(part))
            below = below[key]
            node = key if isinstance(below, Map | Seq) or (part is rest[-1] and len(rest) > 1) else below
    return place_of(node)


class _Reader:
    """Reads services one by one, with what they share."""

    def __init__(self, environ: Mapping[str, str], findings: Findings, realm: Realm) -> None:
        self._environ, self._findings, self._realm = environ, findings, realm
        self.budget = Budget()
        self._defaults: list[Map] = []
        self._defaults_size = 0
        self._env_files: dict[str, Mapping[str, str]] = {}

    def take_defaults(self, document: Document) -> None:
        """Judge the defaults by themselves: a mistake in them is one, whether or not a service meets it."""
        self._defaults = document.defaults
        self._defaults_size = sum(_size(layer) for layer in document.defaults)
        for layer in document.defaults:
            variables = Variables(self._environ, "SERVICE", self.budget, self._findings)
            validate(ServiceSpec, shaped(ServiceSpec, layer, variables, self._findings), self._findings, partial=True)

    def service(self, name: ServiceName, definition: Definition) -> tuple[PlannedService, Map, frozenset[str]]:
        """One service; what could not be understood of it has its default."""
        findings = self._findings
        variables = Variables(self._environ, name, self.budget, findings)
        first, *more = definition.layers
        self.budget.take_nodes(self._defaults_size, definition.key)
        written: Map | None = None
        for layer in (*self._defaults, first, *more):
            above = shaped(ServiceSpec, layer, variables, findings)
            written = above if written is None else merged(ServiceSpec, written, above)
        assert written is not None
        written.file, written.mark = definition.key.file, definition.key.mark
        validated = validate(ServiceSpec, written, findings)
        broken = validated.broken
        spec = ServiceSpec(**{"command": ((),), **validated.values})
        usable = Map((key, node) for key, node in written.items() if key not in broken)
        spec = settled(spec, usable, broken, findings)
        if spec.env_file:
            spec = self._with_files(spec, usable)
        place = place_of(definition.key)
        identity = identity_of(spec, usable, findings, self._realm)
        planned = PlannedService(name, spec, f"{place.file}:{place.line}", identity)
        return planned, written, broken if definition.readable else frozenset(fields_of(ServiceSpec))

    def _with_files(self, spec: ServiceSpec, written: Map) -> ServiceSpec:
        """The variables of its files, and over them its own."""
        environment: dict[str, str] = {}
        files = []
        node = written[Text("env_file")]
        assert isinstance(node, Seq)
        for item in node:
            assert isinstance(item, Text)
            path = os.path.join(os.path.dirname(item.file), item)
            files.append(os.path.abspath(path))
            found = self._env_file(path, item)
            self.budget.take_nodes(len(found), item)
            environment.update(found)
        environment.update(spec.environment)
        return replace(spec, environment=MappingProxyType(environment), env_file=tuple(files))

    def _env_file(self, path: str, at: Text) -> Mapping[str, str]:
        found = self._env_files.get(path)
        if found is None:
            try:
                found = variables_in(read_text(path, self.budget), self._environ)
            except Refused as refusal:
                if refusal.code == "env-file-line":
                    self._findings.error(at, refusal.code, file=path, **refusal.texts)
                else:
                    self._findings.error(at, "env-file", file=path, why=refusal.texts.get("why", refusal.code))
                found = {}
            self._env_files[path] = found
        return found

    def system(self, document: Document, services: tuple[PlannedService, ...]) -> Plan:
        """The plan, with what `system` says."""
        if document.system is None:
            return Plan(services)
        findings = self._findings
        variables = Variables(self._environ, None, self.budget, findings)
        written = shaped(SystemSpec, document.system, variables, findings)
        validated = validate(SystemSpec, written, findings)
        system = settled_system(SystemSpec(**validated.values), written, findings)
        control = written.get(Text("control"))
        if not isinstance(control, Map) or "control" in validated.broken:
            return Plan(services, system)
        nobody, realm = Seq(), self._realm
        return Plan(
            services,
            system,
            admin_uids=uids_in(control.get(Text("admin"), nobody), findings, realm),
            read_uids=uids_in(control.get(Text("read"), nobody), findings, realm),
            control_gid=control_gid(control[Text("group")], findings, realm) if system.control.group else -1,
        )


def _size(node: Node) -> int:
    if isinstance(node, Text):
        return 1
    below = node.values() if isinstance(node, Map) else node
    return 1 + sum(_size(one) for one in below)
