"""Can what a ring holds be read again?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.wire.logring import (
    ENDED,
    FRESH,
    RECORD,
    START,
    Progress,
    Record,
    pack_header,
    pack_record,
    records,
    unpack_header,
    unpack_record,
)

measures = st.builds(
    Record,
    *(st.integers(0, 1), st.sampled_from([0, FRESH, ENDED, FRESH | ENDED]), st.integers(0, 2**32 - 1)),
    *(st.integers(0, 2**32 - 1), st.just(0), st.integers(0, 2**64 - 1)),
)


@given(st.lists(st.tuples(measures, st.binary(max_size=40)), max_size=8), st.data())
def test_whole_records_come_back_and_a_cut_one_is_left_for_later(
    written: list[tuple[Record, bytes]], data: st.DataObject
) -> None:
    written = [(record._replace(length=len(text)), text) for record, text in written]
    stored = b"".join(pack_record(record) + text for record, text in written)
    cut = data.draw(st.integers(0, len(stored)))
    found, length = records(stored[:cut])
    whole = len(found)
    assert [(record, stored[begin:end]) for record, begin, end in found] == written[:whole]
    assert length == sum(RECORD + record.length for record, _ in written[:whole])
    assert whole == len(written) or length + RECORD + written[whole][0].length > cut


def test_what_is_no_record_is_found_out() -> None:
    with pytest.raises(ValueError, match="no record"):
        records(b"x" * RECORD)
    with pytest.raises(ValueError, match="no record"):
        unpack_record(b"x" * RECORD)
    assert unpack_record(b"x" * (RECORD - 1)) is None


def test_a_header_comes_back_and_another_file_is_none() -> None:
    header = pack_header(4711, Progress(99, 7, 3), Progress(2**40))
    assert len(header) <= START
    assert unpack_header(header) == (4711, [Progress(99, 7, 3), Progress(2**40)])
    with pytest.raises(ValueError, match="not a ring"):
        unpack_header(b"\0" * START)
    with pytest.raises(ValueError, match="too short"):
        unpack_header(header[:20])
