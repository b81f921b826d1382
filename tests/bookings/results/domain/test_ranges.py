"""Parts of files: the words of RFC 9110, and whatever else a client may write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.results.domain.ranges import Part, parse_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", Part(0, 1000)),
        ("bytes=0-", Part(0, 1000)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=500-999", Part(500, 1000)),
        ("bytes=500-5000", Part(500, 1000)),
        ("bytes = 500-600 ", Part(500, 601)),
        ("bytes=-1", Part(999, 1000)),
        ("bytes=-5000", Part(0, 1000)),
        # Not satisfiable
        ("bytes=1000-", None),
        ("bytes=1000-1001", None),
        ("bytes=-0", None),
        # Several, and what is no range: the whole
        ("bytes=0-1,5-6", Part(0, 1000)),
        ("bytes=5-1", Part(0, 1000)),
        ("bytes=-", Part(0, 1000)),
        ("bytes=--1", Part(0, 1000)),
        ("bytes=1-2-3", Part(0, 1000)),
        ("items=0-1", Part(0, 1000)),
        ("bytes=٠-١", Part(0, 1000)),
        ("bytes=" + "9" * 400 + "-", Part(0, 1000)),
    ],
)
def test_a_header_names_one_part(header, part):
    assert parse_range(header, 1000) == part


@pytest.mark.parametrize(
    ("header", "part"), [("", Part(0, 0)), ("bytes=0-", None), ("bytes=-1", None)]
)
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
    assert parse_range(f"bytes={first}-{last}", size) == Part(first, last + 1)
    assert parse_range(f"bytes=-{size - first}", size) == Part(first, size)
