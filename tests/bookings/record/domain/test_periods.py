"""Interval arithmetic, with `portion` as oracle."""

from datetime import UTC, datetime, timedelta

import portion
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.record.domain.periods import Period, clip, intersect, subtract, total_minutes, union

BASE = datetime(2026, 3, 6, tzinfo=UTC)


def period(start, length):
    return Period(BASE + timedelta(minutes=start), BASE + timedelta(minutes=start + length))


PERIODS = st.lists(st.builds(period, st.integers(0, 300), st.integers(1, 60)), max_size=12)


def interval(periods):
    return portion.Interval(*(portion.closedopen(p.start, p.end) for p in periods))


def periods(interval_):
    return [Period(i.lower, i.upper) for i in interval_ if not i.empty]


@given(PERIODS, PERIODS)
def test_as_the_oracle_says(these, those):
    assert union(these) == periods(interval(these))
    assert subtract(these, those) == periods(interval(these) - interval(those))
    assert intersect(these, those) == periods(interval(these) & interval(those))


@given(st.builds(period, st.integers(0, 300), st.integers(1, 60)), PERIODS)
def test_clipping_as_the_oracle_says(within, others):
    for other in others:
        shared = periods(interval([within]) & interval([other]))
        clipped = clip(other.start, other.end, within)
        assert ([clipped] if clipped else []) == shared
        assert within.meets(other) == bool(shared)
        assert within.contains(other) == (interval([other]) in interval([within]))
    assert clip(within.end, within.start, within) is None


@given(PERIODS, PERIODS)
def test_parts_add_up(these, those):
    whole = total_minutes(union(these))
    assert whole == total_minutes(subtract(these, those)) + total_minutes(intersect(these, those))


def test_touching_periods_do_not_meet():
    assert not period(0, 10).meets(period(10, 10))
    assert period(0, 11).meets(period(10, 10))


@pytest.mark.parametrize(
    ("start", "end"), [(BASE, BASE), (BASE + timedelta(1), BASE), (BASE.replace(tzinfo=None), BASE)]
)
def test_what_is_no_period(start, end):
    with pytest.raises(ValueError):
        Period(start, end)
