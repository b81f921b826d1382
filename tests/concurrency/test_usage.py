"""People who come early at the same moment."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.models import Occupancy, Reservation, UsageSession
from bookings.reserving.services.reservations import reservation_request
from bookings.usage.services.kiosks import check_in_code, kiosk_check_in, kiosk_create, kiosk_enrol
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of, won
from tests.factories.moments import NOW

pytestmark = pytest.mark.concurrency


def test_two_come_early_and_one_unit_is_free(real_cast, race, rounds):
    """One of them gets the third unit; the other is told to wait for the two in use."""
    pool = real_cast.instrument(name="Pool", hours=ALWAYS, policy={"units": 3})
    wang, sun, hu = (real_cast.actor(name) for name in ("wang", "sun", "hu"))
    for round_ in range(rounds(2)):
        start, now = time_of(round_)

        def reserve(actor, start=start, now=now):
            return reservation_request(By(actor, now), booking=booking(pool, start))

        before = [reserve(hu), reserve(hu)]
        mine = [reserve(actor, start + HOUR) for actor in (wang, sun)]
        assert [row.unit for row in (*before, *mine)] == [1, 2, 1, 2]
        for row in before:
            reservation_check_in(By(hu, start), reservation_id=row.pk)
        early = start + HOUR - timedelta(minutes=10)
        results = race(
            [
                lambda actor=actor, row=row, early=early: reservation_check_in(
                    By(actor, early), reservation_id=row.pk
                )
                for actor, row in zip((wang, sun), mine, strict=True)
            ]
        )
        (session,) = won(results)
        assert (session.unit, codes(results)) == (3, ["still-in-use"])
        assert Occupancy.objects.get(reservation=session.reservation_id).unit == 3
        (waiting,) = Reservation.objects.filter(pk__in=[r.pk for r in mine], state="confirmed")
        assert not UsageSession.objects.filter(reservation=waiting).exists()
        for row in before:
            reservation_check_out(By(hu, start + HOUR), reservation_id=row.pk)
        late = start + HOUR
        actor = wang if waiting.user_id == real_cast.wang.pk else sun
        reservation_check_in(By(actor, late), reservation_id=waiting.pk)
        for who, row in zip((wang, sun), mine, strict=True):
            reservation_check_out(By(who, late + HOUR / 2), reservation_id=row.pk)
    consistent()


def test_a_kiosk_and_a_telephone_check_in_at_once(real_cast, race, rounds):
    """One session comes of it, whoever is first; the other is told that it is in use already."""
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    instrument = real_cast.instrument(name="Beside the tablet", hours=ALWAYS)
    _, code = kiosk_create(By(zhao, NOW), name="Tablet", instrument_ids=[instrument.pk])
    _, token = kiosk_enrol(code=code, now=NOW)
    for round_ in range(rounds(4)):
        start, now = time_of(round_)
        row = reservation_request(By(wang, now), booking=booking(instrument, start))
        _, digits = check_in_code(By(wang, start), reservation_id=row.pk)
        here = {"token": token, "instrument_id": instrument.pk, "code": digits, "now": start}
        results = race(
            [
                lambda here=here: kiosk_check_in(**here),
                lambda here=here: kiosk_check_in(**here),
                lambda row=row, start=start: reservation_check_in(By(wang, start), reservation_id=row.pk),
            ]
        )
        (session,) = won(results)
        assert session.reservation_id == row.pk
        assert len(codes(results)) == 2
        assert set(codes(results)) <= {"wrong-state", "wrong-code"}
        assert UsageSession.objects.filter(reservation=row).count() == 1
        reservation_check_out(By(wang, start + HOUR / 2), reservation_id=row.pk)
    consistent()
