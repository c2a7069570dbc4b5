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

from supervisor.logger.output import Output
from supervisor.logger.reader import STREAMS, Lines, Reader
from supervisor.logger.ring import Ring
from supervisor.logger.style import Colour, Style, style_for
from supervisor.model.words import ServiceName
from supervisor.wire.logring import Progress

__all__ = ["Console", "open_consoles"]

_TURN = 524288  # bytes written before others get their turn
_AGAIN = 1.0  # seconds until a full disk is tried again
_FULL = (errno.ENOSPC, errno.EDQUOT)
_US = ServiceName("pidone")


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
        self.on_progress: Callable[[Ring], None] = lambda ring: None
        """Called when room was made in a ring."""
        self._style = style
        self._index = index
        self._streams = streams
        self._readers: dict[Ring, Reader] = {}
        self._queue: deque[Reader] = deque()
        self._out = memoryview(b"")
        self._out_of: Reader | None = None
        self._count = 0  # bytes written of what was filled in last
        self._written: dict[Reader, int] = {}  # what a predecessor had written of what comes first
        self._full = False
        self._again = 0.0

    @property
    def full(self) -> bool:
        """It waits until the output takes more."""
        return self._full

    @property
    def busy(self) -> bool:
        """It has something to write, and may."""
        return bool(self._queue or self._out) and not self._full and not self._again

    @property
    def idle(self) -> bool:
        return not self._queue and not self._out

    @property
    def wakes(self) -> float:
        """When (monotonic) a full disk is tried again; 0 for no such plan."""
        return self._again

    def attach(self, ring: Ring) -> None:
        """Write this ring from where a console with this index has got."""
        place, more = ring.progress[self._index]
        reader = Reader(ring, ring.oldest, self._touch, held=max(place, ring.oldest), streams=self._streams)
        if more:
            self._written[reader] = more
        while reader.place < reader.held:
            reader.next(until=reader.held)  # for the beginnings of the lines that were unfinished there
        reader.lost = 0
        self._readers[ring] = reader
        self._style.widen(ring.service)
        self._touch(reader)

    def detach(self, ring: Ring) -> None:
        """The ring is about to be closed; everything in it has been written, or never will be."""
        reader = self._readers.pop(ring)
        reader.leave()
        if reader.queued:
            self._queue.remove(reader)
        self._written.pop(reader, None)
        if self._out_of is reader:
            self._out_of = None

    def _touch(self, reader: Reader) -> None:
        if not reader.queued and reader.behind:
            reader.queued = True
            self._queue.append(reader)

    def behind(self, ring: Ring) -> bool:
        """Whether something of this ring has not been written."""
        reader = self._readers[ring]
        return reader.behind or self._out_of is reader

    def wake(self) -> None:
        """The output may take more now."""
        self._full = False
        self._again = 0.0

    def revive(self) -> None:
        """Try an output again that has gone."""
        self.trouble = 0
        self.wake()

    def pump(self) -> None:
        """Write until there is nothing more, the output is full, or it is others' turn."""
        budget = _TURN
        while budget > 0 and (self._out or self._queue):
            if not self._out:
                self._fill()
                budget -= 1
                continue
            try:
                count = self.output.write(self._out)
            except BlockingIOError:
                self._full = True
                self._note_stuck()
                return
            except OSError as error:
                if error.errno in _FULL:
                    self._again = time.monotonic() + _AGAIN
                    self._note_stuck()
                    return
                self.trouble = error.errno or errno.EIO
                self.lost += self._out.tobytes().count(b"\n")
                count = len(self._out)
            self._out = self._out[count:]
            self._count += count
            budget -= count
            if not self._out:
                self._done()

    def _fill(self) -> None:
        reader = self._queue.popleft()
        reader.queued = False
        self._out_of = reader
        ring = reader.ring
        lines = reader.next()
        self._touch(reader)
        if self.trouble:
            self.lost += reader.lost + sum(block.text.count(b"\n") for block in lines)
            reader.lost = 0
        else:
            self._out = memoryview(b"".join((*self._notice(reader), *(self._show(ring, block) for block in lines))))
        skipped = self._written.pop(reader, 0)
        self._out = self._out[skipped:]
        self._count = skipped
        if not self._out:
            self._done()

    def _show(self, ring: Ring, block: Lines) -> bytes:
        return self._style.show(block.text, ring.service, block.stream, block.wall)

    def _notice(self, reader: Reader) -> tuple[bytes, ...]:
        lost, reader.lost = reader.lost, 0
        if not lost:
            return ()
        text = f"{lost} lines of {reader.ring.service} are not shown: they came faster than they were read\n"
        return (self._style.show(text.encode(), _US, 1, time.time_ns()),)

    def _done(self) -> None:
        """What was filled in last has been written."""
        reader, self._out_of = self._out_of, None
        if reader is None:
            return
        reader.held = reader.place
        reader.ring.note(self._index, Progress(reader.held))
        self.on_progress(reader.ring)

    def _note_stuck(self) -> None:
        """What is half written is noted when it may stay so: a successor goes on in the middle of the line."""
        if self._count and self._out_of is not None:
            self._out_of.ring.note(self._index, Progress(self._out_of.held, self._count))


def open_consoles(colour: Colour = "auto") -> list[Console]:
    """Our stdout and stderr: one console for both where they are the same file, so that lines keep their order."""
    out, err = os.fstat(1), os.fstat(2)
    if (out.st_dev, out.st_ino, out.st_rdev) == (err.st_dev, err.st_ino, err.st_rdev):
        return [Console(Output(1), style_for(1, colour), 0, STREAMS)]
    return [
        Console(Output(1), style_for(1, colour), 0, frozenset((0,))),
        Console(Output(2), style_for(2, colour), 1, frozenset((1,))),
    ]
