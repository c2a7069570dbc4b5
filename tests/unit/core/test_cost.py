"""Does the price of an event grow with services that it does not concern? Counted, not timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supervisor.core import settle as settling
from supervisor.core import tickets
from supervisor.core.draft import Draft
from supervisor.model.service import Service
from supervisor.model.words import ServiceName
from supervisor.model.world import Ticket
from tests.laws.specs import FOLLOW, needs, simple
from tests.unit.core.story import Story


class _Counted:
    """How often settling looks at a service."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.visits = 0
        move, refresh = settling._move, settling._refresh

        def counted_move(draft: Draft, service: Service) -> None:
            self.visits += 1
            move(draft, service)

        def counted_refresh(draft: Draft, name: ServiceName) -> None:
            self.visits += 1
            refresh(draft, name)

        monkeypatch.setattr(settling, "_move", counted_move)
        monkeypatch.setattr(settling, "_refresh", counted_refresh)

    def during(self, what: Callable[[], object]) -> int:
        before = self.visits
        what()
        return self.visits - before


def _world(strangers: int) -> Story:
    crowd: dict[str, Any] = {f"x{number}": simple(depends_on=needs(hub="started")) for number in range(strangers)}
    story = Story(db=simple(), web=simple(depends_on=needs(db=FOLLOW)), hub=simple(), **crowd)
    story.check = False
    story.spawned("db", "web", "hub", *crowd)
    return story


@pytest.mark.parametrize(
    "what",
    [
        lambda story: story.exits("web", 1),
        lambda story: story.exits("db", 1),
        lambda story: story.stop("db"),
        lambda story: story.restart("web"),
        lambda story: story.start("web"),
        lambda story: story.kill("web"),
    ],
)
def test_an_event_visits_only_whom_it_concerns(
    what: Callable[[Story], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = _Counted(monkeypatch)
    few, many = _world(3), _world(300)
    visits = counted.during(lambda: what(few))
    assert visits == counted.during(lambda: what(many))
    assert visits < 40


def test_an_event_touches_only_whom_it_changes() -> None:
    story = _world(100)
    story.exits("web", 1)
    assert story.touched == ("web",)


def test_the_services_of_a_world_share_what_did_not_change() -> None:
    story = _world(300)
    before = story.world.services
    story.exits("web", 1)
    after = story.world.services
    assert sum(left is not right for left, right in zip(before.values(), after.values(), strict=True)) == 1
    assert sum(left is not right for left, right in zip(before._shelves, after._shelves, strict=True)) == 1


def test_the_stop_of_a_hub_looks_a_bounded_number_of_times_at_each_of_its_dependents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = _Counted(monkeypatch)
    visits = {}
    for size in (50, 200):
        story = _world(size)

        def stop_all(story: Story = story, size: int = size) -> None:
            story.stop("hub")
            for number in range(size):
                story.exits(f"x{number}")
            story.exits("hub")

        visits[size] = counted.during(stop_all)
    assert visits[200] < 5 * visits[50]


def test_a_request_for_many_is_looked_at_only_where_something_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"s{number}" for number in range(200)]
    services: dict[str, Any] = {name: simple(enabled=False) for name in names}
    story = Story(**services)
    story.check = False
    looks: list[int] = []
    look = tickets._looked_at

    def counted(draft: Draft, ticket: Ticket, moved: list[ServiceName]) -> Ticket:
        looks.append(len(moved))
        return look(draft, ticket, moved)

    monkeypatch.setattr(tickets, "_looked_at", counted)
    ticket = story.start(*names)
    story.spawned(*names)
    assert story.verdict(ticket) == "done"
    assert looks == [200, *[1] * 200]
