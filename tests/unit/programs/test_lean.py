"""Does trio come in without what PID 1 never uses, and whole where that goes wrong? Each time in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_HEAVY = ("ssl", "_ssl", "hashlib", "idna", "pathlib", "subprocess", "ctypes.util", "shutil", "tempfile")


def _told(program: str) -> dict[str, object]:
    """What a program says, in JSON, after `tell = {}` was filled."""
    whole = f"import json, sys\nsys.path.insert(0, {str(_ROOT)!r})\ntell = {{}}\n{program}\nprint(json.dumps(tell))"
    unmeasured = {
        name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")
    }  # it loads half of Python
    done = subprocess.run([sys.executable, "-I", "-c", whole], capture_output=True, check=True, env=unmeasured)
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_trio_comes_without_what_is_left_out() -> None:
    told = _told(
        "from supervisor.programs import lean\n"
        "tell['lean'] = lean.import_trio()\n"
        "import trio\n"
        "async def life(): return trio.current_time()\n"
        "tell['lives'] = trio.run(life) > 0\n"
        f"tell['heavy'] = [name for name in {_HEAVY!r} if name in sys.modules]\n"
        "tell['left'] = [name for name in lean.LEFT_OUT if name in sys.modules]\n"
    )
    assert told == {"lean": True, "lives": True, "heavy": [], "left": []}


def test_what_does_not_live_is_replaced_by_the_whole_of_trio() -> None:
    told = _told(
        "from supervisor.programs import lean\n"
        "lean.LEFT_OUT += ('trio._timeouts',)\n"  # as another version may need what this one does not
        "tell['lean'] = lean.import_trio()\n"
        "import trio\n"
        "async def life():\n"
        "    await trio.sleep(0)\n"
        "    return trio.socket.socket.__module__\n"
        "tell['socket'] = trio.run(life)\n"
        "tell['channel'] = 'trio._channel' in sys.modules\n"
    )
    assert told == {"lean": False, "socket": "trio.socket", "channel": True}


def test_a_trio_that_is_there_already_is_left_alone() -> None:
    told = _told(
        "import trio\n"
        "before = trio.socket\n"
        "from supervisor.programs import lean\n"
        "tell['lean'] = lean.import_trio()\n"
        "tell['same'] = sys.modules['trio'] is trio and trio.socket is before\n"
    )
    assert told == {"lean": False, "same": True}
