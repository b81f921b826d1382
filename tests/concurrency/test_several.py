"""Several instruments in one request: all or none, in whatever order they are named."""

import pytest

from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.models import Occupancy, Quote, Reservation
from bookings.reserving.services.reservations import reservation_request, reservations_request
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency


@pytest.fixture
def three(real_cast):
    return [real_cast.instrument(name=name, hours=ALWAYS) for name in ("X", "Y", "Z")]


def asking(actor, instruments, start, now):
    bookings = [booking(instrument, start) for instrument in instruments]
    return lambda: reservations_request(By(actor, now), bookings=bookings)


def written():
    return (
        Reservation.objects.count(),
        Occupancy.objects.count(),
        Quote.objects.count(),
        OutboxMessage.objects.count(),
        TrailEntry.objects.filter(action__startswith="reservation").count(),
    )


def test_opposite_orders(real_cast, three, race, rounds):
    x, y, _ = three
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(1)):
        start, now = time_of(round_)
        results = race([asking(wang, [x, y], start, now), asking(sun, [y, x], start, now)])
        (made,) = won(results)
        assert codes(results) == ["slot-taken"]
        assert len({row.user_id for row in made}) == 1
        assert written() == tuple(n * (round_ + 1) for n in (2, 2, 2, 6, 2))
    consistent()


def test_round_about(real_cast, three, race, rounds):
    """Three in a ring, each twice: of X Y, Y Z and Z X one fits."""
    x, y, z = three
    people = [real_cast.actor(name) for name in ("wang", "sun", "hu")]
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        rings = [[x, y], [y, z], [z, x], [y, x], [z, y], [x, z]]
        results = race([asking(people[i % 3], pair, start, now) for i, pair in enumerate(rings)])
        assert len(won(results)) == 1
        assert set(codes(results)) == {"slot-taken"}
        assert Reservation.objects.count() == 2 * (round_ + 1)
    consistent()


def test_one_of_them_is_asked_for_alone(real_cast, three, race, rounds):
    x, y, z = three
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        before = Reservation.objects.count()
        results = race(
            [
                asking(wang, [z, y, x], start, now),
                lambda s=start, now=now: reservation_request(By(sun, now), booking=booking(y, s + HOUR / 2)),
            ]
        )
        assert len(won(results)) == 1
        assert codes(results) == ["slot-taken"]
        assert Reservation.objects.count() == before + (3 if won(results[:1]) else 1)
    consistent()
