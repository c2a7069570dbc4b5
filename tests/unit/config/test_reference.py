from __future__ import annotations

from pathlib import Path

import pytest

import supervisor
from supervisor.config import budget
from supervisor.config.reference import documentation, page
from supervisor.model import spec
from supervisor.model.record import Record, fields_of
from supervisor.programs import loader
from tests.unit.config.reading import read

_RECORDS = [
    kind
    for kind in vars(spec).values()
    if isinstance(kind, type) and issubclass(kind, Record) and kind not in (Record, spec.LimitPair)
]


@pytest.mark.parametrize("kind", _RECORDS)
def test_every_key_is_explained_and_stands_on_the_page(kind: type[Record]) -> None:
    text = page()
    for name in fields_of(kind):
        said = documentation(kind)[name]
        assert said.endswith("."), f"{kind.__name__}.{name} is not explained"
        assert f"| `{name}` | " in text
        assert said.replace("|", "\\|") in text


def test_defaults_are_written_as_one_would_write_them() -> None:
    text = page()
    for row in (
        "| `timeout` | duration | `10s` |",
        "| `delay` | duration | `100ms` |",
        "| `umask` | mode | `022` |",
        "| `enabled` | flag | `true` |",
        "| `count` | whole number from 1 | **required** |",
        "| `pass_environment` | texts, or `all` | `all` |",
        "| `start_timeout` | duration above 0, or `none` | `60s` |",
        "| `factor` | number from 1 to 1000 | `2` |",
        "| `restart` | mapping, [below](#restart), or `policy` alone |",
    ):
        assert row in text


def test_the_page_in_the_repository_is_the_page() -> None:
    docs = Path(supervisor.__file__).parents[1] / "docs"
    assert (docs / "configuration.md").read_text(encoding="utf-8") == page()


def test_the_links_on_the_page_lead_somewhere() -> None:
    text = page()
    titles = {line.lstrip("# ").replace(".", "").lower() for line in text.splitlines() if line.startswith("#")}
    links = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert links <= titles


def test_the_bounds_on_the_page_are_those_that_hold() -> None:
    text = " ".join(page().split())
    bounds = f"{budget.FILE_BYTES >> 20} MiB per file, {budget.ALL_BYTES >> 20} MiB and {budget.FILES} files in all, "
    assert f"{bounds}{budget.NODES} values after expanding aliases, {budget.DEPTH} levels deep" in text
    assert f"more than {loader.MEMORY >> 20} MiB or {loader.PROCESSOR} seconds of processor time" in text


def test_the_example_on_the_page_is_a_configuration(tmp_path: Path) -> None:
    example = page().split("```yaml\n")[1].split("```")[0]
    assert read(tmp_path, example)["web"].spec.command == (("python3", "-m", "http.server", "8080"),)
