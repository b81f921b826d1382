"""Only what could be asked for counts as unmet demand."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.catalogue.domain.demand import askable
from bookings.record.domain.periods import Period
from instruments.policy.domain.policies import Policy
from tests.factories.moments import NOW

POLICY = Policy(max_minutes=240, horizon_days={"internal": 90, "other": 30})
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (1, 3, (1, 3)),
        (-5, -2, None),
        (-1, 2, (0, 2)),
        (1, 366 * 24, (1, 5)),
        (90 * 24 - 1, 90 * 24 + 2, (90 * 24 - 1, 90 * 24)),
        (90 * 24, 90 * 24 + 2, None),
    ],
)
def test_examples(start, end, kept):
    found = askable(Period(NOW + start * HOUR, NOW + end * HOUR), POLICY, NOW)
    assert found == (kept and Period(NOW + kept[0] * HOUR, NOW + kept[1] * HOUR))


@given(start=st.integers(-10_000, 200_000), minutes=st.integers(1, 600_000))
def test_it_lies_within_what_was_wanted_and_is_no_longer_than_a_booking(start, minutes):
    begin = NOW + timedelta(minutes=start)
    wanted = Period(begin, begin + timedelta(minutes=minutes))
    found = askable(wanted, POLICY, NOW)
    if found is not None:
        assert wanted.contains(found) and found.start >= NOW and found.minutes <= 240
