"""Files of bookings that are brought in at the same moment."""

import pytest

from accounts.domain.roles import By
from bookings.models import BookingImport, ImportedBooking, Reservation
from bookings.plans.domain.imports import RowsRefused
from bookings.plans.services.imports import bookings_import
from bookings.reserving.services.reservations import reservation_request
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency


def bringing(cast, who, rows, now, **values):
    lines = [f"{i.pk},{start.isoformat()},60,{reference}" for i, start, reference in rows]
    content = "\n".join(["instrument,starts,minutes,reference", *lines]).encode()
    return lambda: bookings_import(
        By(cast.actor(who), now), content=content, file_name="old.csv", organisation=None, **values
    )


def test_the_same_file_by_two_at_once_is_booked_once(real_cast, instrument, race, rounds):
    """Also where there is room for it twice: several units."""
    pool = real_cast.instrument(name="Pool", hours=ALWAYS, policy={"units": 3})
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        rows = [(instrument, start, f"{round_}-1"), (pool, start, f"{round_}-2")]
        same = bringing(real_cast, "wang", rows, now)
        results = race([same] * 4)
        assert sorted((r.booked, r.unchanged) for r in results) == [(0, 2)] * 3 + [(2, 0)]
        assert Reservation.objects.count() == 2 * (round_ + 1)
        assert BookingImport.objects.count() == round_ + 1
    consistent()


def test_two_payers_and_a_booking_for_one_slot_in_opposite_orders(real_cast, instrument, race, rounds):
    other = real_cast.instrument(name="Other", hours=ALWAYS)
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        rows = [(instrument, start, f"{round_}-1"), (other, start, f"{round_}-2")]
        results = race(
            [
                bringing(real_cast, "wang", rows, now),
                bringing(real_cast, "sun", rows[::-1], now),
                lambda start=start, now=now: reservation_request(
                    By(real_cast.actor("hu"), now), booking=booking(other, start + HOUR / 2)
                ),
            ]
        )
        # One file, or the one booking: then neither file as a whole.
        assert len(won(results)) == 1
        assert set(codes(results)) <= {"rows-refused", "slot-taken"}
        refused = [r.report for r in results if isinstance(r, RowsRefused)]
        assert all(r.refused for r in refused)
        assert ImportedBooking.objects.count() % 2 == 0
    consistent()
