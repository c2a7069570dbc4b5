"""Is the world of `examples/ci-sandbox` gone when the tests in it have ended, and does its status say how they ended?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside.example import copied, example, needs

_PATIENCE = 60.0

_FAILING = """
import unittest

class Broken(unittest.TestCase):
    def test_what_does_not_hold(self):
        self.assertEqual(1, 2)
"""

# What tests should not do: leave a file and a daemon behind that has left its session and wiped its environment.
_UNTIDY = """
import os, subprocess, tempfile, unittest

class Untidy(unittest.TestCase):
    def test_that_does_not_clear_up(self):
        tempfile.mkstemp(prefix="forgotten-")
        code = "import os,sys,time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(100000)"
        subprocess.run(["env", "-i", "/usr/bin/env", "python3", "-c", code, os.environ["TEST_WORLD_FOLDER"]], check=True)
        print("left a daemon", flush=True)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    needs("redis-server")
    with copied("ci-sandbox") as folder:
        yield folder


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_it_ends_with_success_when_the_tests_succeed_and_leaves_nothing(folder: Path) -> None:
    before = _files(folder)
    with example(folder, "-c", "sandbox.yaml") as here:
        assert here.ended(_PATIENCE) == 0, here.log()
        assert "Ran 2 tests" in here.log()
        assert not here.pids_outside()
    assert _files(folder) - before <= {"log", "pidone"}  # ours: what it printed, and where worlds are found


def test_a_failing_test_is_its_exit_status(folder: Path) -> None:
    (folder / "test_broken.py").write_text(_FAILING)
    with example(folder, "-c", "sandbox.yaml") as here:
        assert here.ended(_PATIENCE) == 1, here.log()
        assert "FAILED (failures=1)" in here.log()
        assert not here.pids_outside()


def test_tests_that_are_killed_are_128_and_the_signal(folder: Path) -> None:
    with example(folder, "-c", "sandbox.yaml", env={"TESTS": "sh -c 'kill -KILL $$'"}) as here:
        assert here.ended(_PATIENCE) == 137, here.log()


def test_what_a_test_forgot_is_taken_away(folder: Path) -> None:
    (folder / "test_untidy.py").write_text(_UNTIDY)
    with example(folder, "-c", "sandbox.yaml") as here:
        assert here.ended(_PATIENCE) == 0, here.log()
        assert "left a daemon" in here.log()
        assert not here.pids_outside()
    assert not (folder / ".sandbox").exists()


def test_two_sandboxes_side_by_side_have_a_redis_each_on_the_same_port(folder: Path) -> None:
    with copied("ci-sandbox") as other, example(other, "-c", "sandbox.yaml", env={"TESTS": "sleep 100000"}) as longer:
        longer.until_phase("tests", "running", timeout=_PATIENCE)
        with example(folder, "-c", "sandbox.yaml") as here:
            assert here.ended(_PATIENCE) == 0, here.log()
        redis = longer.service("redis")
        assert (redis["phase"], redis["run"]) == ("running", 1)
        assert longer.shut_down(_PATIENCE) == 0
