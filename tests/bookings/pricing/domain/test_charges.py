"""Who owes what when a booking ends unused."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.charging.domain.corrections import charged_again
from bookings.pricing.domain.charges import Ending, charge
from bookings.record.domain.reservations import is_own, settled_state
from tests.bookings.pricing.domain.test_fees import EXAMPLE
from tests.factories.moments import at

PERSON, MAKER, OTHER = uuid4(), uuid4(), uuid4()
START, END = at("2026-03-06 10:00"), at("2026-03-06 12:00")


@pytest.mark.parametrize(("actor", "own"), [(PERSON, True), (MAKER, True), (OTHER, False), (None, False)])
def test_a_booking_is_its_persons_and_its_makers_own(actor, own):
    assert is_own(actor, person=PERSON, maker=MAKER) is own


@pytest.mark.parametrize(
    ("check_in_minutes", "now", "state"),
    [
        (15, "2026-03-06 10:14", None),
        (15, "2026-03-06 10:15", "no_show"),
        (15, "2026-03-06 13:00", "no_show"),
        (None, "2026-03-06 11:59", None),
        (None, "2026-03-06 12:00", "completed"),
    ],
)
def test_what_a_booking_nobody_checked_in_to_has_become(check_in_minutes, now, state):
    assert settled_state(START, END, check_in_minutes, at(now)) == state


def ended(
    state: str, at: datetime, by_host: bool, confirmed: bool, least: int, cut: int, thought: bool = False
) -> Ending:
    return Ending(
        state,
        at,
        confirmed,
        by_host,
        is_second_thought=thought,
        least_percent=Decimal(least),
        shortening_fee=Decimal(cut),
    )


@given(
    minutes=st.integers(0, 10000),
    confirmed=st.booleans(),
    least=st.integers(0, 100),
    cut=st.integers(0, 50),
    thought=st.booleans(),
)
def test_displacing_ones_own_comes_to_what_cancelling_does(minutes, confirmed, least, cut, thought):
    moment = EXAMPLE.start - timedelta(minutes=minutes)
    # Only what was confirmed owes anything for having been shortened.
    values = (moment, False, confirmed, least, cut if confirmed else 0, thought)
    cancelled = charge(EXAMPLE, ended("cancelled", *values))
    displaced = charge(EXAMPLE, ended("displaced", *values))
    assert (cancelled is None) == (displaced is None)
    if displaced is not None and cancelled is not None:
        assert (displaced.kind, displaced.tax, displaced.total, displaced.payable) == (
            "cancellation",
            cancelled.tax,
            cancelled.total,
            cancelled.payable,
        )
        again = charged_again(displaced.kind, displaced.inputs)
        assert (again.total, again.result) == (displaced.total, displaced.result)


@given(
    minutes=st.integers(0, 10000), confirmed=st.booleans(), least=st.integers(0, 100), cut=st.integers(0, 50)
)
def test_what_the_host_displaces_is_free(minutes, confirmed, least, cut):
    moment = EXAMPLE.start - timedelta(minutes=minutes)
    assert charge(EXAMPLE, ended("displaced", moment, True, confirmed, least, cut)) is None
