"""Is everything written, in order, noted, and nobody waited for?"""

from __future__ import annotations

import errno

import pytest

from supervisor.logger.console import Console
from supervisor.logger.output import Output
from supervisor.logger.ring import KEEP, Ring
from supervisor.logger.style import Style
from supervisor.wire.logring import ENDED, START, Progress
from tests.unit.logger.bench import again, clear, put, ring

BOTH = frozenset((0, 1))


class Killed(BaseException):
    """The logger was."""


class Paper(Output):
    """Takes as many bytes as there is room for, or fails; kills whoever uses it at a chosen moment."""

    def __init__(self, durable: bool) -> None:
        self.fd = -1
        self.durable = durable
        self.written = b""
        self.space = 1 << 40
        self.error = 0
        self.capacity = 64
        self.inherited = 0
        self.left = 0
        self.kill_in = -1
        """Calls until the logger is killed."""
        self._held = b""

    def moment(self) -> None:
        self.kill_in -= 1
        if self.kill_in == 0:
            raise Killed

    def change_hands(self) -> None:
        """A successor gets what its predecessor had."""
        if not self.durable:
            self._held = b""
        self.inherited = self.left = len(self._held)

    @property
    def room(self) -> int:
        return 0 if self.left else self.capacity

    def put(self, data: memoryview) -> None:
        assert 0 < len(data) <= self.room
        self.moment()
        self._held = bytes(data)
        self.moment()
        self.left = len(data)

    def push(self) -> int:
        if self.error:
            raise OSError(self.error, "fails")
        if not self.space:
            raise BlockingIOError
        count = min(self.left, self.space)
        if self.durable:
            self.moment()
        self.written += self._held[:count]
        self._held = self._held[count:]
        if self.durable:
            self.moment()
        self.space -= count
        self.left -= count
        return count

    def drop(self) -> bytes:
        dropped, self._held = self._held, b""
        self.left = 0
        return dropped

    @property
    def lines(self) -> list[bytes]:
        return [line.partition(b" ")[2] for line in self.written.splitlines()]


@pytest.fixture(params=[True, False], ids=["through a pipe", "directly"])
def paper(request: pytest.FixtureRequest) -> Paper:
    return Paper(request.param)


def console(paper: Paper, *rings: Ring, streams: frozenset[int] = BOTH, index: int = 0) -> Console:
    made = Console(paper, Style(), index, streams)
    for each in rings:
        made.attach(each)
    return made


def pump(made: Console) -> None:
    while made.busy:
        made.pump()


def test_lines_of_all_services_come_in_the_order_in_which_they_were_taken(paper: Paper) -> None:
    web, db = ring("web"), ring("db")
    made = console(paper, web, db)
    for number in range(3):
        put(web, b"w%d\n" % number)
        put(db, b"d%d\n" % number, stream=1)
        pump(made)
    assert paper.lines == [b"web | w0", b"db | d0", b"web | w1", b"db | d1", b"web | w2", b"db | d2"]
    assert made.idle


def test_each_console_writes_its_own_stream() -> None:
    out, err, web = Paper(True), Paper(True), ring()
    consoles = (
        console(out, web, streams=frozenset((0,))),
        console(err, web, streams=frozenset((1,)), index=1),
    )
    put(web, b"good\n", channel=1)
    put(web, b"bad\n", channel=2, stream=1)
    for made in consoles:
        pump(made)
    assert out.lines == [b"web | good"]
    assert err.lines == [b"web | bad"]
    assert again(web).progress == [Progress(web.end), Progress(web.end)]


def test_a_full_output_is_left_alone_until_it_takes_more(paper: Paper) -> None:
    web = ring()
    made = console(paper, web)
    paper.space = 30
    put(web, b"a line that is long enough\n")
    pump(made)
    assert made.full
    assert not made.busy
    paper.space = 1000
    made.wake()
    pump(made)
    assert paper.lines == [b"web | a line that is long enough"]


@pytest.mark.parametrize("room", [0, 1, 30, 52, 80])
def test_a_successor_goes_on_where_the_output_was_full_even_within_a_line(paper: Paper, room: int) -> None:
    web = ring()
    made = console(paper, web)
    put(web, b"written before\nunfinished at first,")
    pump(made)
    assert paper.lines == [b"web | written before"]
    whole = len(paper.written)
    paper.space = room
    put(web, b" then not\nand another\n", flags=0)
    pump(made)
    assert len(paper.written) == whole + room
    paper.space = 1 << 40
    put(web, b"written after\n")
    paper.change_hands()
    pump(console(paper, again(web)))
    assert paper.lines == [
        b"web | written before",
        b"web | unfinished at first, then not",
        b"web | and another",
        b"web | written after",
    ]


def test_what_has_been_written_is_not_written_again(paper: Paper) -> None:
    web = ring()
    put(web, b"once\n")
    pump(console(paper, web))
    paper.change_hands()
    pump(console(paper, again(web)))
    assert paper.lines == [b"web | once"]


def test_while_the_output_is_full_the_ring_is_held_and_let_go_when_it_is_written(paper: Paper) -> None:
    web = ring()
    made = console(paper, web)
    progress: list[Ring] = []
    made.on_progress = progress.append
    paper.space = 0
    put(web, b"x" * 200 + b"\n")
    pump(made)
    full = web.room
    paper.space = 1000
    made.wake()
    pump(made)
    assert web.room > full
    assert progress == [web]


