"""What stands outside of a world and keeps it? `pidone up`: the monitor, which starts PID 1 of a new namespace and stays.

It reads the configuration, leaves (kernel/namespaces), forks once, and is from then on a signal's way in and the exit status'
way out. Stop signals go to init as counted messages, so that none is lost before init can listen and two are never taken for
one. Its death, however it comes, ends the world: by the pipe, and by the parent-death signal of init.

Rules: one thread, no trio, no handlers; signals are blocked from the first statement and taken one by one. The child between
fork and exec does nothing but system calls, and everything that can fail there comes back as a sentence. When init has been
executed, only the small program `watch` stays.
"""

from __future__ import annotations

import _socket
import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import supervisor
from supervisor.kernel import ids
from supervisor.kernel.fds import open_standard
from supervisor.kernel.inheritance import inherited_environment
from supervisor.kernel.namespaces import IdMap, Isolation, Refusal, probe, settle, step_out
from supervisor.kernel.prctl import set_parent_death_signal
from supervisor.kernel.refusal import explain
from supervisor.kernel.signalfd import open_signalfd, read_signals
from supervisor.kernel.signals import block_all, unblock
from supervisor.model.record import Record, replace
from supervisor.model.signals import SYNCHRONOUS
from supervisor.programs.loading import Loaded, load
from supervisor.programs.watch import PASSED_ON, STOPS, Init, command, watch
from supervisor.wire.diagnostics import render

__all__ = ["UpOptions", "init_command", "run"]

_OK, _FAILED, _INVALID = 0, 1, 7
_PROGRAM = os.path.join(os.path.dirname(supervisor.__file__), "pidone")
_DEAF_TO = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""What nohup and a shell's `&` let us ignore is not meant for us, unless somebody sends it to us (`watch`). Nobody may make us
deaf to the others."""
_JOB_CONTROL = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCONT)
"""Ctrl-Z stops the monitor only: the world has a session of its own and goes on (docs/decisions/monitor.md)."""


class UpOptions(Record):
    """What `pidone up` was asked for."""

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Only these services are wanted at boot; none: all that are enabled."""
    name: str = ""
    socket: str = ""
    color: str = "auto"
    """For init's output."""
    paint: bool = False
    """Colour what we say ourselves about the configuration."""
    net: bool = False
    uts: bool = False
    ipc: bool = False
    cgroup: bool = False
    user: bool = False
    """A user namespace for root too, with everybody in it."""
    rootless: bool = False
    """Be content with what a user without any privilege gets."""
    hostname: str = ""
    no_namespace: bool = False
    """Isolate nothing; whoever parses the words sees to it that nothing is asked for then."""
    namespace_auto: bool = False
    """Go on with less where not everything can be had."""
    exit_when_done: bool = False
    """The same as `system.exit_when_done: true`."""


class _System(NamedTuple):
    """What the configuration says about the world as a whole."""

    name: str
    hostname: str
    namespace: dict[str, bool]


def run(options: UpOptions) -> int:
    """Bring a world up and stay until it has ended; the exit status. The process is the monitor's from now on."""
    block_all()
    open_standard()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # inherited as ignored it would swallow the exit status
    unblock((*SYNCHRONOUS, *_JOB_CONTROL))
    # a blocked signal is read although it was ignored
    deaf = [int(number) for number in _DEAF_TO if signal.getsignal(number) == signal.SIG_IGN]
    try:
        return _bring_up(options, deaf)
    except OSError as error:
        _say(f"cannot go on: {error.strerror or error}")
        return _FAILED


def _bring_up(options: UpOptions, deaf: Sequence[int]) -> int:
    stops = open_signalfd([number for number in STOPS if number not in deaf])
    others = open_signalfd([number for number in (signal.SIGCHLD, *PASSED_ON) if number not in deaf])
    everybody = options.no_namespace or _user_map(options) != "own"
    loaded = load(options.paths, stop_fd=stops, world="here" if everybody else "rootless")
    if not loaded.ok:
        return _refuse_to_load(loaded, options)
    system = _system_of(loaded.plan)
    isolation = _choose(options, system)
    if everybody != (isolation is None or isolation.user != "own"):  # by --namespace auto: other users exist there
        loaded = load(options.paths, stop_fd=stops, world="rootless" if everybody else "here")
        if not loaded.ok:
            return _refuse_to_load(loaded, options)
    if findings := render((), loaded.warnings, colour=options.paint):
        _say(findings, "")
    if _is_readable(stops):
        return _OK  # nothing has begun
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    report, outbox = os.pipe()
    plan = _plan_file(_until_done(loaded.plan) if options.exit_when_done else loaded.plan)
    start = _Start(
        init_command(options, system.name, plan, theirs.fileno()),
        inherited_environment(),
        plan,
        theirs.fileno(),
        outbox,
    )
    note = _note(options, isolation)
    if isolation is not None and (refused := step_out(isolation)):
        return _refuse(refused, isolation)
    child = os.fork()
    if child == 0:
        ours.close()  # or we would never see it hang up
        _become_init(isolation, start)
    for fd in (plan, outbox):
        os.close(fd)
    theirs.close()
    init = Init(child, ours.detach(), single=isolation is not None)
    status = _Beginning(init, report, isolation, note).until_executed(stops, others)
    return _stay(init, deaf) if status is None else status


