"""Is it said honestly why a namespace cannot be had, and what helps?"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from supervisor.kernel import refusal
from supervisor.kernel.namespaces import Isolation, Refusal
from supervisor.kernel.refusal import explain

ROOT = Isolation()
ROOTLESS = Isolation(user="own")


@pytest.fixture(autouse=True)
def _nothing_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal, "_SWITCHES", ())
    monkeypatch.setattr(refusal, "covered_proc", lambda: ())


@pytest.mark.parametrize(
    ("refused", "wanted", "words"),
    [
        (Refusal("pid", errno.EPERM), ROOT, ("PID namespace", "SYS_ADMIN", "--rootless")),
        (Refusal("mount", errno.EACCES), ROOT, ("mount namespace", "security module")),
        (Refusal("user", errno.EPERM), ROOTLESS, ("user namespace", "not permitted", "seccomp")),
        (Refusal("user", errno.ENOSPC), ROOTLESS, ("user namespace", "too many")),
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


@pytest.mark.parametrize(("value", "is_off"), [("0", True), ("1", False)])
def test_a_switch_of_the_kernel_is_named_with_its_cure(
    value: str, is_off: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "switch").write_text(f"{value}\n")
    switches: Any = (("/no/such/switch", "0", "nonsense"), (str(tmp_path / "switch"), "0", "sysctl kernel.this=1"))
    monkeypatch.setattr(refusal, "_SWITCHES", switches)
    said = explain(Refusal("user", errno.EPERM), ROOTLESS)
    assert ("sysctl kernel.this=1" in said) is is_off
