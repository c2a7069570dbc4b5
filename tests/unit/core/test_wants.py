"""Who is wanted, and who is needed? SERVICES §4, Who is wanted."""

from __future__ import annotations

from tests.laws.specs import MAYBE, NEVER, ON_FAILURE, TCP, job, needs, simple
from tests.unit.core.story import Story


def test_what_is_enabled_starts_at_boot_and_what_is_not_does_not() -> None:
    story = Story(web=simple(), off=simple(enabled=False))
    assert story.phases() == {"web": "starting", "off": "inactive"}
    assert story.code("off") == "not-wanted"


def test_named_services_are_the_only_ones_wanted_at_boot() -> None:
    story = Story(wanted=("web",), web=simple(depends_on=needs(db="started")), db=simple(), other=simple())
    assert story.phases() == {"web": "waiting", "db": "starting", "other": "inactive"}


def test_a_requirement_runs_while_somebody_needs_it_and_stops_when_nobody_does() -> None:
    story = Story(db=simple(enabled=False), web=simple(depends_on=needs(db="ready")))
    story.comes_up("db", "web")
    story.stop("web")
    assert story.phase("db") == "running"  # web is still alive
    story.exits("web")
    assert (story.phase("db"), story.code("db")) == ("stopping", "not-needed")
    story.exits("db")
    assert (story.phase("db"), story.code("db")) == ("inactive", "not-wanted")


def test_a_requirement_that_is_wanted_itself_stays() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.comes_up("db", "web")
    story.stop("web")
    story.exits("web")
    assert story.phase("db") == "running"


def test_need_reaches_through_what_is_needed_itself() -> None:
    story = Story(
        a=simple(enabled=False),
        b=simple(enabled=False, depends_on=needs(a="ready")),
        c=simple(depends_on=needs(b="ready")),
    )
    story.comes_up("a", "b", "c")
    story.stop("c")
    story.exits("c")
    assert (story.phase("a"), story.phase("b")) == ("running", "stopping")
    story.exits("b")
    assert story.phase("a") == "stopping"


def test_an_optional_dependency_is_not_started_for_my_sake() -> None:
    story = Story(cache=simple(enabled=False), web=simple(depends_on=needs(cache=MAYBE)))
    assert story.phases() == {"cache": "inactive", "web": "starting"}


def test_stop_takes_the_running_dependents_first_and_they_stay_wanted() -> None:
    story = Story(db=simple(), app=simple(depends_on=needs(db="ready")), web=simple(depends_on=needs(app="started")))
    story.comes_up("db", "app", "web")
    ticket = story.stop("db")
    assert story.ordered() == ["SIGTERM web main"]
    assert story.phases() == {"db": "running", "app": "running", "web": "stopping"}
    story.exits("web")
    assert story.ordered() == ["SIGTERM app main"]
    story.exits("app")
    assert story.ordered() == ["SIGTERM db main"]
    story.exits("db")
    assert story.phases() == {"db": "inactive", "app": "waiting", "web": "waiting"}
    assert sorted(story.answers[ticket].also) == ["app", "web"]


def test_who_waits_for_a_stopped_service_says_so_also_through_others_and_comes_back_with_it() -> None:
    story = Story(db=simple(), app=simple(depends_on=needs(db="ready")), web=simple(depends_on=needs(app="started")))
    story.comes_up("db", "app", "web")
    story.stop("db")
    for name in ("web", "app", "db"):
        story.exits(name)
    assert (story.code("app"), story.text("app")) == ("dependency-stopped", "db stopped by operator")
    assert (story.code("web"), story.text("web")) == ("dependency-stopped", "db stopped by operator")
    story.start("db")
    story.comes_up("db", "app", "web")


def test_who_is_down_first_says_so_while_the_one_he_waits_for_is_still_up() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")), api=simple(depends_on=needs(db="ready")))
    story.comes_up("db", "web", "api")
    story.stop("db")
    story.exits("web")
    assert (story.phase("db"), story.text("web")) == ("running", "db stopped by operator")


def test_no_dependents_refuses_and_changes_nothing() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="started")))
    story.comes_up("db", "web")
    ticket = story.stop("db", dependents=False)
    assert story.verdict(ticket) == "refused has-dependents"
    assert story.answers[ticket].service == "web"
    assert story.phases() == {"db": "running", "web": "running"}


def test_no_dependents_is_fine_when_nobody_depends() -> None:
    story = Story(
        db=simple(),
        job=job(depends_on=needs(db="ready")),
        maybe=simple(depends_on=needs(db=MAYBE)),
        after=simple(after=("db",)),
    )
    story.comes_up("db", "maybe", "after")
    story.spawned("job")
    story.exits("job")
    assert story.verdict(story.stop("db", dependents=False)) == "open"
    assert story.ordered() == ["SIGTERM db main"]


def test_stopping_a_done_job_takes_those_who_stand_on_it() -> None:
    story = Story(
        mount=job(), files=simple(depends_on=needs(mount="ready")), report=simple(depends_on=needs(mount="completed"))
    )
    story.spawned("mount")
    story.exits("mount")
    story.spawned("files", "report")
    ticket = story.stop("mount", dependents=False)
    assert story.verdict(ticket) == "refused has-dependents"
    ticket = story.stop("mount")
    assert story.phases() == {"mount": "inactive", "files": "stopping", "report": "running"}
    assert story.answers[ticket].also == ("files",)


