"""How does a finding read? The words for every code: what is wrong and why, and what would help.

The codes are stable, the words may improve. A finding that found the word that was meant says so instead of the general hint.
"""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.config.findings import Finding

__all__ = ["MESSAGES", "message_of"]

_QUOTE = "quote a text that contains `: ` or begins with one of @ ` % & * ! | > {{ [ # ' \""
_ADD = "write `override: true` into the second one to add to the first"

# code: (message, hint)
MESSAGES: Mapping[str, tuple[str, str]] = {
    # files
    "no-configuration": ("no configuration: there is neither {places}", "say where it is: -c PATH"),
    "unreadable": ("cannot be read: {why}", ""),
    "no-file": ("not a regular file", "-c takes a file, or a folder of *.yaml and *.yml files"),
    "file-twice": ("this file is named twice", ""),
    "empty-folder": ("there is no *.yaml or *.yml file in this folder", ""),
    "encoding": ("not UTF-8: byte {byte} in line {line}", "save the file as UTF-8"),
    "config-too-large": ("the configuration is too large: {what}", "look for aliases that multiply, or split it"),
    "loader-failed": ("the loader failed: {why}", "this is a bug of pidone; please report it"),
    "more-errors": ("{count} more errors are not shown", "mend these first"),
    # YAML
    "yaml-syntax": ("no YAML: {problem}", ""),
    "yaml-colon": ("no YAML: {problem}", _QUOTE),
    "yaml-no-colon": ("no YAML: {problem}", "a key is followed by a colon and a space"),
    "yaml-start": ("no YAML: {problem}", _QUOTE),
    "yaml-tab": ("no YAML: a tab where YAML wants spaces", "indent with spaces"),
    "yaml-indent": ("no YAML: {problem}", "keys of one mapping, and items of one list, begin in the same column"),
    "yaml-flow": (
        "no YAML: {problem}",
        "a comma stands between items; between {{ }} and [ ] quote a text that holds `: `, a comma, a bracket or ${{…}}",
    ),
    "yaml-quote": ("no YAML: {problem}", "this quote is never closed"),
    "yaml-control": ("no YAML: control character {character}", 'write it as an escape in double quotes, like "\\x1b"'),
    "nul": ("a text holds a NUL character, which no program can be given", ""),
    "several-documents": ("a second document begins here", "one file is one document; make it a file of its own"),
    "tag": ("tag {tag}: tags are not used here", "leave it out; quotes make a text"),
    "duplicate-key": (
        "`{key}` stands here a second time; the first is in line {line}",
        "a key stands once in a mapping",
    ),
    "duplicate-item": ("`{text}` stands in this list twice", ""),
    "key-shape": ("a key must be a text", _QUOTE),
    "recursive-alias": ("alias *{name} stands inside its own anchor", ""),
    "unknown-alias": ("alias *{name}: there is no anchor &{name} before it", "quote a text that begins with *"),
    "merge-shape": ("`<<` takes a mapping or a list of mappings", ""),
    # the shape
    "version": (
        "version {text} of the configuration: this pidone reads version 1",
        "write `version: 1`, or leave it out",
    ),
    "wrong-shape": ("{wanted} is wanted here, this is {found}", "{keys}"),
    "missing-key": ("`{key}` is missing", "add `{key}: …`"),
    "unknown-key": ("unknown key `{key}`", "known here: {known}"),
    "foreign-key": ("unknown key `{key}`", "{ours}"),
    "not-available": ("`{key}` is not available in this version of pidone", "leave it out"),
    "system-twice": ("`system` is already in {first}", "it stands in one file only"),
    "service-twice": ("service `{name}` is already defined in {first}", _ADD),
    "override-unknown": ("`override: true`, but no file before this one defines `{name}`", "leave `override` out"),
    "no-name": (
        "`{text}` is no name",
        "letters, digits, `_`, `.` and `-`, not beginning with one of the last two, at most 64",
    ),
    "reserved-name": ("`{name}` is the name of pidone's own messages", "choose another one"),
    "no-group-name": ("`{text}` is no name of a group", "letters, digits, `_`, `.` and `-`; without the @"),
    "empty": ("an empty text is no value here", ""),
    "empty-item": ("an item without a value", 'if it is meant as a text, quote it: "{text}"'),
    # variables
    "bad-variable": (
        "`{text}` is no variable: there are ${{NAME}}, ${{NAME:-default}}, ${{NAME:?message}} and ${{service}}",
        "write $$ for a dollar",
    ),
    "open-variable": ("`{text}` is never closed by a }}", "write $$ for a dollar"),
    "no-instances": ("${{instance}} is not available in this version of pidone", "write $$ for a dollar"),
    "no-service": ("${{service}} has a meaning only inside a service", "write $$ for a dollar"),
    "variable-required": ("variable {name}: {message}", "set it where pidone is started"),
    "variable-unset": ("variable {name} is not set; an empty text stands for it", "${{{name}:-default}} gives another"),
    # scalars
    "quoted": ("{wanted} is wanted here, a text in quotes is always text", "write it without quotes: {text}"),
    "no-flag": ("`{text}` is neither true nor false", "true, false, yes, no, on, off"),
    "no-number": ("`{text}` is no number", "digits, perhaps with a point: 1.5"),
    "no-whole": ("`{text}` is no whole number", "only digits"),
    "out-of-range": ("not between {low} and {high}", ""),
    "no-duration": ("`{text}` is no duration", "250ms, 10s, 1m30s, 2h, or a number of seconds"),
    "too-long": ("`{text}` is longer than 31 years", ""),
    "no-size": ("`{text}` is no size", "512K, 64M, 1G, or a number of bytes"),
    "no-signal": ("no signal is called `{text}`", "a name such as SIGTERM, TERM, SIGRTMIN+3, or a number from 1 to 64"),
    "no-exit-status": ("`{text}` is no exit status", "a number from 0 to 255, or a signal's name"),
    "no-mode": ("`{text}` is no mode", 'octal digits up to 0777, such as "0644"'),
    "no-choice": ("`{text}` is none of {choices}", "write one of {choices}"),
    "no-limit": ("{text} is no limit", "a number (64K is 65536), `unlimited`, or [soft, hard]"),
    "soft-above-hard": ("the soft limit is above the hard one", "[soft, hard]: the first may not be larger"),
    "unknown-limit": (
        "there is no limit `{text}`",
        "the names of setrlimit(2) in small letters: nofile, nproc, core …",
    ),
    "limit-sigpending": (
        "`sigpending` belongs to pidone: by it processes are known that hide from their service",
        "leave it out",
    ),
    # commands
    "empty-command": ("an empty command", "name the program to run"),
    "command-shape": ("a command in a mapping is {{shell: …}}, this has `{key}`", "write {{shell: …}} or [PROGRAM, …]"),
    "argument-shape": ("a text is wanted here, this is {found}", "an argument vector is a list of texts"),
    "mixed-commands": (
        "`{text}` stands between commands that are lists or mappings",
        "write it as a list of its own: [PROGRAM, ARGUMENT]",
    ),
    "unclosed-quote": ("a quote is never closed: {text}", "quote the quote, or write {{shell: …}} or a list"),
    "stray-backslash": ("a backslash with nothing behind it", "write two for one"),
    "several-commands": ("{count} commands: only a oneshot runs several", "write `type: oneshot`, or {{shell: …}}"),
    "looks-like-shell": (
        "`{sign}` is given to the program as it is: no shell runs a text",
        'write {{shell: "…"}} for a shell',
    ),
    "command-not-found": ("{name}: there is no such program {where}", ""),
    "not-executable": ("{name} is not executable", "chmod +x {name}"),
    # readiness
    "ready-empty": ("`ready` does not say how", "one of {probes}"),
    "ready-several": ("`ready` has several ways: {probes}", "keep one; `exec` can test for all"),
    "ready-oneshot": ("a oneshot is ready when it has ended successfully", "leave `ready` out"),
    "no-address": ("`{text}` is no address", "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"),
    "no-url": ("`{text}` is no URL to probe", "http://127.0.0.1:PORT/PATH"),
    "https": ("pidone's own probe speaks no TLS", "exec: [curl, -fsS, {url}]"),
    "host-name": (
        "`{host}` is neither a numeric address nor localhost: PID 1 resolves no names",
        "exec: [curl, -fsS, {url}]",
    ),
    "no-port": ("`{text}` is no port", "a number from 1 to 65535"),
    "no-regex": ("no regular expression: {why}", "Python's syntax; a \\ stands for itself only between single quotes"),
    "regex-too-long": ("a regular expression of more than {most} characters", ""),
    "regex-too-slow": ("this regular expression takes too long to compile", "make it simpler"),
    # what it needs
    "delay-above-max": ("`max_delay` is shorter than `delay`", ""),
    "environment-item": ("`{text}` has no `=`", "NAME=VALUE; to pass on a variable of ours: pass_environment: [NAME]"),
    "dependency-item": ("a name of a service is wanted here", "a list means ready; else {{NAME: started}}"),
    "no-variable-name": ("`{text}` is no name of a variable", ""),
    "env-file-line": ("{file}:{line} is no NAME=VALUE", ""),
    "env-file": ("{file}: {why}", "a relative path begins at the folder of this file"),
    "unknown-user": ("there is no user `{name}`", "`getent passwd` lists them; a number needs no entry"),
    "unknown-group": ("there is no group `{name}`", "`getent group` lists them; a number needs no entry"),
    "user-and-group": ("a user and a group in one", "write `user: {user}` and `group: {group}`"),
    "id-too-large": ("{text} is too large for the number of a user or group", ""),
    "rootless-id": (
        "{what}: a world made without privileges has only {there}",
        "start pidone as root with its capabilities, without --rootless; or leave it out and run as {ours}",
    ),
    "namespace-id": (
        "{what}: this user namespace has only {there}",
        "have it mapped by who makes the namespace; or leave it out and run as {ours}",
    ),
    "foreign-id": (
        "{what}: we are {ours} and may not take another one",
        "start pidone as root, in a container with the capability {capability}; or leave it out",
    ),
    "unknown-peer": ("`{name}` cannot be recognised: in that world there is only {there}", ""),
    "nameless-peer": (
        "`{name}` is let in by no list: as uid 65534 appears everybody whom the kernel cannot name",
        "list a user of his own",
    ),
    # across services
    "no-services": ("no service is defined", ""),
    "unknown-service": ("there is no service `{name}`", "define it under `services`"),
    "never-ends": (
        "`{name}` is never {condition}: its restart policy is {policy}",
        "`type: oneshot` or another `restart` there, or another condition here",
    ),
    "never-fires": (
        "`shutdown_on: {value}` can never come true: the restart policy is {policy}",
        "another `restart`, or a `limit` for it",
    ),
    "stdin-shared": ("`{name}` has our standard input already", "`stdin: inherit` suits one service"),
    "cycle": ("these wait for each other: {cycle}", "leave one of the dependencies or orderings out"),
    # system
    "stale-proc": ("without a mount namespace /proc would show the processes of another world", "leave it out"),
    "no-hostname": ("`{text}` is no host name", "letters, digits, `.` and `-`, at most 64"),
}


def message_of(finding: Finding) -> tuple[str, str]:
    """What is wrong, and what would help (may be empty)."""
    message, hint = MESSAGES[finding.code]
    texts = {"keys": "", **dict(finding.texts)}
    inside = f" in `{texts['inside']}`" if texts.get("inside") else ""
    near = texts.get("near")
    return message.format_map(texts) + inside, f"did you mean `{near}`?" if near else hint.format_map(texts)
