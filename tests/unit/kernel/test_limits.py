"""Does every limit of setrlimit(2) have its name?"""

from __future__ import annotations

import resource

from supervisor.kernel.limits import NUMBERS, UNLIMITED


def test_every_limit_that_linux_has_is_named_once() -> None:
    assert sorted(NUMBERS.values()) == list(range(16))
    for name in dir(resource):
        if name.startswith("RLIMIT_") and name != "RLIMIT_OFILE":
            assert NUMBERS[name.removeprefix("RLIMIT_").lower()] == getattr(resource, name)


def test_each_of_them_can_be_asked_for() -> None:
    for number in NUMBERS.values():
        soft, hard = resource.getrlimit(number)
        assert hard == UNLIMITED or soft <= hard
