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


def test_a_datagram_holds_several_messages_and_each_gets_its_own_descriptor() -> None:
    letters = [
        message.Say(1, "line\nbreak"),
        message.Open(RUN, 1, 0),
        message.End(RUN),
        message.Ring(ServiceName("web")),
    ]
    data = message.join(map(message.encode, letters))
    assert message.unpack(data, [7, 8]) == (
        [(letters[0], []), (letters[1], [7]), (letters[2], []), (letters[3], [8])],
        [],
    )


def test_where_descriptors_got_lost_the_first_have_theirs_and_what_is_nobodys_is_told() -> None:
    pipes = [message.Open(RUN, 1, 0), message.Open(RUN, 2, 1)]
    assert message.unpack(message.join(map(message.encode, pipes)), [7]) == ([(pipes[0], [7]), (pipes[1], [])], [])
    assert message.unpack(b"nonsense\n" + message.encode(message.Hurry()), [7]) == ([(message.Hurry(), [])], [7])
