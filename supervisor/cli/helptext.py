"""What does --help print? The tables of commands and options, in words."""

from __future__ import annotations

from supervisor.cli.commands import COMMANDS, OPTIONS, SECTIONS, Command, Option

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["help_for", "overview"]

_GLOBAL = ("socket", "name", "output", "json", "quiet", "color", "timeout", "help", "version")
_STATUSES = (
    "0 ok · 1 the operation failed · 2 usage · 3 not running or not ready · 4 unknown service · 5 no pidone reachable",
    "6 refused · 7 configuration invalid · 8 timed out, still in progress · 130 interrupted",
)


def overview() -> str:
    """All commands, by section, and what every client command understands."""
    lines = ["pidone COMMAND [NAME…] [OPTIONS]    supervise services; be PID 1 if need be", ""]
    for section in SECTIONS:
        lines.append(section)
        for command in COMMANDS.values():
            if command.section == section:
                lines.append(f"  {f'{command.name} {command.usage}':<32} {command.help}")
        lines.append("")
    lines += ["Options, before or after the command", *_options(_GLOBAL), "", "Exit status"]
    return "\n".join([*lines, *(f"  {line}" for line in _STATUSES), "", "pidone COMMAND --help says more."])


def help_for(command: Command) -> str:
    lines = [f"pidone {command.name} {command.usage}".rstrip(), f"    {command.help}", "", "Options"]
    lines += _options(option.key for option in OPTIONS.values() if option.key in command.options)
    if command.outputs:
        lines += ["", f"-o is one of: {', '.join(command.outputs)}"]
    return "\n".join(lines)


def _options(keys: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(keys))
    shown: dict[str, Option] = {option.key: option for option in OPTIONS.values() if option.help}
    return [_option(shown[key]) for key in wanted if key in shown]


def _option(option: Option) -> str:
    flags = f"{option.short}, {option.long}" if option.short else f"    {option.long}"
    if option.kind == "interval":
        flags += f"[={option.value}]"
    elif option.value:
        flags += f" {option.value}"
    return f"  {flags:<26} {option.help}"
