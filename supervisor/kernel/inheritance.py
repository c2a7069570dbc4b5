"""What were we given by whoever started us, before Python touched it?

Imports nothing that costs time: the minimal init needs it too (docs/decisions/tini.md).
"""

from __future__ import annotations

import os

__all__ = ["inherited_environment"]


def inherited_environment() -> dict[bytes, bytes]:
    """The environment we were executed with.

    In a C locale Python adds LC_CTYPE=C.UTF-8 (PEP 538, -I or not), which its children would take for the user's wish. The
    kernel still shows the original (proc_pid_environ(5)); without /proc the addition stays.
    """
    environment = dict(os.environb)
    if b"LC_CTYPE" in environment:
        try:
            with open("/proc/self/environ", "rb") as file:
                given = file.read().split(b"\0")
        except OSError:
            return environment
        if not any(entry.startswith(b"LC_CTYPE=") for entry in given):
            del environment[b"LC_CTYPE"]
    return environment