def test_one_chatty_service_does_not_keep_another_waiting(paper: Paper) -> None:
    chatty, quiet = ring("chatty"), ring("quiet")
    made = console(paper, chatty, quiet)
    for _ in range(3):
        put(chatty, b"c" * 60_000 + b"\n")
    put(quiet, b"hush\n")
    pump(made)
    names = [line.split(b" ")[0] for line in paper.lines]
    assert names == [b"chatty", b"quiet", b"chatty", b"chatty"]


@pytest.mark.parametrize("error", [errno.EPIPE, errno.EIO])
def test_an_output_that_has_gone_is_counted_and_the_rings_go_on(paper: Paper, error: int) -> None:
    web = ring()
    made = console(paper, web)
    paper.error = error
    put(web, b"1\n2\n")
    pump(made)
    assert (made.trouble, made.lost) == (error, 2)
    put(web, b"3\n")
    pump(made)
    assert made.lost == 3
    assert made.idle
    assert web.progress[0].place == web.end
    paper.error = 0
    made.revive()
    put(web, b"4\n")
    pump(made)
    assert paper.lines == [b"web | 4"]


def test_a_full_disk_is_tried_again_later_and_nothing_is_lost(paper: Paper) -> None:
    web = ring()
    made = console(paper, web)
    paper.error = errno.ENOSPC
    put(web, b"kept\n")
    pump(made)
    assert not made.busy
    assert not made.full
    assert made.wakes > 0
    paper.error = 0
    made.wake()
    pump(made)
    assert paper.lines == [b"web | kept"]
    assert made.wakes == 0


def test_what_was_overtaken_in_a_hurry_is_told(paper: Paper) -> None:
    web = ring()
    made = console(paper, web)
    paper.space = 0
    for number in range(100):
        put(web, b"%02d" % number + b"x" * 9996 + b"\n")
        pump(made)
        web.trim(hurried=True)
    paper.space = 1 << 40
    made.wake()
    pump(made)
    notices = [line for line in paper.lines if line.startswith(b"pidone | ")]
    assert len(notices) == 1
    lost = int(notices[0].split()[2])
    shown = sum(line.startswith(b"web | ") for line in paper.lines)
    assert lost > 0
    assert lost + shown == 100


def test_a_ring_that_goes_is_no_more_waited_for(paper: Paper) -> None:
    web, db = ring("web"), ring("db")
    made = console(paper, web, db)
    put(web, b"gone\n")
    put(db, b"here\n")
    assert made.behind(web)
    made.detach(web)
    web.close()
    pump(made)
    assert paper.lines == [b"db | here"]


def test_the_last_unfinished_line_is_written_when_its_channel_ends(paper: Paper) -> None:
    web = ring()
    made = console(paper, web)
    put(web, b"last words")
    pump(made)
    assert paper.lines == []
    put(web, b"", flags=ENDED)
    pump(made)
    assert paper.lines == [b"web | last words"]
    assert web.oldest == START


@pytest.mark.parametrize("capacity", [1, 30, 100, 65536])
def test_wherever_it_is_killed_nothing_is_lost_and_nothing_written_twice(capacity: int) -> None:
    expected = [b"web | %d %s" % (number, b"x" * number) for number in range(8)]
    moment, killed = 0, 1
    while killed:
        moment += 1
        paper = Paper(True)
        paper.capacity = capacity
        paper.kill_in = moment
        web, db = ring("web"), ring("db")
        for number in range(8):
            put(web, b"%d %s\n" % (number, b"x" * number))
        put(db, b"other\n")
        killed = 0
        while True:
            try:
                pump(console(paper, web, db))
            except Killed:
                killed += 1
                paper.change_hands()
                web, db = again(web), again(db)
                paper.kill_in = -1 if killed > 3 else 5 + (moment + killed) % 4
            else:
                break
        assert [line for line in paper.lines if line.startswith(b"web")] == expected, moment
        assert paper.lines.count(b"db | other") == 1
        clear()
        if capacity == 1 and moment > 100:
            break  # each further moment is like these
    assert moment > 8


def test_a_successor_finds_the_beginning_of_a_line_that_others_have_written_far_past(paper: Paper) -> None:
    web = ring()
    paper.capacity = 65536
    made = console(paper, web)
    put(web, b"begun by one, ", channel=2)
    for _ in range(2):
        put(web, b"x" * 60_000 + b"\n")
        pump(made)
    paper.space = 0
    while web.room > 70_000:
        put(web, b"y" * 60_000 + b"\n")
    pump(made)
    put(web, b"finished by another\n", channel=2, flags=0)
    paper.change_hands()
    successor = console(paper, again(web))
    paper.space = 1 << 40
    pump(successor)
    assert paper.lines[-1] == b"web | begun by one, finished by another"
    assert web.end - web.oldest < 3 * KEEP


def test_an_unfinished_line_is_not_kept_for_ever(paper: Paper) -> None:
    web = ring()
    paper.capacity = 65536
    made = console(paper, web)
    put(web, b"password: ", channel=2)
    for _ in range(50):
        put(web, b"x" * 60_000 + b"\n")
        pump(made)
    assert web.end - web.oldest < 3 * KEEP
    put(web, b"secret\n", channel=2, flags=0)
    pump(made)
    assert paper.lines[-1] == b"web | password: secret"
