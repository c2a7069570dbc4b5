"""Which commands and options are there? Two tables: the parser, the help and the completion of words read them.

A command that is not in the table does not exist. An option has one meaning, whatever command it stands with.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see wire/jsonrpc: what stands here is loaded by every command
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COMMANDS", "EVERYWHERE", "OPTIONS", "SECTIONS", "Command", "Option"]


class Option:
    """`kind`: flag · text · list (may be repeated) · duration · interval (a duration that may be left out) · count · choice · number."""

    __slots__ = ("choices", "help", "key", "kind", "long", "short", "value")

    def __init__(
        self,
        long: str,
        kind: str,
        help: str,
        *,
        short: str = "",
        value: str = "",
        choices: Sequence[str] = (),
        key: str = "",
    ) -> None:
        self.long = long
        self.kind = kind
        self.help = help  # "" hides it
        self.short = short
        self.value = value
        self.choices = choices
        self.key = key or long.lstrip("-").replace("-", "_")


class Command:
    """`module` of this room has the function `run`. `words` says how many names it takes; no upper bound is -1."""

    __slots__ = ("help", "module", "name", "options", "outputs", "section", "usage", "words")

    def __init__(
        self,
        section: str,
        name: str,
        usage: str,
        help: str,
        module: str,
        words: tuple[int, int],
        options: Sequence[str],
        outputs: Sequence[str] = (),
    ) -> None:
        self.section = section
        self.name = name
        self.usage = usage
        self.help = help
        self.module = module
        self.words = words
        self.options = frozenset(options)
        self.outputs = outputs


_OPTIONS = (
    Option("--socket", "text", "the control socket of the world that is meant", value="PATH"),
    Option("--name", "text", "the name of the world that is meant", value="WORLD"),
    Option("--output", "text", "how to print it", short="-o", value="FORM"),
    Option("--json", "flag", "the same as -o json"),
    Option("--quiet", "flag", "print nothing but errors", short="-q"),
    Option("--color", "choice", "colours: auto, always or never", value="WHEN", choices=("auto", "always", "never")),
    Option("--timeout", "duration", "give up after so long; what was asked for goes on (8)", short="-t", value="T"),
    Option("--help", "flag", "say what the command does", short="-h"),
    Option("--version", "flag", "say which version this is"),
    Option("--all", "flag", "every service"),
    Option("--no-wait", "flag", "do not wait until it is done; print the ticket's number"),
    Option("--no-dependents", "flag", "refuse when running dependents would have to stop first"),
    Option("--watch", "interval", "again and again", short="-w", value="1s"),
    Option("--signal", "text", "the signal to send, SIGTERM if not said", short="-s", value="SIG"),
    Option("--main", "flag", "only the main process"),
    Option("--for", "choice", "what to wait for", value="WHAT", choices=("ready", "stopped", "done"), key="target"),
    Option("--lines", "count", "only the last N", short="-n", value="N"),
    Option("--follow", "flag", "go on with what is new", short="-f"),
    Option("--since", "text", "only lines since then: 10m, 14:30, 2026-01-31, or both", value="T"),
    Option("--grep", "text", "only lines in which this regular expression is found", value="RE"),
    Option("--tree", "flag", "who is whose child"),
    Option("--ns", "flag", "the number in every namespace that sees it, from the outermost to its own"),
    Option("--format", "choice", "how to draw it", value="FORM", choices=("text", "dot", "mermaid")),
    Option("--config", "list", "a file, or a folder of *.yaml files; may be repeated", short="-c", value="PATH"),
    Option("--grace", "duration", "with -- CMD: between SIGTERM and SIGKILL for those it leaves; 2s", value="T"),
    Option("--net", "flag", "a network of its own, with only a loopback interface"),
    Option("--uts", "flag", "a host name of its own"),
    Option("--ipc", "flag", "System V IPC and message queues of its own"),
    Option("--cgroup", "flag", "a view of its own on the control groups"),
    Option("--user", "flag", "a user namespace for root too"),
    Option("--hostname", "text", "the host name of the new world", value="H"),
    Option("--rootless", "flag", "be content with what a user without privileges gets"),
    Option("--no-namespace", "flag", "isolate nothing: services are ordinary processes of this machine"),
    Option("--namespace", "choice", "auto: isolate what can be isolated", value="auto", choices=("auto",)),
    Option("--exit-when-done", "flag", "end when nothing runs any more: 0, or 1 when something failed"),
    # what `up` says to the init that it executes
    Option("--plan-fd", "count", "", value="N"),
    Option("--monitor-fd", "count", "", value="N"),
    Option("--wanted", "list", "", value="NAME"),
)
OPTIONS: Mapping[str, Option] = {flag: option for option in _OPTIONS for flag in (option.long, option.short) if flag}

_CLIENT = ("socket", "name", "output", "json", "quiet", "color", "timeout", "help")
EVERYWHERE = frozenset(("socket", "name", "color", "timeout"))
"""Global options that no client command minds, even where there is no world to be found: a script may write them always."""
_VIEWS = ("table", "wide", "json", "jsonl", "name")
_PLAIN = ("table", "json")
_CHANGE = (*_CLIENT, "all", "no_wait")
_STATE = (*_CLIENT, "all")

_MANY = (0, -1)
_SOME = (1, -1)
_ONE = (1, 1)
_NONE = (0, 0)

SECTIONS = ("Boot", "Services", "Look", "Config", "System")

_BEGIN = ("config", "socket", "name", "color", "help")
_ISOLATION = ("net", "uts", "ipc", "cgroup", "user", "hostname", "rootless", "no_namespace", "namespace")

_COMMANDS = (
    Command(
        "Boot",
        "init",
        "[-c PATH]… [-- CMD…]",
        "be the supervisor here; with -- CMD and no -c a minimal init",
        "boot",
        _NONE,
        (*_BEGIN, "grace", "plan_fd", "monitor_fd", "wanted", "rest"),
    ),
    Command(
        "Boot",
        "up",
        "[-c PATH]… [NAME…]",
        "make a new process world and run services in it",
        "boot",
        _MANY,
        (*_BEGIN, *_ISOLATION, "exit_when_done"),
    ),
    Command("Services", "status", "[NAME…]", "what runs, and why not", "status", _MANY, (*_CLIENT, "watch"), _VIEWS),
    Command("Services", "start", "NAME…|@group|--all", "start services", "change", _MANY, _CHANGE, _PLAIN),
    Command(
        "Services",
        "stop",
        "NAME…|@group|--all",
        "stop services, their dependents first",
        "change",
        _MANY,
        (*_CHANGE, "no_dependents"),
        _PLAIN,
    ),
    Command("Services", "restart", "NAME…|@group|--all", "stop and start again", "change", _MANY, _CHANGE, _PLAIN),
    Command(
        "Services",
        "kill",
        "NAME…",
        "send a signal to a service's processes",
        "change",
        _SOME,
        (*_CLIENT, "signal", "main"),
        _PLAIN,
    ),
    Command(
        "Services",
        "wait",
        "NAME…",
        "wait until services are ready, stopped or done",
        "questions",
        _SOME,
        (*_CLIENT, "target"),
        _PLAIN,
    ),
    Command("Services", "is-active", "NAME…|--all", "0 if they run, else 3", "questions", _MANY, _STATE, _PLAIN),
    Command("Services", "is-failed", "NAME…|--all", "0 if one has failed, else 1", "questions", _MANY, _STATE, _PLAIN),
    Command(
        "Services",
        "is-ready",
        "NAME…|--all",
        "0 if they are ready, 1 if one failed, else 3",
        "questions",
        _MANY,
        _STATE,
        _PLAIN,
    ),
    Command(
        "Look",
        "ps",
        "",
        "the processes of the world",
        "ps",
        _NONE,
        (*_CLIENT, "tree", "ns"),
        ("table", "wide", "json", "jsonl", "name"),
    ),
    Command("Look", "show", "NAME", "everything known of a service", "show", _ONE, _CLIENT, _VIEWS),
    Command("Look", "why", "NAME", "how it came there, and what would change it", "why", _ONE, _CLIENT, _VIEWS),
    Command(
        "Look",
        "logs",
        "[NAME…]",
        "what services have written",
        "logs",
        _MANY,
        ("socket", "name", "output", "json", "color", "timeout", "help", "lines", "follow", "since", "grep"),
        ("text", "short", "cat", "json", "jsonl"),
    ),
    Command(
        "Look",
        "events",
        "",
        "what has happened lately; with -f what happens",
        "events",
        _NONE,
        ("socket", "name", "output", "json", "color", "timeout", "help", "lines", "follow"),
        ("table", "json", "jsonl"),
    ),
    Command(
        "Look",
        "graph",
        "[-c PATH]…",
        "who waits for whom, in the world or in files",
        "graph",
        _NONE,
        (*_CLIENT, "config", "format"),
        ("table", "json", "name"),
    ),
    Command(
        "Look",
        "worlds",
        "",
        "every pidone that you may reach",
        "about",
        _NONE,
        ("output", "json", "quiet", "color", "timeout", "help"),
        ("table", "json", "name"),
    ),
    Command(
        "Config",
        "check",
        "[PATH…]",
        "say what is wrong with the configuration",
        "check",
        _MANY,
        ("output", "json", "quiet", "color", "help", "config"),
        _PLAIN,
    ),
    Command("System", "shutdown", "", "stop everything in order", "change", _NONE, (*_CLIENT, "no_wait"), _PLAIN),
    Command(
        "System", "version", "", "which version this is", "about", _NONE, ("output", "json", "quiet", "help"), _PLAIN
    ),
)
COMMANDS: Mapping[str, Command] = {command.name: command for command in _COMMANDS}
