"""Who starts when, and what does one service mean to another? Dependencies, wants, order (SERVICES §2, §4)."""

from __future__ import annotations

import pytest

from tests.eventually import eventually
from tests.outside.world import service, world

_NEVER_READY = {"file": "never"}


@pytest.mark.parametrize(
    ("condition", "other", "starts"),
    [
        ("started", service(ready=_NEVER_READY), True),
        ("ready", service(ready=_NEVER_READY), False),
        ("ready", service(), True),
        ("completed", service("true", type="oneshot"), True),
        ("completed", service("false", type="oneshot"), False),
        ("ended", service("false", type="oneshot"), True),
        ("ended", service("until test -e go; do sleep 0.05; done", type="oneshot"), False),
        ("service_started", service(ready=_NEVER_READY), True),
        ("service_healthy", service(ready=_NEVER_READY), False),
        ("service_completed_successfully", service("true", type="oneshot"), True),
    ],
)
def test_a_condition_means_what_it_says(condition: str, other: dict[str, object], starts: bool) -> None:
    services = {"db": other, "a": service(depends_on={"db": condition}), "last": service(after=["db"])}
    with world(services) as here:
        assert here.becomes("a", lambda view: view["phase"] == "running", 10.0 if starts else 0.7) is starts


def test_a_waiting_service_says_for_whom() -> None:
    with world({"db": service(ready=_NEVER_READY), "a": service(depends_on=["db"])}) as here:
        view = here.until_phase("a", "waiting")
        assert view["reason"]["code"] == "dependency"
        assert "db" in view["reason"]["text"]


def test_a_requirement_starts_although_it_is_not_enabled_and_stops_when_nobody_needs_it() -> None:
    with world({"db": service(enabled=False), "a": service(depends_on=["db"])}) as here:
        here.until_phase("a", "running")
        assert here.service("db")["phase"] == "running"
        assert here.ask("stop", "a").code == 0
        view = here.until_phase("db", "inactive")
        assert view["reason"]["code"] == "not-wanted"


def test_a_requirement_that_is_enabled_goes_on_without_its_dependents() -> None:
    with world({"db": service(), "a": service(depends_on=["db"])}) as here:
        here.until_phase("a", "running")
        assert here.ask("stop", "a").code == 0
        assert here.service("db")["phase"] == "running"


def test_stopping_a_requirement_stops_its_dependents_first_and_they_come_back_with_it() -> None:
    tells = "trap 'echo {0} >> ended; exit 0' TERM; echo {0} >> begun; while :; do sleep 0.05; done"
    services = {"db": service(tells.format("db")), "a": service(tells.format("a"), depends_on=["db"])}
    with world(services) as here:
        eventually(lambda: sorted(here.lines("begun")) == ["a", "db"])
        said = here.ask("stop", "db")
        assert said.code == 0
        assert "a" in said.out + said.err
        assert here.lines("ended") == ["a", "db"]
        view = here.service("a")
        assert (view["phase"], view["wanted"], view["reason"]["code"]) == ("waiting", True, "dependency-stopped")
        assert here.ask("start", "db").code == 0
        here.until_phase("a", "running")


def test_a_dependent_that_waits_for_what_the_operator_stopped_is_no_trouble() -> None:
    with world({"db": service(), "a": service(depends_on=["db"])}) as here:
        here.until_phase("a", "running")
        assert here.ask("stop", "db").code == 0
        assert here.ask("status").code == 0


def test_no_dependents_refuses() -> None:
    with world({"db": service(), "a": service(depends_on=["db"])}) as here:
        here.until_phase("a", "running")
        said = here.ask("stop", "db", "--no-dependents")
        assert said.code == 1
        assert "a" in said.err
        assert here.service("db")["phase"] == "running"


def test_start_brings_its_requirements_along() -> None:
    with world({"db": service(enabled=False), "a": service(enabled=False, depends_on=["db"])}) as here:
        assert here.service("db")["phase"] == "inactive"
        assert here.ask("start", "a").code == 0
        assert here.service("db")["phase"] == "running"


def test_a_requirement_that_gave_up_is_named_and_its_recovery_is_enough() -> None:
    services = {
        "db": service("test -e go || exit 1; echo open; exec sleep 100000", ready={"log": "open"}, restart="never"),
        "a": service(depends_on=["db"]),
    }
    with world(services) as here:
        view = here.until("a", lambda view: view["reason"]["code"] == "dependency-failed")
        assert view["phase"] == "waiting"
        assert here.ask("status").code == 1
        here.touch("go")
        assert here.ask("start", "db").code == 0
        here.until_phase("a", "running")


def test_a_requirement_that_dies_later_does_not_touch_who_started() -> None:
    with world({"db": service(restart={"delay": "20ms"}), "a": service(depends_on=["db"])}) as here:
        here.until_phase("a", "running")
        assert here.ask("kill", "db", "-s", "KILL").code == 0
        here.until("db", lambda view: view["run"] == 2 and view["phase"] == "running")
        assert here.service("a")["run"] == 1


def test_restart_true_takes_me_along_when_it_dies() -> None:
    needs = {"db": {"condition": "started", "restart": True}}
    with world({"db": service(restart={"delay": "20ms"}), "a": service(depends_on=needs)}) as here:
        here.until_phase("a", "running")
        assert here.ask("kill", "db", "-s", "KILL").code == 0
        here.until("a", lambda view: view["run"] == 2 and view["phase"] == "running")


def test_after_orders_without_requiring() -> None:
    services = {"db": service("false", restart="never"), "a": service(after=["db"]), "b": service(after=["off"])}
    with world({**services, "off": service(enabled=False)}) as here:
        here.until_phase("a", "running")
        here.until_phase("b", "running")
        assert here.service("off")["phase"] == "inactive"


def test_a_group_is_addressed_as_one() -> None:
    services = {
        "a": service(groups=["front"]),
        "b": service(groups=["front", "back"]),
        "c": service(groups=["back"]),
    }
    with world(services) as here:
        assert here.ask("stop", "@front").code == 0
        phases = {name: view["phase"] for name, view in here.services().items()}
        assert phases == {"a": "inactive", "b": "inactive", "c": "running"}
        assert here.ask("start", "@front").code == 0
        assert here.ask("is-active", "a", "b", "c").code == 0


def test_up_with_names_wants_only_those_and_what_they_need() -> None:
    services = {"db": service(), "a": service(depends_on=["db"]), "b": service()}
    with world(services, "a") as here:
        here.until_phase("a", "running")
        phases = {name: view["phase"] for name, view in here.services().items()}
        assert phases == {"db": "running", "a": "running", "b": "inactive"}


def test_a_dependent_of_a_job_waits_until_it_has_ended_well() -> None:
    services = {
        "migrate": service("until test -e go; do sleep 0.02; done; echo migrated >> order", type="oneshot"),
        "a": service("echo started >> order; exec sleep 100000", depends_on={"migrate": "completed"}),
    }
    with world(services) as here:
        here.until_phase("a", "waiting")
        here.touch("go")
        eventually(lambda: here.lines("order") == ["migrated", "started"])
