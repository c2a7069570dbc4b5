"""Is it said honestly why a namespace cannot be had, and what helps?"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.kernel import refusal
from supervisor.kernel.namespaces import Isolation, Refusal
from supervisor.kernel.refusal import explain

ROOT = Isolation()
ROOTLESS = Isolation(user="own")
EVERYBODY = Isolation(user="all")


@pytest.fixture(autouse=True)
def _nothing_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "_SWITCHES", ())
    monkeypatch.setattr(refusal, "covered_proc", lambda: ())
    monkeypatch.setattr(refusal, "has_whole_proc", lambda: True)
    monkeypatch.setattr(refusal, "may", lambda *numbers: False)
    monkeypatch.setattr(refusal, "_is_filtered", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize(
    ("refused", "wanted", "words"),
    [
        (Refusal("pid", errno.EPERM), ROOT, ("PID namespace", "SYS_ADMIN", "--rootless")),
        (Refusal("mount", errno.EACCES), ROOT, ("mount namespace", "security module", "apparmor=unconfined")),
        (Refusal("private", errno.EACCES), ROOTLESS, ("security module", "apparmor=unconfined")),
        (Refusal("proc", errno.EPERM), ROOTLESS, ("fresh /proc", "security module")),
        (Refusal("user", errno.EPERM), ROOTLESS, ("user namespace", "security module or a chroot", "seccomp")),
        (Refusal("map", errno.EPERM), EVERYBODY, ("every user", "SETUID", "--rootless")),
        (Refusal("root", errno.EPERM), ROOTLESS, ("uid 0", "SETFCAP", "another user")),
        (Refusal("user", errno.ENOSPC), ROOTLESS, ("user namespace", "too many", "user.max_user_namespaces")),
        (Refusal("mount", errno.EUSERS), ROOTLESS, ("too many", "user.max_mnt_namespaces")),
        (Refusal("pid", errno.EINVAL), ROOT, ("PID namespace", "kernel has none")),
        (Refusal("net", errno.ENOSYS), ROOT, ("network namespace", "kernel has none")),
        (Refusal("hostname", errno.EINVAL), ROOT, ("host name", "64")),
        (Refusal("loopback", errno.ENODEV), ROOT, ("loopback", "no such device")),
        (Refusal("private", errno.EINVAL), ROOT, ("chroot", "--no-namespace")),
        (Refusal("cgroup", errno.ENOMEM), ROOT, ("cgroup", "cannot allocate memory")),
    ],
)
def test_each_refusal_has_its_reason(refused: Refusal, wanted: Isolation, words: tuple[str, ...]) -> None:
    said = explain(refused, wanted)
    assert said.startswith("cannot ")
    assert "\n" not in said
    for word in words:
        assert word in said


def test_a_covered_proc_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "covered_proc", lambda: ("/proc/acpi", "/proc/kcore", "/proc/keys"))
    said = explain(Refusal("proc", errno.EPERM), ROOTLESS)
    assert "/proc/acpi, /proc/kcore, …" in said
    assert "systempaths=unconfined" in said


def test_a_proc_that_does_not_show_everything_is_no_model_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "has_whole_proc", lambda: False)
    said = explain(Refusal("proc", errno.EPERM), ROOTLESS)
    assert "read-only" in said
    assert "systempaths=unconfined" in said


def test_who_has_the_capability_is_held_back_by_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "may", lambda *numbers: True)
    assert "security module" in explain(Refusal("pid", errno.EPERM), ROOT)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
@pytest.mark.parametrize("wanted", [ROOT, ROOTLESS])
def test_a_seccomp_filter_is_suspected_first(number: int, wanted: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "_is_filtered", lambda: True)
    said = explain(Refusal("pid", number), wanted)
    assert "seccomp filter" in said
    assert "seccomp=unconfined" in said


def test_root_without_sys_admin_hears_why_a_user_namespace_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "SYS_ADMIN is not ours" in explain(Refusal("user", errno.EPERM), ROOTLESS)


@pytest.mark.parametrize(("value", "is_off"), [("0", True), ("1", False)])
def test_a_switch_of_the_kernel_is_named_with_its_cure(
    value: str, is_off: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "switch").write_text(f"{value}\n")
    switches: Any = (("/no/such/switch", "0", "nonsense"), (str(tmp_path / "switch"), "0", "sysctl kernel.this=1"))
    monkeypatch.setattr(refusal, "_SWITCHES", switches)
    said = explain(Refusal("user", errno.EPERM), ROOTLESS)
    assert ("sysctl kernel.this=1" in said) is is_off
