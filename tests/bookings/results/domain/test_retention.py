"""When results go, and when one is told: the clock moved."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, WrongState
from bookings.results.domain import retention

END = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "told", "due"),
    [
        (31 * DAY, None, None),
        (30 * DAY, None, 30),
        (29 * DAY, 30, None),
        (7 * DAY, 30, 7),
        (6 * DAY, 7, None),
        (DAY, 7, 1),
        (timedelta(hours=2), 1, None),
        # Two were missed: one is given for both.
        (timedelta(hours=2), 30, 1),
        # Released for less than a month.
        (5 * DAY, None, 7),
    ],
)
def test_each_warning_comes_when_its_day_has(left, told, due):
    assert retention.warning_due(END, told, END - left) == due


@given(st.lists(st.integers(0, 24 * 60), min_size=1), st.integers(0, 60))
def test_however_often_the_job_runs_each_warning_is_given_at_most_once(hours, days):
    told, given_days = None, []
    for hour in sorted(hours, reverse=True):
        due = retention.warning_due(END, told, END - timedelta(hours=hour))
        if due is not None:
            given_days.append(due)
            told = due
    assert given_days == sorted(set(given_days), reverse=True)
    assert set(given_days) <= set(retention.WARN_DAYS)


def test_nothing_is_purged_before_its_day_or_while_it_is_held():
    assert not retention.is_purgeable(END, False, END - timedelta(seconds=1))
    assert retention.is_purgeable(END, False, END)
    assert not retention.is_purgeable(END, True, END + 1000 * DAY)
    assert not retention.is_purgeable(None, False, END)


def test_a_retention_is_made_longer_up_to_the_most():
    released = END - 90 * DAY
    assert retention.extended(END, 30, released, 365) == END + 30 * DAY
    assert retention.extended(END, 275, released, 365) == END + 275 * DAY
    with pytest.raises(Invalid) as refused:
        retention.extended(END, 276, released, 365)
    assert refused.value.problems[0].code == "kept-too-long"


def test_all_is_collected_by_the_package_or_by_every_file():
    assert retention.is_collected(["a", "b"], {""})
    assert retention.is_collected(["a", "b"], {"a", "b"})
    assert not retention.is_collected(["a", "b"], {"a"})
    assert not retention.is_collected(["a"], set())


def test_a_link_has_an_end_and_there_are_not_too_many():
    retention.check_link(END + DAY, END, retention.MOST_LINKS - 1)
    for wrong in (END, END - DAY, END + 366 * DAY):
        with pytest.raises(Invalid):
            retention.check_link(wrong, END, 0)
    with pytest.raises(WrongState):
        retention.check_link(END + DAY, END, retention.MOST_LINKS)
