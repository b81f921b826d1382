"""Hours, the reasons of standby and the share of the norm are those of the oracle, to the minute."""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from accounts.domain.roles import ADMINISTRATOR, Actor, Grant
from accounts.models.keys import new_id
from bookings.hours.selectors.reading import figures_for
from bookings.hours.services.hours import hours_roll_up
from bookings.models import KeptHours, Reservation, UnmetDemand
from bookings.statistics.selectors.idle import idle_parts, idle_rows
from instruments.opening.models import ScheduleAssignment
from instruments.policy.domain.policies import parse_policy, policy_to_json
from instruments.policy.models import BookingPolicy, PolicyVersion
from instruments.rates.models import RateCard
from instruments.register.models import Instrument
from tests.factories.hours import HoursWorld
from tests.oracle import hours_idle as oracle
from tests.oracle.hours_idle import CODE, REASONS, Booking, Closed, Kept, Offer, Policy, Refusal, Use

NOW = datetime(2025, 12, 5, 12, 0, tzinfo=UTC)  # some days of the year are not over
SINCE, UNTIL = date(2025, 1, 1), date(2026, 1, 1)
HALF = date(2025, 6, 4)
EVERYTHING = Actor(user_id=None, grants=(Grant(ADMINISTRATOR),))
INSTRUMENTS = 50 if os.environ.get("TEST_PROFILE") == "deep" else 15


# ---- The oracle itself


def hour(number: float, day: int = 3) -> datetime:
    return datetime(2025, 3, day, tzinfo=UTC) + timedelta(hours=number)


def on_monday(**values: Any) -> dict[str, int]:
    made = oracle.Instrument("UTC", offers=[Offer(SINCE, None, 1, oracle.HOURS["lunch"])], **values)
    answer = oracle.answer(made, date(2025, 3, 3), date(2025, 3, 4), NOW)
    assert sum(answer.states.values()) == 1440
    return {name: minutes for name, minutes in answer.reasons.items() if minutes}


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({}, {"not_asked": 495}),
        ({"bookings": [Booking(1, hour(9), hour(10), "no_show")]}, {"no_show": 60, "not_asked": 435}),
        (
            {"bookings": [Booking(1, hour(9), hour(10), "confirmed", "self", 30, 10)]},
            {"kept_unused": 100, "not_asked": 395},
        ),
        (
            {"bookings": [Booking(1, hour(9), hour(10), "completed", session=Use(1, hour(9.25), hour(9.5)))]},
            {"kept_unused": 45, "not_asked": 435},
        ),
        (
            {
                "bookings": [Booking(1, hour(9), hour(11), "cancelled", ended_at=hour(8.5))],
                "notice_minutes": 90,
            },
            {"lead_time": 60, "not_asked": 435},
        ),
        (
            {"bookings": [Booking(1, hour(9), hour(10), "rejected", "assisted", ended_at=hour(0))]},
            {"no_operator": 60, "not_asked": 435},
        ),
        ({"refusals": [Refusal("too-long", hour(11), hour(14))]}, {"refused": 90, "not_asked": 405}),
        ({"closed": [Closed("training", (), hour(8), hour(12))]}, {"not_asked": 255}),
        (
            {"policies": [Policy(hour(14.5), ({"days": [1], "opens": "14:00", "closes": "16:00"},))]},
            {"not_open": 90, "not_asked": 405},
        ),
        ({"kept": [Kept(100, hour(0), hour(12))]}, {"kept_unused": 100, "not_asked": 395}),
        ({"own_price_until": date(2025, 3, 4)}, {"not_open": 495}),
    ],
)
def test_a_day_has_its_reasons(values: dict[str, Any], reasons: dict[str, int]) -> None:
    assert on_monday(**values) == reasons


def test_a_day_of_a_clock_change_has_its_minutes() -> None:
    for zone, day, minutes in (
        ("Europe/London", date(2025, 3, 30), 1380),
        ("Europe/London", date(2025, 10, 26), 1500),
        ("Australia/Lord_Howe", date(2025, 4, 6), 1470),
    ):
        made = oracle.Instrument(zone, offers=[Offer(SINCE, None, 2, oracle.HOURS["always"])])
        assert oracle.answer(made, day, day + timedelta(1), NOW).standby == 2 * minutes


def test_the_norm_is_of_the_days_on_offer_that_are_over() -> None:
    made = oracle.Instrument("UTC", offers=[Offer(date(2025, 12, 1), None, 2, ())])
    assert oracle.answer(made, SINCE, UNTIL, NOW).norm == Fraction(2 * 4 * 1400 * 60, 365)


