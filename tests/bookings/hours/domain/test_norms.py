"""Norm hours: dated, by scheme and kind, added up by days."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.hours.domain.norms import Offered, check_norm, norm_minutes, norm_share, norms_of

YEAR = [Offered("general", 1, date(2025, 1, 1), date(2027, 1, 1))]
NORMS = norms_of("nrii", [])


def test_a_whole_year_has_the_whole_norm():
    assert norm_minutes(YEAR, NORMS, date(2025, 1, 1), date(2026, 1, 1)) == 84_000
    leap = (date(2024, 1, 1), date(2025, 1, 1))
    offered = [Offered("general", 2, *leap), Offered("dedicated", 3, *leap),
               Offered("1200", 1, *leap)]  # fmt: skip
    assert norm_minutes(offered, NORMS) == 60 * (2 * 1400 + 3 * 800 + 1200)
    assert norm_minutes(offered, norms_of("survey", [])) == 60 * (5 * 1600 + 1200)


def test_a_part_of_a_year_has_its_share():
    half = [Offered("730", 1, date(2025, 1, 1), date(2025, 7, 2))]
    assert norm_minutes(half, NORMS) == 182 * 2 * 60
    # Whatever days are named, those not on offer do not count.
    assert norm_minutes(half, NORMS, date(2025, 7, 1), date(2030, 1, 1)) == 120
    assert norm_minutes(half, NORMS, date(2025, 7, 2), date(2030, 1, 1)) == 0
    assert norm_minutes([], NORMS) == 0
    assert norm_minutes([Offered("0", 1, date(2025, 1, 1), date(2026, 1, 1))], NORMS) == 0


def test_a_share_of_no_norm_is_unknown():
    assert norm_share(60, 0) is None
    assert norm_share(90, 60) == Fraction(3, 2)


def test_next_years_norm_leaves_last_years_as_it_was():
    after = norms_of("nrii", [("general", date(2026, 1, 1), 1500)])
    last, this = (date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 1))
    assert norm_minutes(YEAR, after, *last) == norm_minutes(YEAR, NORMS, *last) == 84_000
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
    # What was on offer in two parts is what was on offer in one.
    both = [Offered("general", 1, first, between), Offered("general", 1, between, last)]
    assert norm_minutes(both, norms) == norm_minutes(YEAR, norms)


@given(st.integers(1, 5), st.integers(0, 800), st.integers(0, 400), st.integers(0, 400))
def test_it_grows_with_units_and_never_with_days_not_on_offer(units, begins, length, beyond):
    since = date(2025, 1, 1) + timedelta(days=begins)
    until = since + timedelta(days=length)
    one, many = ([Offered("general", n, since, until)] for n in (1, units))
    assert abs(norm_minutes(many, NORMS) - units * norm_minutes(one, NORMS)) <= units
    assert norm_minutes(many, NORMS, since - timedelta(days=beyond)) == norm_minutes(many, NORMS)
    later = until + timedelta(days=beyond)
    assert norm_minutes(many, NORMS, until=later) == norm_minutes(many, NORMS)


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
