"""Is just what belongs to an operation shown while somebody waits for it?"""

from __future__ import annotations

import pytest

from supervisor.cli.output import Look
from supervisor.cli.progress import concerned, shower
from tests.fakes.backend import service


def _needs(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "condition": "ready", "required": True} for name in names]


SERVICES = [
    service("db", needed_by=["web"]),
    service("web", needs=_needs("db"), needed_by=["probe"], groups=["front"]),
    service("probe", needs=_needs("web")),
    service("other"),
]


@pytest.mark.parametrize(
    ("verb", "words", "names"),
    [
        ("start", ["web"], {"web", "db"}),
        ("start", ["@front"], {"web", "db"}),
        ("stop", ["web"], {"web", "probe"}),
        ("stop", ["db"], {"db", "web", "probe"}),
        ("restart", ["web"], {"db", "web", "probe"}),
        ("kill", ["web"], {"web"}),
        ("shutdown", [], {"db", "web", "probe", "other"}),
        ("start", ["nobody"], set()),
    ],
)
def test_who_is_concerned(verb: str, words: list[str], names: set[str]) -> None:
    assert concerned(verb, words, SERVICES) == names


def test_others_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show = shower(frozenset({"web"}), Look(utf8=False))
    for name in ("web", "other"):
        show({"service": name, "to": "running", "reason": {"code": "ready", "text": "it is\x1b ready"}})
    assert capsys.readouterr().err == "... web: running, it is\\x1b ready\n"
