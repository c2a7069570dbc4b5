"""Runs what the Dockerfile beside it describes without a container engine, like `docker run --rm --read-only --tmpfs /tmp`.

    .venv/bin/python examples/container/without_engine.py [-e NAME=VALUE]… [-v FOLDER:TARGET]… [--pid host] [-- WORDS…]

ENV, COPY, WORKDIR, USER, ENTRYPOINT and CMD come from the Dockerfile; WORDS stand in the place of CMD. FROM and RUN would need
an engine: this machine's /usr is used, and as /opt/pidone the environment of the interpreter that runs this. The network is
this machine's too. Needs no root: without, the image's user is who you are, in a user namespace (user_namespaces(7)).
"""

import argparse
import ctypes
import json
import os
import shlex
import shutil
import signal
import string
import struct
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]  # the context of the build
BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"  # what the base image has
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("passwd", "group", "nsswitch.conf", "ld.so.cache", "hosts", "localtime", "alternatives")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

NEWNS, NEWUSER, NEWPID = 0x00020000, 0x10000000, 0x20000000  # unshare(2)
BIND, MOVE, REC, PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000  # mount(2)
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1  # mount_setattr(2)
SET_PDEATHSIG, SET_NO_NEW_PRIVS = 1, 38  # prctl(2)

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *words):
    """One system call; OSError says which one failed, and at what."""
    if getattr(libc, name)(*(word.encode() if isinstance(word, str) else word for word in words)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), " ".join([name, *(word for word in words if isinstance(word, str))]))


def instructions(path):
    """(word, rest) of every instruction of a Dockerfile."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


class Image:
    """What the Dockerfile says about running it."""

    def __init__(self, path):
        self.environment = {"PATH": BASE_PATH, "HOME": "/"}
        self.copies, self.folder, self.user = [], "/", (0, 0)
        self.entrypoint, self.command = [], []
        for word, rest in instructions(path):
            if word == "ENV":
                for setting in shlex.split(rest):
                    name, _, value = setting.partition("=")
                    self.environment[name] = string.Template(value).substitute(self.environment)
            elif word == "COPY":
                self.copies.append(rest.split())
            elif word == "WORKDIR":
                self.folder = rest
            elif word == "USER":
                uid, _, gid = rest.partition(":")
                self.user = int(uid), int(gid)
            elif word == "ENTRYPOINT":
                self.entrypoint = json.loads(rest)
            elif word == "CMD":
                self.command = json.loads(rest)


def bind(source, root, target):
    """Show a file or folder of this machine in the new root, read-only with all that is mounted below it."""
    place = f"{root}{target}"
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        Path(place).touch()
    call("mount", source, place, None, BIND | REC, None)
    if not source.startswith("/dev/"):
        read_only(place, AT_RECURSIVE)


def read_only(place, flags=0):
    attributes = struct.pack("QQQQ", READ_ONLY, 0, 0, 0)
    call("syscall", MOUNT_SETATTR, AT_FDCWD, place, flags, attributes, len(attributes))


def build(root, image, volumes, fresh_proc):
    """The root file system: mounted only for us, gone with us."""
    call("mount", "none", "/", None, REC | PRIVATE, None)
    call("mount", "image", root, "tmpfs", 0, "mode=755")
    for name in ("/proc", "/tmp", "/dev", "/dev/shm", "/etc", "/opt", "/run"):
        os.mkdir(root + name)
    for path in SYSTEM:
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            bind(path, root, path)
    for name in SETTINGS:
        source = Path("/etc") / name
        if source.is_dir():
            shutil.copytree(source, f"{root}/etc/{name}", symlinks=True)
        elif source.exists():
            shutil.copyfile(source, f"{root}/etc/{name}")
    for name in DEVICES:
        bind(f"/dev/{name}", root, f"/dev/{name}")
    for link, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{root}/dev/{link}")
    bind("/sys", root, "/sys")
    if fresh_proc:
        call("mount", "proc", f"{root}/proc", "proc", 0, None)
    else:
        call("mount", "/proc", f"{root}/proc", None, BIND | REC, None)
    for path in ("/tmp", "/dev/shm"):
        call("mount", "tmpfs", root + path, "tmpfs", 0, "mode=1777")
    place_pidone(root)
    for source, target in image.copies:
        copy(CHECKOUT / source, f"{root}{target}")
    for volume in volumes:
        source, _, target = volume.partition(":")
        bind(os.path.abspath(source), root, target)
    os.makedirs(root + image.folder, exist_ok=True)
    read_only(root)


def place_pidone(root):
    """Our environment where it is, because its scripts say so, and as /opt/pidone."""
    package = str(Path(find_spec("supervisor").origin).parents[1])  # elsewhere when it is installed editable
    shown = ["/usr"]
    for path in (sys.base_prefix, sys.prefix, package, *links_to_interpreter()):
        if not any(Path(path).is_relative_to(above) for above in shown):
            bind(path, root, path)
            shown.append(path)
    if not os.path.exists(f"{root}/opt/pidone"):
        os.symlink(sys.prefix, f"{root}/opt/pidone")


def links_to_interpreter():
    """What the environment's interpreter is a link to, and what that is one to."""
    path = Path(sys.executable)
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield str(path)