def test_a_done_job_between_keeps_its_dependents_up() -> None:
    story = Story(db=simple(), migrate=job(depends_on=needs(db="ready")), web=simple(depends_on=needs(migrate="ready")))
    story.spawned("db", "migrate")
    story.exits("migrate")
    story.spawned("web")
    ticket = story.stop("db")
    assert story.answers.get(ticket) is None
    assert story.phases() == {"db": "stopping", "migrate": "done", "web": "running"}


def test_start_brings_what_it_requires_and_names_it() -> None:
    story = Story(
        a=simple(enabled=False),
        b=simple(enabled=False, depends_on=needs(a="ready")),
        c=simple(enabled=False, depends_on=needs(b="ready")),
    )
    ticket = story.start("c")
    assert story.phases() == {"a": "starting", "b": "waiting", "c": "waiting"}
    story.comes_up("a", "b", "c")
    assert story.verdict(ticket) == "done"
    assert story.answers[ticket].also == ("a", "b")


def test_start_lifts_the_stop_of_what_it_requires_but_does_not_want_it_for_itself() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.comes_up("db", "web")
    story.stop("db")
    story.exits("web")
    story.exits("db")
    ticket = story.start("web")
    assert story.service("db").want == "none"
    story.comes_up("db", "web")
    assert (story.verdict(ticket), story.answers[ticket].also) == ("done", ("db",))
    story.stop("web")
    story.exits("web")
    assert story.phase("db") == "stopping"


def test_start_supersedes_the_stop_of_what_it_requires() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="ready")))
    story.comes_up("db", "web")
    stop = story.stop("db")
    story.start("web")
    assert story.verdict(stop) == "superseded superseded"
    story.exits("web")
    assert story.phase("db") == "running"


def test_start_gives_a_failed_requirement_another_chance() -> None:
    story = Story(db=simple(restart=NEVER), web=simple(depends_on=needs(db="ready")))
    story.cannot("db")
    assert (story.code("web"), story.text("web")) == ("dependency-failed", "db failed")
    ticket = story.start("web")
    assert story.ordered() == ["spawn db#2"]
    assert story.code("web") == "dependency"
    story.comes_up("db", "web")
    assert (story.verdict(ticket), story.answers[ticket].also) == ("done", ("db",))


def test_start_gives_a_requirement_that_ended_well_another_chance() -> None:
    story = Story(db=simple(restart=ON_FAILURE, ready=TCP), web=simple(depends_on=needs(db="ready")))
    story.spawned("db")
    story.exits("db")
    assert story.phases() == {"db": "done", "web": "waiting"}
    story.start("web")
    assert story.ordered() == ["spawn db#2"]


def test_a_start_fails_when_its_requirement_does() -> None:
    story = Story(db=simple(enabled=False), web=simple(enabled=False, depends_on=needs(db="ready")))
    ticket = story.start("web")
    story.cannot("db")
    assert story.verdict(ticket) == "failed dependency-failed"
    assert f"(db: {story.text('db')})" in story.answers[ticket].text  # nobody has to ask why
    assert story.phases() == {"db": "backoff", "web": "waiting"}
    story.passes(0.1)
    story.comes_up("db", "web")  # it goes on by itself


def test_a_start_that_fails_names_the_one_that_all_wait_for() -> None:
    links = {"web": simple(depends_on=needs(db="ready")), "top": simple(enabled=False, depends_on=needs(web="ready"))}
    story = Story(db=simple(enabled=False, restart=NEVER, ready=TCP), **links)
    ticket = story.start("top")
    story.spawned("db")
    story.exits("db", 4)
    assert story.answers[ticket].text.endswith("(db: exit status 4; restart policy is never)")


def test_stopping_a_requirement_ends_the_start_that_waits_for_it() -> None:
    story = Story(db=simple(ready=TCP), web=simple(depends_on=needs(db="ready")))
    ticket = story.start("web")
    story.stop("db")
    assert story.verdict(ticket) == "failed dependency-failed"
    assert "db stopped by operator" in story.answers[ticket].text


def test_an_operators_stop_outweighs_every_need() -> None:
    story = Story(db=simple(enabled=False), web=simple(depends_on=needs(db="ready")))
    story.comes_up("db", "web")
    story.stop("db")
    story.exits("web")
    story.exits("db")
    assert (story.service("db").needed, story.phase("web")) == (False, "waiting")


def test_start_of_a_dependent_in_the_middle_of_stopping_all_brings_all_back() -> None:
    story = Story(db=simple(), app=simple(depends_on=needs(db="ready")), web=simple(depends_on=needs(app="ready")))
    story.comes_up("db", "app", "web")
    story.stop("db")
    story.exits("web")
    assert story.phase("app") == "stopping"
    story.start("web")
    story.exits("app")
    story.comes_up("app", "web")
    assert (story.service("db").run, story.service("app").run) == (1, 2)
