"""The waiting list under several workers: one offer for a slot, one for a wish, no deadlock."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Occupancy, Reservation, WaitingOffer, WaitingWish
from bookings.overview.services.effects import effects_carry_out
from bookings.plans.services.waiting import slot_offer, wish_withdraw, wishes_look, wishes_settle
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_release
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from tests.concurrency.races import overlaps
from tests.factories.cast import NOW, reserve
from tests.factories.waiting import narrow, wait

pytestmark = pytest.mark.concurrency
SLOT = ("2026-03-06 10:00", "2026-03-06 12:00")
WORKERS = 6
SECOND = timedelta(seconds=1)


def unmake():
    WaitingOffer.objects.all().delete()
    WaitingWish.objects.all().delete()
    Occupancy.objects.all().delete()
    Reservation.objects.all().update(state="cancelled", deadline_at=None)


def test_several_workers_make_one_offer(real_cast, race, rounds):
    cast = real_cast
    instrument = narrow(cast)
    for round_ in range(rounds(5)):
        booked = reserve(cast, *SLOT, who="sun", instrument=instrument)
        first = wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=booked.pk, reason="")
        race(
            [
                *[lambda: slot_offer(instrument_id=instrument.pk, now=NOW)] * 2,
                *[lambda: effects_carry_out(now=NOW)] * 2,
                *[lambda: wishes_look(now=NOW + timedelta(minutes=6))] * 2,
            ]
        )
        assert [offer.wish_id for offer in WaitingOffer.objects.all()] == [first.pk], round_
        assert overlaps() == 0
        unmake()


def test_one_wish_two_instruments_one_offer(real_cast, race, rounds):
    """Workers at different instruments meet at the same people, in whatever order."""
    cast = real_cast
    instruments = [narrow(cast, name=name) for name in ("One", "Two", "Three")]
    cast.microscope.techniques.clear()
    for round_ in range(rounds(5)):
        booked = [reserve(cast, *SLOT, who="sun", instrument=i) for i in instruments]
        wait(cast, instruments[0], "wang", any_equivalent=True)
        wait(cast, instruments[1], "hu", any_equivalent=True, now=NOW + SECOND)
        for made in booked:
            reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=made.pk, reason="")
        race(
            [lambda pk=i.pk: slot_offer(instrument_id=pk, now=NOW) for i in instruments]
            + [lambda pk=i.pk: slot_offer(instrument_id=pk, now=NOW) for i in instruments[::-1]]
        )
        effects_carry_out(now=NOW)
        held = Reservation.objects.filter(state="held")
        assert sorted(row.user.email for row in held) == ["hu@optics.example", "wang@fudan.example"], round_
        assert len({row.instrument_id for row in held}) == 2
        unmake()


def test_taking_and_declining_and_withdrawing_at_once(real_cast, race, rounds):
    """Whichever comes first: the slot is the person's, or it goes to the next, never both."""
    cast = real_cast
    instrument = narrow(cast)
    for round_ in range(rounds(5)):
        wish = wait(cast, instrument, "wang")
        wait(cast, instrument, "hu", now=NOW + SECOND)
        held = WaitingOffer.objects.get().reservation
        booking = Booking(instrument.pk, Period(held.start_at, held.end_at), None, "self", hold=held.pk)
        wang = cast.actor("wang")
        race(
            [
                lambda b=booking, a=wang: reservation_request(By(a, NOW), booking=b),
                lambda pk=held.pk, a=wang: hold_release(By(a, NOW), reservation_id=pk),
                lambda pk=wish.pk, a=wang: wish_withdraw(By(a, NOW), wish_id=pk),
                lambda: wishes_settle(now=NOW),
                lambda: effects_carry_out(now=NOW),
            ]
        )
        effects_carry_out(now=NOW)
        held.refresh_from_db()
        offers = WaitingOffer.objects.count()
        assert (held.state, offers) in {("confirmed", 1), ("cancelled", 2)}, round_
        assert Occupancy.objects.filter(instrument=instrument).count() == 1
        wishes_settle(now=NOW)
        wish.refresh_from_db()
        assert (wish.state == "fulfilled") == (held.state == "confirmed")
        unmake()