# ---- The platform


def write(world: HoursWorld, made: oracle.Instrument, name: str) -> Instrument:
    """The rows of a drawn instrument."""
    first = made.offers[0]
    since = min(first.since, SINCE)
    one = world.instrument(
        made.zone, hours=hours_of(first), units=first.units, since=since, name=name, kind=made.kind,
        norm_hours=made.norm_hours,
    )  # fmt: skip
    assignment = ScheduleAssignment.objects.get(instrument=one)
    ScheduleAssignment.objects.filter(pk=assignment.pk).update(from_date=first.since, until_date=first.until)
    for offer in made.offers[1:]:
        ScheduleAssignment.objects.create(
            instrument=one, schedule=world.schedule(made.zone, hours_of(offer), since=since),
            units=offer.units, from_date=offer.since, until_date=offer.until,
        )  # fmt: skip
    for booking in made.bookings:
        write_booking(world, one, booking)
    for closed in made.closed:
        world.closure(one, closed.kind, closed.start, closed.end, list(closed.units))
    UnmetDemand.objects.bulk_create(
        UnmetDemand(
            kind="refused", user=world.user, organisation=world.neighbour, region=world.here, instrument=one,
            minutes=1, wanted_from=each.start, wanted_until=each.end, on_date=each.start.date(),
            created_at=each.start, code=each.code, query=f"{number}",
        )
        for number, each in enumerate(made.refusals)
    )  # fmt: skip
    for kept in made.kept:
        KeptHours.objects.create(
            id=new_id(), instrument=one, organisation=world.neighbour, minutes=kept.minutes,
            start_at=kept.start, end_at=kept.end, released_minutes=0, reason="a project",
            granted_by=world.user, granted_at=datetime(2024, 12, 1, tzinfo=UTC),
        )  # fmt: skip
    for number, policy in enumerate(made.policies, 1):
        shape = {"notice_minutes": made.notice_minutes, "group_hours": list(policy.own_hours)}
        PolicyVersion.objects.create(
            instrument=one,
            version=number,
            policy=policy_to_json(parse_policy(shape)),
            valid_from=policy.since,
        )
    if made.policies:
        BookingPolicy.objects.create(
            instrument=one, slot_minutes=30, min_minutes=30, max_minutes=1440, version=len(made.policies),
            notice_minutes=made.notice_minutes, group_hours=list(made.policies[-1].own_hours),
        )  # fmt: skip
    if made.own_price_until:
        RateCard.objects.filter(instrument=one).update(
            card={"rates": {"internal": "1"}}, published_at=datetime(2024, 12, 1, tzinfo=UTC),
            valid_from=date(2024, 1, 1), valid_until=made.own_price_until,
        )  # fmt: skip
    return one


def hours_of(offer: Offer) -> dict[str, Any]:
    return {"weekly": list(offer.weekly), "overrides": list(offer.dated), "observes_holidays": False}


def write_booking(world: HoursWorld, one: Instrument, booking: Booking) -> None:
    payer = world.neighbour if booking.is_holder else world.stranger
    values = {"unit": booking.unit, "payer": payer, "price_group": "external"}
    if booking.session:
        used = world.session(one, booking.session.start, booking.session.end, **values)
        row = used.reservation
    else:
        row = world.reservation(one, booking.start, booking.end, state=booking.state, **values)
    Reservation.objects.filter(pk=row.pk).update(
        start_at=booking.start, end_at=booking.end, service_mode=booking.mode,
        setup_minutes=booking.setup, teardown_minutes=booking.teardown,
        requested_at=booking.start - timedelta(30), ended_at=booking.ended_at,
        confirmed_at=None if booking.state in ("rejected", "expired") else booking.start - timedelta(29),
    )  # fmt: skip


