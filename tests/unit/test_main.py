"""Is it seen early enough which program is meant?"""

from __future__ import annotations

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
