"""Bids are accepted, withdrawn and given back at the same moment: one award, or a clean refusal."""

from datetime import timedelta
from functools import partial

import pytest

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from bookings.board.models import Bid, Enquiry
from bookings.board.services.bids import BidValues, bid_make, bid_withdraw
from bookings.board.services.enquiries import EnquiryValues, enquiry_accept, enquiry_make
from bookings.models import Occupancy, Reservation
from bookings.needs.services.needs import NeedValues, need_make
from bookings.reserving.services.holds import hold_release
from tests.concurrency.races import time_of, won

pytestmark = pytest.mark.concurrency


def asked(cast, instrument, start, now, *, slots=2):
    """An enquiry with a bid of so many slots, each an hour and a day apart."""
    need = need_make(
        By(cast.actor("wang"), now),
        values=NeedValues(
            text="electron microscopy",
            terms=[cast.technique.code],
            earliest=start,
            latest=start + timedelta(days=2),
            minutes=60,
        ),
    )
    enquiry = enquiry_make(By(cast.actor("wang"), now), need_id=need.pk, values=EnquiryValues())
    starts = [start + timedelta(hours=n) for n in range(slots)]
    bid = bid_make(
        By(cast.actor("zhao"), now),
        enquiry_id=enquiry.pk,
        instrument_id=instrument.pk,
        values=BidValues(starts, "assisted"),
    )
    return enquiry, bid


def award(enquiry, reservation_states):
    enquiry.refresh_from_db()
    assert enquiry.state == "awarded"
    assert sorted(reservation_states) == ["cancelled", "confirmed"]


def test_two_acceptances_make_one_award(real_cast, race, rounds, instrument):
    for round_ in range(rounds(10)):
        start, now = time_of(round_)
        enquiry, bid = asked(real_cast, instrument, start, now)
        by = By(real_cast.actor("wang"), now)
        slots = list(bid.slots.values_list("pk", flat=True))
        results = race(
            [partial(enquiry_accept, by, enquiry_id=enquiry.pk, slot_id=pk) for pk in slots]
        )
        assert len(won(results)) == 1
        assert [type(each) for each in results if isinstance(each, Exception)] == [WrongState]
        states = Reservation.objects.filter(bid_slot__bid=bid).values_list("state", flat=True)
        award(enquiry, states)
        assert Bid.objects.get(pk=bid.pk).state == "accepted"


def test_a_bid_is_accepted_while_its_slot_is_given_back_or_it_is_withdrawn(
    real_cast, race, rounds, instrument
):
    """Either it is booked, or nothing of it is left."""
    for round_ in range(rounds(10)):
        start, now = time_of(100 + round_)
        enquiry, bid = asked(real_cast, instrument, start, now, slots=1)
        slot = bid.slots.get()
        by = By(real_cast.actor("wang"), now)
        other = (
            partial(hold_release, by, reservation_id=slot.reservation_id)
            if round_ % 2
            else partial(bid_withdraw, By(real_cast.actor("zhao"), now), bid_id=bid.pk)
        )
        results = race([partial(enquiry_accept, by, enquiry_id=enquiry.pk, slot_id=slot.pk), other])
        refused = [each for each in results if isinstance(each, Exception)]
        assert all(isinstance(each, WrongState) for each in refused), refused
        assert len(refused) == 1
        is_booked = not isinstance(results[0], Exception)
        assert (Enquiry.objects.get(pk=enquiry.pk).state == "awarded") == is_booked
        rows = Occupancy.objects.filter(reservation=slot.reservation_id, expires_at=None)
        assert rows.exists() == is_booked
