"""What does a service in a test do? What its words say, one after the other: the same language that the fake kernel plays.

    python -IS actor.py WORD…

`exit:N` ends · `signal:NAME` dies of it · `sleep` for ever · `after:SECONDS` waits · `print:TEXT` writes a line to stdout ·
`ignore:NAME` ignores a signal · `on:NAME=exit:N` ends so when it comes · `child:WORD,WORD…` a child of its does these ·
`daemonize`: double fork, new session, empty environment, new name, no descriptor kept: the daemon goes on with the rest, the
first process ends with 0 once it lives · `daemon:WORD,WORD…` the same, but the first process goes on too.
At the end of its words it exits 0. A signal does what its word says from that word on: print something behind it, and wait.
"""

import os
import select
import signal
import sys


def number_of(name: str) -> int:
    return int(getattr(signal, name if name.startswith("SIG") else f"SIG{name}"))


def die_of(number: int) -> None:
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)


def daemonize(words: list[str]) -> None:
    """Make a daemon that plays these; it lives when this returns."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.chdir("/")
    os.execve(sys.executable, [sys.executable, "-IS", __file__, "rename:nobody", *words], {})


def play(words: list[str]) -> None:
    while words:
        word = words.pop(0)
        verb, _, rest = word.partition(":")
        if verb == "exit":
            os._exit(int(rest))
        elif verb == "signal":
            die_of(number_of(rest))
        elif verb == "sleep":
            while True:
                select.select([], [], [])
        elif verb == "after":
            select.select([], [], [], float(rest))
        elif verb == "print":
            os.write(1, f"{rest}\n".encode())
        elif verb == "ignore":
            signal.signal(number_of(rest), signal.SIG_IGN)
        elif verb == "on":
            name, _, then = rest.partition("=")
            signal.signal(number_of(name), lambda *_, then=then: play([then]))
        elif verb == "daemonize":
            daemonize(words)
            os._exit(0)
        elif verb == "daemon":
            daemonize(rest.split(","))
        elif verb == "rename":
            with open("/proc/self/comm", "w") as comm:
                comm.write(rest)
        elif verb == "child":
            if os.fork() == 0:
                play(rest.split(","))
                os._exit(0)
        else:
            os._exit(99)


if __name__ == "__main__":
    play(sys.argv[1:])
    os._exit(0)
