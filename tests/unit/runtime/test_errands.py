"""Does a watcher get by with what its service's user may read?"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.model.plan import Identity
from supervisor.model.words import Seconds, Wall
from supervisor.runtime.errands import watcher

_SOMEBODY = Identity(uid=os.getuid() + 1, gid=os.getgid() + 1, groups=(), user="somebody", home="/", shell="/bin/sh")

# Stands for becoming somebody to whom our interpreter's folders are closed: from then on no import finds anything.
_CLOSED = """
import os, sys
class Closed:
    def find_spec(self, name, path=None, target=None):
        raise ModuleNotFoundError(name)
os.setgroups = os.setgid = lambda number: None
os.setuid = lambda number: sys.meta_path.insert(0, Closed())
"""


@pytest.mark.parametrize("kind", ["unix", "file"])
def test_a_watcher_imports_nothing_once_it_is_its_services_user(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "there"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        argv = watcher(kind, str(path), Wall(0.0), Seconds(0.01), _SOMEBODY)
        script = argv.index("-c") + 1
        words = [sys.executable, *argv[1:script], _CLOSED + argv[script], *argv[script + 1 :]]
        seen = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert seen.returncode == 0, seen.stderr
