"""Are the generated pages what the program says? Writes them, or with `--check` compares and exits 1.

python docs/generate.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

_DOCS = Path(__file__).parent


def _configuration() -> str:
    from supervisor.config.reference import page

    return page()


def _states() -> str:
    from supervisor.core.table import page

    return page()


_PAGES: dict[str, Callable[[], str]] = {"configuration.md": _configuration, "states.md": _states}


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, write in _PAGES.items():
        text, path = write(), _DOCS / name
        if path.exists() and path.read_text() == text:
            continue
        if check:
            stale.append(name)
        else:
            path.write_text(text)
            print(f"wrote docs/{name}")
    if stale:
        print(
            f"not what the program says: docs/{', docs/'.join(stale)}; run `python docs/generate.py`", file=sys.stderr
        )
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
