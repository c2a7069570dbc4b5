"""What is put together when a world lives? The wiring of init: kernel, logs, loop, control socket, signals and monitor.

Rules: who cannot run here says so in a sentence and starts nothing. From the moment the logger runs, nothing is written to fd 1
or 2. Whatever happens to the loop, no process is left unsignalled and no traceback is shown: the status is 70 then.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
import time
from collections.abc import Mapping

import trio

import supervisor
from supervisor.control.access import Rules, own_uid
from supervisor.control.server import serve
from supervisor.core.select import select
from supervisor.core.step import empty_world, step
from supervisor.kernel import cgroups, fds, leftovers, libc, prctl
from supervisor.kernel.inheritance import inherited_environment
from supervisor.kernel.linux import Linux
from supervisor.kernel.port import Born
from supervisor.logger.style import Colour
from supervisor.model.effect import ExitWorld
from supervisor.model.event import PlanAccepted
from supervisor.model.plan import Plan
from supervisor.model.signals import SIGCONT, SIGKILL, SIGTERM
from supervisor.model.words import Instant, Monotonic, RunId, Seconds, ServiceName, Wall
from supervisor.programs import command, logger
from supervisor.programs.init import InitOptions
from supervisor.programs.place import NoPlace, Place, claim_place, uid_map
from supervisor.runtime.assembly import Runtime, Task
from supervisor.runtime.foreground import Foreground
from supervisor.runtime.launch import Surroundings
from supervisor.runtime.logs import Logs
from supervisor.runtime.operator import Operator
from supervisor.runtime.signals import Ears, Signals, hear_monitor
from supervisor.wire.durations import duration

__all__ = ["run"]

_CANNOT, _UNKNOWN, _BROKEN, _REBOOT = 1, 4, 70, 133
# 133 is what a container's init ends with to be started again (systemd-nspawn(1), EXIT STATUS)
_PATIENCE_INIT, _PATIENCE_KUBERNETES, _PATIENCE_UP = Seconds(8.0), Seconds(25.0), Seconds(30.0)  # SERVICES §5
_LAST_GRACE = 2.0  # seconds between SIGTERM and SIGKILL when the loop itself has fallen
_LOOK_EVERY = 0.02
_KEPT_BACK = 128  # descriptors for operators, probes, and looking after what runs
_FILES_AT_LEAST = 64  # descriptors: we hold 20, and every service needs three


class _Refused(Exception):
    """We cannot run here; says why in a sentence."""

    def __init__(self, text: str, status: int = _CANNOT) -> None:
        super().__init__(text)
        self.status = status


def run(options: InitOptions, plan: Plan) -> int:
    """Let this plan live until it has ended; the exit status."""
    try:
        environment = _environment()
        timeout = _shutdown_timeout(plan, environment, options.as_up)
        wanted = _wanted(plan, options.names)
        _prepare_process(options)
        place = claim_place(
            options.name, options.socket, plan, environment, lambda text: _say(options, f"warning: {text}")
        )
    except _Refused as refused:
        _say(options, str(refused))
        return refused.status
    except NoPlace as refused:
        _say(options, str(refused))
        return _CANNOT
    try:
        return _Life(options, plan, place, environment).live(PlanAccepted(plan, timeout, wanted))
    finally:
        with contextlib.suppress(OSError):
            place.leave()


def _say(options: InitOptions, text: str) -> None:
    """In a line on stderr, while nothing has begun."""
    with contextlib.suppress(OSError):  # nobody listens
        os.write(2, f"pidone {'up' if options.as_up else 'init'}: {text}\n".encode(errors="backslashreplace"))


class _Life:
    """Everything that exists while the world lives."""

    def __init__(self, options: InitOptions, plan: Plan, place: Place, environment: Mapping[str, str]) -> None:
        self._options = options
        self._place = place
        nofile = fds.raise_limit()
        self._kernel = Linux(nofile=nofile, tree=cgroups.find().tree)
        gc.collect()
        gc.freeze()  # what is here now stays; and the logger shares it with us
        self._logs = Logs(lambda control, stages: logger.fork(control, stages, _colour(options.color)))
        self._runtime = Runtime(
            self._kernel,
            self._logs,
            _now,
            Surroundings(environment, _working_directory(), place.listener.path, _for_services()),
            seed=int.from_bytes(os.urandom(8), "big"),
            everybody=os.getpid() == 1,
            null=os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC),
        )
        self._operator = Operator(
            self._runtime.loop,
            self._kernel,
            self._runtime.table,
            self._runtime.reaper,
            self._logs.stream,
            place.name,
            supervisor.__version__,
            _pid_namespace(),
            self._runtime.history,
        )
        self._runtime.answered = self._operator.answer
        self._logs.on_fork = self._know_logger
        self._rules = Rules(own_uid(os.geteuid(), uid_map()), admin=plan.admin_uids, read=plan.read_uids)

    def live(self, begin: PlanAccepted) -> int:
        try:
            self._logs.start()
        except OSError as error:
            sys.stderr.write(f"pidone init: cannot start the logger: {error.strerror}\n")
            return _CANNOT
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = None  # not even a warning of Python's goes there while the logger does
        try:
            ending = trio.run(self._until_the_end, begin)
        except BaseException as mistake:  # whatever it is: nobody may be left behind, and no traceback be shown
            self._fallen(mistake)
            return _BROKEN
        finally:
            sys.stdout, sys.stderr = streams
        return _REBOOT if ending.reboot and not ending.status else ending.status

    async def _until_the_end(self, begin: PlanAccepted) -> ExitWorld:
        runtime, loop, say = self._runtime, self._runtime.loop, self._logs.say
        tell, as_up = runtime.history.signal, self._options.as_up
        front = Foreground(command.NAME if self._options.command else None, self._command_pid)
        signals = Signals(
            Ears(), loop.feed, say, self._dump, self._logs.reopen, as_up, continued=front.continued, tell=tell
        )

        async def child_changed() -> None:
            await signals.child_ended()
            front.child_changed()

        others: list[tuple[str, Task]] = [
            ("hear signals", signals.run),
            ("talk to the logger", self._logs.serve),
            ("answer the control socket", self._answer),
        ]
        if self._options.monitor_fd >= 0:
            others.append(("hear the monitor", lambda: hear_monitor(self._options.monitor_fd, loop.feed, tell)))
        loop.listen(front.heard)
        loop.feed(begin)
        ending = await runtime.run(child_changed, others)
        for line in runtime.report_of_the_end.lines(loop.now()):
            say(line)
        await self._logs.drain_and_stop()
        runtime.reaper.reap_all()
        front.retake()
        return ending

    async def _answer(self) -> None:
        await serve(self._place.listener.socket, self._operator, self._rules, self._logs.say)

    def _command_pid(self) -> int:
        """The main process of the command in the foreground; 0 while there is none."""
        service = self._runtime.loop.world.services.get(command.NAME)
        entry = None if service is None else self._runtime.table.of(RunId(command.NAME, service.run))
        return entry.own["main"].pid if entry is not None and "main" in entry.own else 0

    def _know_logger(self, pid: int) -> None:
        """A new logger: no stranger, and whoever reaps it must say so."""
        born = Born(pid, self._kernel.open_pidfd(pid))
        self._runtime.table.help(born, self._logs.logger_died)

    def _dump(self) -> None:
        """USR2: what is true now, into the log."""
        for line in self._runtime.dump():
            self._logs.say(line)

    def _fallen(self, mistake: BaseException) -> None:
        """The loop has fallen. Everybody is asked to end, then killed, by the plainest means; the logger last, when it has
        written out what they and we have said."""
        self._runtime.report("the loop has fallen", mistake)
        leftovers.signal_everybody(SIGTERM, SIGCONT)
        self._reap_all_but(set(self._logs.pids()))
        with contextlib.suppress(Exception):  # whatever is broken: nobody may be left behind
            self._logs.last_words()
        leftovers.signal_everybody(SIGKILL)
        self._reap_all_but(set())

    def _reap_all_but(self, spared: set[int]) -> None:
        """Until nobody else is left, for a while at most."""
        until = time.monotonic() + _LAST_GRACE
        while not spared.issuperset(self._kernel.children()) and time.monotonic() < until:
            while (zombie := self._kernel.peek()) is not None:
                self._kernel.reap(zombie.pid)
            time.sleep(_LOOK_EVERY)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been removed
        return "/"


def _for_services() -> int:
    """The first descriptor that no service's pipe may have."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit - min(_KEPT_BACK, limit // 4)


