"""What is written to our stdout and stderr? What is in the rings, in the order in which it came, as fast as it is taken.

Rules: nothing waits here. While the reader of our output is stuck the rings fill, then the pipes, then the services wait.
What has been written is noted in the ring, so that a successor goes on there. An output that is gone is counted, not retried.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from supervisor.logger.output import Output
from supervisor.logger.reader import STREAMS, Lines, Reader
from supervisor.logger.ring import Ring
from supervisor.logger.style import Colour, Style, style_for
from supervisor.model.words import ServiceName
from supervisor.wire.logring import Progress

__all__ = ["Console", "Stages", "open_consoles"]

_TURN = 524288  # bytes written before others get their turn
_AGAIN = 1.0  # seconds until a full disk is tried again
_FULL = (errno.ENOSPC, errno.EDQUOT)
_US = ServiceName("pidone")

Stages: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""For stdout and for stderr, the read end and the write end of a pipe of our own."""


class Console:
    """One output for one or both streams of all services."""

    def __init__(self, output: Output, style: Style, index: int, streams: frozenset[int]) -> None:
        """`index` says which of a ring's two notes of progress is this console's."""
        self.name = " and ".join(("stdout", "stderr")[stream] for stream in sorted(streams))
        self.output = output
        self.lost = 0
        """Lines that came when the output was gone."""
        self.trouble = 0
        """The errno by which the output has gone, or 0."""
        self.full = False
        """It waits until the output takes more."""
        self.wakes = 0.0
        """When (monotonic) a full disk is tried again; 0 for no such plan."""
        self.on_progress: Callable[[Ring], None] = lambda ring: None
        """Called when room was made in a ring."""
        self._style = style
        self._index = index
        self._streams = streams
        self._readers: dict[Ring, Reader] = {}
        self._queue: deque[Reader] = deque()
        self._text = memoryview(b"")  # what is being handed to the output
        self._at = 0  # how far that has got
        self._source: Reader | None = None  # what it is made of
        self._handed: dict[Reader, int] = {}  # what a predecessor had handed over of what comes first

    @property
    def busy(self) -> bool:
        """It has something to write, and may."""
        return not self.idle and not self.full and not self.wakes

    @property
    def idle(self) -> bool:
        return not self._queue and self._at == len(self._text) and not self.output.left

    def attach(self, ring: Ring) -> None:
        """Write this ring from where a console with this index has got."""
        place, more, part = ring.progress[self._index]
        if part:  # only of the ring that was being written when the predecessor died
            more += part if self.output.inherited == part else 0
            ring.note(self._index, Progress(place, more))
        reader = Reader(ring, ring.oldest, self._touch, held=max(place, ring.oldest), streams=self._streams)
        while reader.place < reader.held:
            reader.next(until=reader.held)  # for the beginnings of the lines that were unfinished there
        reader.hold()
        reader.lost = 0
        if more and place >= ring.oldest:
            self._handed[reader] = more
        self._readers[ring] = reader
        self._style.widen(ring.service)
        self._touch(reader)

    def detach(self, ring: Ring) -> None:
        """The ring is about to be closed; everything in it has been written, or never will be."""
        reader = self._readers.pop(ring)
        reader.leave()
        if reader.queued:
            self._queue.remove(reader)
        self._handed.pop(reader, None)
        if self._source is reader:
            self._source = None

    def _touch(self, reader: Reader) -> None:
        if not reader.queued and reader.behind:
            reader.queued = True
            self._queue.append(reader)

    def behind(self, ring: Ring) -> bool:
        """Whether something of this ring has not been handed to the output."""
        reader = self._readers[ring]
        return reader.behind or self._source is reader

    def wake(self) -> None:
        """The output may take more now."""
        self.full = False
        self.wakes = 0.0

    def revive(self) -> None:
        """Try an output again that has gone."""
        self.trouble = 0
        self.wake()

    def pump(self) -> None:
        """Write until there is nothing more, the output is full, or it is others' turn."""
        budget = _TURN
        while budget > 0 and not self.idle:
            if self.output.left:
                budget -= self._push()
                if not self.busy:
                    return
            elif self._at < len(self._text):
                self._hand_over()
            else:
                self._fill()
                budget -= 1

    def _push(self) -> int:
        try:
            count = self.output.push()
        except BlockingIOError:
            self.full = True
            if self._at and not self.output.durable:
                self._note()
            return 0
        except OSError as error:
            if error.errno in _FULL:
                self.wakes = time.monotonic() + _AGAIN
            else:
                self.trouble = error.errno or errno.EIO
                dropped = self.output.drop()
                self.lost += dropped.count(b"\n")
                if not self.output.durable:
                    self._advance(len(dropped))
            return 0
        if not self.output.durable:
            self._advance(count)
        return count

    def _hand_over(self) -> None:
        """Put the next part into the output; the note before says what is about to happen, the one after that it has."""
        part = self._text[self._at : self._at + self.output.room]
        if self.trouble:
            self.lost += part.tobytes().count(b"\n")
            self._advance(len(part))
        elif self.output.durable:
            self._note(len(part))
            self.output.put(part)
            self._advance(len(part))
        else:
            self.output.put(part)

    def _fill(self) -> None:
        reader = self._queue.popleft()
        reader.queued = False
        lines = reader.next()
        self._touch(reader)
        shown = [self._show(reader.ring, block) for block in lines]
        if reader.lost:
            shown.insert(0, self._notice(reader))
        self._text = memoryview(b"".join(shown))
        self._source = reader
        self._at = 0
        self._advance(self._handed.pop(reader, 0))

    def _show(self, ring: Ring, block: Lines) -> bytes:
        return self._style.show(block.text, ring.service, block.stream, block.wall)

    def _notice(self, reader: Reader) -> bytes:
        lost, reader.lost = reader.lost, 0
        text = f"{lost} lines of {reader.ring.service} are not shown: they came faster than they were read\n"
        return self._style.show(text.encode(), _US, 1, time.time_ns())

    def _advance(self, count: int) -> None:
        """So much more of the text is the output's affair now."""
        self._at = min(self._at + count, len(self._text))
        reader = self._source
        if reader is None:
            return
        if self._at == len(self._text):
            self._source = None
            reader.hold()
            reader.ring.note(self._index, Progress(reader.held))
            self.on_progress(reader.ring)
        elif count and self.output.durable:
            self._note()

    def _note(self, part: int = 0) -> None:
        if self._source is not None:
            self._source.ring.note(self._index, Progress(self._source.held, self._at, part))


def open_consoles(stages: Stages, colour: Colour = "auto") -> list[Console]:
    """Our stdout and stderr: one console for both where they are the same file, so that lines keep their order. `stages` are
    the pipes before them."""
    out, err = os.fstat(1), os.fstat(2)
    if (out.st_dev, out.st_ino, out.st_rdev) == (err.st_dev, err.st_ino, err.st_rdev):
        return [Console(Output(1, stages[0]), style_for(1, colour), 0, STREAMS)]
    return [
        Console(Output(1, stages[0]), style_for(1, colour), 0, frozenset((0,))),
        Console(Output(2, stages[1]), style_for(2, colour), 1, frozenset((1,))),
    ]
