"""In which region an organisation lies on a day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.regions import Move, region_on, regions_held

FIRST = date(2026, 4, 1)
MOVES = [Move(FIRST, "a", "b"), Move(date(2027, 1, 1), "b", "c")]


def test_the_day_itself_belongs_to_the_new_region():
    days = [FIRST - timedelta(days=1), FIRST, date(2026, 12, 31), date(2027, 1, 1)]
    assert [region_on(MOVES, day, "b") for day in days] == ["a", "b", "b", "c"]


def test_without_moves_it_is_the_region_of_today():
    assert region_on([], FIRST, "a") == "a"
    assert regions_held([], "a") == [(date.min, None, "a")]


@given(
    st.lists(st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1)), unique=True, max_size=5),
    st.dates(min_value=date(2019, 1, 1), max_value=date(2031, 1, 1)),
    st.randoms(),
)
def test_every_day_lies_in_exactly_one_region_whatever_the_order_of_the_moves(days, day, random):
    moves = [Move(first, n, n + 1) for n, first in enumerate(sorted(days))]
    random.shuffle(moves)
    held = regions_held(moves, 0)
    begun = sum(first <= day for first in days)
    assert region_on(moves, day, 0) == begun
    assert [r for first, until, r in held if first <= day and (until is None or day < until)] == [begun]
