"""How is a run brought down? SERVICES §2 `stop` and §4 Budgets."""

from __future__ import annotations

from supervisor.model.effect import Signal
from supervisor.model.event import Emptied, Exited, Overslept
from supervisor.model.process import Exit
from supervisor.model.signals import SIGCONT, SIGTERM
from supervisor.model.words import Seconds
from tests.laws.specs import AFTER, TCP, needs, simple, stops
from tests.unit.core.story import Story


def _running(**stop: object) -> Story:
    story = Story(a=simple(stop=stops(**stop)))
    story.spawned("a")
    return story


def test_every_stop_signal_is_followed_by_sigcont() -> None:
    story = _running(signal="SIGINT")
    story.stop("a")
    run = story.run("a")
    assert story.effects == (Signal(run, 2, "main"), Signal(run, SIGCONT, "main"))


def test_why_it_is_stopped_is_told() -> None:
    story = Story(db=simple(enabled=False), web=simple(depends_on=needs(db="ready")), other=simple(), more=simple())
    story.spawned("db", "web", "other", "more")
    story.stop("web")
    assert story.code("web") == "operator"
    story.exits("web")
    assert story.code("db") == "not-needed"
    story.restart("other")
    assert story.code("other") == "restart"
    story.signal()
    assert story.code("more") == "shutdown"


def test_sigkill_needs_no_sigcont() -> None:
    story = _running(timeout=5.0)
    story.stop("a")
    story.passes(5)
    assert story.ordered() == ["SIGKILL a all"]
    assert len(story.effects) == 1


def test_scope_main_asks_the_main_process_and_then_what_is_left() -> None:
    story = _running(signal="SIGQUIT")
    story.stop("a")
    assert story.ordered() == ["SIGQUIT a main"]
    story.later(4)
    story.exits("a", alone=False)
    assert Signal(story.run("a"), SIGTERM, "all") in story.effects
    assert story.due_in("a") == 6.0  # one budget for both
    story.emptied("a")
    assert story.phase("a") == "inactive"


def test_scope_all_asks_everybody_once() -> None:
    story = _running(signal="SIGINT", scope="all")
    story.stop("a")
    assert story.ordered() == ["SIGINT a all"]
    story.exits("a", alone=False)
    assert story.ordered() == []
    story.passes(10)
    assert story.ordered() == ["SIGKILL a all"]


def test_scope_main_only_leaves_the_rest_alone() -> None:
    story = _running(scope="main-only")
    story.stop("a")
    assert story.ordered() == ["SIGTERM a main"]
    story.exits("a", alone=False)
    assert (story.phase("a"), story.ordered()) == ("inactive", ["release a"])


def test_under_main_only_sigkill_hits_only_the_main_process() -> None:
    story = _running(scope="main-only", timeout=5.0)
    story.stop("a")
    story.passes(5)
    assert story.ordered() == ["SIGKILL a main"]


def test_a_stop_command_runs_first_and_then_the_signal_asks() -> None:
    story = _running(command=("bye",))
    story.stop("a")
    assert story.ordered() == ["spawn a#1 stop"]
    story.later(3)
    story.spawned("a", role="stop")
    story.later(3)
    story.exits("a", role="stop", alone=False)
    assert story.ordered() == ["SIGTERM a main"]
    assert story.due_in("a") == 4.0  # of the one budget


def test_a_stop_command_that_works_ends_it_all() -> None:
    story = _running(command=("bye",))
    story.stop("a")
    story.spawned("a", role="stop")
    story.exits("a", alone=False)  # the stop command still runs
    assert story.phase("a") == "stopping"
    story.exits("a", role="stop")
    assert story.phase("a") == "inactive"


def test_after_the_stop_command_what_is_left_is_asked() -> None:
    story = _running(command=("bye",))
    story.stop("a")
    story.spawned("a", role="stop")
    story.exits("a", alone=False)
    story.exits("a", role="stop", alone=False)
    assert story.ordered() == ["SIGTERM a all"]


