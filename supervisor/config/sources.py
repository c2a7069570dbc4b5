"""Which files make up the configuration, and what is in them?

`-c PATH` names a file, or a folder whose *.yaml and *.yml are read in name order; without any it is /etc/pidone/services.d,
else ./services.d. Only regular files are read, and of each not more than a bound, whatever it says its size is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from supervisor.config.budget import FILE_BYTES, FILES, Budget
from supervisor.config.findings import Findings, Refused
from supervisor.config.nodes import NOWHERE, Place

__all__ = ["DEFAULT_PLACES", "Sources", "read_text"]

DEFAULT_PLACES = ("/etc/pidone/services.d", "services.d")
_SUFFIXES = (".yaml", ".yml")


class Sources:
    """The texts of the files, by the name that messages call them."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._lines: dict[str, list[str]] = {}
        self.whole = True
        """False when something could not be read: then what seems to be missing may stand there."""

    def read(self, paths: Iterable[str], budget: Budget, findings: Findings) -> None:
        """Read all files that these paths mean; what cannot be read goes to `findings`."""
        before = len(findings.errors)
        for file in _files(tuple(paths), findings):
            if file in self.texts:
                findings.error(Place(file), "file-twice")
            elif len(self.texts) >= FILES:
                findings.error(Place(file), "config-too-large", what=f"more than {FILES} files")
                break
            else:
                try:
                    self.texts[file] = read_text(file, budget)
                except Refused as refusal:
                    findings.refused(refusal, Place(file))
        self.whole = len(findings.errors) == before

    def line(self, file: str, number: int) -> str | None:
        """A line of a file, counted from 1; None where there is none."""
        lines = self._lines.get(file)
        if lines is None:
            lines = self._lines[file] = self.texts.get(file, "").splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else None


def _files(paths: tuple[str, ...], findings: Findings) -> Iterable[str]:
    if not paths:
        found = [place for place in DEFAULT_PLACES if os.path.isdir(place)]
        if not found:
            findings.error(NOWHERE, "no-configuration", places=" nor ".join(DEFAULT_PLACES))
            return
        paths = (found[0],)
    for path in paths:
        if os.path.isdir(path):
            yield from _listed(path, findings)
        else:
            yield path


def _listed(folder: str, findings: Findings) -> Iterable[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIXES) and not name.startswith("."))
    except OSError as error:
        findings.error(Place(folder), "unreadable", why=error.strerror)
        return
    if not names:
        findings.warning(Place(folder), "empty-folder")
    for name in names:
        yield os.path.join(folder, name)


def read_text(path: str, budget: Budget) -> str:
    """The text of a regular file; raises Refused for anything that is none, is too large, or is not UTF-8."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)  # a FIFO must not stop us
    except (OSError, ValueError) as error:
        raise Refused("unreadable", why=getattr(error, "strerror", None) or error) from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("no-file")
        data = bytearray()
        while chunk := os.read(fd, FILE_BYTES + 1 - len(data)):
            data += chunk
            if len(data) > FILE_BYTES:
                raise Refused("config-too-large", what=f"a file larger than {FILE_BYTES >> 20} MiB")
    except OSError as error:
        raise Refused("unreadable", why=error.strerror) from None
    finally:
        os.close(fd)
    budget.take_bytes(len(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("encoding", line=line, byte=f"0x{data[error.start]:02x}") from None
