"""Does `show` tell every key as it counts, in words that could be written, and never what a variable holds?"""

from __future__ import annotations

import json

from supervisor.model.plan import Identity, PlannedService
from supervisor.model.record import fields_of
from supervisor.model.spec import (
    UNLIMITED,
    DependencySpec,
    LimitPair,
    ReadySpec,
    RestartLimitSpec,
    RestartSpec,
    ServiceSpec,
    StopSpec,
)
from supervisor.model.words import Seconds, ServiceName
from supervisor.runtime.definition import definition_view, identity_view

FULL = ServiceSpec(
    command=(("sh", "-c", "echo 'a b'"), ("true",)),
    depends_on={
        ServiceName("db"): DependencySpec(),
        ServiceName("cache"): DependencySpec("started", required=False, restart=True),
    },
    ready=ReadySpec(exec=("curl", "-f", "http://localhost/?a=b")),
    restart=RestartSpec("on-failure", limit=RestartLimitSpec(3, Seconds(90)), success=("0", "SIGTERM")),
    stop=StopSpec(timeout=Seconds(2.5), kill=False),
    environment={"PASSWORD": "swordfish", "TOKEN": "opensesame"},
    limits={"nofile": LimitPair(1024, 4096), "core": LimitPair(0, 0), "nproc": LimitPair(UNLIMITED, UNLIMITED)},
    start_timeout=None,
    umask=0o27,
    after=("log", "net"),
)


def _shown(spec: ServiceSpec) -> dict[str, tuple[object, str, bool]]:
    view = definition_view(PlannedService(ServiceName("web"), spec))
    return {entry["key"]: (entry["value"], entry["text"], entry["default"]) for entry in view}


def test_no_secret_is_in_it() -> None:
    view = json.dumps(definition_view(PlannedService(ServiceName("web"), FULL)))
    assert "PASSWORD" in view
    assert "swordfish" not in view
    assert "opensesame" not in view


def test_every_key_is_there_and_says_whether_it_was_written() -> None:
    plain = _shown(ServiceSpec(command=(("true",),)))
    top = {key.partition(".")[0] for key in plain}
    assert top == set(fields_of(ServiceSpec))
    assert [key for key, (_, _, default) in plain.items() if not default] == ["command"]
    assert {"restart.delay", "stop.scope"} <= plain.keys()
    assert "ready.tcp" not in plain  # it has no `ready` at all


def test_values_are_told_as_they_would_be_written() -> None:
    texts = {key: text for key, (_, text, _) in _shown(FULL).items()}
    assert texts["command"] == "sh -c 'echo '\\''a b'\\'''; true"
    assert texts["depends_on"] == "db: ready, cache: started, not required, restart"
    assert texts["ready.exec"] == "curl -f 'http://localhost/?a=b'"
    assert (texts["restart.policy"], texts["restart.limit.within"]) == ("on-failure", "1m30s")
    assert (texts["stop.timeout"], texts["stop.kill"], texts["stop.command"]) == ("2.5s", "false", "none")
    assert texts["limits"] == "nofile: [1024, 4096], core: 0, nproc: unlimited"
    assert (texts["start_timeout"], texts["umask"], texts["after"]) == ("none", "0027", "log, net")
    assert (texts["restart.factor"], texts["restart.success"]) == ("2", "0, SIGTERM")
    assert _shown(ServiceSpec(command=(("true",),)))["start_timeout"][1] == "1m"


def test_values_are_plain_data() -> None:
    values = {key: value for key, (value, _, _) in _shown(FULL).items()}
    assert values["depends_on"]["db"] == {"condition": "ready", "required": True, "restart": False}  # type: ignore[index]
    assert values["stop.timeout"] == 2.5
    assert values["environment"] == ["PASSWORD", "TOKEN"]
    json.dumps(values)


def test_who_it_runs_as() -> None:
    planned = PlannedService(ServiceName("web"), FULL, identity=Identity(5, 6, (7,), "us", "/home/us"))
    assert identity_view(planned) == {"uid": 5, "gid": 6, "groups": [7], "user": "us"}
    assert identity_view(PlannedService(ServiceName("web"), FULL)) is None
