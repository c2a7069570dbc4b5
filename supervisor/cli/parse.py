"""What was typed? Words to a command, its names and its options; options stand before or after the command.

An option that the command does not know is an error, with what may have been meant; only the global ones may always stand.
"""

from __future__ import annotations

from supervisor.cli.commands import COMMANDS, EVERYWHERE, OPTIONS, Command, Option
from supervisor.client.trouble import Trouble
from supervisor.wire.durations import duration

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

__all__ = ["Asked", "color_of", "parse", "wants_json"]

_DEFAULT_INTERVAL = 1.0  # seconds between two looks of --watch
_AS_LINES = ("json", "jsonl")


class Asked:
    """What was typed. `options` has the key of every option that was written."""

    __slots__ = ("command", "options", "rest", "words")

    def __init__(self, command: Command | None) -> None:
        self.command = command
        self.words: list[str] = []
        self.rest: list[str] | None = None
        """What stands after `--`; None when there is no `--`."""
        self.options: dict[str, Any] = {}

    @property
    def output(self) -> str:
        """The form asked for, or ""."""
        return str(self.options.get("output", ""))


def parse(argv: Sequence[str]) -> Asked:
    """Raises Trouble (usage)."""
    asked = Asked(None)
    used: list[Option] = []
    todo = list(argv)
    while todo:
        word = todo.pop(0)
        if word == "--":
            asked.rest = todo
            break
        if not word.startswith("-") or word == "-":
            if asked.command is None:
                asked.command = _command(word)
            else:
                asked.words.append(word)
            continue
        used += _option(word, todo, asked)
    if asked.options.pop("json", False) and asked.options.setdefault("output", "json") not in _AS_LINES:
        raise Trouble("usage", f"--json and -o {asked.output} contradict each other")
    if asked.command is not None and not {"help", "version"} & asked.options.keys():
        _check(asked.command, asked, used)
    return asked


def wants_json(argv: Sequence[str]) -> bool:
    """Whether errors are to be JSON, even when the rest could not be understood."""
    pairs = zip(argv, [*argv[1:], ""])
    return any(
        word == "--json"
        or (word in ("-o", "--output") and value in _AS_LINES)
        or word in ("-ojson", "-ojsonl", "--output=json", "--output=jsonl")
        for word, value in pairs
    )


def color_of(argv: Sequence[str]) -> str:
    """What --color says, for errors that come before anything else is understood; "" when it says nothing."""
    pairs = zip(argv, [*argv[1:], ""])
    said = [value if word == "--color" else word[8:] for word, value in pairs if word.partition("=")[0] == "--color"]
    return said[-1] if said else ""


def _command(word: str) -> Command:
    if word in COMMANDS:
        return COMMANDS[word]
    raise Trouble("usage", f"no command is called {word!r}", _nearest(word, COMMANDS) or "pidone --help lists them")


def _option(word: str, todo: list[str], asked: Asked) -> list[Option]:
    """Take one word with options in it, and the value of the last from `todo`."""
    if word.startswith("--") or word[1:].isdigit():
        flag, equals, value = word.partition("=")
        option = _find(flag, asked.command)
        asked.options[option.key] = _value(option, flag, value if equals else None, todo, asked)
        return [option]
    found = []
    letters = word[1:]
    while letters:
        flag, letters = f"-{letters[0]}", letters[1:]
        option = _find(flag, asked.command)
        attached = letters if letters and option.kind != "flag" else None
        asked.options[option.key] = _value(option, flag, attached, todo, asked)
        found.append(option)
        if attached is not None:
            break
    return found


def _find(flag: str, command: Command | None) -> Option:
    if flag in OPTIONS:
        return OPTIONS[flag]
    signal = f"a signal is written -s {flag[1:]}" if flag[1:].isdigit() else ""  # as people write it for kill(1)
    here = (one for one in OPTIONS.values() if one.help and (command is None or one.key in command.options))
    near = _nearest(flag[2:], {one.long[2:] for one in here}, "--")  # with the dashes all would be near
    raise Trouble("usage", f"no option is called {flag}", signal or near or "--help lists them")


def _value(option: Option, flag: str, attached: str | None, todo: list[str], asked: Asked) -> Any:
    if option.kind == "flag":
        if attached is not None:
            raise Trouble("usage", f"{flag} takes no value")
        return True
    if option.kind == "interval" and attached is None:
        return _DEFAULT_INTERVAL
    if attached is None:
        if not todo:
            raise Trouble("usage", f"{flag} needs a value: {flag} {option.value}")
        attached = todo.pop(0)
    return _read(option, flag, attached, asked)


def _read(option: Option, flag: str, text: str, asked: Asked) -> Any:
    if option.kind in ("duration", "interval"):
        try:
            return duration(text)
        except ValueError as error:
            raise Trouble("usage", f"{flag}: {error}") from None
    if option.kind == "count":
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Trouble("usage", f"{flag} needs a whole number, not {text!r}")
        return int(text)
    if option.kind == "choice" and text not in option.choices:
        raise Trouble("usage", f"{flag} is one of {', '.join(option.choices)}, not {text!r}")
    if option.kind == "list":
        return [*asked.options.get(option.key, []), text]
    if not text:
        raise Trouble("usage", f"{flag} needs a value: {flag} {option.value}")
    return text


def _check(command: Command, asked: Asked, used: Iterable[Option]) -> None:
    known = command.options if command.section == "Boot" else command.options | EVERYWHERE
    for option in used:
        if option.key not in known:
            raise Trouble("usage", f"{command.name} has no option {option.long}", f"pidone {command.name} --help")
    if asked.output and asked.output not in command.outputs:
        raise Trouble("usage", f"{command.name} -o is one of {', '.join(command.outputs)}, not {asked.output!r}")
    if asked.rest is not None and "rest" not in command.options:
        asked.words += asked.rest
        asked.rest = None
    least, most = command.words
    if len(asked.words) < least:
        raise Trouble("usage", f"{command.name} needs a name", f"pidone {command.name} {command.usage}")
    if 0 <= most < len(asked.words):
        raise Trouble("usage", f"{command.name} takes no {asked.words[most]!r}", f"pidone {command.name} --help")
    if "all" in command.options and asked.words and "all" in asked.options:
        raise Trouble("usage", "either names or --all, not both")
    if "all" in command.options and not asked.words and "all" not in asked.options:
        raise Trouble("usage", f"{command.name} needs a name", f"pidone {command.name} {command.usage}")


def _nearest(word: str, known: Iterable[str], before: str = "") -> str:
    from difflib import get_close_matches  # 4 ms that only a mistake costs

    near = get_close_matches(word, sorted(known), 1)
    return f"did you mean {before}{near[0]}?" if near else ""
