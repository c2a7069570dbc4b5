"""Do the words of `init` and `up` become what the programs are asked for?"""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.cli.boot import init_options, up_options
from supervisor.cli.parse import parse
from supervisor.client.trouble import Trouble
from supervisor.programs.init import InitOptions
from supervisor.programs.monitor import UpOptions, init_command


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("init", {}),
        ("init -c a -c b --name w", {"paths": ("a", "b"), "name": "w"}),
        ("--socket /s --color never init", {"socket": "/s", "color": "never"}),
        ("init --plan-fd 5 --monitor-fd 6", {"plan_fd": 5, "monitor_fd": 6, "as_up": True}),
        ("init --wanted a --wanted b", {"names": ("a", "b")}),
        ("init -c a -- sh -c x", {"paths": ("a",), "command": ("sh", "-c", "x")}),
        ("init -c a --", {"paths": ("a",)}),
    ],
)
def test_init(typed: str, fields: dict[str, Any]) -> None:
    assert init_options(parse(typed.split())) == InitOptions(**fields)


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("up", {}),
        ("up -c a web db --name w --socket /s", {"paths": ("a",), "names": ("web", "db"), "name": "w", "socket": "/s"}),
        ("up --net --uts --ipc --cgroup --user", dict.fromkeys(("net", "uts", "ipc", "cgroup", "user"), True)),
        ("up --rootless --hostname h", {"rootless": True, "hostname": "h"}),
        ("up --no-namespace", {"no_namespace": True}),
        ("up --namespace auto", {"namespace_auto": True}),
        ("up --exit-when-done", {"exit_when_done": True}),
        ("up --color always", {"color": "always", "paint": True}),
        ("up -- -odd", {"names": ("-odd",)}),
    ],
)
def test_up(typed: str, fields: dict[str, Any]) -> None:
    assert up_options(parse(typed.split())) == UpOptions(**fields)


def test_what_up_tells_init_init_understands() -> None:
    command = init_command(UpOptions(name="w", socket="/s", color="never", names=("a", "b")), "", 5, 6)
    words = command[command.index("init") :]
    told = InitOptions(name="w", socket="/s", color="never", names=("a", "b"), plan_fd=5, monitor_fd=6, as_up=True)
    assert init_options(parse(words)) == told


@pytest.mark.parametrize(
    "typed",
    [
        "init web",
        "init -c a --grace 2s -- true",
        "init --grace 2s",
        "init --name a/b",
        "init --json",
        "up --name -x",
        "up --hostname a_b",
        "up --no-namespace --net",
        "up --no-namespace --namespace auto",
        "up --namespace none",
        "up --detach",
        "up -o json",
    ],
)
def test_what_cannot_be_meant_is_refused(typed: str) -> None:
    options = up_options if typed.startswith("up") else init_options
    with pytest.raises(Trouble) as refused:
        options(parse(typed.split()))
    assert refused.value.code == "usage"
