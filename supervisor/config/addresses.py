"""Where does a readiness probe knock, and what does it look for? Addresses, URLs and patterns that PID 1 can afford.

PID 1 resolves no names and speaks no TLS: addresses are numeric or `localhost`, URLs are http (SERVICES §4). Patterns are
compiled here once, with a bound on the time, so that nobody compiles them for the first time while services run.
"""

from __future__ import annotations

import re
import time
import warnings

from supervisor.config.findings import Refused
from supervisor.config.nodes import Node
from supervisor.config.scalars import filled

__all__ = ["address", "regex", "url"]

_ADDRESS = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):(.*)", re.DOTALL)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}", re.ASCII)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([/?][^#]*)?(#.*)?", re.DOTALL)
_VISIBLE = re.compile(r"[\x21-\x7e]*", re.ASCII)
_PATTERN_LENGTH = 1000  # characters
_COMPILE_TIME = 0.05  # seconds of processor time; as long as a match may take (SERVICES §7)
_ALL_COMPILE_TIME = 2.0  # of all patterns together


def address(node: Node) -> str:
    """HOST:PORT."""
    word = filled(node)
    found = _ADDRESS.fullmatch(word)
    if found is None:
        raise Refused("no-address", text=word[:60])
    _check_host(found[1], f"http://{word}/" if _PORT.fullmatch(found[2]) else "URL")
    _check_port(found[2])
    return word


def url(node: Node) -> str:
    """http://HOST[:PORT][/PATH]."""
    word = filled(node)
    found = _URL.fullmatch(word)
    if found is None or not _VISIBLE.fullmatch(word):
        raise Refused("no-url", text=word[:60])
    scheme, place = found[1].lower(), found[2]
    if scheme == "https":
        raise Refused("https", url=word[:200])
    if scheme != "http" or "@" in place or found[4]:
        raise Refused("no-url", text=word[:60])
    with_port = _ADDRESS.fullmatch(place)
    _check_host(with_port[1] if with_port else place, word[:200])
    if with_port:
        _check_port(with_port[2])
    return word


def _check_host(host: str, target: str) -> None:
    if host == "localhost" or _IPV4.fullmatch(host):
        return
    if host.startswith("["):
        from ipaddress import AddressValueError, IPv6Address  # few need it, and it costs 3 ms

        try:
            if "%" not in host:  # a zone is a name
                IPv6Address(host[1:-1])
                return
        except AddressValueError:
            pass
    raise Refused("host-name", host=host[:60] or "nothing", url=target)


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise Refused("no-port", text=port[:20])


_compiled: dict[str, str] = {}  # pattern → what is wrong with it
_spent = 0.0


def regex(node: Node) -> str:
    """A regular expression of Python's."""
    word = filled(node)
    if len(word) > _PATTERN_LENGTH:
        raise Refused("regex-too-long", most=_PATTERN_LENGTH)
    if word not in _compiled:
        _compiled[word] = _trouble(word)
    if _compiled[word] == "slow":
        raise Refused("regex-too-slow")
    if _compiled[word]:
        raise Refused("no-regex", why=_compiled[word])
    return word


def _trouble(pattern: str) -> str:
    global _spent
    if _spent > _ALL_COMPILE_TIME:
        return "slow"
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error) or type(error).__name__
    took = time.process_time() - begun
    _spent += took
    return "slow" if took > _COMPILE_TIME else ""
