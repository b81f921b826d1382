"""Parts of files: the words of RFC 9110, and whatever else a client may write."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.results.domain.ranges import MOST_PARTS, ByteRange, covered, is_scattered, joined, parse_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", ByteRange(0, 1000)),
        ("bytes=0-", ByteRange(0, 1000)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=500-999", ByteRange(500, 1000)),
        ("bytes=500-5000", ByteRange(500, 1000)),
        ("bytes = 500-600 ", ByteRange(500, 601)),
        ("bytes=-1", ByteRange(999, 1000)),
        ("bytes=-5000", ByteRange(0, 1000)),
        # Not satisfiable
        ("bytes=1000-", None),
        ("bytes=1000-1001", None),
        ("bytes=-0", None),
        # Several, and what is no range: the whole
        ("bytes=0-1,5-6", ByteRange(0, 1000)),
        ("bytes=5-1", ByteRange(0, 1000)),
        ("bytes=-", ByteRange(0, 1000)),
        ("bytes=--1", ByteRange(0, 1000)),
        ("bytes=1-2-3", ByteRange(0, 1000)),
        ("items=0-1", ByteRange(0, 1000)),
        ("bytes=٠-١", ByteRange(0, 1000)),
        ("bytes=" + "9" * 400 + "-", ByteRange(0, 1000)),
    ],
)
def test_a_header_names_one_part(header, part):
    assert parse_range(header, 1000) == part


@pytest.mark.parametrize(("header", "part"), [("", ByteRange(0, 0)), ("bytes=0-", None), ("bytes=-1", None)])
def test_an_empty_file_has_no_part(header, part):
    assert parse_range(header, 0) == part


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), st.integers(0, 99))
def test_whatever_is_asked_for_lies_in_the_file(header, size):
    part = parse_range(header, size)
    assert part is None or 0 <= part.start <= part.end <= size


@given(st.data(), st.integers(1, 10**12))
def test_a_part_in_the_file_is_given_as_asked_for(data, size):
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    assert parse_range(f"bytes={first}-{last}", size) == ByteRange(first, last + 1)
    assert parse_range(f"bytes=-{size - first}", size) == ByteRange(first, size)


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(list), max_size=30)


@given(st.lists(SPANS, max_size=4), st.randoms())
def test_the_union_of_parts_has_each_byte_once_whatever_their_order(taken, luck):
    union = joined(*taken)
    spans = [span for parts in taken for span in parts]
    assert {n for a, b in union for n in range(a, b)} == {n for a, b in spans for n in range(a, b)}
    assert covered(union) == len({n for a, b in spans for n in range(a, b)})
    # In order, and none touches the next.
    assert all(a < b for a, b in union)
    assert all(b < c for (_, b), (c, _) in itertools.pairwise(union))
    luck.shuffle(spans)
    one_by_one: list[list[int]] = []
    for span in spans:
        one_by_one = joined(one_by_one, [span])
    assert one_by_one == union


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 3)), max_size=400))
def test_what_is_kept_of_a_reader_stays_small(asked):
    parts: list[list[int]] = []
    for start, length in asked:
        part = ByteRange(start, start + length)
        part = ByteRange(0, 2003) if is_scattered(parts, part) else part
        parts = joined(parts, [[part.start, part.end]])
        assert len(parts) <= MOST_PARTS + 1


def test_a_file_in_too_many_pieces_is_given_whole():
    parts = [[2 * n, 2 * n + 1] for n in range(1, MOST_PARTS + 1)]
    assert is_scattered(parts, ByteRange(500, 501))
    # What joins on, fills a gap or begins the file makes no more pieces than there may be.
    for part in (ByteRange(3, 4), ByteRange(2 * MOST_PARTS + 1, 500), ByteRange(0, 1), ByteRange(0, 9000)):
        assert not is_scattered(parts, part)
