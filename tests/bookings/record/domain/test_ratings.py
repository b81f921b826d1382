"""Ratings: who may rate until when, and which mean is shown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, WrongState
from bookings.record.domain import ratings

END = datetime(2026, 3, 6, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def rated(rater: int, organisation: int, rating: int | None, usable: int | None = None) -> ratings.Rateable:
    return ratings.Rateable(UUID(int=rater), UUID(int=organisation), rating, usable)


FIVE = [rated(n, n % 3, 5, 5) for n in range(5)]


def test_a_session_is_rated_once_within_thirty_days() -> None:
    ratings.require_rateable(ended_at=END, rated_at=None, now=END + 30 * DAY - timedelta(seconds=1))
    with pytest.raises(WrongState) as late:
        ratings.require_rateable(ended_at=END, rated_at=None, now=END + 30 * DAY)
    assert late.value.code == "rating-too-late"
    with pytest.raises(WrongState) as again:
        ratings.require_rateable(ended_at=END, rated_at=END + DAY, now=END + DAY)
    assert again.value.code == "rated-already"


def test_an_answer_is_edited_for_a_day() -> None:
    ratings.require_answerable(answered_at=None, now=END)
    ratings.require_answerable(answered_at=END, now=END + DAY - timedelta(seconds=1))
    with pytest.raises(WrongState):
        ratings.require_answerable(answered_at=END, now=END + DAY)


@pytest.mark.parametrize("mark", [0, 6, -1])
def test_a_mark_is_from_one_to_five(mark: int) -> None:
    with pytest.raises(Invalid):
        ratings.check_mark("usable", mark)


def test_the_mean_leans_towards_that_of_its_techniques() -> None:
    """Five ratings of 5 where the technique's mean is 4: (10 x 4 + 25) / 15."""
    shown = ratings.shown_rating([*FIVE, rated(9, 9, None)], [(5, 25), (15, 55)])
    assert shown is not None
    assert shown.mean == Decimal("4.33")
    assert (shown.ratings, shown.raters, shown.organisations) == (5, 5, 3)
    assert (shown.not_usable, shown.response) == (Decimal("0.000"), Decimal("0.833"))


def test_an_instrument_without_a_technique_stands_for_itself() -> None:
    shown = ratings.shown_rating(FIVE, [])
    assert shown is not None and shown.mean == Decimal("5.00")


@pytest.mark.parametrize(
    "sessions",
    [
        [],
        FIVE[:4],
        [rated(n, n % 2, 5) for n in range(9)],  # of two organisations
        [rated(n % 4, n % 3, 5) for n in range(12)],  # by four people
        [*FIVE[:4], rated(9, 9, None)],  # the fifth has not rated
    ],
)
def test_too_few_show_nothing(sessions: list[ratings.Rateable]) -> None:
    assert ratings.shown_rating(sessions, [(100, 400)]) is None


def test_the_share_of_results_that_were_not_usable() -> None:
    sessions = [rated(n, n % 3, 4, mark) for n, mark in enumerate([1, 2, 3, None, 5])]
    shown = ratings.shown_rating(sessions, [])
    assert shown is not None and shown.not_usable == Decimal("0.500")
    unmarked = ratings.shown_rating([rated(n, n % 3, 4) for n in range(5)], [])
    assert unmarked is not None and unmarked.not_usable is None


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(1, 5)), min_size=5, max_size=30),
    st.lists(st.integers(1, 5), max_size=50),
)
def test_the_mean_lies_between_its_own_and_that_of_its_techniques(
    given_ratings: list[tuple[int, int, int]], elsewhere: list[int]
) -> None:
    sessions = [rated(*one) for one in given_ratings]
    own = [one[2] for one in given_ratings]
    every = own + elsewhere
    shown = ratings.shown_rating(sessions, [(len(every), sum(every))])
    if shown is None:
        return
    means = [Decimal(sum(x)) / len(x) for x in (own, every)]
    half_a_cent = Decimal("0.005")
    assert min(means) - half_a_cent <= shown.mean <= max(means) + half_a_cent
    assert shown.response == 1
