from __future__ import annotations

import json
import signal
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.model.effect import Effect
from supervisor.model.event import Event, Exited, PlanAccepted
from supervisor.model.plan import Launch, Plan, PlannedService
from supervisor.model.process import Exit
from supervisor.model.reason import Reason
from supervisor.model.record import Record, defaults_of, fields_of, kinds_of
from supervisor.model.request import KillRequest, Request
from supervisor.model.service import Ended, Inactive, Running, Service, State
from supervisor.model.spec import DependencySpec, LimitPair, ServiceSpec, StopSpec
from supervisor.model.words import NEVER, Instant, Monotonic, RunId, Seconds, ServiceName, TicketId, Wall
from supervisor.model.world import Links, Roster, World
from supervisor.wire.state import STATE_VERSION, StateError, decode, dump, encode, load, wrap

WEB = ServiceName("web")
SPEC = ServiceSpec(command=(("/bin/true",),))
NOW = Instant(Monotonic(1.5), Wall(1e9))


class Shelf(Record):
    """A record whose field stands for one of several, none, or many."""

    state: State
    maybe: Event | None = None
    pair: tuple[int, str] = (0, "")
    deadline: Monotonic = NEVER


class _World(Record):
    roster: Roster


# ---- strategies made from the annotations themselves ----

_TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0x2FF) | st.just("\udc80"), max_size=6)


def _values(kind: Any) -> st.SearchStrategy[Any]:
    origin = getattr(kind, "__origin__", None)
    if hasattr(kind, "__metadata__"):
        return _values(kind.__origin__)
    if hasattr(kind, "__supertype__"):
        return _values(kind.__supertype__)
    if kind is type(None):
        return st.none()
    if kind is str:
        return _TEXT
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers()
    if kind is float:
        return st.floats(allow_nan=False)
    if isinstance(kind, type) and issubclass(kind, Record):
        return st.deferred(lambda: _records(kind))
    if isinstance(kind, type) and issubclass(kind, Roster):
        return st.just(Roster())
    if isinstance(kind, type) and issubclass(kind, tuple):
        return st.tuples(*map(_values, kinds_of(kind).values())).map(lambda values: kind(*values))
    arguments = get_args(kind)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(_values(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_values, arguments))
    if isinstance(origin, type):
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=2).map(MappingProxyType)
    if str(kind).startswith("typing.Literal"):
        return st.sampled_from(arguments)
    return st.one_of(*map(_values, arguments))


def _records(kind: type[Record]) -> st.SearchStrategy[Any]:
    kinds, defaults = kinds_of(kind), defaults_of(kind)
    fields = {name: _values(annotation) for name, annotation in kinds.items()}
    optional = {name: value for name, value in fields.items() if name in defaults}
    required = {name: value for name, value in fields.items() if name not in defaults}
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: kind(**values))


_KINDS: tuple[type[Record], ...] = (
    *get_args(State),
    *get_args(Effect),
    *(kind for kind in get_args(Event) if kind is not PlanAccepted),
    *get_args(Request),
    Plan,
    Service,
    Shelf,
    Links,
)


@given(st.sampled_from(_KINDS).flatmap(_records))
def test_thawing_what_was_frozen_gives_the_same_record(record: Record) -> None:
    again = load(type(record), dump(record))
    assert again == record
    assert dump(again) == dump(record)
    assert [type(getattr(again, name)) for name in fields_of(type(record))] == [
        type(getattr(record, name)) for name in fields_of(type(record))
    ]


def test_a_whole_world_is_frozen_and_thawed() -> None:
    planned = PlannedService(name=WEB, spec=SPEC)
    running = Running(since=NOW, reason=Reason("ready", "it is ready"), run=RunId(WEB, 3), ready=True)
    world = World(
        services=Roster([Service(plan=planned, want="up", state=running)]),
        graph=MappingProxyType({WEB: Links(MappingProxyType({ServiceName("db"): DependencySpec()}), {}, (), ())}),
        plan=Plan(services=(planned,)),
        seed=7,
        shutdown_timeout=Seconds(8),
    )
    assert load(World, dump(world)) == world


def test_a_field_that_equals_its_default_is_left_out() -> None:
    assert encode(StopSpec(timeout=Seconds(3.0))) == {"timeout": 3.0}
    assert encode(PlannedService(name=WEB, spec=SPEC, launch=Launch("fast"))) == {
        "name": "web",
        "spec": {"command": [["/bin/true"]]},
        "launch": {"way": "fast"},
    }


def test_one_of_several_records_is_tagged_with_its_name() -> None:
    shelf = Shelf(state=Inactive(NOW, Reason("operator", "x")), maybe=Exited(RunId(WEB, 1), "main", Exit(code=0)))
    data = encode(shelf)
    assert data["state"]["is"] == "Inactive"
    assert data["maybe"] == {"is": "Exited", "run": ["web", 1], "role": "main", "exit": {"code": 0}}
    assert decode(Shelf, data) == shelf