@pytest.mark.django_db
def test_hours_and_reasons_of_a_year_are_those_of_the_oracle() -> None:
    world = HoursWorld(NOW)
    drawn = [oracle.draw(Random(seed), 2025, NOW) for seed in range(INSTRUMENTS)]
    rows = {write(world, made, f"{seed:02}").pk: made for seed, made in enumerate(drawn)}
    hours_roll_up(since=None, until=None, now=NOW)
    days: dict[str, Any] = {"since": SINCE, "until": UNTIL}
    figures = figures_for(EVERYTHING, narrowed={}, **days, by=["instrument"]).rows
    by_id = {row.keys["instrument"]: row for row in figures}
    idle = {row.instrument.pk: row for row in idle_rows(EVERYTHING, narrowed={}, **days)}
    # Whichever days are asked for, they add up.
    halves = [
        {row.instrument.pk: row for row in idle_rows(EVERYTHING, narrowed={}, since=since, until=until)}
        for since, until in ((SINCE, HALF), (HALF, UNTIL))
    ]
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for place, (pk, made) in enumerate(rows.items()):
        expected = oracle.answer(made, SINCE, UNTIL, NOW)
        if not sum(expected.states.values()):
            continue
        seen.update(expected.reasons)
        seen.update(expected.states)
        row = by_id[str(pk)]
        states = {name: getattr(row.minutes, name) for name in expected.states}
        reasons = {name: idle[pk].reasons[name] for name in REASONS}
        halved = {name: sum(half[pk].reasons[name] for half in halves if pk in half) for name in REASONS}
        parts = idle_parts(EVERYTHING, instrument=pk, **days)
        wrong += [
            f"{place} {what}: {told} not {right}"
            for what, told, right in (
                ("states", states, expected.states),
                ("reasons", reasons, expected.reasons),
                ("two halves", halved, reasons),
                ("standby", idle[pk].standby, expected.standby),
                ("refused", sum(idle[pk].codes.values()), expected.reasons["refused"]),
                ("norm", row.norm, round_half_up(expected.norm, "1")),
                ("share", row.ratios["norm_utilisation"], printed(expected)),
            )
            if told != right
        ]
        wrong += [f"{place} {line}" for line in differing(parts, expected)]
    assert not wrong, "\n".join(wrong)
    assert all(seen[name] for name in (*REASONS, *oracle.STATES))


@pytest.mark.django_db
def test_guaranteed_hours_left_unused_are_the_earliest_of_the_lowest_unit() -> None:
    """docs/statistics.md: "of the lowest unit first, the earliest minutes of the window that are left"."""
    world = HoursWorld(NOW)
    made = oracle.Instrument(
        "UTC",
        offers=[Offer(SINCE, None, 2, oracle.HOURS["lunch"])],
        policies=[
            Policy(hour(0, 1), ({"days": [1], "opens": "09:00", "closes": "18:00", "who": "organisation"},))
        ],
        kept=[Kept(120, hour(0), hour(24))],
    )
    one = write(world, made, "One")
    hours_roll_up(since=None, until=None, now=NOW)
    expected = oracle.answer(made, date(2025, 3, 3), date(2025, 3, 4), NOW)
    # The lowest unit from 8 to 10; of the other, 8 to 9 was open to everybody.
    said = {"kept_unused": 120, "not_open": 810, "not_asked": 60}
    assert expected.reasons == dict.fromkeys(REASONS, 0) | said
    (row,) = idle_rows(
        EVERYTHING, narrowed={"instrument": one.pk}, since=date(2025, 3, 3), until=date(2025, 3, 4)
    )
    assert row.reasons == expected.reasons


def round_half_up(number: Any, to: str) -> Decimal:
    return (Decimal(number.numerator) / Decimal(number.denominator)).quantize(Decimal(to), ROUND_HALF_UP)


def printed(expected: oracle.Answer) -> str | None:
    return None if expected.share is None else f"{round_half_up(expected.share, '0.0001')}"


def differing(parts: list[Any], expected: oracle.Answer) -> list[str]:
    """Spans in which a unit's minutes have another reason than the oracle's, or more than one."""
    painted = [bytearray(b"\xff" * len(unit)) for unit in expected.units]
    lines = []
    for part in parts:
        start, end = part.start - expected.first, part.end - expected.first
        if set(painted[part.unit - 1][start:end]) - {0xFF}:
            lines.append(f"twice: {part}")
        painted[part.unit - 1][start:end] = bytes([CODE[part.reason]]) * (end - start)
    for number, (told, right) in enumerate(zip(painted, expected.units, strict=True), 1):
        wanted = bytes(code if code < len(REASONS) else 0xFF for code in right)
        if told != wanted:
            at = next(place for place, (a, b) in enumerate(zip(told, wanted, strict=True)) if a != b)
            end = next((n for n in range(at, len(told)) if told[n] == wanted[n]), len(told))
            moment = datetime.fromtimestamp((expected.first + at) * 60, UTC)
            names = [oracle.LAYERS[code] if code != 0xFF else "no standby" for code in (told[at], wanted[at])]
            lines.append(
                f"unit {number} at {moment:%Y-%m-%d %H:%M} for {end - at} min: {names[0]} not {names[1]}"
            )
    return lines
