"""Norm hours: dated, by scheme and kind, added up by days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.hours.domain.norms import check_norm, norm_minutes, norms_of

YEAR = {2025: {"general": 1}, 2026: {"general": 1}}


def test_a_whole_year_has_the_whole_norm():
    assert norm_minutes(YEAR, norms_of("nrii", []), date(2025, 1, 1), date(2026, 1, 1)) == 84_000
    units = {2024: {"general": 2, "dedicated": 3, "1200": 1}}
    assert norm_minutes(units, norms_of("nrii", []), date(2024, 1, 1), date(2025, 1, 1)) == 60 * (
        2 * 1400 + 3 * 800 + 1200
    )
    assert norm_minutes(units, norms_of("survey", []), date(2024, 1, 1), date(2025, 1, 1)) == 60 * (
        5 * 1600 + 1200
    )


def test_next_years_norm_leaves_last_years_as_it_was():
    before = norms_of("nrii", [])
    after = norms_of("nrii", [("general", date(2026, 1, 1), 1500)])
    last, this = (date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 1))
    assert norm_minutes(YEAR, after, *last) == norm_minutes(YEAR, before, *last) == 84_000
    assert norm_minutes(YEAR, after, *this) == 90_000
    assert norm_minutes(YEAR, after, last[0], this[1]) == 174_000


@given(st.integers(0, 730), st.integers(0, 730), st.integers(1, 8784))
def test_parts_add_up(cut, changed, hours):
    """But for what is rounded in each."""
    first, last = date(2025, 1, 1), date(2027, 1, 1)
    norms = norms_of("nrii", [("general", first + timedelta(days=changed), hours)])
    between = first + timedelta(days=cut)
    parts = norm_minutes(YEAR, norms, first, between) + norm_minutes(YEAR, norms, between, last)
    assert abs(parts - norm_minutes(YEAR, norms, first, last)) <= 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"scheme": "other"}, ("scheme", "unknown-choice")),
        ({"kind": "special"}, ("kind", "unknown-choice")),
        ({"hours": 0}, ("hours", "out-of-range")),
        ({"hours": 8785}, ("hours", "out-of-range")),
        ({"valid_from": date(2025, 12, 31)}, ("valid_from", "norm-of-a-past-year")),
    ],
)
def test_what_may_not_be_entered(changes, problem):
    said = {"scheme": "nrii", "kind": "general", "hours": 1500, "valid_from": date(2026, 1, 1)}
    check_norm(**said, today=date(2026, 11, 1))
    with pytest.raises(Invalid) as refused:
        check_norm(**(said | changes), today=date(2026, 11, 1))
    assert [(p.field, p.code) for p in refused.value.problems] == [problem]
