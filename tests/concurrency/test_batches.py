"""Batches, bids, bookings and cancellations meet at one time: nobody is booked twice, nothing is
lost."""

from datetime import timedelta
from functools import partial

import pytest

from accounts.domain.errors import Refused, WrongState
from accounts.domain.roles import By
from accounts.models import JobFailure
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import EnquiryValues, enquiry_make, enquiry_withdraw
from bookings.models import Occupancy, Reservation
from bookings.needs.models import BatchPlace
from bookings.needs.services import batches
from bookings.needs.services.needs import NeedValues, need_make, need_withdraw
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_request,
    reservations_lapse,
)
from instruments.search.models import SearchEntry
from tests.concurrency.races import HOUR, booking, consistent, time_of
from tests.conftest import DEEP

pytestmark = pytest.mark.concurrency

ROUNDS = 200 if DEEP else 9


@pytest.fixture
def instrument(instrument):
    """The only one that answers a need."""
    SearchEntry.objects.exclude(pk=instrument.pk).update(is_published=False)
    return instrument


def need_of(cast, who, start, now, **values):
    return need_make(
        By(cast.actor(who), now),
        values=NeedValues(
            text="electron microscopy",
            terms=[cast.technique.code],
            earliest=start,
            latest=start + HOUR,
            minutes=60,
            **values,
        ),
    )


def batch_of(cast, start, now):
    """A batch in whose window a fifth of the open hours is an hour."""
    by = By(cast.actor("xu"), now)
    return batches.batch_start(by, region="CN-SH", starts_at=start, ends_at=start + 5 * HOUR)


def bidding(cast, instrument, start, now):
    """An enquiry, and the act that bids for it with this time."""
    need = need_of(cast, "hu", start, now)
    enquiry = enquiry_make(By(cast.actor("hu"), now), need_id=need.pk, values=EnquiryValues())
    bid = partial(
        bid_make,
        By(cast.actor("zhao"), now),
        enquiry_id=enquiry.pk,
        instrument_id=instrument.pk,
        values=BidValues([start], "assisted"),
    )
    return enquiry, bid


def judged(batch, need, instrument, start, others):
    """The batch came to its end; of the time at most one holds it, who says so."""
    batch.refresh_from_db()
    assert batch.state == "placed"
    assert not JobFailure.objects.exists()
    place = BatchPlace.objects.get(need=need)
    is_offered = place.state == "offered"
    assert not is_offered or place.reservation.instrument == instrument
    live = Reservation.objects.filter(
        instrument=instrument, start_at=start, state__in=["held", "requested", "confirmed"]
    )
    won = [other for other in others if not isinstance(other, Refused)]
    assert live.count() == is_offered + len(won) <= 1
    assert is_offered == live.filter(held_for="batch", batch_place=place).exists()
    return is_offered


@pytest.mark.parametrize("is_free", [True, False], ids=["free", "cancelled just then"])
def test_a_batch_a_bid_and_a_cancellation_meet_at_one_time(real_cast, race, instrument, is_free):
    cast = real_cast
    for round_ in range(ROUNDS):
        start, now = time_of(round_)
        by_sun = By(cast.actor("sun"), now)
        need = need_of(cast, "wang", start, now, is_flexible=True)
        enquiry, bid = bidding(cast, instrument, start, now)
        batch = batch_of(cast, start, now)
        wish = booking(instrument, start)
        if is_free:
            third = partial(reservation_request, by_sun, booking=wish)
        else:
            booked = reservation_request(by_sun, booking=wish)
            third = partial(reservation_cancel, by_sun, reservation_id=booked.pk, reason="")
        _, made, other = race([partial(batches.batches_place, now=now), bid, third])
        if not is_free:
            assert not isinstance(other, Refused)
        judged(batch, need, instrument, start, [made, other] if is_free else [made])
        enquiry_withdraw(By(cast.actor("hu"), now), enquiry_id=enquiry.pk)
        need_withdraw(By(cast.actor("hu"), now), need_id=enquiry.need_id)
        need_withdraw(By(cast.actor("wang"), now), need_id=need.pk)
        assert not Reservation.objects.filter(state="held").exists()
    consistent()


def test_a_time_is_accepted_given_back_withdrawn_and_lapses_at_once(real_cast, race, instrument):
    """Either it is booked, or nothing of it is left."""
    cast = real_cast
    for round_ in range(ROUNDS):
        start, now = time_of(round_)
        need = need_of(cast, "wang", start, now, is_flexible=True)
        batch_of(cast, start, now)
        batches.batches_place(now=now)
        place = BatchPlace.objects.get(need=need)
        assert place.state == "offered"
        by = By(cast.actor("wang"), now)
        late = now + timedelta(hours=48)
        others = [
            partial(batches.batch_place_give_back, by, place_id=place.pk),
            partial(need_withdraw, by, need_id=need.pk),
            partial(reservations_lapse, now=late),
        ]
        accepted, other, settled = race(
            [
                partial(batches.batch_place_accept, by, place_id=place.pk),
                others[round_ % 3],
                partial(batches.batch_places_settle, now=late),
            ]
        )
        assert not isinstance(settled, Refused)
        assert isinstance(accepted, WrongState | Reservation)
        place.refresh_from_db()
        hold = place.reservation
        is_booked = isinstance(accepted, Reservation)
        assert is_booked == (hold.state == "confirmed") == (place.state == "accepted")
        if not is_booked and round_ % 3 == 0:  # a need is withdrawn whatever became of its place
            assert isinstance(other, Refused) == (place.state == "lapsed")
        kept = Occupancy.objects.filter(reservation=hold)
        assert kept.filter(expires_at=None).exists() == is_booked
        reservations_lapse(now=late)
        batches.batch_places_settle(now=late)
        place.refresh_from_db()
        assert place.state != "offered"
        assert kept.exists() == is_booked
        need.refresh_from_db()
        if need.state == "open" and not is_booked:
            need_withdraw(by, need_id=need.pk)
    assert not JobFailure.objects.exists()
    consistent()
