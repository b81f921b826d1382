"""Bids are accepted, withdrawn and given back at the same moment: one award, or a clean refusal."""

from datetime import timedelta
from functools import partial

import pytest

from accounts.domain.errors import NotFound, WrongState
from accounts.domain.roles import By
from bookings.board.domain.enquiries import STANDING
from bookings.board.models import Bid, Enquiry
from bookings.board.services import enquiries
from bookings.board.services.bids import BidValues, bid_make, bid_withdraw
from bookings.models import Occupancy, Reservation
from bookings.needs.services.needs import NeedValues, need_make
from bookings.reserving.services.holds import hold_release
from tests.concurrency.races import ALWAYS, HOUR, time_of, won

pytestmark = pytest.mark.concurrency


def asked(cast, instrument, start, now, *, slots=2):
    """An enquiry with a bid of so many slots, each an hour."""
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
    enquiry = enquiries.enquiry_make(
        By(cast.actor("wang"), now), need_id=need.pk, values=enquiries.EnquiryValues()
    )
    return enquiry, offered(cast, enquiry, instrument, start, now, slots=slots)


def offered(cast, enquiry, instrument, start, now, *, slots=1):
    return bid_make(
        By(cast.actor("zhao"), now),
        enquiry_id=enquiry.pk,
        instrument_id=instrument.pk,
        values=BidValues([start + timedelta(hours=n) for n in range(slots)], "assisted"),
    )


def award(enquiry, reservation_states):
    enquiry.refresh_from_db()
    assert enquiry.state == "awarded"
    assert sorted(reservation_states) == ["cancelled", "confirmed"]


def test_two_acceptances_make_one_award(real_cast, race, rounds, instrument):
    for round_ in range(rounds(1)):
        start, now = time_of(round_)
        enquiry, bid = asked(real_cast, instrument, start, now)
        by = By(real_cast.actor("wang"), now)
        slots = list(bid.slots.values_list("pk", flat=True))
        results = race(
            [partial(enquiries.enquiry_accept, by, enquiry_id=enquiry.pk, slot_id=pk) for pk in slots]
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
    for round_ in range(rounds(1)):
        start, now = time_of(100 + round_)
        enquiry, bid = asked(real_cast, instrument, start, now, slots=1)
        slot = bid.slots.get()
        by = By(real_cast.actor("wang"), now)
        other = (
            partial(hold_release, by, reservation_id=slot.reservation_id)
            if round_ % 2
            else partial(bid_withdraw, By(real_cast.actor("zhao"), now), bid_id=bid.pk)
        )
        results = race([partial(enquiries.enquiry_accept, by, enquiry_id=enquiry.pk, slot_id=slot.pk), other])
        refused = [each for each in results if isinstance(each, Exception)]
        assert all(isinstance(each, WrongState) for each in refused), refused
        assert len(refused) == 1
        is_booked = not isinstance(results[0], Exception)
        assert (Enquiry.objects.get(pk=enquiry.pk).state == "awarded") == is_booked
        rows = Occupancy.objects.filter(reservation=slot.reservation_id, expires_at=None)
        assert rows.exists() == is_booked


@pytest.fixture
def other(real_cast):
    return real_cast.instrument(name="Another", hours=ALWAYS)


def test_two_bids_accepted_at_once_make_one_award(real_cast, race, rounds, instrument, other):
    """Of two instruments, each with a slot: one is booked, the other comes free."""
    for round_ in range(rounds(1)):
        start, now = time_of(200 + round_)
        enquiry, first = asked(real_cast, instrument, start, now, slots=1)
        second = offered(real_cast, enquiry, other, start, now)
        by = By(real_cast.actor("wang"), now)
        slots = [bid.slots.get().pk for bid in (first, second)]
        results = race(
            [partial(enquiries.enquiry_accept, by, enquiry_id=enquiry.pk, slot_id=pk) for pk in slots * 2]
        )
        assert len(won(results)) == 1
        assert {type(each) for each in results if isinstance(each, Exception)} == {WrongState}
        slots = Reservation.objects.filter(bid_slot__bid__in=[first, second])
        award(enquiry, slots.values_list("state", flat=True))
        bids = Bid.objects.filter(enquiry=enquiry).values_list("state", flat=True)
        assert sorted(bids) == ["accepted", "declined"]
        assert Occupancy.objects.filter(reservation__in=slots).count() == 1


def test_accepted_while_it_lapses_another_bids_or_the_enquiry_ends(
    real_cast, race, rounds, instrument, other
):
    """One of two: the booking, or the end; what another offers meanwhile is declined with the
    award, or stands."""
    for round_ in range(rounds(1)):
        start, now = time_of(300 + round_)
        enquiry, bid = asked(real_cast, instrument, start, now, slots=1)
        slot = bid.slots.get()
        by = By(real_cast.actor("wang"), now)
        accept = partial(enquiries.enquiry_accept, by, enquiry_id=enquiry.pk, slot_id=slot.pk)
        against = (
            partial(enquiries.enquiries_settle, now=bid.valid_until),
            partial(enquiries.enquiry_withdraw, by, enquiry_id=enquiry.pk),
            partial(enquiries.enquiry_close, by, enquiry_id=enquiry.pk, reason="price"),
            partial(enquiries.bid_decline, by, bid_id=bid.pk),
            partial(offered, real_cast, enquiry, other, start, now),
        )[round_ % 5]
        results = race([accept, against])
        refused = [each for each in results if isinstance(each, Exception)]
        # Who comes after the end finds no enquiry to bid for.
        assert all(isinstance(each, (WrongState, NotFound)) for each in refused), refused
        is_awarded = not isinstance(results[0], Exception)
        enquiry.refresh_from_db()
        bid.refresh_from_db()
        assert (enquiry.state == "awarded", bid.state == "accepted") == (is_awarded, is_awarded)
        taken = Occupancy.objects.filter(reservation=slot.reservation_id, expires_at=None)
        assert taken.exists() == is_awarded
        standing = Bid.objects.filter(enquiry=enquiry, state__in=STANDING).count()
        if round_ % 5 == 4:  # whoever bids after the award is refused
            made = not isinstance(results[1], Exception)
            assert standing == (not is_awarded) * (1 + made)
            assert Occupancy.objects.filter(
                instrument=other, span__overlap=(start, start + HOUR)
            ).count() == (made and not is_awarded)
        else:
            assert standing == 0
            assert not Occupancy.objects.filter(
                reservation__bid_slot__bid=bid, expires_at__isnull=False
            ).exists()
