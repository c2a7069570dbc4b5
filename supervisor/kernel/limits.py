"""Which resource limits are there, and what are they called? The names of setrlimit(2), in small letters."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["NUMBERS", "UNLIMITED"]

UNLIMITED = resource.RLIM_INFINITY

NUMBERS: Mapping[str, int] = MappingProxyType(
    {
        "as": resource.RLIMIT_AS,
        "core": resource.RLIMIT_CORE,
        "cpu": resource.RLIMIT_CPU,
        "data": resource.RLIMIT_DATA,
        "fsize": resource.RLIMIT_FSIZE,
        "locks": 10,  # <asm-generic/resource.h>; Python has no name for these two
        "memlock": resource.RLIMIT_MEMLOCK,
        "msgqueue": resource.RLIMIT_MSGQUEUE,
        "nice": resource.RLIMIT_NICE,
        "nofile": resource.RLIMIT_NOFILE,
        "nproc": resource.RLIMIT_NPROC,
        "rss": resource.RLIMIT_RSS,
        "rtprio": resource.RLIMIT_RTPRIO,
        "rttime": 15,
        "sigpending": resource.RLIMIT_SIGPENDING,
        "stack": resource.RLIMIT_STACK,
    }
)