def test_a_stop_command_that_cannot_be_executed_is_followed_by_the_signal() -> None:
    story = _running(command=("bye",))
    story.stop("a")
    story.cannot("a", role="stop", alone=False)
    assert story.ordered() == ["SIGTERM a main"]


def test_when_the_stop_command_will_not_come_and_nothing_is_left_the_stop_is_over() -> None:
    story = _running(command=("bye",))
    ticket = story.stop("a")
    story.exits("a", alone=False)  # the stop command is ordered and has not had its turn
    story.cannot("a", role="stop")
    assert (story.phase("a"), story.verdict(ticket)) == ("inactive", "done")


def test_when_the_stop_command_comes_too_late_it_is_cancelled_and_the_stop_is_over() -> None:
    story = _running(command=("bye",), timeout=5.0)
    story.stop("a")
    story.exits("a", alone=False)
    story.passes(5)
    story.cancelled("a", role="stop")
    assert story.phase("a") == "inactive"


def test_main_process_and_stop_command_found_dead_together_are_told_in_either_order() -> None:
    for first, second in (("main", "stop"), ("stop", "main")):
        story = _running(command=("bye",))
        story.stop("a")
        story.spawned("a", role="stop")
        run = story.run("a")
        story.tell(Exited(run, first, Exit(code=4 if first == "main" else 0), alone=True))  # type: ignore[arg-type]
        story.tell(Exited(run, second, Exit(code=4 if second == "main" else 0), alone=True))  # type: ignore[arg-type]
        last = story.service("a").last
        assert (story.phase("a"), last and last.exit) == ("inactive", Exit(code=4))


def test_under_main_only_the_stop_command_may_finish_before_the_run_counts_as_over() -> None:
    story = _running(command=("bye",), scope="main-only")
    story.stop("a")
    story.spawned("a", role="stop")
    story.exits("a", alone=False)
    assert (story.phase("a"), story.ordered()) == ("stopping", [])
    story.exits("a", role="stop", alone=False)
    assert (story.phase("a"), story.ordered()) == ("inactive", ["release a"])


def test_under_main_only_a_stop_command_that_hangs_is_left_with_the_rest() -> None:
    story = _running(command=("bye",), scope="main-only", timeout=5.0)
    story.stop("a")
    story.spawned("a", role="stop")
    story.exits("a", alone=False)
    story.passes(5)
    assert (story.phase("a"), story.ordered()) == ("inactive", ["release a"])


def test_when_the_budget_is_used_up_sigkill_and_after_the_same_again_the_truth() -> None:
    story = _running(timeout=5.0)
    story.stop("a")
    story.passes(5)
    assert story.due_in("a") == 5.0
    story.passes(5)
    assert (story.phase("a"), story.code("a"), story.due_in("a")) == ("stopping", "unkillable", None)
    story.exits("a", "SIGKILL")
    assert story.phase("a") == "inactive"
    last = story.service("a").last
    assert last is not None
    assert last.result == "timeout"


def test_a_stop_command_that_hangs_is_killed_with_everything_else() -> None:
    story = _running(command=("bye",), timeout=5.0)
    story.stop("a")
    story.spawned("a", role="stop")
    story.passes(5)
    assert story.ordered() == ["SIGKILL a all"]


def test_a_budget_of_nothing_asks_and_kills_at_once_but_gives_sigkill_a_second() -> None:
    story = _running(timeout=0.0)
    story.stop("a")
    assert story.ordered() == ["SIGTERM a main"]
    assert story.due_in("a") == 0.0
    story.passes(0)
    assert story.ordered() == ["SIGKILL a all"]
    assert story.due_in("a") == 1.0


