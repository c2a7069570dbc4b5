"""Who may speak? The whole matrix of the decision, and what the kernel really says of a peer."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from supervisor.control.access import Access, Peer, Rules, access_of, own_uid, peer_of, permits
from tests.isolation import isolated

RULES = Rules(own_uid=500, admin=(1001, 65534), read=(1002, 1001, 65534, 0))


@pytest.mark.parametrize(
    ("pid", "uid", "access"),
    [
        (9, 0, "admin"),  # although root is also listed as a reader
        (9, 500, "admin"),
        (9, 1001, "admin"),  # listed in both
        (9, 1002, "read"),
        (9, 1003, None),
        (9, 65534, None),  # unknown, although listed
        (0, 0, "admin"),  # beside a `pidone up`, in the same user namespace
        (0, 500, "admin"),
        (0, 1001, None),  # unknown processes match no list
        (0, 1002, None),
        (0, 65534, None),
    ],
)
def test_access_follows_from_the_peer_and_the_lists(pid: int, uid: int, access: Access | None) -> None:
    assert access_of(Peer(pid, uid), RULES) == access


@pytest.mark.parametrize(
    ("uid", "uid_map", "own"),
    [
        (1000, "0 0 4294967295", 1000),
        (1000, "1000 0 1", 1000),
        (65534, "         0          0 4294967295\n", 65534),  # on a machine, nobody is a user like others
        (65534, "0 100000 65536", -1),  # in a container, whoever has no name looks like him
        (65534, "", -1),
    ],
)
def test_nobody_is_himself_only_where_everybody_has_a_name(uid: int, uid_map: str, own: int) -> None:
    assert own_uid(uid, uid_map) == own
    assert access_of(Peer(9, uid), Rules(own)) == (None if own == -1 else "admin")


def test_who_may_change_may_look_and_not_the_other_way_round() -> None:
    assert permits("admin", "read")
    assert permits("admin", "admin")
    assert permits("read", "read")
    assert not permits("read", "admin")


def _listener(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "s"))
    listener.listen()
    return listener


def test_the_kernel_says_who_connected(tmp_path: Path) -> None:
    with _listener(tmp_path) as listener, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))
        with listener.accept()[0] as peer:
            assert peer_of(peer) == Peer(os.getpid(), os.geteuid())


@isolated
def test_a_peer_outside_our_pid_namespace_has_pid_0(tmp_path: Path) -> None:
    from supervisor.kernel.libc import call

    listener = _listener(tmp_path)
    inbox, outbox = os.pipe()
    child = os.fork()
    if child == 0:
        call("unshare", 0x20000000)  # CLONE_NEWPID: for the next child
        if os.fork() == 0:
            peer = peer_of(listener.accept()[0])
            os.write(outbox, f"{os.getpid()} {peer.pid} {peer.uid}".encode())
            os._exit(0)
        os.wait()
        os._exit(0)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))
        os.waitpid(child, 0)
    assert os.read(inbox, 100) == f"1 0 {os.geteuid()}".encode()


@isolated
def test_a_peer_whom_our_user_namespace_cannot_name_is_65534(tmp_path: Path) -> None:
    from supervisor.kernel.libc import call

    listener = _listener(tmp_path)
    inbox, outbox = os.pipe()
    child = os.fork()
    if child == 0:
        call("unshare", 0x10000000)  # CLONE_NEWUSER, and no map: nobody has a name
        peer = peer_of(listener.accept()[0])
        rules = Rules(own_uid(os.geteuid(), Path("/proc/self/uid_map").read_text()), read=(65534,))
        os.write(outbox, f"{os.geteuid()} {peer.uid} {access_of(peer, rules)}".encode())
        os._exit(0)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))
        os.waitpid(child, 0)
    assert os.read(inbox, 100) == b"65534 65534 None"
