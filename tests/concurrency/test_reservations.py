"""Races from real connections: one winner each, never an overlap, never a deadlock."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections

from accounts.domain.errors import Refused
from bookings.domain.periods import Period
from bookings.domain.refusals import RulesRefuse
from bookings.models import Occupancy, Reservation
from bookings.services.closures import InTheWay, Outage, closure_create
from bookings.services.placing import Booking
from bookings.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
)
from tests.factories.cast import NOW, at

pytestmark = pytest.mark.concurrency
CLIENTS = 20


def race(acts):
    """Run all acts at the same moment, each on a connection of its own; what each came to."""
    barrier = threading.Barrier(len(acts))

    def run(act):
        try:
            connections["default"].ensure_connection()
            barrier.wait(timeout=30)
            return act()
        except Refused as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, act) for act in acts]]


ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
FIRST = at("2026-03-06 08:00")


@pytest.fixture
def instrument(real_cast):
    """Always open, so that every round has a time of its own."""
    return real_cast.instrument(name="Always open", hours=ALWAYS)


def time_of(round_):
    """The start of a round, and a `now` two days before it."""
    start = FIRST + timedelta(hours=4 * round_)
    return start, start - timedelta(days=2)


def booking(instrument, start, hours=1):
    return Booking(
        instrument_id=instrument.pk,
        period=Period(start, start + timedelta(hours=hours)),
        organisation=None,
        service_mode="self",
    )


def overlaps():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bookings_occupancy a JOIN bookings_occupancy b"
            " ON a.instrument_id = b.instrument_id AND a.unit = b.unit AND a.id < b.id"
            " AND a.span && b.span"
        )
        return cursor.fetchone()[0]


def test_twenty_ask_for_one_slot(real_cast, instrument, rounds):
    """Overlapping, not only equal, periods: exactly one wins, the others hear why."""
    cast = real_cast
    wang, sun = cast.actor("wang"), cast.actor("sun")
    for round_ in range(rounds):
        start, now = time_of(round_)
        asked = [
            (
                wang if i % 2 else sun,
                booking(instrument, start + timedelta(minutes=30 * (i % 3)), 2),
            )
            for i in range(CLIENTS)
        ]
        results = race(
            [
                lambda who=who, what=what, now=now: reservation_request(
                    actor=who, booking=what, now=now
                )
                for who, what in asked
            ]
        )
        won = [r for r in results if isinstance(r, Reservation)]
        lost = [r for r in results if isinstance(r, RulesRefuse)]
        assert (len(won), len(lost)) == (1, CLIENTS - 1), (round_, results)
        assert {refusal.code for r in lost for refusal in r.refusals} == {"slot-taken"}
    assert Reservation.objects.count() == Occupancy.objects.count() == rounds
    assert overlaps() == 0


def test_a_closure_moves_over_bookings_being_made(real_cast, instrument, rounds):
    """Whichever comes first: never both in the same time, and nothing else goes wrong."""
    cast = real_cast
    wang, zhao = cast.actor("wang"), cast.actor("zhao")
    both = {"booked first": 0, "closed first": 0}
    for round_ in range(rounds):
        start, now = time_of(round_)
        outage = Outage("maintenance", start + timedelta(hours=1), start + timedelta(hours=2))
        made, closed = race(
            [
                lambda s=start, now=now: reservation_request(
                    actor=wang, booking=booking(instrument, s, 2), now=now
                ),
                lambda o=outage, now=now: closure_create(
                    actor=zhao, instrument_id=instrument.pk, outage=o, displace=False, now=now
                ),
            ]
        )
        if isinstance(made, Reservation):
            assert isinstance(closed, InTheWay)
            both["booked first"] += 1
        else:
            assert {refusal.code for refusal in made.refusals} == {"instrument-closed"}
            assert closed.pk
            both["closed first"] += 1
        assert overlaps() == 0
    assert sum(both.values()) == rounds


def test_a_closure_that_displaces_leaves_no_live_booking_in_it(real_cast, instrument, rounds):
    cast = real_cast
    wang, zhao = cast.actor("wang"), cast.actor("zhao")
    for round_ in range(rounds // 5):
        start, now = time_of(round_)
        outage = Outage("breakdown", start, start + timedelta(hours=2), reason="vacuum lost")
        asks = [
            lambda s=start, i=i, now=now: reservation_request(
                actor=wang, booking=booking(instrument, s + timedelta(minutes=30 * i)), now=now
            )
            for i in range(4)
        ]
        race(
            [
                *asks,
                lambda o=outage, now=now: closure_create(
                    actor=zhao, instrument_id=instrument.pk, outage=o, displace=True, now=now
                ),
            ]
        )
        live = Reservation.objects.filter(
            start_at__lt=outage.end, end_at__gt=outage.start, state="confirmed"
        )
        assert not live.exists()
        assert overlaps() == 0


def test_approving_and_cancelling_at_once(real_cast, rounds):
    """One of the two is refused; the slot is taken exactly if the booking stands."""
    cast = real_cast
    instrument = cast.instrument(name="Asks first", hours=ALWAYS, policy={"approval": "manual"})
    wang, zhao = cast.actor("wang"), cast.actor("zhao")
    for round_ in range(rounds):
        start, now = time_of(round_)
        made = reservation_request(
            actor=wang,
            booking=booking(instrument, start),
            now=now,
        )
        race(
            [
                lambda pk=made.pk, now=now: reservation_decide(
                    actor=zhao, reservation_id=pk, approve=True, reason="", now=now
                ),
                lambda pk=made.pk, now=now: reservation_cancel(
                    actor=wang, reservation_id=pk, reason="", now=now
                ),
            ]
        )
        made.refresh_from_db()
        # A confirmed booking may be cancelled, so cancelling wins in either order.
        assert made.state == "cancelled"
        assert not Occupancy.objects.filter(reservation=made).exists()


def test_the_constraint_is_the_second_guard(real_cast):
    """Even a writer that took no lock cannot put two rows into one time."""
    cast = real_cast
    made = reservation_request(
        actor=cast.actor("wang"), booking=booking(cast.microscope, at("2026-03-06 10:00")), now=NOW
    )
    other = reservation_request(
        actor=cast.actor("sun"), booking=booking(cast.microscope, at("2026-03-06 12:00")), now=NOW
    )
    with pytest.raises(Exception, match="occupancy_no_overlap"):
        Occupancy.objects.filter(reservation=other).update(
            span=Occupancy.objects.get(reservation=made).span
        )
