"""Do the documents hold together? Links lead somewhere, every decision is listed, generated pages are what the program says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_PAGES = sorted(
    [*_CHECKOUT.glob("*.md"), *(_CHECKOUT / "docs").rglob("*.md"), *(_CHECKOUT / "benchmarks").glob("*.md")]
)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_CHECKOUT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_decision_is_listed() -> None:
    folder = _CHECKOUT / "docs/decisions"
    listed = set(re.findall(r"\]\(([a-z]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {page.name for page in folder.iterdir()} - {"README.md"}


def test_generated_pages_are_what_the_program_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=_CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_readme_has_exactly_two_commands_to_set_up() -> None:
    commands = [
        line for line in (_CHECKOUT / "README.md").read_text().splitlines() if line.startswith("python3 -m venv ")
    ]
    assert [command.rpartition("/")[2] for command in commands] == ["pidone up", "pytest"]
