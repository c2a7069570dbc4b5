"""Is it seen early enough which program is meant, and does an interrupt come too early for nobody?"""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from supervisor.__main__ import _command_at, _is_minimal


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("init -- sleep 1", "init"),
        ("up -c x", "up"),
        ("--name up status", "status"),
        ("--name=x up", "up"),
        ("-q --socket /s --json init", "init"),
        ("--timeout 3s wait up", "wait"),
        ("--help", ""),
        ("--name", ""),
        ("", ""),
    ],
)
def test_the_command_is_the_first_word_that_is_no_option(line: str, command: str) -> None:
    words = line.split()
    place = _command_at(words)
    assert (words[place] if place < len(words) else "") == command


@pytest.mark.parametrize(
    ("line", "minimal"),
    [
        ("-- sleep 1", True),
        ("--grace 1s -- sleep", True),
        ("-- sh -c true", True),
        ("-c services.d -- sleep 1", False),
        ("-cservices.d -- sleep 1", False),
        ("--config=x -- sleep 1", False),
        ("--help -- sleep", False),
        ("-c services.d", False),
        ("", False),
    ],
)
def test_a_command_without_a_configuration_is_for_the_minimal_init(line: str, minimal: bool) -> None:
    assert _is_minimal(line.split()) is minimal


def _interrupted(moment: str, ignored: bool = False) -> tuple[int, str]:
    """The status and stderr of a `pidone check` that gets SIGINT at this moment."""
    code = f"""
import os, signal, sys
if {ignored}:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
import supervisor.__main__ as program
sys.argv = ["pidone", "--version"]
def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)
    return 5
if {moment!r} == "importing":
    program._command_line = interrupt
else:
    import supervisor.cli.main
    supervisor.cli.main._run = interrupt
sys.exit(program.main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_an_interrupt_while_we_are_still_importing_ends_us_in_silence() -> None:
    assert _interrupted("importing") == (-signal.SIGINT, "")


def test_an_interrupt_at_work_is_a_status_of_its_own() -> None:
    assert _interrupted("working") == (130, "")


@pytest.mark.parametrize("moment", ["importing", "working"])
def test_who_was_started_to_ignore_interrupts_ignores_them(moment: str) -> None:
    assert _interrupted(moment, ignored=True) == (5, "")
