"""Rules of conversations."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, WrongState
from bookings.conversation.domain.threads import (
    ANSWER_WITHIN,
    LONGEST_TEXT,
    MOST_AN_HOUR,
    MOST_COMMENTS,
    TOGETHER,
    WITHDRAWABLE,
    answer_until,
    check_room,
    check_text,
    check_withdrawable,
    other,
    state_of,
    told_at,
)

NOW = datetime(2026, 3, 5, 4, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def test_the_other_side():
    assert (other("host"), other("requester")) == ("requester", "host")


def test_a_text_is_trimmed_and_its_lines_end_alike():
    assert check_text("  a\r\nb\rc \n", is_needed=True) == "a\nb\nc"
    assert check_text("   ", is_needed=False) == ""


@pytest.mark.parametrize(("text", "code"), [("  \r\n ", "required"), ("文" * (LONGEST_TEXT + 1), "too-long")])
def test_a_text_that_is_none_or_too_long(text, code):
    with pytest.raises(Invalid) as refused:
        check_text(text, is_needed=True)
    assert [(p.field, p.code) for p in refused.value.problems] == [("text", code)]


def test_four_thousand_lines_ends_and_all_are_counted_once():
    assert len(check_text("a\r\n" * 1999 + "ab", is_needed=True)) == 4000


def test_room_runs_out():
    check_room(MOST_COMMENTS - 1, MOST_AN_HOUR - 1)
    for there, lately, code in (
        (MOST_COMMENTS, 0, "conversation-full"),
        (0, MOST_AN_HOUR, "too-many-comments"),
    ):
        with pytest.raises(WrongState) as refused:
            check_room(there, lately)
        assert refused.value.code == code


def test_withdrawn_within_a_quarter_of_an_hour_only():
    check_withdrawable(NOW, NOW + WITHDRAWABLE - timedelta(seconds=1))
    with pytest.raises(WrongState, match="too-late-to-withdraw"):
        check_withdrawable(NOW, NOW + WITHDRAWABLE)


@given(MOMENTS, MOMENTS)
def test_comments_are_told_of_together_and_soon(one, another):
    told = told_at(one)
    assert timedelta(0) < told - one <= TOGETHER
    if told_at(another) == told:
        assert abs(one - another) < TOGETHER
    assert told_at(told - timedelta(microseconds=1)) == told
    assert told_at(told - TOGETHER) == told


def test_a_proposed_time_lapses_with_the_first_moment_to_come():
    hour = timedelta(hours=1)
    assert answer_until(NOW, [None, NOW - hour]) == NOW + ANSWER_WITHIN
    assert answer_until(NOW, [NOW + 5 * hour, NOW + 2 * hour, NOW - hour]) == NOW + 2 * hour


@pytest.mark.parametrize(
    ("state", "until", "version", "now_state"),
    [
        ("open", 1, 3, "open"),
        ("open", 0, 3, "lapsed"),
        ("open", 1, 4, "lapsed"),
        ("accepted", 0, 4, "accepted"),
        ("declined", 0, 3, "declined"),
    ],
)
def test_only_what_is_open_lapses(state, until, version, now_state):
    until_at = NOW + until * timedelta(minutes=1)
    assert state_of(state, until=until_at, proposed_for=3, version=version, now=NOW) == now_state
