"""Until when slots are kept."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bookings.reserving.domain.holds import SLOTS_HELD, slot_deadline

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@given(st.integers(-100, 200), st.integers(-100, 200), st.integers(0, 10_000))
def test_a_slot_is_kept_no_longer_than_the_bid_two_days_or_the_notice(starts, ends, notice):
    start, until = NOW + timedelta(hours=starts), NOW + timedelta(hours=ends)
    deadline = slot_deadline(start, until, notice, NOW)
    limits = (until, NOW + SLOTS_HELD, start - timedelta(minutes=notice))
    assert deadline == (min(limits) if min(limits) > NOW else None)
