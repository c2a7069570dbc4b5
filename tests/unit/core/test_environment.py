"""Which environment does a process of a service get? SERVICES §2, `environment`."""

from __future__ import annotations

from supervisor.core.environment import STANDARD_PATH, environment_for, inherited
from supervisor.model.plan import Identity, PlannedService
from supervisor.model.words import ServiceName
from tests.laws.specs import simple

_OURS = {
    "PATH": "/opt/bin:/bin",
    "AWS_REGION": "eu",
    "AWS_KEY": "k",
    "SECRET": "s",
    "NOTIFY_SOCKET": "/run/notify",
    "LISTEN_FDS": "1",
    "LISTEN_PID": "1",
    "WATCHDOG_USEC": "1",
    "PIDONE_SHUTDOWN_TIMEOUT": "8",
}


def _of(identity: Identity | None = None, socket: str = "/run/s", **keys: object) -> dict[str, str]:
    planned = PlannedService(ServiceName("web"), simple(**keys), identity=identity)
    return environment_for(_OURS, planned, "ab" * 16, socket)


def test_ours_arrives_less_what_was_meant_for_us() -> None:
    assert _of() == {
        "PATH": "/opt/bin:/bin",
        "AWS_REGION": "eu",
        "AWS_KEY": "k",
        "SECRET": "s",
        "PIDONE_SERVICE": "web",
        "PIDONE_SOCKET": "/run/s",
        "INVOCATION_ID": "ab" * 16,
    }


def test_what_was_meant_for_us_does_not_pass_by_a_pattern_either() -> None:
    assert inherited(_OURS, ("*_*",)).keys() == {"AWS_REGION", "AWS_KEY", "PATH", "LANG"}


def test_patterns_narrow_it_and_bring_a_standard_path_and_lang() -> None:
    assert inherited(_OURS, ("AWS_*",)) == {
        "AWS_REGION": "eu",
        "AWS_KEY": "k",
        "PATH": STANDARD_PATH,
        "LANG": "C.UTF-8",
    }


def test_nothing_passes_an_empty_list_but_our_language() -> None:
    assert inherited({"LANG": "de_DE.UTF-8", "X": "1"}, ()) == {"PATH": STANDARD_PATH, "LANG": "de_DE.UTF-8"}


def test_a_path_that_is_asked_for_passes() -> None:
    assert inherited(_OURS, ("PATH",))["PATH"] == "/opt/bin:/bin"


def test_patterns_are_case_sensitive() -> None:
    assert "SECRET" not in inherited(_OURS, ("secret",))


def test_with_a_user_it_is_that_users() -> None:
    www = Identity(33, 33, (33,), "www-data", "/var/www", "/usr/sbin/nologin")
    found = _of(www, user="www-data")
    assert {name: found[name] for name in ("HOME", "USER", "LOGNAME", "SHELL")} == {
        "HOME": "/var/www",
        "USER": "www-data",
        "LOGNAME": "www-data",
        "SHELL": "/usr/sbin/nologin",
    }


def test_with_a_group_alone_nobody_became_another() -> None:
    assert "HOME" not in _of(Identity(0, 33), group="www-data")


def test_a_user_without_an_entry_has_no_home() -> None:
    assert "HOME" not in _of(Identity(4711, 4711), user="4711")


def test_what_is_listed_wins_but_not_over_who_it_is() -> None:
    found = _of(environment={"PATH": "/x", "NEW": "1", "PIDONE_SERVICE": "liar", "NOTIFY_SOCKET": "/mine"})
    assert (found["PATH"], found["NEW"], found["PIDONE_SERVICE"], found["NOTIFY_SOCKET"]) == ("/x", "1", "web", "/mine")


def test_without_a_socket_none_is_told() -> None:
    assert "PIDONE_SOCKET" not in _of(socket="")


def test_some_processes_are_told_more() -> None:
    planned = PlannedService(ServiceName("web"), simple())
    assert environment_for(_OURS, planned, "", "", {"MAINPID": "7"})["MAINPID"] == "7"
