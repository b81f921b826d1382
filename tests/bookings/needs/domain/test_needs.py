"""The state of a need follows from what has come of it."""

from datetime import UTC, datetime, timedelta

import pytest

from bookings.needs.domain.needs import Outcome, is_searching, may_ask, need_state

NOW = datetime(2026, 3, 5, 4, tzinfo=UTC)
SOON, PAST = NOW + timedelta(hours=1), NOW - timedelta(hours=1)


def outcome(is_withdrawn=False, latest=SOON, **given):
    return Outcome(is_withdrawn, latest, **given)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "open"),
        ({"latest": NOW}, "over"),
        ({"is_withdrawn": True}, "withdrawn"),
        ({"asked_until": SOON}, "asked"),
        ({"asked_until": NOW}, "open"),
        ({"asked_until": SOON, "bids_until": SOON}, "offered"),
        ({"asked_until": SOON, "bids_until": PAST}, "asked"),
        ({"bids_until": SOON}, "open"),  # of an enquiry that is closed
        ({"kept_until": SOON}, "offered"),
        ({"kept_until": PAST}, "open"),
        ({"booking": "requested"}, "booked"),
        ({"booking": "confirmed", "latest": PAST}, "booked"),
        ({"booking": "completed", "latest": PAST}, "done"),
        ({"booking": "cancelled"}, "open"),
        ({"booking": "no_show", "latest": PAST}, "over"),
        ({"booking": "confirmed", "is_withdrawn": True}, "booked"),
    ],
)
def test_state(given, state):
    assert need_state(outcome(**given), NOW) == state
    assert is_searching(state) == (state in ("open", "asked", "offered"))


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ({}, True),
        ({"kept_until": SOON}, True),  # by a batch: hosts may offer more
        ({"asked_until": SOON}, False),
        ({"asked_until": PAST}, True),
        ({"booking": "confirmed"}, False),
        ({"booking": "cancelled"}, True),
        ({"is_withdrawn": True}, False),
        ({"latest": PAST}, False),
    ],
)
def test_hosts_are_asked_once_at_a_time(given, may):
    assert may_ask(outcome(**given), NOW) == may