def copy(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def may_become(uid):
    """Whether we are root who can be this user; root of a user namespace often has nobody else in it."""
    rows = [[int(field) for field in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return os.geteuid() == 0 and any(inside <= uid < inside + count for inside, _, count in rows)


def become(user, root):
    """The image's user, for good."""
    if root:
        os.setgroups([])
        os.setresgid(user[1], user[1], user[1])
        os.setresuid(user[0], user[0], user[0])
    call("prctl", SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def leave(user, root, new_pids):
    """Out of this machine's user and PID namespace; the next child is inside."""
    uid, gid = os.geteuid(), os.getegid()
    call("unshare", (0 if root else NEWUSER) | (NEWPID if new_pids else 0))
    if not root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user[0]} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{user[1]} {gid} 1")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[2].strip(), add_help=False)
    parser.add_argument("-e", dest="environment", action="append", default=[])
    parser.add_argument("-v", dest="volumes", action="append", default=[])
    parser.add_argument("--pid", choices=["host"])
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked = parser.parse_args(sys.argv[1:end])

    if not (Path(sys.prefix) / "bin" / "pidone").exists():
        sys.exit(
            f"without_engine: pidone is not installed for {sys.executable}: {sys.executable} -m pip install {CHECKOUT}"
        )
    image = Image(HERE / "Dockerfile")
    # the network is this machine's: nobody outside of it shall see the services unless that is asked for
    environment = (
        image.environment | {"ADDRESS": "127.0.0.1"} | dict(setting.split("=", 1) for setting in asked.environment)
    )
    words = image.entrypoint + (sys.argv[end + 1 :] or image.command)
    root = may_become(image.user[0])
    place = tempfile.mkdtemp(prefix="image-")
    try:
        leave(image.user, root, asked.pid is None)
        child = os.fork()
        if child == 0:
            run(place, image, asked.volumes, asked.pid is None, root, environment, words)
        enter = "--setuid {} --setgid {}".format(*image.user) if root else "--user --preserve-credentials"
        look = f"nsenter --target {child} --mount --pid {enter} /opt/pidone/bin/pidone status"
        print(f"to look inside: {look}", file=sys.stderr, flush=True)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, lambda number, frame: os.kill(child, number))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status if status >= 0 else 128 - status
    except OSError as error:
        return f"without_engine: {error}"
    finally:
        os.rmdir(place)


def run(place, image, volumes, new_pids, root, environment, words):
    """In the child: build the root, go there, become the words."""
    try:
        os.setsid()
        call("unshare", NEWNS)
        build(place, image, volumes, fresh_proc=new_pids)
        os.chdir(place)
        call("mount", ".", "/", None, MOVE, None)
        os.chroot(".")
        os.chdir(image.folder)
        become(image.user, root)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvpe(words[0], words, environment)
    except Exception as error:
        print(f"without_engine: {error}", file=sys.stderr)
    finally:
        os._exit(125)


if __name__ == "__main__":
    sys.exit(main())
