"""How does a command that lives for ten milliseconds read and write JSON? By the C halves of Python's own json.

`import json` compiles regular expressions that only the half in Python needs: 8 ms of a client's 19 (docs/decisions/control.md).
Rules: what is written is compact and ASCII, NaN and Infinity are refused in both directions. Where the C halves are not what
we know, the json module does it all.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see wire/jsonrpc
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

__all__ = ["dumps", "loads"]

_BLANKS = " \t\n\r"  # RFC 8259, section 2


def _refuse(word: object) -> NoReturn:
    raise ValueError(f"{word!r} has no place in JSON")


class _Reading:
    """What the scanner asks for; the names are its own."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, staticmethod(_refuse)


def _c_halves() -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    """dumps and loads; raises ImportError or TypeError where they cannot be had."""
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    scan: Any = make_scanner(_Reading())  # type: ignore[arg-type]  # takes whatever has these attributes

    def write(value: Any) -> str:
        markers: dict[int, Any] = {}  # who is being written: a circle is refused
        encode = make_encoder(markers, _refuse, encode_basestring_ascii, None, ":", ",", False, False, False)
        return "".join(encode(value, 0))

    def read(text: str) -> Any:
        begin = len(text) - len(text.lstrip(_BLANKS))
        try:
            value, end = scan(text, begin)
        except StopIteration as stop:
            raise ValueError(f"no JSON at {stop.value}") from None
        if text[end:].strip(_BLANKS):
            raise ValueError(f"more than one value: at {end}")
        return value

    if read(write({"a": [1, 2.5, "ä\n", None, True]})) != {"a": [1, 2.5, "ä\n", None, True]}:
        raise TypeError("the C halves are not what we know")
    return write, read


def _whole_module() -> tuple[Callable[[Any], str], Callable[[str], Any]]:
    import json

    write = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    return write, json.JSONDecoder(parse_constant=_refuse).decode


try:
    _write, _read = _c_halves()
except (ImportError, TypeError):  # another Python
    _write, _read = _whole_module()


def dumps(value: Any) -> str:
    """One line. Raises ValueError for what JSON cannot say."""
    return _write(value)


def loads(text: str | bytes) -> Any:
    """The one value in it, in UTF-8. Raises ValueError (RecursionError, for what is nested too deeply)."""
    return _read(text if isinstance(text, str) else text.decode())
