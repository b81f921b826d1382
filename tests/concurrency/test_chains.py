"""Chains against single bookings and against each other: all steps or none."""

from datetime import timedelta

import pytest

from accounts.domain.roles import By
from bookings.models import Chain, Reservation
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap
from bookings.reserving.services.reservations import reservation_request
from tests.concurrency.races import ALWAYS, HOUR, booking, codes, consistent, time_of, won

pytestmark = pytest.mark.concurrency


@pytest.fixture
def pair(real_cast):
    return [real_cast.instrument(name=name, hours=ALWAYS) for name in ("X", "Y")]


def chaining(actor, instruments, start, now, *, is_fixed=True):
    """An hour on each, one after the other."""
    return lambda: chain_book(
        By(actor, now),
        steps=[StepWish(instrument.pk, 60, "self", Gap(0, 0)) for instrument in instruments],
        organisation=None,
        purpose="research",
        purpose_text="",
        within=Period(start, start + timedelta(hours=4)),
        starts=[start, start + HOUR] if is_fixed else None,
    )


def test_a_chain_against_a_single_booking(real_cast, pair, race, rounds):
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(2)):
        start, now = time_of(round_)
        before = Reservation.objects.count()
        results = race(
            [
                chaining(wang, pair, start, now),
                lambda s=start + HOUR, now=now: reservation_request(
                    By(sun, now), booking=booking(pair[1], s)
                ),
            ]
        )
        assert (len(won(results)), codes(results)) == (1, ["slot-taken"])
        assert Reservation.objects.count() == before + (2 if won(results[:1]) else 1)
    assert Chain.objects.count() == Reservation.objects.filter(step=1).count()
    consistent()


def test_chains_in_opposite_orders(real_cast, pair, race, rounds):
    """X then Y from nine, Y then X from nine: they cross, and both find room."""
    wang, sun = real_cast.actor("wang"), real_cast.actor("sun")
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        results = race([chaining(wang, pair, start, now), chaining(sun, pair[::-1], start, now)])
        assert len(won(results)) == 2
    consistent()


def test_chains_that_find_their_own_way(real_cast, pair, race, rounds):
    """Four of them, and hours for three at most: never a half, never two in one time."""
    people = [real_cast.actor(name) for name in ("wang", "sun", "hu", "wang")]
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        before = Reservation.objects.count()
        results = race([chaining(who, pair, start, now, is_fixed=False) for who in people])
        assert len(won(results)) == 3
        assert codes(results) == ["no-chain"]
        assert Reservation.objects.count() == before + 6
    consistent()
