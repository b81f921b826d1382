"""When a purchase may be planned for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import WrongState
from bookings.planning.domain.plans import YEARS_AHEAD, problems_of_time, require_planned

TODAY = date(2026, 5, 20)


@pytest.mark.parametrize(
    ("year", "quarter", "problem"),
    [
        (2026, 2, None),
        (2026, None, None),
        (2026, 1, ("quarter", "plan-past")),
        (2025, 4, ("year", "plan-past")),
        (2029, 4, None),
        (2030, 1, ("year", "plan-too-far")),
    ],
)
def test_from_this_quarter_to_three_years_ahead(year, quarter, problem):
    found = problems_of_time(year, quarter, TODAY)
    assert [(each.field, each.code) for each in found] == ([problem] if problem else [])


@given(st.dates(date(2020, 1, 1), date(2100, 12, 31)), st.integers(1990, 2110), st.integers(1, 4))
def test_a_quarter_fits_just_if_it_is_not_over_and_not_too_far(today, year, quarter):
    begun = (today.month - 1) // 3 + 1
    fits = (today.year, begun) <= (year, quarter) and year <= today.year + YEARS_AHEAD
    assert (problems_of_time(year, quarter, today) == []) is fits


def test_what_is_over_is_no_longer_changed():
    require_planned("planned")
    for state in ("dropped", "became_case"):
        with pytest.raises(WrongState) as refused:
            require_planned(state)
        assert refused.value.code == "plan-over"
