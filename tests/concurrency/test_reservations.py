"""Races from real connections: one winner each, never an overlap, never a deadlock."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.availability.selectors.cuts import InTheWay
from bookings.charging.services.charges import charge_make
from bookings.models import Occupancy, Reservation, UsageSession
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.reservations import (
    reservation_cancel,
    reservation_decide,
    reservation_request,
    reservations_lapse,
)
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.concurrency.races import ALWAYS, FIRST, HOUR, booking, codes, consistent, overlaps, time_of, won
from tests.factories.cast import NOW, at

pytestmark = pytest.mark.concurrency
CLIENTS = 20


def test_twenty_ask_for_one_slot(real_cast, instrument, race, rounds):
    """Overlapping, not only equal, periods: exactly one wins, the others hear why."""
    cast = real_cast
    wang, sun = cast.actor("wang"), cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        asked = [
            (wang if i % 2 else sun, booking(instrument, start + timedelta(minutes=30 * (i % 3)), 2))
            for i in range(CLIENTS)
        ]
        results = race(
            [
                lambda who=who, what=what, now=now: reservation_request(By(who, now), booking=what)
                for who, what in asked
            ]
        )
        won = [r for r in results if isinstance(r, Reservation)]
        lost = [r for r in results if isinstance(r, RulesRefuse)]
        assert (len(won), len(lost)) == (1, CLIENTS - 1), (round_, results)
        assert {refusal.code for r in lost for refusal in r.refusals} == {"slot-taken"}
    assert Reservation.objects.count() == Occupancy.objects.count() == rounds(2)
    assert overlaps() == 0


def test_a_closure_moves_over_bookings_being_made(real_cast, instrument, race, rounds):
    """Whichever comes first: never both in the same time, and nothing else goes wrong."""
    cast = real_cast
    wang, zhao = cast.actor("wang"), cast.actor("zhao")
    both = {"booked first": 0, "closed first": 0}
    for round_ in range(rounds(1)):
        start, now = time_of(round_)
        outage = Outage("maintenance", start + timedelta(hours=1), start + timedelta(hours=2))
        made, closed = race(
            [
                lambda s=start, now=now: reservation_request(
                    By(wang, now), booking=booking(instrument, s, 2)
                ),
                lambda o=outage, now=now: closure_create(
                    By(zhao, now), instrument_id=instrument.pk, outage=o, displace=False
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
    assert sum(both.values()) == rounds(1)


def test_a_closure_that_displaces_leaves_no_live_booking_in_it(real_cast, instrument, race, rounds):
    cast = real_cast
    wang, zhao = cast.actor("wang"), cast.actor("zhao")
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        outage = Outage("breakdown", start, start + timedelta(hours=2), reason="vacuum lost")
        asks = [
            lambda s=start, i=i, now=now: reservation_request(
                By(wang, now), booking=booking(instrument, s + timedelta(minutes=30 * i))
            )
            for i in range(4)
        ]
        race(
            [
                *asks,
                lambda o=outage, now=now: closure_create(
                    By(zhao, now), instrument_id=instrument.pk, outage=o, displace=True
                ),
            ]
        )
        live = Reservation.objects.filter(start_at__lt=outage.end, end_at__gt=outage.start, state="confirmed")
        assert not live.exists()
        assert overlaps() == 0


def asks_first(cast):
    return cast.instrument(name="Asks first", hours=ALWAYS, policy={"approval": "manual"})


def test_approving_and_cancelling_at_once(real_cast, race, rounds):
    """A confirmed booking may be cancelled, so cancelling wins in either order; whoever approves
    after it hears so."""
    instrument = asks_first(real_cast)
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        approved, cancelled = race(
            [
                lambda pk=made.pk, now=now: reservation_decide(
                    By(zhao, now), reservation_id=pk, approve=True, reason=""
                ),
                lambda pk=made.pk, now=now: reservation_cancel(By(wang, now), reservation_id=pk, reason=""),
            ]
        )
        assert won([cancelled])
        assert codes([approved]) in ([], ["wrong-state"])
        made.refresh_from_db()
        assert (made.state, made.version) == ("cancelled", 3 if won([approved]) else 2)
        assert (made.confirmed_at is not None) == bool(won([approved]))
    consistent()


def test_approving_and_rejecting_at_once(real_cast, race, rounds):
    """Exactly one stands; all others hear `wrong-state`."""
    instrument = asks_first(real_cast)
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        results = race(
            [
                lambda pk=made.pk, approve=approve, now=now: reservation_decide(
                    By(zhao, now), reservation_id=pk, approve=approve, reason="full"
                )
                for approve in (True, False, True, False)
            ]
        )
        (decided,) = won(results)
        assert codes(results) == ["wrong-state"] * 3
        made.refresh_from_db()
        assert (made.state, made.version) == (decided.state, 2)
    consistent()


def test_approved_in_the_moment_it_expires(real_cast, race, rounds):
    instrument = asks_first(real_cast)
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        made = reservation_request(By(wang, now), booking=booking(instrument, start))
        deadline = made.deadline_at
        approved, lapsed = race(
            [
                lambda pk=made.pk, at=deadline - timedelta(microseconds=1): reservation_decide(
                    By(zhao, at), reservation_id=pk, approve=True, reason=""
                ),
                lambda at=deadline: reservations_lapse(now=at),
            ]
        )
        made.refresh_from_db()
        if won([approved]):
            assert (made.state, lapsed) == ("confirmed", 0)
        else:
            assert (made.state, lapsed, codes([approved])) == ("expired", 1, ["wrong-state"])
    consistent()


def test_the_constraint_is_the_second_guard(real_cast):
    """Even a writer that took no lock cannot put two rows into one time."""
    cast = real_cast
    made = reservation_request(
        By(cast.actor("wang"), NOW), booking=booking(cast.microscope, at("2026-03-06 10:00"))
    )
    other = reservation_request(
        By(cast.actor("sun"), NOW), booking=booking(cast.microscope, at("2026-03-06 12:00"))
    )
    with pytest.raises(Exception, match="occupancy_no_overlap"):
        Occupancy.objects.filter(reservation=other).update(span=Occupancy.objects.get(reservation=made).span)


def test_two_second_thoughts_at_once(real_cast, instrument, race, rounds):
    """By one person on one instrument: one is free, the other owes the fee."""
    wang = real_cast.actor("wang")
    for round_ in range(rounds(4)):
        start = FIRST + timedelta(days=2 * round_)
        now = start - timedelta(hours=3)
        made = [
            reservation_request(By(wang, now), booking=booking(instrument, start + hour * HOUR))
            for hour in range(4)
        ]
        race(
            [
                lambda row=row, now=now: reservation_cancel(By(wang, now), reservation_id=row.pk, reason="")
                for row in made
            ]
        )
        ended = Reservation.objects.filter(pk__in=[row.pk for row in made], state="cancelled")
        assert (ended.count(), ended.filter(is_second_thought=True).count()) == (4, 1)
        charges = [charge_make(reservation_id=row.pk, now=now) for row in made]
        assert sum(charge is None for charge in charges) == 1
    consistent()


def test_a_check_out_and_a_closure_of_the_same_moment(real_cast, instrument, race, rounds):
    """Whichever comes first, the use is charged once, until that moment."""
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reservation_request(By(wang, now), booking=booking(instrument, start, 2))
        reservation_check_in(By(wang, start), reservation_id=made.pk)
        moment = start + timedelta(minutes=40)
        outage = Outage("breakdown", moment, moment + timedelta(minutes=1))
        results = race(
            [
                lambda made=made, moment=moment: reservation_check_out(
                    By(wang, moment), reservation_id=made.pk
                ),
                lambda outage=outage, moment=moment: closure_create(
                    By(zhao, moment), instrument_id=instrument.pk, outage=outage, displace=True
                ),
            ]
        )
        assert set(codes(results)) <= {"wrong-state"}
        session = UsageSession.objects.get(reservation=made)
        assert session.checked_out_at == session.cut_at == moment
        charge = charge_make(reservation_id=made.pk, now=moment)
        assert charge.result["billed_minutes"] == 40
    consistent()