def _now() -> Instant:
    return Instant(Monotonic(time.monotonic()), Wall(time.time()))


def _prepare_process(options: InitOptions) -> None:
    """What we are to the system."""
    if not leftovers.can_look():
        raise _Refused(
            "/proc is not mounted or shows another PID namespace; mount a fresh one: mount -t proc proc /proc"
        )
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < _FILES_AT_LEAST:
        raise _Refused(f"only {files} open files are allowed, {_FILES_AT_LEAST} are needed; raise it: ulimit -Hn")
    fds.seal_strays(keep=())
    libc.load()
    try:
        prctl.set_name("pidone")
        if os.getpid() != 1:
            prctl.set_child_subreaper()
    except OSError as error:
        raise _Refused(f"cannot adopt orphans: {error.strerror}") from None


def _pid_namespace() -> int:
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def _environment() -> Mapping[str, str]:
    """What we were given, as text."""
    return {os.fsdecode(name): os.fsdecode(value) for name, value in inherited_environment().items()}


def _shutdown_timeout(plan: Plan, environment: Mapping[str, str], as_up: bool) -> Seconds:
    written = environment.get("PIDONE_SHUTDOWN_TIMEOUT")
    if written:
        try:
            return Seconds(duration(written))
        except ValueError as error:
            raise _Refused(f"PIDONE_SHUTDOWN_TIMEOUT: {error}") from None
    if plan.system.shutdown.timeout is not None:
        return plan.system.shutdown.timeout
    if as_up:
        return _PATIENCE_UP
    return _PATIENCE_KUBERNETES if "KUBERNETES_SERVICE_HOST" in environment else _PATIENCE_INIT


def _wanted(plan: Plan, words: tuple[str, ...]) -> tuple[ServiceName, ...] | None:
    """The services that the words name; None when there are no words."""
    if not words:
        return None
    nobody = step(empty_world(0), PlanAccepted(plan, Seconds(0.0), ()), _now()).world
    chosen = select(nobody, words)
    if chosen.unknown:
        unknown = chosen.unknown[0]
        hint = f"; did you mean {unknown.suggestion}?" if unknown.suggestion else ""
        raise _Refused(f"no service is called {unknown.word}{hint}", _UNKNOWN)
    return chosen.names


def _colour(word: str) -> Colour:
    return "always" if word == "always" else "never" if word == "never" else "auto"
