"""Do the worlds in `examples/` do what their comments say? The small ones are run here, each of those with a folder of its own
in `test_example_NAME.py`; a test counts them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.outside.world import pidone, world

_EXAMPLES = Path(__file__).parents[2] / "examples"
_FOLDERS = sorted(path for path in _EXAMPLES.iterdir() if path.is_dir())


def _text(name: str) -> str:
    return (_EXAMPLES / name).read_text()


@pytest.mark.parametrize("status", [0, 5])
def test_ci_job_ends_with_the_status_of_its_job(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"PORT": str(port), "STATUS": str(status)}
    with world(_text("ci-job.yaml"), env=settings, begun=False) as here:
        assert here.ended() == status
        assert "the backend answers 200" in here.log()


def test_crash_loop_shows_three_fates() -> None:
    with world(_text("crash-loop.yaml")) as here:
        assert here.until_phase("picky", "failed")["run"] == 1
        assert here.until_phase("limited", "failed")["run"] == 4
        here.until("patient", lambda view: view["run"] > 3)


def test_jobs_are_done_in_order_and_undone_when_the_world_ends() -> None:
    with world(_text("jobs.yaml")) as here:
        here.until_phase("app", "running")
        here.until_log("data")
        assert (here.folder / "build/jobs/backup").read_text().split() == ["folder", "data"]
        assert here.shut_down() == 0
        assert not (here.folder / "build/jobs").exists()
        assert "removed build/jobs" in here.log()


def test_every_example_is_run_by_a_test() -> None:
    assert {path.name for path in _EXAMPLES.glob("*.yaml")} == {"ci-job.yaml", "crash-loop.yaml", "jobs.yaml"}
    for folder in _FOLDERS:
        assert Path(__file__).with_name(f"test_example_{folder.name.replace('-', '_')}.py").exists()


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: folder.name)
def test_every_example_says_shortly_what_it_is(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 20
    assert f"examples/{folder.name}" in text


@pytest.mark.parametrize("path", sorted(_EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_valid(path: Path) -> None:
    said = pidone("check", str(path))
    assert said.code == 0, said.err
