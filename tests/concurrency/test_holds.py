"""Holds, taken, completed and run out at the same moment."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.models import Reservation
from bookings.reserving.domain.holds import HOLD_LASTS
from bookings.reserving.services.holds import hold_release, hold_take
from bookings.reserving.services.reservations import reservation_request, reservations_lapse
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency
TICK = timedelta(microseconds=1)


def take(actor, instrument, start, now):
    return hold_take(By(actor, now), booking=booking(instrument, start))


def completing(actor, hold, instrument, now):
    asked = booking(instrument, hold.start_at, hold=hold.pk)
    return lambda: reservation_request(By(actor, now), booking=asked)


def states():
    return sorted(Reservation.objects.values_list("state", flat=True))


def test_twenty_keep_one_slot(real_cast, instrument, race, rounds):
    people = [real_cast.actor(name) for name in ("wang", "sun", "hu")]
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        results = race(
            [
                lambda who=people[i % 3], s=start + (i % 2) * HOUR / 2, now=now: take(who, instrument, s, now)
                for i in range(20)
            ]
        )
        # Whoever has it and asks for the same again is told that it is theirs.
        assert len({hold.pk for hold in won(results)}) == 1
        assert set(codes(results)) == {"slot-taken"}
    consistent()


def test_one_hold_completed_by_many(real_cast, instrument, race, rounds):
    wang = real_cast.actor("wang")
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        hold = take(wang, instrument, start, now)
        results = race([completing(wang, hold, instrument, now)] * 5)
        (made,) = won(results)
        assert (made.pk, made.state) == (hold.pk, "confirmed")
        assert codes(results) == ["wrong-state"] * 4
        assert made.quotes.count() == 1
    consistent()


def test_completed_in_the_moment_it_runs_out(real_cast, instrument, race, rounds):
    """By one clock the hold still stands, by another the slot is free: one of them gets it."""
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        hold = take(wang, instrument, start, now)
        deadline = now + HOLD_LASTS
        results = race(
            [
                completing(wang, hold, instrument, deadline - TICK),
                lambda s=start, at=deadline: reservation_request(By(sun, at), booking=booking(instrument, s)),
            ]
        )
        assert len(won(results)) == 1
        hold.refresh_from_db()
        if won(results[:1]):
            assert (hold.state, codes(results)) == ("confirmed", ["slot-taken"])
        else:
            assert (hold.state, codes(results)) == ("expired", ["hold-expired"])
    consistent()


def test_completed_while_the_job_sweeps(real_cast, instrument, race, rounds):
    wang = real_cast.actor("wang")
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        hold = take(wang, instrument, start, now)
        deadline = now + HOLD_LASTS
        completed, first, second = race(
            [
                completing(wang, hold, instrument, deadline - TICK),
                lambda at=deadline: reservations_lapse(now=at),
                lambda at=deadline: reservations_lapse(now=at),
            ]
        )
        hold.refresh_from_db()
        assert first + second == (0 if won([completed]) else 1)
        assert hold.state == ("confirmed" if won([completed]) else "expired")
    consistent()


def test_completed_and_given_back(real_cast, instrument, race, rounds):
    wang = real_cast.actor("wang")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        hold = take(wang, instrument, start, now)
        results = race(
            [
                completing(wang, hold, instrument, now),
                lambda pk=hold.pk, now=now: hold_release(By(wang, now), reservation_id=pk),
            ]
        )
        assert (len(won(results)), codes(results)) == (1, ["wrong-state"])
        hold.refresh_from_db()
        assert hold.state == ("confirmed" if won(results[:1]) else "cancelled")
    consistent()


def test_three_holds_a_person_over_all_instruments(real_cast, race, rounds):
    """Different instruments, different locks: never a fourth."""
    wang = real_cast.actor("wang")
    many = [real_cast.instrument(name=f"Number {n}", hours=ALWAYS) for n in range(8)]
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        results = race([lambda i=i, s=start, now=now: take(wang, i, s, now) for i in many])
        assert len(won(results)) == 3
        assert codes(results) == ["too-many-holds"] * 5
        assert Reservation.objects.filter(state="held", deadline_at__gt=now).count() == 3
    consistent()
