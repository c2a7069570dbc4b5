"""Do PID 1 and its logger understand each other?"""

from __future__ import annotations

import pytest

from supervisor.model.words import RunId, ServiceName
from supervisor.wire import logmessages as message

WEB = ServiceName("web")
RUN = RunId(WEB, 3)
EVERY = [
    message.Begin(),
    message.Open(RUN, 7, 1),
    message.End(RUN),
    message.Ring(WEB),
    message.Say(1_700_000_000_000_000_000, 'grün "and" \n more'),
    message.Watch(RUN, r"^ready \d+"),
    message.Unwatch(RUN),
    message.Ask({"services": ["web"], "lines": 3, "since": None}),
    message.Forget(WEB),
    message.Reopen(),
    message.Hurry(),
    message.Finish(1.0),
    message.Made(WEB),
    message.Drained(7, True),
    message.Matched(RUN),
    message.Want(7),
    message.Failed("KeyError"),
]


@pytest.mark.parametrize("letter", EVERY, ids=lambda letter: type(letter).__name__)
def test_what_is_written_is_read(letter: message.Downward) -> None:
    assert message.decode(message.encode(letter)) == letter


def test_a_run_stays_a_run() -> None:
    letter = message.decode(message.encode(message.End(RUN)))
    assert isinstance(letter, message.End)
    assert isinstance(letter.run, RunId)


def test_the_test_knows_every_kind() -> None:
    assert {type(letter).__name__ for letter in EVERY} == set(message._KINDS)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"{}", b"[]", b'["Bogus"]', b'["End"]', b'["End", 3]', b'["Drained", 1]', b"\xff"]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        message.decode(data)
