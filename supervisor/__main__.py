"""Which program does `pidone` become? The one place where a process of ours begins.

Rule: `init` and `up` block every signal before anything else, so that none is lost while Python is still importing; whoever
takes them later does so synchronously or unblocks when he can listen. `init` runs isolated from PYTHONPATH and the working
directory (DESIGN §2): it executes itself once more, which keeps pid, mask and file descriptors.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["main"]

_TAKES_A_VALUE = frozenset(("--socket", "--name", "-o", "--output", "--color", "--timeout"))
"""Global options that may stand before the command, with a word of their own behind them."""


def main() -> int:
    words = sys.argv[1:]
    place = _command_at(words)
    command = words[place] if place < len(words) else ""
    if command not in ("init", "up"):
        _let_interrupts_end_us()
        return _command_line(words)
    mask = _block_signals()
    if any(not _is_open(fd) for fd in (0, 1, 2)):
        from supervisor.kernel.fds import open_standard

        open_standard()
    if command == "init" and _is_minimal(words[place + 1 :]):
        return _minimal(words[:place] + words[place + 1 :], mask)
    if command == "init" and not sys.flags.isolated:
        _again("-I", os.path.join(os.path.dirname(os.path.abspath(__file__)), "pidone"), *words)  # -m costs 4 ms
    return _command_line(words)


def _command_at(words: Sequence[str]) -> int:
    """The index of the first word that is neither a global option nor its value."""
    place = 0
    while place < len(words) and words[place].startswith("-"):
        place += 1 + (words[place] in _TAKES_A_VALUE)
    return place


def _is_minimal(words: Sequence[str]) -> bool:
    """`-- CMD` and no -c before it: a tini."""
    if "--" not in words:
        return False
    ours = words[: words.index("--")]
    return not any(word.startswith(("-c", "--config")) or word in ("-h", "--help") for word in ours)


def _block_signals() -> set[int]:
    """Block them all; returns those that were blocked before."""
    if TYPE_CHECKING:
        import signal as _signal
    else:
        import _signal  # the C half: the other one loads enum first, 3 ms in which a signal could get lost

    return set(_signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals()))


def _let_interrupts_end_us() -> None:
    """Ctrl-C shows no traceback of Python's while it is still importing. Who was started to ignore it goes on ignoring it."""
    if TYPE_CHECKING:
        import signal as _signal
    else:
        import _signal

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _minimal(words: list[str], mask: Collection[int]) -> int:
    """Be a tini, in an interpreter as small as there can be: without `site`, which also hides our own folder from it."""
    if words and words[0].startswith("--mask="):  # we have been here before
        mask = {int(number) for number in words.pop(0).removeprefix("--mask=").split(",") if number}
    else:
        _adopt_orphans()
        here = os.path.abspath(__file__)
        if os.path.isfile(here):
            _again("-I", "-S", here, "init", "--mask=" + ",".join(map(str, sorted(map(int, mask)))), *words)
    from supervisor.programs import tini

    tini.main(words, mask)


def _adopt_orphans() -> None:
    """As a child subreaper unless we are PID 1. Here, for ctypes stays behind with this interpreter."""
    if os.getpid() == 1:
        return
    from supervisor.kernel.prctl import set_child_subreaper

    try:
        set_child_subreaper()
    except OSError as error:
        print(f"pidone init: cannot adopt orphans: {error.strerror}; those of the command escape", file=sys.stderr)


def _again(*arguments: str) -> None:
    """Execute ourselves once more; returns when that cannot be done, and then things go on less isolated."""
    from supervisor.kernel.inheritance import inherited_environment

    if sys.executable:
        try:  # noqa: SIM105 - contextlib costs 1 ms
            os.execve(sys.executable, [sys.executable, *arguments], inherited_environment())
        except OSError:
            pass


def _command_line(words: Sequence[str]) -> int:
    from supervisor.cli.main import main as command_line

    return command_line(words)


if __name__ == "__main__":
    if not __package__:  # executed by the path of this file, see _minimal
        sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main())
