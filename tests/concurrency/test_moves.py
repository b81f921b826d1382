"""Moving bookings while others move theirs: the old slot is given back only as the new is won."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_request
from bookings.usage.services.closures import Outage, closure_create
from tests.concurrency.races import HOUR, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency


def reserve(actor, instrument, start, now, hours=1):
    return reservation_request(By(actor, now), booking=booking(instrument, start, hours))


def moving(actor, made, start, now, hours=1, **values):
    return lambda: reservation_move(
        By(actor, now, values.pop("expected_version", None)),
        reservation_id=made.pk,
        period=Period(start, start + hours * HOUR),
        **values,
    )


def start_of(made):
    return Reservation.objects.get(pk=made.pk).start_at


def test_onto_each_other(real_cast, instrument, race, rounds):
    """Each is in the other's way whichever comes first: both stay where they are."""
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        one = reserve(wang, instrument, start, now)
        other = reserve(sun, instrument, start + HOUR, now)
        results = race([moving(wang, one, start + HOUR, now), moving(sun, other, start, now)])
        assert codes(results) == ["slot-taken", "slot-taken"]
        assert (start_of(one), start_of(other)) == (start, start + HOUR)
    consistent()


def test_onto_a_slot_that_is_being_left(real_cast, instrument, race, rounds):
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    seen = set()
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        one = reserve(wang, instrument, start, now)
        other = reserve(sun, instrument, start + HOUR, now)
        followed, left = race(
            [moving(wang, one, start + HOUR, now), moving(sun, other, start + 2 * HOUR, now)]
        )
        assert left.start_at == start + 2 * HOUR
        if won([followed]):
            assert start_of(one) == start + HOUR
        else:
            assert (codes([followed]), start_of(one)) == (["slot-taken"], start)
        seen.add(bool(won([followed])))
    assert seen
    consistent()


def test_twenty_move_to_one_slot(real_cast, instrument, race, rounds):
    """One wins it; the others keep what they had."""
    people = [real_cast.actor(name) for name in ("wang", "sun", "hu")]
    start, now = time_of(0)
    made = [reserve(people[i % 3], instrument, start + i * HOUR, now - timedelta(days=1)) for i in range(20)]
    for round_ in range(rounds(5)):
        target = start + timedelta(days=2, hours=round_)
        before = {row.pk: start_of(row) for row in made}
        results = race([moving(people[i % 3], row, target, now) for i, row in enumerate(made)])
        (winner,) = won(results)
        assert codes(results) == ["slot-taken"] * 19
        after = {row.pk: start_of(row) for row in made}
        assert after == before | {winner.pk: target}
    consistent()


def test_moving_against_a_request_for_the_slot(real_cast, instrument, race, rounds):
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reserve(wang, instrument, start, now)
        results = race(
            [
                moving(wang, made, start + HOUR, now),
                lambda s=start + HOUR, now=now: reserve(sun, instrument, s, now),
            ]
        )
        assert len(won(results)) == 1
        assert codes(results) == ["slot-taken"]
        assert start_of(made) == (start + HOUR if won(results[:1]) else start)
    consistent()


def test_extending_against_a_request_for_what_follows(real_cast, race, rounds):
    """With buffers between the two."""
    buffered = real_cast.instrument(
        name="Buffered",
        hours={"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]},
        policy={"setup_minutes": 10, "teardown_minutes": 20},
    )
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reserve(wang, buffered, start, now)
        results = race(
            [
                moving(wang, made, start, now, hours=1.5),
                lambda s=start + 1.5 * HOUR, now=now: reserve(sun, buffered, s, now),
            ]
        )
        assert len(won(results)) == 1
        assert codes(results) == ["slot-taken"]
    consistent()


def test_one_booking_moved_twice_from_one_version(real_cast, instrument, race, rounds):
    wang = real_cast.actor("wang")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        made = reserve(wang, instrument, start, now)
        results = race(
            [moving(wang, made, start + n * HOUR, now, expected_version=made.version) for n in (1, 2)]
        )
        (winner,) = won(results)
        assert codes(results) == ["wrong-version"]
        made.refresh_from_db()
        assert (made.start_at, made.version) == (winner.start_at, 2)
        assert made.quotes.filter(is_current=True).count() == 1
    consistent()


def test_moving_into_a_closure_that_displaces(real_cast, instrument, race, rounds):
    """Whichever comes first: nothing live is left in the closure."""
    wang, zhao = real_cast.actor("wang"), real_cast.actor("zhao")
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        made = reserve(wang, instrument, start, now)
        outage = Outage("breakdown", start + HOUR, start + 2 * HOUR, reason="leak")
        moved, closed = race(
            [
                moving(wang, made, start + HOUR, now),
                lambda o=outage, now=now: closure_create(
                    By(zhao, now), instrument_id=instrument.pk, outage=o, displace=True
                ),
            ]
        )
        assert won([closed])
        made.refresh_from_db()
        if won([moved]):
            assert (made.state, made.start_at) == ("displaced", start + HOUR)
        else:
            assert codes([moved]) in (["instrument-closed"],)
            assert (made.state, made.start_at) == ("confirmed", start)
    consistent()
