"""Limits hold whoever asks at the same moment: quotas, the share of other regions, units."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.availability.services.kept_hours import kept_hours_grant
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from tests.concurrency.races import ALWAYS, FIRST, HOUR, booking, codes, consistent, counted, time_of, won

pytestmark = pytest.mark.concurrency
LONG = dict.fromkeys(("internal", "regional", "partner", "external", "industry"), 730)


def with_policy(cast, name, **policy):
    return cast.instrument(name=name, hours=ALWAYS, policy={"horizon_days": LONG} | policy)


def quota(unit, per, limit, scope="user"):
    return [{"scope": scope, "unit": unit, "per": per, "limit": limit}]


def test_a_quota_of_one(real_cast, race, rounds):
    """Twenty requests and holds of one person for twenty slots: one is theirs."""
    cast = real_cast
    instrument = with_policy(cast, "One each", quotas=quota("bookings", "upcoming", 1))
    wang = cast.actor("wang")
    start, now = time_of(0)
    for round_ in range(rounds(5)):
        begin = start + timedelta(days=round_)
        asks = [(reservation_request, hold_take)[i % 4 == 0] for i in range(20)]
        results = race(
            [
                lambda ask=ask, s=begin + i * HOUR: ask(By(wang, now), booking=booking(instrument, s))
                for i, ask in enumerate(asks)
            ]
        )
        (made,) = won(results)
        assert codes(results) == ["user-quota"] * 19
        assert counted(instrument) == 1
        reservation_cancel(By(wang, now), reservation_id=made.pk, reason="")
    consistent()


def test_hours_a_day_of_an_organisation(real_cast, race, rounds):
    """Two people of one organisation share three hours a day; a neighbour has their own."""
    cast = real_cast
    quotas = quota("hours", "day", 3, scope="organisation")
    instrument = with_policy(cast, "Three hours", quotas=quotas)
    sun, hu = cast.actor("sun"), cast.actor("hu")
    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(days=2)
        results = race(
            [
                lambda who=who, s=begin + i * HOUR, now=now: reservation_request(
                    By(who, now), booking=booking(instrument, s)
                )
                for i, who in enumerate([sun, sun, sun, sun, sun, hu, hu, hu])
            ]
        )
        assert len(won(results)) == 6
        assert codes(results) == ["organisation-quota"] * 2
        day = {"start_at__gte": begin, "start_at__lt": begin + timedelta(hours=12)}
        assert counted(instrument, organisation=cast.ustc, **day) == 3
        assert counted(instrument, organisation=cast.optics, **day) == 3
    consistent()


def test_two_extensions_share_what_is_left(real_cast, race, rounds):
    cast = real_cast
    instrument = with_policy(cast, "Three hours", quotas=quota("hours", "day", 3))
    wang = cast.actor("wang")
    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(days=2)
        made = [
            reservation_request(By(wang, now), booking=booking(instrument, begin + 3 * n * HOUR))
            for n in range(2)
        ]
        results = race(
            [
                lambda row=row, now=now: reservation_move(
                    By(wang, now), reservation_id=row.pk, period=Period(row.start_at, row.start_at + 2 * HOUR)
                )
                for row in made
            ]
        )
        assert (len(won(results)), codes(results)) == (1, ["user-quota"])
    consistent()


def test_the_share_of_other_regions(real_cast, race, rounds):
    """5 % of 168 h are 8.4: four of two hours to neighbours, the fifth would be in the way of
    visitors, who get what they ask for."""
    cast = real_cast
    instrument = with_policy(cast, "For all", cross_region_share={"percent": 95})
    sun, hu, wang = cast.actor("sun"), cast.actor("hu"), cast.actor("wang")
    monday = FIRST + timedelta(days=3)
    for round_ in range(rounds(5)):
        begin = monday + timedelta(weeks=round_)
        now = begin - timedelta(days=2)
        results = race(
            [
                lambda who=who, s=begin + 2 * i * HOUR, now=now: reservation_request(
                    By(who, now), booking=booking(instrument, s, 2)
                )
                for i, who in enumerate([sun, hu] * 5 + [wang] * 2)
            ]
        )
        assert len(won(results[:10])) == 4
        assert codes(results) == ["kept-for-other-regions"] * 6
    consistent()


def test_the_last_of_n_units(real_cast, race, rounds):
    cast = real_cast
    instrument = with_policy(cast, "Three of them", units=3, setup_minutes=10, teardown_minutes=5)
    people = [cast.actor(name) for name in ("wang", "sun", "hu")]
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        results = race(
            [
                lambda who=people[i % 3], s=start, now=now: reservation_request(
                    By(who, now), booking=booking(instrument, s)
                )
                for i in range(8)
            ]
        )
        assert sorted(made.unit for made in won(results)) == [1, 2, 3]
        assert codes(results) == ["slot-taken"] * 5
    consistent()


def test_fewer_units_while_the_last_is_booked(real_cast, race, rounds):
    """Either the unit goes or it is booked, never both."""
    cast = real_cast
    instrument = with_policy(cast, "Pair", units=2)
    sun, wang, zhao = cast.actor("sun"), cast.actor("wang"), cast.actor("zhao")

    def units(n, now):
        policy = parse_policy({"max_minutes": 480, "horizon_days": LONG, "units": n})
        return policy_set(By(zhao, now), instrument_id=instrument.pk, policy=policy)

    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(hours=1)
        units(2, now)
        reservation_request(By(sun, now), booking=booking(instrument, begin))
        results = race(
            [
                lambda now=now: units(1, now),
                lambda s=begin, now=now: reservation_request(By(wang, now), booking=booking(instrument, s)),
            ]
        )
        assert len(won(results)) == 1
        assert codes(results) in (["units-in-use"], ["slot-taken"])
        booked = Reservation.objects.filter(instrument=instrument, start_at=begin)
        assert booked.count() == (1 if won(results[:1]) else 2)
    consistent()


def test_hours_kept_for_a_holder(real_cast, race, rounds):
    """Of six free hours four are kept: of ten outsiders two get one, of six holders all four; and
    what is granted at the same moment as they book is never more than fits."""
    cast = real_cast
    instrument = with_policy(cast, "Kept")
    zhao, sun, hu, wang = (cast.actor(name) for name in ("zhao", "sun", "hu", "wang"))
    for round_ in range(rounds(5)):
        begin = FIRST + timedelta(days=round_)
        now = begin - timedelta(days=2)
        window = {"starts_at": begin, "ends_at": begin + 6 * HOUR}

        def keep(holder, minutes, now=now, window=window):
            return kept_hours_grant(
                By(zhao, now),
                instrument=instrument,
                holder=holder,
                minutes=minutes,
                price=None,
                released_minutes=0,
                reason="x",
                **window,
            )

        def book(who, hour, now=now, begin=begin):
            return reservation_request(By(who, now), booking=booking(instrument, begin + hour * HOUR))

        keep(cast.fudan, 240)
        results = race(
            [lambda who=who, hour=hour: book(who, hour) for hour in range(6) for who in (sun, hu, wang)]
        )
        day = {"start_at__gte": begin, "start_at__lt": begin + 6 * HOUR}
        theirs = counted(instrument, organisation=cast.fudan, **day)
        others = counted(instrument, **day) - theirs
        assert others <= 2
        for hour in range(6):  # the rest of what is kept can still be booked
            if theirs < 4 and not isinstance(_tried(lambda hour=hour: book(wang, hour)), Refused):
                theirs += 1
        assert theirs >= 4
        # A grant against bookings of the same hours.
        begin += 12 * HOUR
        window = {"starts_at": begin, "ends_at": begin + 6 * HOUR}
        results = race(
            [lambda hour=hour, begin=begin: book(sun, hour, begin=begin) for hour in range(6)]
            + [lambda window=window: keep(cast.optics, 240, window=window)]
        )
        day = {"start_at__gte": begin, "start_at__lt": begin + 6 * HOUR}
        is_kept = not isinstance(results[-1], Refused)
        assert counted(instrument, **day) <= (2 if is_kept else 6)
        assert is_kept or counted(instrument, **day) > 2
    consistent()


def _tried(act):
    try:
        return act()
    except Refused as refused:
        return refused
