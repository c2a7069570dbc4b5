"""What do all files say together? Their services, defaults and `system`, each still as it was written.

Every file has the same shape: `version`, `system`, `defaults`, `services`, and `x-…` which is ignored. A service is defined
once; a later file adds to it under `override: true`. `system` stands in one file at most; several `defaults` are laid over each
other in the order of the files and apply to all services.
"""

from __future__ import annotations

from collections.abc import Iterable

from supervisor.config.budget import Budget
from supervisor.config.compose import compose
from supervisor.config.findings import Findings, Refused
from supervisor.config.foreign import foreign_top
from supervisor.config.nearest import nearest
from supervisor.config.nodes import Map, Node, Text, place_of
from supervisor.config.scalars import flag, is_name, shape_of

__all__ = ["RESERVED", "Definition", "Document", "gather"]

RESERVED = ("pidone",)  # the name under which pidone's own lines stand in the log

_KEYS = ("version", "system", "defaults", "services")


class Definition:
    """One service: where it was defined, and what the files say about it, the first below."""

    def __init__(self, key: Text, first: Map, *, readable: bool = True) -> None:
        self.key, self.layers = key, [first]
        self.readable = readable
        """False: there is such a service, and nothing more is known of it."""


class Document:
    """All files together."""

    def __init__(self) -> None:
        self.services: dict[str, Definition] = {}
        self.defaults: list[Map] = []
        self.system: Map | None = None
        self.whole = True
        """False when a file could not be understood: then what seems to be missing may stand there."""


def gather(texts: Iterable[tuple[str, str]], budget: Budget, findings: Findings) -> Document:
    """Read files, given as (name, text) in their order."""
    document = Document()
    for file, text in texts:
        composed = compose(text, file, budget, findings)
        document.whole = document.whole and composed.whole
        if isinstance(composed.root, Map):
            _take_file(document, composed.root, findings)
        elif composed.root is not None and not (isinstance(composed.root, Text) and composed.root.empty):
            findings.error(composed.root, "wrong-shape", wanted="a mapping", found=shape_of(composed.root))
        if budget.exhausted:
            document.whole = False
            break
    return document


def _take_file(document: Document, root: Map, findings: Findings) -> None:
    for key, node in root.items():
        if key.startswith("x-"):
            continue
        if key not in _KEYS:
            _tell_unknown(key, findings)
        elif isinstance(node, Text) and node.empty:
            continue
        elif key == "version":
            if node != "1":
                findings.error(node, "version", text=node[:20] if isinstance(node, Text) else shape_of(node))
        elif not isinstance(node, Map):
            findings.error(node, "wrong-shape", wanted="a mapping", found=shape_of(node))
        elif key == "defaults":
            document.defaults.append(node)
        elif key == "services":
            for name, service in node.items():
                _take_service(document, name, service, findings)
        elif document.system is None:
            document.system = node
        else:
            findings.error(key, "system-twice", first=_where(document.system))


def _tell_unknown(key: Text, findings: Findings) -> None:
    foreign = foreign_top(key)
    if foreign is not None:
        findings.error(key, "foreign-key", key=key[:60], ours=foreign.ours)
    else:
        near = "" if findings.full else nearest(key, _KEYS)
        findings.error(key, "unknown-key", key=key[:60], inside="", near=near, known=", ".join((*_KEYS, "x-…")))


def _where(node: Node) -> str:
    place = place_of(node)
    return f"{place.file}:{place.line}"


def _take_service(document: Document, key: Text, node: Node, findings: Findings) -> None:
    if not is_name(key):
        findings.error(key, "no-name", text=key[:70])
        return
    if key in RESERVED:
        findings.error(key, "reserved-name", name=key)
        return
    if isinstance(node, Text) and node.empty:
        layer = Map()
        layer.file, layer.mark = key.file, key.mark
    elif isinstance(node, Map):
        layer = node
    else:
        findings.error(node, "wrong-shape", wanted="a mapping", found=shape_of(node))
        document.services.setdefault(key, Definition(key, _hollow(key), readable=False))
        return
    layer, adds = _without_override(layer, findings)
    known = document.services.get(key)
    if known is None:
        if adds is True:
            findings.error(
                key, "override-unknown", name=key, near="" if findings.full else nearest(key, document.services)
            )
        document.services[str(key)] = Definition(key, layer)
    elif adds is False:
        findings.error(key, "service-twice", name=key, first=_where(known.key))
    else:
        known.layers.append(layer)


def _hollow(key: Text) -> Map:
    """Stands for a service that is there but cannot be read."""
    made = Map()
    made.file, made.mark = key.file, key.mark
    made[Text("command", key.file, key.mark)] = Text("-", key.file, key.mark)
    return made


def _without_override(layer: Map, findings: Findings) -> tuple[Map, bool | None]:
    """The rest, and whether it adds to an earlier definition; None when that cannot be known."""
    if "override" not in layer:
        return layer, False
    rest = layer.like()
    rest.update((key, node) for key, node in layer.items() if key != "override")
    word = layer[Text("override")]
    if isinstance(word, Text) and word.empty:
        return rest, False
    try:
        return rest, flag(word)
    except Refused as refusal:
        findings.refused(refusal, word)
        return rest, None
