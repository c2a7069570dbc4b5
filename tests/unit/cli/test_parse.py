"""Is what was typed understood, and what cannot be understood refused with a hint?"""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.cli.commands import COMMANDS, OPTIONS, SECTIONS, Command
from supervisor.cli.helptext import help_for, overview
from supervisor.cli.parse import color_of, parse, wants_json
from supervisor.client.trouble import Trouble


@pytest.mark.parametrize(
    ("typed", "command", "words", "options"),
    [
        ("status", "status", [], {}),
        ("status web db", "status", ["web", "db"], {}),
        ("--name w status", "status", [], {"name": "w"}),
        ("status --name=w", "status", [], {"name": "w"}),
        ("-qo wide status", "status", [], {"quiet": True, "output": "wide"}),
        ("status -owide", "status", [], {"output": "wide"}),
        ("status --json", "status", [], {"output": "json"}),
        ("status --json -o jsonl", "status", [], {"output": "jsonl"}),
        ("status -w", "status", [], {"watch": 1.0}),
        ("status -w web", "status", ["web"], {"watch": 1.0}),
        ("status --watch=250ms", "status", [], {"watch": 0.25}),
        ("status -w2s", "status", [], {"watch": 2.0}),
        ("logs -n5 -f web", "logs", ["web"], {"lines": 5, "follow": True}),
        ("logs -fn 5", "logs", [], {"lines": 5, "follow": True}),
        ("kill web -s TERM --main", "kill", ["web"], {"signal": "TERM", "main": True}),
        ("wait web --for done -t 1m30s", "wait", ["web"], {"target": "done", "timeout": 90.0}),
        ("stop --all --no-wait", "stop", [], {"all": True, "no_wait": True}),
        ("start -- -odd", "start", ["-odd"], {}),
        ("check -c a -c b d", "check", ["d"], {"config": ["a", "b"]}),
    ],
)
def test_words_become_a_command(typed: str, command: str, words: list[str], options: dict[str, Any]) -> None:
    asked = parse(typed.split())
    assert asked.command is COMMANDS[command]
    assert (asked.words, asked.options) == (words, options)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("statsu", "status"),
        ("top", ""),
        ("status --nmae w", "--name"),
        ("status -Z", ""),
        ("kill -9 web", "-s 9"),
        ("kill web -15", "-s 15"),
        ("status --follow", "status --help"),
        ("--follow status", "status --help"),
        ("status --name", ""),
        ("status --quiet=yes", ""),
        ("status --name=", ""),
        ("status -o yaml", ""),
        ("logs -o table", ""),
        ("status -o table --json", ""),
        ("status --color sometimes", ""),
        ("status --timeout soon", ""),
        ("status -w0x", ""),
        ("logs -n many", ""),
        ("logs -n -1", ""),
        ("wait web --for rain", ""),
        ("wait", "wait NAME"),
        ("kill", "kill NAME"),
        ("start", "NAME"),
        ("start web --all", ""),
        ("is-ready", "--all"),
        ("version web", "version --help"),
        ("version --follow", "version --help"),
        ("logs -q", "logs --help"),
    ],
)
def test_what_cannot_be_meant_is_refused(typed: str, hint: str) -> None:
    with pytest.raises(Trouble) as refused:
        parse(typed.split())
    assert refused.value.code == "usage"
    assert refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize("typed", ["status --bogus", "status --hostnam x", "up --plan-f"])
def test_no_option_is_suggested_that_is_far_or_of_another_command_or_hidden(typed: str) -> None:
    with pytest.raises(Trouble) as refused:
        parse(typed.split())
    assert refused.value.hint == "--help lists them"


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS.values() if one.section != "Boot"], ids=lambda one: one.name
)
@pytest.mark.parametrize("before", [True, False])
def test_global_options_stand_with_every_client_command(command: Command, before: bool) -> None:
    words = [command.name, *["web"] * max(command.words[0], "all" in command.options)]
    everywhere = ["--socket", "s", "--name", "w", "--color", "never", "--timeout", "1s"]
    asked = parse([*everywhere, *words] if before else [*words, *everywhere])
    assert asked.command is command
    assert (asked.options["socket"], asked.options["name"], asked.options["timeout"]) == ("s", "w", 1.0)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("--json nonsense", True),
        ("nonsense -o json", True),
        ("nonsense -ojsonl", True),
        ("nonsense --output=json", True),
        ("nonsense --output jsonl", True),
        ("nonsense -o table", False),
        ("nonsense -o", False),
        ("", False),
    ],
)
def test_errors_are_json_even_when_the_rest_is_not_understood(typed: str, wanted: bool) -> None:
    assert wants_json(typed.split()) is wanted


@pytest.mark.parametrize(
    ("typed", "color"),
    [
        ("--color never x", "never"),
        ("x --color=always", "always"),
        ("x --color", ""),
        ("x --colour never", ""),
        ("", ""),
    ],
)
def test_errors_have_the_colours_that_were_asked_for(typed: str, color: str) -> None:
    assert color_of(typed.split()) == color


def test_every_command_is_in_the_help_and_every_option_of_it_too() -> None:
    shown = overview()
    for command in COMMANDS.values():
        assert f"  {command.name} " in shown
        assert command.section in SECTIONS
        for key in command.options:
            if key == "rest":  # no option: what stands behind --
                continue
            (option,) = {option.long: option for option in OPTIONS.values() if option.key == key}.values()
            assert option.long in help_for(command) or not option.help


def test_what_is_not_built_is_not_there() -> None:
    for word in ("top", "orphans", "plan", "apply", "reexec", "doctor", "scale"):
        assert word not in COMMANDS
        assert f"  {word} " not in overview()
