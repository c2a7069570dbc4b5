"""Every mistake once: its code, a text that makes it, and where it must be found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["MISTAKES", "Mistake"]

_NONE: Mapping[str, str | bytes] = {}


class Mistake(NamedTuple):
    code: str
    text: str
    place: tuple[int, int]
    """Line and column; (0, 0) for the file as a whole."""
    words: str = ""
    """What its message or hint must say."""
    files: Mapping[str, str | bytes] = _NONE
    environ: Mapping[str, str] = {}


def _key(keys: str, code: str, column: int, words: str = "", **more: Mapping[str, str | bytes]) -> Mistake:
    """A mistake in the keys of a service that is fine otherwise; the column counts from the first key."""
    text = f"services:\n  a:\n    command: [/bin/true]\n    {keys}\n"
    return Mistake(code, text, (4, 4 + column), words, **more)  # type: ignore[arg-type]


def _command(value: str, code: str, column: int, words: str = "") -> Mistake:
    return Mistake(code, f"services:\n  a: {{command: {value}}}\n", (2, 15 + column), words)


def _dependency(value: str, code: str, column: int, words: str = "") -> Mistake:
    """A mistake in how a service that is there is depended on; the column counts from the value."""
    text = f"services:\n  b: {{command: [/bin/true]}}\n  a: {{command: [/bin/true], depends_on: {{b: {value}}}}}\n"
    return Mistake(code, text, (3, 45 + column), words)


_GOOD = "services: {a: {command: /bin/true}}\n"
_EMPTY = "{}"

MISTAKES: tuple[Mistake, ...] = (
    # YAML
    Mistake("yaml-flow", "services: {a: {command: x}\n", (1, 11), "comma"),
    Mistake("yaml-flow", "services:\n  a: {command: b: c}\n", (2, 17), "comma"),
    Mistake("yaml-indent", "services:\n  a: {command: x}\n b: {command: x}\n", (3, 2), "column"),
    Mistake("yaml-indent", "x-a:\n  - a\n  b: c\n", (3, 3), "column"),
    Mistake("yaml-syntax", '"\\x"', (1, 4)),
    Mistake("yaml-colon", "services:\n  a: b: c\n", (2, 7), "quote"),
    Mistake("yaml-no-colon", "services:\n  a: {command: x}\n  b\n", (3, 3), "colon"),
    Mistake("yaml-start", "services:\n  a: {command: @x}\n", (2, 16), "quote"),
    Mistake("yaml-tab", "services:\n\ta: {command: x}\n", (2, 1), "spaces"),
    Mistake("yaml-quote", "services:\n  a: {command: 'x}\n  b: {command: y}\n", (2, 16), "never closed"),
    Mistake("yaml-control", "services:\n  a: {command: x\x01}\n", (2, 17), "U+0001"),
    Mistake("yaml-control", "# \x7f\n", (1, 3), "U+007F"),
    Mistake("nul", 'services:\n  a: {command: [x, "a\\0b"]}\n', (2, 20)),
    Mistake("encoding", "", (0, 0), "line 2", {"b_yaml": b"a: 1\nb: \xff\n"}),
    Mistake("several-documents", f"{_GOOD}---\nservices: {{}}\n", (2, 1)),
    Mistake("tag", "services:\n  a: {command: !!str x}\n", (2, 16), "!!str"),
    Mistake("tag", "services:\n  a: !thing {command: x}\n", (2, 6), "!thing"),
    Mistake("duplicate-key", "services:\n  a: {command: x}\n  a: {command: y}\n", (3, 3), "line 2"),
    Mistake("duplicate-key", "services:\n  a:\n    command: x\n    enabled: no\n    command: y\n", (5, 5), "line 3"),
    Mistake("key-shape", "services: {a: {command: x}}\nx-a:\n  [a, b]: c\n", (3, 3)),
    Mistake("recursive-alias", f"{_GOOD}x-a: &a [b, *a]\n", (2, 13), "*a"),
    Mistake("unknown-alias", f"{_GOOD}x-a: *a\n", (2, 6), "&a"),
    Mistake("merge-shape", f"{_GOOD}x-a: {{<<: text}}\n", (2, 11)),
    Mistake("merge-shape", f"{_GOOD}x-a: {{<<: [{{b: c}}, text]}}\n", (2, 20)),
    Mistake("config-too-large", "x-a: " + "[" * 51 + "]" * 51, (1, 55), "50"),
    # the shape of a file
    Mistake("wrong-shape", "- services\n", (1, 1), "mapping"),
    Mistake("wrong-shape", "just text\n", (1, 1), "mapping"),
    Mistake("wrong-shape", "services: [a]\n", (1, 11), "a list"),
    Mistake("wrong-shape", "services:\n  a: x\n", (2, 6), "mapping"),
    Mistake("wrong-shape", f"defaults: none\n{_GOOD}", (1, 11), "mapping"),
    Mistake("version", f"version: 2\n{_GOOD}", (1, 10), "2"),
    Mistake("version", f"version: [1]\n{_GOOD}", (1, 10), "list"),
    Mistake("unknown-key", f"servces: {{}}\n{_GOOD}", (1, 1), "`services`"),
    Mistake("unknown-key", f"blah: {{}}\n{_GOOD}", (1, 1), "x-…"),
    Mistake("foreign-key", f"processes: {{}}\n{_GOOD}", (1, 1), "services: {NAME"),
    Mistake("foreign-key", f"override: true\n{_GOOD}", (1, 1), "inside the service"),
    Mistake("system-twice", f"system: {{name: a}}\n{_GOOD}", (1, 1), ":1", {"b_yaml": "system: {}\n"}),
    Mistake("service-twice", _GOOD, (1, 12), "override", {"b_yaml": "services: {a: {enabled: no}}"}),
    Mistake("service-twice", _GOOD, (1, 12), "override", {"b_yaml": "services: {a: {override: no}}"}),
    Mistake("override-unknown", "services: {wbe: {override: on, command: /bin/true}}\n", (1, 12), "leave"),
    Mistake(
        "override-unknown",
        "services:\n  web: {command: /bin/true}\n  wbe: {override: on, command: /bin/true}\n",
        (3, 3),
        "did you mean `web`",
    ),
    Mistake("no-name", "services:\n  a b: {command: x}\n", (2, 3)),
    Mistake("no-name", "services:\n  web@1: {command: x}\n", (2, 3)),
    Mistake("no-name", "services:\n  -x: {command: x}\n", (2, 3)),
    Mistake("reserved-name", "services:\n  pidone: {command: x}\n", (2, 3)),
    Mistake("missing-key", "services:\n  a: {enabled: no}\n", (2, 3), "command"),
    Mistake("missing-key", "services:\n  a:\n    enabled: no\n", (2, 3), "command"),
    Mistake("missing-key", "services:\n  a:\n", (2, 3), "command"),
    Mistake("missing-key", "services:\n  a: {command: ~}\n", (2, 3), "command"),
    # keys
    _key("comand: x", "unknown-key", 1, "`command`"),
    _key("colour: x", "unknown-key", 1, "depends_on"),
    _key("stop: {sginal: TERM}", "unknown-key", 8, "`signal`"),
    _key("stop: {colour: x}", "unknown-key", 8, "in `stop`"),
    _dependency("{conditon: started}", "unknown-key", 1, "`condition`"),
    _key("restart: {limit: {cuont: 3, within: 1s}}", "unknown-key", 19, "`count`"),
    _key("stop_signal: TERM", "foreign-key", 1, "`stop: {signal: …}`"),
    _key("stop: {grace_period: 3s}", "foreign-key", 8, "`timeout: …`"),
    _key("x-mine: 3", "unknown-key", 1),
    _key("healthcheck: {test: x}", "not-available", 1, "not available"),
    _key("ready: {notify: true}", "not-available", 9),
    _key("restart: {limit: {count: 3}}", "missing-key", 18, "`within`"),
    _key("override: perhaps", "no-flag", 11),
    # shapes
    _key("enabled: [yes]", "wrong-shape", 10, "true or false"),
    _key("description: {a: b}", "wrong-shape", 14, "a text"),
    _key("stop: []", "wrong-shape", 7, "signal, timeout"),
    _key("stop: SIGTERM", "wrong-shape", 7, "`SIGTERM`"),
    _dependency("[ready]", "wrong-shape", 0, "condition, required"),
    _key("groups: {a: b}", "wrong-shape", 9, "a list"),
    _key("limits: 3", "wrong-shape", 9, "a mapping"),
    _key("environment: A=b", "wrong-shape", 14, "a mapping"),
    _key("environment: {A: [b]}", "wrong-shape", 18, "a text"),
    _key("restart: {success: {a: b}}", "wrong-shape", 20, "a list"),
    _key("groups: [[a]]", "wrong-shape", 10, "a text"),
    _key("groups: [a, ~]", "empty-item", 13, "quote"),
    _key("groups: ['']", "empty", 10),
    # variables
    _key("description: ${!}", "bad-variable", 14, "$$"),
    _key("description: ${A:+b}", "bad-variable", 14, "$$"),
    _key("description: ${service:-x}", "bad-variable", 14, "$$"),
    _key("description: a ${A", "open-variable", 14, "}"),
    _key("description: ${instance}", "no-instances", 14),
    _key("description: '${A:?say which}'", "variable-required", 14, "say which"),
    _key("description: '${A:?}'", "variable-required", 14, "not set"),
    Mistake("no-service", f"system: {{name: '${{service}}'}}\n{_GOOD}", (1, 16)),
    # scalars
    _key("enabled: 'true'", "quoted", 10, "without quotes"),
    _key("enabled: maybe", "no-flag", 10),
    _key("enabled: t", "no-flag", 10),
    _key("enabled: 1", "no-flag", 10),
    _key("restart: {factor: 1e3}", "no-number", 19),
    _key("restart: {factor: nan}", "no-number", 19),
    _key("restart: {factor: 1_000}", "no-number", 19),
    _key("restart: {factor: -1}", "no-number", 19),
    _key("restart: {factor: 0x10}", "no-number", 19),
    _key("restart: {factor: '2'}", "quoted", 19),
    _key("restart: {factor: 0.5}", "out-of-range", 19, "1"),
    _key("restart: {jitter: 2}", "out-of-range", 19),
    _key("restart: {limit: {count: 2.5, within: 1m}}", "no-whole", 26),
    _key("restart: {limit: {count: 0, within: 1m}}", "out-of-range", 26),
    _key("restart: {limit: {count: 3, within: 0}}", "out-of-range", 37),
    _key("start_timeout: 0", "out-of-range", 16),
    _key("stop: {timeout: 10 parsecs}", "no-duration", 17, "parsecs"),
    _key("stop: {timeout: 10sec}", "no-duration", 17),
    _key("stop: {timeout: -3s}", "no-duration", 17),
    _key("stop: {timeout: 3s1m}", "no-duration", 17),
    _key("stop: {timeout: 1s1s}", "no-duration", 17),
    _key("stop: {timeout: none}", "no-duration", 17),
    _key("stop: {timeout: ''}", "empty", 17),
    _key("stop: {timeout: 99999d}", "too-long", 17),
    _key("stop: {signal: SIGFOO}", "no-signal", 16),
    _key("stop: {signal: 65}", "no-signal", 16),
    _key("stop: {signal: RTMIN+40}", "no-signal", 16),
    _key("restart: {success: [256]}", "no-exit-status", 21),
    _key("restart: {success: [bad]}", "no-exit-status", 21),
    _key("umask: 99", "no-mode", 8),
    _key("umask: 01777", "no-mode", 8),
    _key("umask: u=rwx", "no-mode", 8),
    _key("type: onshot", "no-choice", 7, "`oneshot`"),
    _key("type: notify", "no-choice", 7, "simple"),
    _key("restart: unless-stopped", "no-choice", 10, "`always`"),
    _key("restart: no", "no-choice", 10, "`never`"),
    _key("restart: on_failure", "no-choice", 10, "`on-failure`"),
    _key("stop: {scope: control-group}", "no-choice", 15, "`all`"),
    _dependency("process_completed", "no-choice", 0, "`ended`"),
    # limits
    _key("limits: {nofile: many}", "no-limit", 18),
    _key("limits: {nofile: -1}", "no-limit", 18),
    _key("limits: {nofile: [1]}", "no-limit", 18),
    _key("limits: {nofile: [1, x]}", "no-limit", 22),
    _key("limits: {nofile: [2, 1]}", "soft-above-hard", 18),
    _key("limits: {nofile: [unlimited, 1]}", "soft-above-hard", 18),
    _key("limits: {nofiles: 3}", "unknown-limit", 10),
    _key("limits: {NOFILE: 3}", "unknown-limit", 10),
    _key("limits: {sigpending: 10}", "limit-sigpending", 10, "pidone"),
    # commands
    _command("''", "empty-command", 1),
    _command("[]", "empty-command", 1),
    _command("['', x]", "empty-command", 1),
    _command("{shell: ' '}", "empty-command", 1),
    _command("{shell: [x]}", "wrong-shape", 1, "a list"),
    _command("{exec: x}", "command-shape", 2, "exec"),
    _command("{}", "command-shape", 1),
    _command("[x, {a: b}, y]", "mixed-commands", 2),
    _command("[x, [y]]", "mixed-commands", 2),
    _command('"a \'b"', "unclosed-quote", 1),
    _command("a b\\", "stray-backslash", 1),
    _command("[[/bin/true], [/bin/true]]", "several-commands", 1, "oneshot"),
    _command("[[a], {shel: b}]", "command-shape", 8),
    _command("[[a], []]", "empty-command", 7),
    _command("[[a], [b, [c]]]", "argument-shape", 11),
    _key("stop: {command: [a, [b]]}", "argument-shape", 21),
    # readiness
    _key("ready: {interval: 1s}", "ready-empty", 8, "tcp"),
    _key("ready: {tcp: '127.0.0.1:1', after: 1s}", "ready-several", 8, "tcp and after"),
    _key("ready: {interval: 0, after: 1s}", "out-of-range", 19),
    Mistake("ready-oneshot", "services:\n  a: {command: /bin/true, type: oneshot, ready: {after: 1s}}\n", (2, 42)),
    _key("ready: {tcp: '8080'}", "no-address", 14),
    _key("ready: {tcp: 'db:5432'}", "host-name", 14, "exec: [curl"),
    _key("ready: {tcp: '256.0.0.1:1'}", "host-name", 14),
    _key("ready: {tcp: '1.2.3:1'}", "host-name", 14),
    _key("ready: {tcp: '[::g]:1'}", "host-name", 14),
    _key("ready: {tcp: '[fe80::1%eth0]:1'}", "host-name", 14),
    _key("ready: {tcp: ':80'}", "host-name", 14, "nothing"),
    _key("ready: {tcp: '127.0.0.1:0'}", "no-port", 14),
    _key("ready: {tcp: '127.0.0.1:70000'}", "no-port", 14),
    _key("ready: {tcp: '127.0.0.1:http'}", "no-port", 14),
    _key("ready: {http: 127.0.0.1}", "no-url", 15),
    _key("ready: {http: 'ftp://127.0.0.1/'}", "no-url", 15),
    _key("ready: {http: 'http://u:p@127.0.0.1/'}", "no-url", 15),
    _key("ready: {http: 'http://127.0.0.1/#a'}", "no-url", 15),
    _key("ready: {http: 'http://127.0.0.1/a b'}", "no-url", 15),
    _key("ready: {http: 'https://127.0.0.1/x'}", "https", 15, "exec: [curl, -fsS, https://127.0.0.1/x]"),
    _key("ready: {http: 'http://example.org/x'}", "host-name", 15, "exec: [curl, -fsS, http://example.org/x]"),
    _key("ready: {http: 'http://127.0.0.1:99999/'}", "no-port", 15),
    _key("ready: {log: '(a'}", "no-regex", 14),
    _key("ready: {log: 'a{99999999999}'}", "no-regex", 14),
    _key(f"ready: {{log: '{'(' * 800}a{')' * 800}'}}", "regex-too-long", 14),
    _key("ready: {unix: ''}", "empty", 15),
    # what it needs
    _key("restart: {delay: 1m, max_delay: 30s}", "delay-above-max", 33),
    _key("environment: [A]", "environment-item", 15, "pass_environment"),
    _key("environment: [A=b, A=c]", "duplicate-item", 20),
    _key("environment: {'A=b': c}", "no-variable-name", 15),
    _key("environment: [=b]", "empty", 15),
    _key("depends_on: [[b]]", "dependency-item", 14),
    _key("depends_on: {'a b': ready}", "no-name", 14),
    _key("groups: ['@lights']", "no-group-name", 10),
    _key("stdin: ''", "empty", 8),
    _key("env_file: missing.env", "env-file", 11, "No such file"),
    _key("env_file: [w.env]", "env-file-line", 12, "w.env:2", files={"w_env": "A=1\nB='\n"}),
    _key("user: no-such-user", "unknown-user", 7, "no-such-user"),
    _key("user: '1000:1000'", "user-and-group", 7, "group: 1000"),
    _key("user: 4294967295", "id-too-large", 7),
    _key("group: no-such-group", "unknown-group", 8, "no-such-group"),
    _key("extra_groups: [no-such-group]", "unknown-group", 16),
    # across services
    _key("depends_on: [nobody]", "unknown-service", 14, "nobody"),
    _key("after: [nobody]", "unknown-service", 9),
    _key("before: nobody", "unknown-service", 9),
    _key("depends_on: [a]", "cycle", 14, "a → a"),
    _key("shutdown_on: success\n    restart: always", "never-fires", 14, "always"),
    Mistake(
        "never-ends",
        "services:\n  a: {command: /bin/true}\n  b: {command: /bin/true, depends_on: {a: completed}}\n",
        (3, 40),
        "always",
    ),
    Mistake(
        "stdin-shared",
        "services:\n  a: {command: /bin/true, stdin: inherit}\n  b: {command: /bin/true, stdin: inherit}\n",
        (3, 34),
        "`a`",
    ),
    # system
    Mistake("unknown-key", f"system: {{nmae: x}}\n{_GOOD}", (1, 10), "`name`"),
    Mistake("foreign-key", f"system: {{socket: x}}\n{_GOOD}", (1, 10), "control: {socket"),
    Mistake("not-available", f"system: {{boot: {{}}}}\n{_GOOD}", (1, 10)),
    Mistake("stale-proc", f"system: {{namespace: {{mount: no}}}}\n{_GOOD}", (1, 29)),
    Mistake("no-hostname", f"system: {{hostname: a b}}\n{_GOOD}", (1, 20)),
    Mistake("no-name", f"system: {{name: a/b}}\n{_GOOD}", (1, 16)),
    Mistake("no-mode", f"system: {{control: {{mode: rw}}}}\n{_GOOD}", (1, 26)),
    Mistake("unknown-user", f"system: {{control: {{admin: [no-such-user]}}}}\n{_GOOD}", (1, 28)),
    Mistake("unknown-user", f"system: {{control: {{read: no-such-user}}}}\n{_GOOD}", (1, 26)),
    Mistake("unknown-group", f"system: {{control: {{group: no-such-group}}}}\n{_GOOD}", (1, 27)),
)
