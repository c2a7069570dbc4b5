"""`pidone logs`: what services have written. The server hands over a stream of records; here they get their looks.

On a terminal control characters are spelled out; what is piped is the bytes that the service wrote.
"""

from __future__ import annotations

import sys
import time

from supervisor.cli.errors import OK
from supervisor.cli.moments import epoch, since
from supervisor.cli.output import say_json
from supervisor.cli.session import open_caller, stderr_look, stdout_look
from supervisor.client.stream import read_lines
from supervisor.client.trouble import Trouble
from supervisor.wire import jsonrpc
from supervisor.wire.logline import prefix_for, raw_line, visible

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeAlias

    from supervisor.cli.parse import Asked
    from supervisor.client.call import Caller

    Entry: TypeAlias = Mapping[str, Any]  # Any: JSON

__all__ = ["last_lines", "run"]

_BEFORE_FOLLOWING = 10  # old lines with -f and without -n, as journalctl(1) and tail(1) do
_TRIES = 20  # a logger that died has a successor within milliseconds
_PAUSE = 0.1  # seconds between two of them
_SOON = 5.0  # seconds for a few lines of `status NAME`
_WIDEST = 16  # columns for names; a longer one pushes its own line to the right


def run(asked: Asked) -> int:
    form = asked.output or "text"
    if form == "json" and asked.options.get("follow"):
        raise Trouble("usage", "one JSON document of what never ends cannot be", "-o jsonl has one per line")
    caller = open_caller(asked)
    entries = _entries(caller, asked, _query(asked))
    if form == "json":
        say_json({"schema": jsonrpc.SCHEMA, "lines": [entry for batch in entries for entry in batch]})
        return OK
    write = _writer(form, asked)
    for batch in entries:
        write(batch)
        sys.stdout.buffer.flush()
    return OK


def last_lines(caller: Caller, name: str, count: int) -> list[str]:
    """A few lines of one service for a terminal, each with its time. Raises Trouble."""
    caller.ask("logs", names=[name], lines=count)
    lines = []
    for batch in read_lines(caller.take_fd(), _SOON):
        for entry in _decoded(batch):
            if "line" in entry:
                lines.append(f"{_clock(entry['at'])} {_visible(raw_line(entry)).decode()}")
    return lines


def _query(asked: Asked) -> dict[str, Any]:
    options = asked.options
    follow = options.get("follow", False)
    query = {
        "names": asked.words,
        "lines": options.get("lines", _BEFORE_FOLLOWING if follow else None),
        "follow": follow,
    }
    if "since" in options:
        query["since"] = _moment(options["since"])
        query["lines"] = options.get("lines")
    if "grep" in options:
        query["grep"] = _expression(options["grep"])
    return query


def _moment(text: str) -> float:
    try:
        return since(text, time.time())
    except (ValueError, OverflowError):
        hint = "write 10m for ten minutes ago, 14:30, 2026-01-31, or date and time"
        raise Trouble("usage", f"--since: {text} is no time", hint) from None


def _expression(text: str) -> str:
    import re

    try:
        re.compile(text)
    except re.error as error:
        raise Trouble("usage", f"--grep: {error}") from None
    return text


def _entries(caller: Caller, asked: Asked, query: dict[str, Any]) -> Iterator[list[Entry]]:
    """The records, batch by batch; when the logger is replaced under us, those of its successor from there on."""
    newest, repeated = "", 0
    tries = _TRIES
    stream = _stream(caller, query)
    while True:
        mark, skip = newest, repeated
        for lines in read_lines(stream, asked.options.get("timeout")):
            batch = []
            for entry in _decoded(lines):
                at = entry.get("at", "")  # all in one form: they compare as texts
                if at < mark or (at == mark and skip):
                    skip -= at == mark
                    continue
                newest, repeated = at, repeated + 1 if at == newest else 1
                batch.append(entry)
            tries = _TRIES if batch else tries
            yield batch
        if not query["follow"]:
            return
        if tries < _TRIES:
            time.sleep(_PAUSE)
        tries -= 1
        if not tries:
            raise Trouble("no-logs", "the logger ends every time it is asked", "pidone status")
        query = {**query, "lines": None if newest else query["lines"], "since": epoch(newest) if newest else None}
        try:
            stream = _stream(caller, query)
        except Trouble as trouble:
            if trouble.code == "gone":
                return  # the world has ended, and its log with it
            raise


def _stream(caller: Caller, query: dict[str, Any]) -> int:
    caller.ask("logs", **query)
    return caller.take_fd()


def _decoded(lines: Iterable[bytes]) -> Iterator[Entry]:
    for line in lines:
        try:
            entry = jsonrpc.decode(line)
        except ValueError:
            raise Trouble("protocol", "the logger does not speak JSON") from None
        if "error" in entry:
            raise Trouble(str(entry["error"].get("code", "failed")), str(entry["error"].get("message", "it failed")))
        yield entry


def _writer(form: str, asked: Asked) -> Callable[[list[Entry]], None]:
    if form == "jsonl":
        return _write_records
    look = stdout_look(asked)
    terminal = look.terminal
    out = sys.stdout.buffer
    clock = _clock if terminal or form == "short" else str
    width = 0

    def write(batch: list[Entry]) -> None:
        nonlocal width
        for entry in batch:
            service = str(entry.get("service", ""))
            if "line" not in entry:
                _tell_lost(entry, asked)
                continue
            line = raw_line(entry)
            if terminal:
                line = _visible(line)
            if form != "cat":
                width = max(width, min(len(service), _WIDEST)) if terminal else 0
                stderr = entry.get("stream") == "stderr"
                line = prefix_for(clock(entry["at"]), service, width, look.colour, stderr) + line
            out.write(line + b"\n")

    return write


def _write_records(batch: list[Entry]) -> None:
    for entry in batch:
        say_json(entry)
    sys.stdout.flush()


def _tell_lost(entry: Entry, asked: Asked) -> None:
    if lost := entry.get("lost"):
        look = stderr_look(asked)
        print(look.paint(f"… {lost} lines of {entry.get('service')} were lost here", "yellow"), file=sys.stderr)


def _visible(line: bytes) -> bytes:
    return visible(line + b"\n")[:-1]


def _clock(at: str) -> str:
    """Local time of day with milliseconds."""
    moment = epoch(at)
    return time.strftime("%H:%M:%S", time.localtime(moment)) + f".{int(moment * 1000) % 1000:03d}"