def _stay(init: Init, deaf: Sequence[int]) -> int:
    """Watch over init to its end: in a small interpreter, or where that cannot be had in this one."""
    os.set_inheritable(init.pair, True)
    with contextlib.suppress(OSError):
        words = command(init, deaf, ["pidone", *sys.argv[1:]])
        os.execve(words[0], words, inherited_environment())
    return watch(init, deaf)


def _refuse_to_load(loaded: Loaded, options: UpOptions) -> int:
    if loaded.interrupted:
        return _OK
    _say(render(loaded.errors, loaded.warnings, colour=options.paint), "")
    return _INVALID if loaded.judged else _FAILED


def init_command(options: UpOptions, name: str, plan: int, monitor: int) -> list[str]:
    """How init is executed; `plan` and `monitor` are descriptors that it inherits."""
    words = [sys.executable, "-I", _PROGRAM, "init", "--plan-fd", str(plan), "--monitor-fd", str(monitor)]
    for option, value in (("--name", options.name or name), ("--socket", options.socket), ("--color", options.color)):
        if value:
            words += [option, value]
    for wanted in options.names:
        words += ["--wanted", wanted]
    return words


class _Start(NamedTuple):
    """What the child needs to become init. Its three descriptors close on exec unless it says otherwise."""

    command: list[str]
    environment: dict[bytes, bytes]
    plan: int
    monitor: int
    report: int


def _become_init(isolation: Isolation | None, start: _Start) -> NoReturn:
    """In the child: a session of its own, the rest of the isolation, and init's program. Never returns."""
    step, number = "exec", 0
    try:
        os.setsid()
        # SIGKILL takes the whole namespace along; without one init must live to end its services itself
        set_parent_death_signal(signal.SIGTERM if isolation is None else signal.SIGKILL)
        # One that died before gave no signal, and getppid is 0 in a new PID namespace either way; but a process closes
        # its files before it tells its children (test_a_monitor_that_died_before_init_was_executed_leaves_nothing).
        if _has_hung_up(start.monitor):
            os._exit(_FAILED)
        if isolation is not None and (refused := settle(isolation)):
            step, number = refused.step, refused.errno
        else:
            for fd in (start.plan, start.monitor):
                os.set_inheritable(fd, True)
            os.execve(start.command[0], start.command, start.environment)
    except OSError as error:
        number = error.errno or 0
    finally:
        os.write(start.report, f"{step} {number}".encode())
        os._exit(_FAILED)


class _Beginning:
    """The monitor's life beside init until that has been executed, or could not be."""

    def __init__(self, init: Init, report: int, isolation: Isolation | None, note: str) -> None:
        """`note` is said when init has been executed: beside a refusal it would be noise."""
        self._init = init
        self._report = report
        self._isolation = isolation
        self._note = note

    def until_executed(self, stops: int, others: int) -> int | None:
        """None when it has been; else our exit status. What init is asked meanwhile waits in the pair."""
        poll = select.poll()
        for fd in (stops, others, self._report):
            poll.register(fd, select.POLLIN)
        while True:
            has_news = any(fd == self._report for fd, _ in poll.poll())
            for arrived in (*read_signals(stops), *read_signals(others)):
                self._init.hear(arrived.number)
            if has_news:
                return self._hear_report()

    def _hear_report(self) -> int | None:
        """The pipe closes when init is executed, or dies; before that it says what could not be done."""
        if said := os.read(self._report, 64):
            step, _, number = said.decode().partition(" ")
            return _refuse(Refusal(step, int(number)), self._isolation or Isolation())
        if self._note:
            _say(self._note)
        return None


