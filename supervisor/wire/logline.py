"""How is a line of a service written, for people and for programs?

Rules: a line is bytes, and stays the bytes it was wherever a program may read it; on a terminal nothing in it can move the
cursor, change a colour or reverse the text. Every line carries its own prefix, so none can pass for another service's.
"""

from __future__ import annotations

import json
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "MAX_LINE",
    "json_error",
    "json_head",
    "json_line",
    "json_loss",
    "prefix_for",
    "prefixed",
    "raw_line",
    "split",
    "visible",
]

MAX_LINE = 65536  # bytes without the newline; a longer line is cut into lines of this length (SERVICES §7, max_line)

_PLAIN = bytes(range(0x20, 0x7F)) + b"\t\n"
# What moves the cursor or reverses text: C0 and C1 controls, separators of lines and paragraphs, and the marks of
# bidirectional text (Unicode Standard Annex 9), by which a line could be made to read as another one.
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CONTROLS if chr(code) not in "\t\n"
}
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # SGR codes that read well on dark and on light; red means trouble
_quote = json.JSONEncoder(ensure_ascii=False).encode


def split(carry: bytes, data: bytes, limit: int = MAX_LINE) -> tuple[bytes, bytes]:
    """The lines that are complete once `data` has followed `carry`, each with its newline, and the unfinished rest.

    What is longer than `limit` is cut there: the rest is never longer.
    """
    text = carry + data if carry else data
    end = text.rfind(b"\n") + 1
    if len(text) <= limit:
        return text[:end], text[end:]
    lines = b"".join(_cut(text[:end], limit))
    begun = text[end:]
    whole = max(0, len(begun) - 1) // limit * limit
    if whole:
        lines += b"".join(begun[at : at + limit] + b"\n" for at in range(0, whole, limit))
    return lines, begun[whole:]


def _cut(lines: bytes, limit: int) -> Iterator[bytes]:
    at, end = 0, len(lines)
    while end - at > limit + 1:
        newline = lines.rfind(b"\n", at, at + limit + 1)
        if newline >= 0:
            yield lines[at : newline + 1]
            at = newline + 1
        else:
            yield lines[at : at + limit] + b"\n"
            at += limit
    yield lines[at:]


def prefix_for(at: str, service: str, width: int = 0, colour: bool = False, alarming: bool = False) -> bytes:
    """What stands before each of a service's lines. `width` aligns the bar, `alarming` makes it red where colours are."""
    name = service.ljust(width)
    if not colour:
        return f"{at} {name} | ".encode()
    code = _COLOURS[zlib.crc32(service.encode()) % len(_COLOURS)]
    bar = "\x1b[31m|\x1b[0m" if alarming else "|"
    return f"\x1b[2m{at}\x1b[0m \x1b[{code}m{name}\x1b[0m {bar} ".encode()


def prefixed(lines: bytes, prefix: bytes) -> bytes:
    """Complete lines, each behind the prefix."""
    return prefix + lines[:-1].replace(b"\n", b"\n" + prefix) + b"\n"


def visible(lines: bytes) -> bytes:
    """Complete lines as a terminal may show them: controls and what is no UTF-8 are spelled out as \\x1b."""
    if not lines.translate(None, _PLAIN):
        return lines
    return lines.decode(errors="backslashreplace").translate(_ESCAPES).encode()


def json_head(at: str, service: str, run: int, stream: str) -> str:
    """How the records of lines begin that have all this in common."""
    return f'{{"at":"{at}","service":{_quote(service)},"run":{run},"stream":"{stream}",'


def json_line(head: str, line: bytes, partial: bool = False) -> bytes:
    """One record of `logs -o jsonl`, of a line without its newline. `partial` says that the line has not ended yet.

    A line that is no UTF-8 is there with replacement characters, and as `bytes` in base64.
    """
    more = ',"partial":true' if partial else ""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
        more += f',"bytes":"{b2a_base64(line, newline=False).decode()}"'
    return f'{head}"line":{_quote(text)}{more}}}\n'.encode()


def json_loss(at: str, service: str, count: int) -> bytes:
    """A record that says how many lines this reader was too slow for."""
    return f'{{"at":"{at}","service":{_quote(service)},"lost":{count}}}\n'.encode()


def json_error(code: str, message: str) -> bytes:
    """A record that says why no more lines follow."""
    return f'{{"error":{{"code":{_quote(code)},"message":{_quote(message)}}}}}\n'.encode()


def raw_line(document: Mapping[str, Any]) -> bytes:  # Any: whatever JSON holds
    """The bytes of the line that a record of `logs -o jsonl` stands for, without newline."""
    packed = document.get("bytes")
    return a2b_base64(packed) if isinstance(packed, str) else str(document.get("line", "")).encode()
