"""Does every key that is accepted change what happens? Each has a small world that is run with the key and without it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from supervisor.model import spec
from supervisor.model.record import Record, fields_of
from tests.outside.keys import Row
from tests.outside.keys_process import PROCESS_ROWS
from tests.outside.keys_service import SERVICE_ROWS
from tests.outside.keys_system import SYSTEM_ROWS
from tests.outside.world import is_root, world

_ROWS = [row for row in (*SERVICE_ROWS, *PROCESS_ROWS, *SYSTEM_ROWS) if is_root() or not row.needs_root]

# The records of model/spec, and how a key in them is called here.
_RECORDS: Mapping[type[Record], str] = {
    spec.ServiceSpec: "",
    spec.DependencySpec: "depends_on.",
    spec.ReadySpec: "ready.",
    spec.RestartSpec: "restart.",
    spec.RestartLimitSpec: "restart.limit.",
    spec.StopSpec: "stop.",
    spec.LimitPair: "limits.",
    spec.SystemSpec: "system.",
    spec.ShutdownSpec: "system.shutdown.",
    spec.ControlSpec: "system.control.",
    spec.NamespaceSpec: "system.namespace.",
}


def _without(document: Mapping[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(dict(document))
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def _observed(row: Row, document: Mapping[str, Any]) -> object:
    services = document["services"]
    with world(
        services,
        *row.options,
        system=document.get("system"),
        env=row.env,
        files=row.files,
        named=row.named,
        begun=row.named,
    ) as here:
        if here.process.poll() == 7:
            return "refused"
        return row.observe(here)


@pytest.mark.parametrize("row", _ROWS, ids=[row.key for row in _ROWS])
def test_the_key_makes_the_difference(row: Row) -> None:
    document = {"services": row.services, **({"system": row.system} if row.system is not None else {})}
    assert _observed(row, document) == row.expected
    assert _observed(row, _without(document, row.path)) != row.expected


def test_every_key_of_the_spec_has_a_world() -> None:
    declared = {f"{prefix}{field}" for kind, prefix in _RECORDS.items() for field in fields_of(kind)}
    shown = {row.key for row in (*SERVICE_ROWS, *PROCESS_ROWS, *SYSTEM_ROWS)}
    assert declared == shown


def test_every_record_of_the_spec_is_counted() -> None:
    records = {
        kind
        for kind in vars(spec).values()
        if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
    }
    assert records == set(_RECORDS)