def _choose(options: UpOptions, system: _System) -> Isolation | None:
    """What will be tried; None for no namespaces at all. Says in a line what is left out with the operator's consent."""
    if not options.no_namespace:
        wanted = _isolation(options, system)
        return _what_can_be_had(wanted) if options.namespace_auto else wanted
    if left_out := [*sorted(system.namespace), *(["hostname"] if system.hostname else [])]:
        _say(f"warning: --no-namespace leaves out what the configuration asks for: {', '.join(left_out)}")
    return None


def _isolation(options: UpOptions, system: _System) -> Isolation:
    user = _user_map(options)
    if user == "none" and system.namespace.get("user"):
        user = "all"
    hostname = options.hostname or system.hostname
    return Isolation(
        user=user,
        uts=options.uts or system.namespace.get("uts", False) or bool(hostname),
        ipc=options.ipc or system.namespace.get("ipc", False),
        net=options.net or system.namespace.get("net", False),
        cgroup=options.cgroup,
        hostname=hostname,
    )


def _user_map(options: UpOptions) -> IdMap:
    """Who exists in the world; the configuration can only make `all` of `none`. Without the capability SYS_ADMIN, as in a
    container, root takes the way of those who are not root, and if he may map others, he takes them along."""
    if options.rootless or os.geteuid() != 0:
        return "own"
    if ids.may(ids.SYS_ADMIN):
        return "all" if options.user else "none"
    return "all" if ids.may(ids.SETUID, ids.SETGID, ids.SETFCAP) else "own"


def _note(options: UpOptions, isolation: Isolation | None) -> str:
    """What root should know about a user namespace that he did not ask for; "" when there is nothing."""
    if isolation is None or isolation.user == "none" or os.geteuid() != 0 or options.rootless or ids.may(ids.SYS_ADMIN):
        return ""
    alike = "--user" if isolation.user == "all" else "--rootless"
    return f"note: the capability SYS_ADMIN is not ours; the world gets a user namespace, as with {alike}"


def _what_can_be_had(wanted: Isolation) -> Isolation | None:
    """The most that works of what is wanted, said in a line when it is less."""
    first: Refusal | None = None
    maps: tuple[IdMap, ...] = (wanted.user, "own", "none")
    tries = [replace(kinds, user=user) for kinds in (wanted, Isolation()) for user in maps]
    for less in tries:
        refused = probe(less)
        if refused is None:
            if first is not None:
                _say(f"warning: {explain(first, wanted)}; goes on with {_in_words(less)}")
            return less
        first = first or refused
    assert first is not None
    _say(f"warning: {explain(first, wanted)}; goes on without namespaces")
    return None


def _in_words(isolation: Isolation) -> str:
    kinds = ["user"] if isolation.user != "none" else []
    kinds += ["PID", "mount"]
    kinds += [kind for kind in ("uts", "ipc", "net", "cgroup") if getattr(isolation, kind)]
    return f"only these new namespaces: {', '.join(kinds)}"


def _refuse(refused: Refusal, wanted: Isolation) -> int:
    if refused.step == "exec":
        _say(f"cannot start init: {sys.executable}: {os.strerror(refused.errno)}")
    else:
        _say(f"{explain(refused, wanted)}; --no-namespace does without isolation")
    return _FAILED


def _system_of(plan: bytes) -> _System:
    """Only what concerns the monitor, without decoding a thousand services (wire/state leaves defaults out)."""
    document: Any = json.loads(plan)  # Any: JSON
    system = document["value"].get("system", {})
    namespace = {kind: True for kind, wanted in system.get("namespace", {}).items() if wanted is True}
    return _System(system.get("name", ""), system.get("hostname", ""), namespace)


def _until_done(plan: bytes) -> bytes:
    """The same plan of a world that ends when all is done."""
    document: Any = json.loads(plan)  # Any: JSON
    document["value"].setdefault("system", {})["exit_when_done"] = True
    return json.dumps(document, separators=(",", ":")).encode()


def _plan_file(plan: bytes) -> int:
    fd = os.memfd_create("pidone-plan", os.MFD_CLOEXEC)
    with open(fd, "wb", closefd=False) as file:
        file.write(plan)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _is_readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def _has_hung_up(fd: int) -> bool:
    """Whether nobody holds the other end any more, whatever there is to read."""
    poll = select.poll()
    poll.register(fd, 0)
    return bool(poll.poll(0))


def _say(text: str, prefix: str = "pidone up: ") -> None:
    with contextlib.suppress(OSError):  # nobody listens
        os.write(2, f"{prefix}{text.rstrip()}\n".encode(errors="replace"))
