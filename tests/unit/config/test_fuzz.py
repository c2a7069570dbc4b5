"""Whatever is written: a plan, or errors with a place; never an exception."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.model import spec
from supervisor.model.plan import Plan
from supervisor.model.record import fields_of
from supervisor.programs.planning import plan_of
from supervisor.wire.diagnostics import from_plain, render
from supervisor.wire.state import dump, load, unwrap

_KEYS = sorted(
    {
        *(
            field
            for kind in (
                spec.ServiceSpec,
                spec.ReadySpec,
                spec.RestartSpec,
                spec.StopSpec,
                spec.SystemSpec,
                spec.ControlSpec,
            )
            for field in fields_of(kind)
        ),
        *(
            "services",
            "defaults",
            "system",
            "version",
            "x-a",
            "a",
            "b",
            "shell",
            "override",
            "nofile",
            "condition",
            "<<",
        ),
        *("ExecStart", "healthcheck", "comand", "db", "true", "null", "~", ""),
    }
)


def _braces(items: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"


def _block(items: dict[str, str], indent: str) -> str:
    return "\n".join(f"{indent}{key}: {value}" for key, value in items.items())


_WORDS = (
    *("1", "3s", "none", "~", "null", "", "true", "no", "'quoted'", "a b 'c", "${X}", "${", "$$", "SIGTERM", "always"),
    *("oneshot", "ready", "completed", "a", "b", "127.0.0.1:80", "http://localhost/", "(", "root", "0", "-1", "1e400"),
    *("9" * 20, "inherit", "unlimited", "*x", "&x y", "!!str z", "|", "é\u2028", "'", '"\\0"', "99999d", "@", "`", "%"),
    *("- -", "? :", "a: b", "# c"),
)
_SCALARS = st.sampled_from(_WORDS) | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4).map(_braces)
        | st.tuples(st.sampled_from(["&x ", "!t ", "*x ", "- ", "'"]), inner).map("".join)
    ),
    max_leaves=12,
)


_SERVICES = st.dictionaries(st.sampled_from(_KEYS), _VALUES, min_size=1, max_size=5).map(
    lambda items: f"  a:\n    command: x\n{_block(items, '    ')}"
)
_FILES = (
    st.lists(_SERVICES, min_size=1, max_size=2).map(lambda services: "\n".join(["services:", *services]))
    | st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=4).map(lambda items: _block(items, ""))
    | _VALUES
    | st.text(max_size=40)
)


# Well-formed YAML, so that the mistakes are in what it says.
_SAID = st.sampled_from(
    (*_WORDS, "web", "started", "never", "on-failure", "5", "2.5", "022", "/bin/sh", "TERM", "A=b")
) | st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=6)
_TREE = st.recursive(
    _SAID | st.none() | st.booleans() | st.integers(-2, 70_000) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | _SAID, inner, max_size=4),
    max_leaves=6,
)


def _of(kind: type[spec.ServiceSpec] | type[spec.SystemSpec]) -> st.SearchStrategy[dict[str, object]]:
    nested = {
        "ready": spec.ReadySpec,
        "restart": spec.RestartSpec,
        "stop": spec.StopSpec,
        "control": spec.ControlSpec,
        "namespace": spec.NamespaceSpec,
    }
    fields: dict[str, st.SearchStrategy[object]] = {}
    for name in fields_of(kind):
        inner = (
            st.dictionaries(st.sampled_from(fields_of(nested[name])), _TREE, max_size=3)
            if name in nested
            else st.nothing()
        )
        fields[name] = _SAID | _TREE | inner
    return st.lists(st.sampled_from(sorted(fields)), max_size=5, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


_GOOD = st.fixed_dictionaries({"command": st.sampled_from(["/bin/true", ["x", "y"], {"shell": "z"}])})
_DOCUMENTS = st.fixed_dictionaries(
    {
        "services": st.dictionaries(
            st.sampled_from(["a", "b", "web"]),
            st.tuples(_GOOD, _of(spec.ServiceSpec)).map(lambda both: {**both[0], **both[1]}) | _GOOD | _TREE,
            max_size=3,
        )
    },
    optional={"defaults": _of(spec.ServiceSpec), "system": _of(spec.SystemSpec)},
)
_DUMPED = _DOCUMENTS.map(lambda document: yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def _check(folder: Path, files: list[bytes]) -> dict[str, object]:
    paths = []
    for number, content in enumerate(files):
        path = folder / f"{number}.yaml"
        path.write_bytes(content)
        paths.append(str(path))
    document = plan_of(paths, {"X": "7", "PATH": "/bin"})
    json.dumps(document, allow_nan=False)
    errors = [from_plain(error) for error in document.get("errors", ())]
    warnings = [from_plain(warning) for warning in document["warnings"]]
    assert document["ok"] is not bool(errors)
    if document["ok"]:
        plan = unwrap(Plan, document["plan"])
        assert load(Plan, dump(plan)) == plan
    for error in errors:
        assert error.file in paths
        assert error.line >= 0
        assert (error.line == 0) == (error.column == 0)
        assert len(error.message) < 700
    text = render(errors, warnings, colour=True)
    assert all(one.isprintable() or one in "\n\t\x1b" for one in text)
    return document


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        _FILES.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=30), min_size=1, max_size=2
    )
)
def test_every_text_gives_a_plan_or_errors_with_a_place(folder: Path, files: list[bytes]) -> None:
    _check(folder, files)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(_DUMPED.map(str.encode), min_size=1, max_size=2))
def test_every_document_gives_a_plan_or_errors_with_a_place(folder: Path, files: list[bytes]) -> None:
    _check(folder, files)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_DUMPED.map(str.encode))
def test_the_same_files_always_say_the_same(folder: Path, content: bytes) -> None:
    assert _check(folder, [content]) == _check(folder, [content])
