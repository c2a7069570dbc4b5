"""Where do the other supervisors come from, without installing anything into the system?

What is in PATH is used. Otherwise Debian's package is unpacked into a private folder, and a Python package comes into a virtual
environment of its own there. What is in that folder already is not fetched again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from contenders import Unavailable

__all__ = ["Programs", "programs", "venv"]

_FETCHING = 300  # seconds


class Programs(NamedTuple):
    binaries: Path
    libraries: Path | None
    """None: the system's own."""
    version: str

    def environment(self) -> dict[str, str]:
        """For programs that were unpacked beside the libraries they need."""
        return {"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else {}


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=_FETCHING)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "no message").splitlines()[-1]
        raise Unavailable(f"`{' '.join(command)}` failed: {last}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from None
    return done.stdout.strip()


def programs(tools: Path, program: str, packages: tuple[str, ...]) -> Programs:
    """The folder that has `program`; the first of the packages is the one that has it, the others are its libraries."""
    installed = shutil.which(program)
    if installed:
        return Programs(Path(installed).parent, None, "installed")
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Unavailable(f"`{program}` is not in PATH, and there is no apt-get to fetch Debian's package with")
    home = tools / packages[0]
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _run("apt-get", "download", "-q", *packages, cwd=home)
        for archive in home.glob("*.deb"):
            _run("dpkg", "-x", str(archive), str(home))
        (home / "complete").touch()
    libraries = sorted((home / "usr/lib").glob("*/lib*.so*"))
    version = next(home.glob(f"{packages[0]}_*.deb")).name.split("_")[1]
    return Programs(home / "usr/bin", libraries[0].parent if libraries else None, version)


def venv(tools: Path, program: str, requirements: tuple[str, ...]) -> Path:
    """The folder of the scripts of a virtual environment that has `program`."""
    home = tools / f"{program}-venv"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(home))
        _run(str(home / "bin/pip"), "install", "-q", *requirements)
        (home / "complete").touch()
    return home / "bin"