def test_what_is_decoded_cannot_be_changed() -> None:
    again = load(ServiceSpec, dump(ServiceSpec(command=(("x",),), limits={"core": LimitPair(0, 0)})))
    with pytest.raises(TypeError):
        again.limits["core"] = LimitPair(1, 1)  # type: ignore[index]  # that is the point


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "PlannedService needs name"),
        ({"name": "web"}, "PlannedService needs spec"),
        ([], "a mapping (PlannedService) was expected, found []"),
        ({"name": 3, "spec": {"command": []}}, "name: a text was expected, found 3"),
        ({"name": "web", "spec": {"command": [["a"], "b"]}}, "spec.command[1]: a list was expected, found 'b'"),
        ({"name": "web", "spec": {"command": [["a"], [1]]}}, "spec.command[1][0]: a text was expected"),
        ({"name": "web", "spec": {"command": [], "colour": 1}}, "spec: ServiceSpec has no field colour"),
        ({"name": "web", "spec": {"command": [], "enabled": 1}}, "spec.enabled: true or false was expected"),
        ({"name": "web", "spec": {"command": [], "umask": True}}, "spec.umask: a whole number was expected"),
        ({"name": "web", "spec": {"command": [], "umask": "022"}}, "spec.umask: a whole number was expected"),
        ({"name": "web", "spec": {"command": [], "type": "forking"}}, "spec.type: one of oneshot, simple was expected"),
        ({"name": "web", "spec": {"command": [], "type": []}}, "spec.type: one of oneshot, simple was expected"),
        (
            {"name": "web", "spec": {"command": [], "stop": {"timeout": "x"}}},
            "spec.stop.timeout: a number was expected",
        ),
        ({"name": "web", "spec": {"command": [], "stop": {"timeout": True}}}, "spec.stop.timeout: a number was"),
        ({"name": "web", "spec": {"command": [], "stop": {"timeout": 10**400}}}, "spec.stop.timeout: a number was"),
        ({"name": "web", "spec": {"command": [], "limits": {"core": 3}}}, "spec.limits.core: a mapping (LimitPair)"),
        ({"name": "web", "spec": {"command": [], "limits": []}}, "spec.limits: a mapping was expected"),
        ({"name": "web", "spec": {"command": None}}, "spec.command: a list was expected, found None"),
    ],
)
def test_what_is_no_value_is_refused_with_its_place(data: object, words: str) -> None:
    with pytest.raises(StateError) as caught:
        decode(PlannedService, data)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"state": {"is": "Sleeping"}}, "one of Inactive, Waiting"),
        ({"state": {}}, "one of Inactive, Waiting"),
        ({"state": {"is": []}}, "one of Inactive, Waiting"),
        ({"state": []}, "one of Inactive, Waiting"),
        ({"state": {"is": "Inactive", "since": [1.0]}}, "state.since: a list of 2 was expected"),
        ({"state": {"is": "Inactive", "since": [1.0, "x"]}}, "state.since: a number was expected"),
    ],
)
def test_a_tag_that_is_no_choice_is_refused(data: object, words: str) -> None:
    with pytest.raises(StateError) as caught:
        decode(Shelf, data)
    assert words in str(caught.value)


def test_another_version_is_refused_and_says_so() -> None:
    data = {**wrap(SPEC), "version": STATE_VERSION + 1}
    with pytest.raises(StateError, match=f"written in version {STATE_VERSION + 1} of the format"):
        load(ServiceSpec, json.dumps(data).encode())


def test_another_record_is_refused_and_says_so() -> None:
    with pytest.raises(StateError, match="this is a Launch, a ServiceSpec was wanted"):
        load(ServiceSpec, dump(Launch()))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b"3", b"{}", b"[" * 100_000, b'{"version":NaN}'])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(StateError):
        load(Plan, data)


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["services", "version", "name", "is"]), inner, max_size=3)
        ),
    )
)
def test_whatever_is_decoded_nothing_but_a_state_error_comes_of_it(data: object) -> None:
    try:
        if isinstance(data, bytes):
            load(Plan, data)
        else:
            decode(Plan, data)
    except StateError:
        return


@pytest.mark.parametrize(
    "record",
    [
        StopSpec(timeout=Seconds(float("nan"))),
        StopSpec(timeout="3"),  # type: ignore[arg-type]
        StopSpec(signal=15),  # type: ignore[arg-type]
        StopSpec(scope="some"),  # type: ignore[arg-type]
        StopSpec(kill="no"),  # type: ignore[arg-type]
        StopSpec(command=["a"]),  # type: ignore[arg-type]
        ServiceSpec(command=(("x",),), limits=[]),  # type: ignore[arg-type]
        ServiceSpec(command=(("x",),), limits={"core": 3}),  # type: ignore[dict-item]
        ServiceSpec(command=(("x",),), stop=Launch()),  # type: ignore[arg-type]
        _World(roster={}),  # type: ignore[arg-type]
        Shelf(state=Launch()),  # type: ignore[arg-type]
        Shelf(state=Inactive(NOW, Reason("a", "b")), pair=(1, 2, 3)),  # type: ignore[arg-type]
    ],
)
def test_a_value_that_the_annotations_do_not_allow_is_not_written(record: Record) -> None:
    with pytest.raises(StateError):
        dump(record)


def test_an_infinite_deadline_survives() -> None:
    shelf = Shelf(state=Inactive(Instant(NEVER, Wall(-NEVER)), Reason("a", "b")))
    assert load(Shelf, dump(shelf)) == shelf


def test_words_and_numbers_that_are_more_than_that_are_written_as_what_they_are() -> None:
    class Word(str):
        pass

    record = Ended("success", None, Wall(0), detail=Word("x"))
    assert type(load(Ended, dump(record)).detail) is str
    kill = KillRequest(TicketId(1), (WEB,), signal=signal.SIGTERM)
    assert type(load(KillRequest, dump(kill)).signal) is int


class _Mixed(Record):
    either: str | int


class _Strange(Record):
    what: Callable[[], None]


@pytest.mark.parametrize("kind", [_Mixed, _Strange])
def test_a_record_of_what_cannot_be_told_apart_is_a_bug_that_shows(kind: type[Record]) -> None:
    with pytest.raises(TypeError):
        decode(kind, {})


def test_a_type_without_a_codec_is_a_bug_that_shows() -> None:
    with pytest.raises(TypeError):
        encode(object())