def test_kill_false_gives_up_and_says_so() -> None:
    story = _running(timeout=5.0, kill=False)
    ticket = story.stop("a")
    story.passes(5)
    assert story.ordered() == []
    assert (story.code("a"), story.due_in("a")) == ("kill-disabled", None)
    assert story.text("a") == "outlived its stop.timeout of 5s, and stop.kill is false"
    assert story.verdict(ticket) == "failed unkillable"
    story.exits("a")
    assert story.phase("a") == "inactive"


def test_kill_false_asks_politely_also_who_comes_too_late() -> None:
    story = Story(a=simple(stop=stops(timeout=5.0, kill=False)))
    story.stop("a")
    story.passes(5)  # exec hangs
    story.spawned("a")
    assert story.ordered() == ["SIGTERM a main"]


def test_who_comes_when_sigkill_was_sent_gets_his_own() -> None:
    story = Story(a=simple(stop=stops(timeout=5.0)))
    story.stop("a")
    story.passes(5)
    assert story.ordered() == ["SIGKILL a all"]
    story.spawned("a")
    assert story.ordered() == ["SIGKILL a all"]
    story.passes(5)
    assert story.code("a") == "unkillable"


def test_who_comes_when_everybody_had_given_up_gets_sigkill_too() -> None:
    story = Story(a=simple(stop=stops(timeout=5.0)))
    story.stop("a")
    story.passes(10)
    story.spawned("a")
    assert story.ordered() == ["SIGKILL a all"]


def test_what_does_not_die_does_not_hold_up_the_others() -> None:
    story = Story(db=simple(), web=simple(depends_on=needs(db="started"), stop=stops(timeout=5.0)))
    story.spawned("db", "web")
    story.stop("db")
    story.passes(10)
    assert (story.code("web"), story.phase("db")) == ("unkillable", "stopping")


def test_also_through_one_that_does_not_run() -> None:
    story = Story(
        db=simple(), mid=simple(enabled=False, after=("db",)), web=simple(after=("mid",), stop=stops(timeout=5.0))
    )
    story.spawned("db", "web")
    story.stop("db", "web")
    assert story.phases() == {"db": "running", "mid": "inactive", "web": "stopping"}
    story.passes(10)
    assert story.phase("db") == "stopping"


def test_a_ready_probe_ends_when_the_stop_begins() -> None:
    story = Story(a=simple(ready=TCP))
    story.spawned("a")
    assert story.ordered() == ["probe a"]
    story.stop("a")
    assert story.ordered() == ["no probe a", "SIGTERM a main"]


def test_a_timer_is_no_probe() -> None:
    story = Story(a=simple(ready=AFTER))
    story.spawned("a")
    assert (story.ordered(), story.due_in("a")) == ([], 2.0)
    story.stop("a")
    assert story.ordered() == ["SIGTERM a main"]


def test_ready_after_comes_by_time_and_wins_over_a_timeout_at_the_same_instant() -> None:
    story = Story(a=simple(ready=AFTER, start_timeout=Seconds(2.0)))
    story.spawned("a")
    story.passes(2)
    assert (story.phase("a"), story.code("a")) == ("running", "ready")


def test_when_we_overslept_deadlines_of_services_move_by_the_gap() -> None:
    story = Story(
        a=simple(stop=stops(timeout=5.0)), b=simple(), c=simple(ready=AFTER, start_timeout=Seconds(9.0)), d=simple()
    )
    story.spawned("a", "b", "c")
    story.exits("b", 1)
    story.cannot("d", ours=True)
    story.stop("a")
    before = {name: story.due_in(name) for name in "abcd"}
    story.later(30)
    done = story.tell(Overslept(Seconds(30.0)))
    assert {name: story.due_in(name) for name in "abcd"} == before == {"a": 5.0, "b": 0.1, "c": 2.0, "d": 0.1}
    assert set(done.touched) == set("abcd")


def test_a_late_word_that_nothing_is_left_is_no_news() -> None:
    story = _running()
    story.stop("a")
    story.exits("a")
    before = story.world
    assert story.tell(Emptied(story.run("a"))).world is before
