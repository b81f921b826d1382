"""Granting, changing and ending guaranteed hours, and what they do to bookings."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import OutboxMessage, TrailEntry
from bookings.availability.selectors.availability import load_promises
from bookings.availability.selectors.kept_hours import kept_for, kept_rows, value_of
from bookings.availability.services.kept_hours import kept_hours_change, kept_hours_end
from bookings.catalogue.selectors.parties import Booking
from bookings.catalogue.selectors.quotes import load_quotation
from bookings.models import KeptHours, Reservation
from bookings.pricing.selectors.fees import PriceRequest
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import RulesRefuse
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from instruments.managing.selectors.misfits import load_misfits
from instruments.opening.domain.opening import parse_hours
from instruments.policy.models import BookingPolicy
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book
from tests.factories.cast import NOW, WEEKDAYS, at, reserve
from tests.factories.kept_hours import grant

FRIDAY, SATURDAY = at("2026-03-06 00:00"), at("2026-03-07 00:00")


def left(row, now=NOW):
    return value_of(kept_rows(now).get(pk=row.pk)).left


def codes(refused):
    return [refusal.code for refusal in refused.value.refusals]


def test_granted_burnt_and_refused_to_others(cast):
    row = grant(cast)
    assert BookingPolicy.objects.get(instrument=cast.microscope).kept_until == SATURDAY
    assert TrailEntry.objects.filter(action="kept-hours.grant", object_id=row.pk).count() == 1
    with pytest.raises(RulesRefuse) as refused:
        reserve(cast, "2026-03-06 08:00", "2026-03-06 13:00", who="sun")
    assert codes(refused) == ["kept-for-holder"]
    [refusal] = refused.value.refusals
    assert (refusal.numbers["kept"], refusal.numbers["free"]) == ("8", "7")
    assert Reservation.objects.count() == 0
    reserve(cast, "2026-03-06 08:00", "2026-03-06 12:00", who="sun")
    mine = reserve(cast, "2026-03-06 12:00", "2026-03-06 15:00", who="wang")
    assert left(row) == timedelta(hours=5)
    with pytest.raises(RulesRefuse):
        reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00", who="sun")
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=mine.pk, reason="")
    assert left(row) == timedelta(hours=8)


def test_a_booking_that_moves_is_judged_without_itself(cast):
    grant(cast)
    booked = reserve(cast, "2026-03-06 08:00", "2026-03-06 12:00", who="sun")
    moved = reservation_move(
        By(cast.actor("sun"), NOW),
        reservation_id=booked.pk,
        period=Period(at("2026-03-06 09:00"), at("2026-03-06 13:00")),
    )
    assert moved.start_at == at("2026-03-06 09:00")
    with pytest.raises(RulesRefuse) as refused:
        reservation_move(
            By(cast.actor("sun"), NOW),
            reservation_id=booked.pk,
            period=Period(at("2026-03-06 09:00"), at("2026-03-06 14:00")),
        )
    assert codes(refused) == ["kept-for-holder"]


def test_more_than_fits_is_refused_with_what_fits(cast):
    reserve(cast, "2026-03-06 08:00", "2026-03-06 10:00", who="sun")
    with pytest.raises(Invalid) as refused:
        grant(cast, minutes=601)
    [problem] = refused.value.problems
    assert (problem.code, problem.numbers["most"]) == ("more-than-fits", 600)
    assert KeptHours.objects.count() == OutboxMessage.objects.filter(kind__startswith="kept").count() == 0
    assert BookingPolicy.objects.get(instrument=cast.microscope).kept_until is None
    grant(cast, minutes=600)
    with pytest.raises(Invalid) as refused:
        grant(cast, minutes=1, holder=cast.optics)
    assert refused.value.problems[0].numbers["most"] == 0


def test_what_the_holder_has_booked_before_counts(cast):
    reserve(cast, "2026-03-06 08:00", "2026-03-06 12:00", who="wang")
    with pytest.raises(Invalid) as refused:
        grant(cast, minutes=721)
    assert refused.value.problems[0].numbers["most"] == 720
    assert left(grant(cast, minutes=720)) == timedelta(hours=8)


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"minutes": 0}, "minutes", "out-of-range"),
        ({"minutes": 10**9}, "minutes", "out-of-range"),
        ({"reason": " "}, "reason", "required"),
        ({"reason": "机" * 501}, "reason", "too-long"),
        ({"ends_at": FRIDAY}, "end", "not-after-start"),
        ({"starts_at": NOW - timedelta(days=2), "ends_at": NOW}, "end", "in-the-past"),
        ({"ends_at": SATURDAY + timedelta(days=900)}, "end", "span-too-long"),
        ({"starts_at": FRIDAY + timedelta(seconds=1)}, "start", "whole-minutes"),
        ({"released_minutes": -1}, "released_minutes", "out-of-range"),
        ({"price": Decimal(-1)}, "price", "too-large"),
        ({"price": Decimal("NaN")}, "price", "too-large"),
        ({"price": Decimal("1.001")}, "price", "too-many-decimals"),
    ],
)
def test_what_cannot_be_granted(cast, values, field, code):
    with pytest.raises(Invalid) as refused:
        grant(cast, **values)
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
    assert KeptHours.objects.count() == 0


def test_only_managers_of_the_host(cast):
    for who in ("chen", "sun", "auditor", "coordinator", "admin"):
        with pytest.raises(NotPermitted):
            grant(cast, who=who)
    row = grant(cast)
    for act in (kept_hours_end, lambda by, **values: kept_hours_change(by, minutes=60, **values)):
        with pytest.raises(NotPermitted):
            act(By(cast.actor("chen"), NOW), kept_id=row.pk, reason="x")
    row.refresh_from_db()
    assert (row.ended_at, row.minutes) == (None, 480)


def test_one_at_a_time(cast):
    grant(cast)
    with pytest.raises(WrongState, match="kept-already"):
        grant(cast, minutes=60)
    grant(cast, starts_at=at("2026-03-09 00:00"), ends_at=at("2026-03-10 00:00"))


def test_fewer_or_more(cast):
    row = grant(cast)
    reserve(cast, "2026-03-06 12:00", "2026-03-06 15:00", who="wang")
    zhao = By(cast.actor("zhao"), NOW)
    with pytest.raises(Invalid) as refused:
        kept_hours_change(zhao, kept_id=row.pk, minutes=179, reason="less")
    assert refused.value.problems[0].numbers["least"] == 180
    with pytest.raises(Invalid) as refused:
        kept_hours_change(zhao, kept_id=row.pk, minutes=721, reason="more")
    assert refused.value.problems[0].numbers["most"] == 720
    with pytest.raises(WrongVersion):
        kept_hours_change(By(zhao.actor, NOW, 9), kept_id=row.pk, minutes=300, reason="less")
    changed = kept_hours_change(zhao, kept_id=row.pk, minutes=180, reason="less")
    assert (changed.minutes, changed.version) == (180, 2)
    reserve(cast, "2026-03-06 15:00", "2026-03-06 20:00", who="sun")


def test_what_has_ended_is_everybodys(cast):
    row = grant(cast, minutes=720)
    kept_hours_end(By(cast.actor("zhao"), NOW), kept_id=row.pk, reason="Not wanted")
    assert BookingPolicy.objects.get(instrument=cast.microscope).kept_until is None
    reserve(cast, "2026-03-06 08:00", "2026-03-06 13:00", who="sun")
    with pytest.raises(WrongState, match="kept-ended"):
        kept_hours_end(By(cast.actor("zhao"), NOW), kept_id=row.pk, reason="Not wanted")


def test_a_manager_sets_it_aside_for_others(cast):
    grant(cast, minutes=720)
    reserve(
        cast, "2026-03-06 08:00", "2026-03-06 09:00", who="zhao", on_behalf_of=str(cast.sun.pk),
        organisation="ustc", override=("kept-for-holder",), reason="An emergency",
    )  # fmt: skip
    assert Reservation.objects.get().overrides == ["kept-for-holder"]
    assert load_promises([Reservation.objects.get().instrument], NOW)


def test_who_reads_them(cast):
    grant(cast)
    assert [kept_for(cast.actor(who), NOW).count() for who in
            ("zhao", "chen", "wang", "auditor", "hu", "alice")] == [1, 1, 1, 1, 0, 0]  # fmt: skip


def test_their_price_in_quote_hold_and_booking(cast):
    row = grant(cast, minutes=120, price=Decimal("30.00"))
    period = Period(at("2026-03-06 12:00"), at("2026-03-06 15:00"))
    instrument = instrument_to_book(cast.actor("wang"), cast.microscope.pk)
    found = load_quotation(instrument, cast.fudan, PriceRequest(period), NOW, user_id=cast.wang.pk)
    lines = [(line.code, line.minutes, line.rate) for line in found.quote.lines[:2]]
    assert lines[0] == ("kept", 120, Decimal("30.00"))
    assert lines[1][:2] == ("standard", 60)
    booking = Booking(cast.microscope.pk, period, None, "self")
    hold = hold_take(By(cast.actor("wang"), NOW), booking=booking)
    assert left(row) == timedelta()
    made = reservation_request(By(cast.actor("wang"), NOW), booking=replace(booking, hold=hold.pk))
    assert made.quotes.get().total == found.quote.total
    moved = reservation_move(
        By(cast.actor("wang"), NOW),
        reservation_id=made.pk,
        period=Period(at("2026-03-06 09:00"), at("2026-03-06 12:00")),
    )
    assert moved.quotes.get(is_current=True).total == found.quote.total
    other = reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00", who="wang")
    assert next(line["code"] for line in other.quotes.get().result["lines"]) == "standard"


def lines(reservation):
    """What the present price of a booking calls its time, with the minutes."""
    result = reservation.quotes.get(is_current=True).result
    return [(line["code"], line["minutes"]) for line in result["lines"] if line["kind"] == "usage"]


def test_what_is_booked_since_takes_no_price_from_what_moves(cast):
    grant(cast, minutes=120, price=Decimal(30))
    made = reserve(cast, "2026-03-06 12:00", "2026-03-06 15:00")
    reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00")
    moved = reservation_move(
        By(cast.actor("wang"), NOW),
        reservation_id=made.pk,
        period=Period(at("2026-03-06 09:00"), at("2026-03-06 12:00")),
    )
    assert lines(moved) == [("kept", 120), ("standard", 60)]


def test_what_is_extended_keeps_its_price_when_the_right_has_ended(cast):
    row = grant(cast, minutes=120, price=Decimal(30))
    made = reserve(cast, "2026-03-06 12:00", "2026-03-06 13:30")
    kept_hours_end(By(cast.actor("zhao"), NOW), kept_id=row.pk, reason="Not wanted")

    def until(end):
        return reservation_move(
            By(cast.actor("wang"), NOW),
            reservation_id=made.pk,
            period=Period(at("2026-03-06 12:00"), at(end)),
        )

    assert lines(until("2026-03-06 15:00")) == [("kept", 90), ("standard", 90)]
    assert lines(until("2026-03-06 13:00")) == [("kept", 60)]


def test_what_is_extended_burns_on(cast):
    grant(cast, minutes=120, price=Decimal(30))
    made = reserve(cast, "2026-03-06 12:00", "2026-03-06 13:00")
    longer = reservation_move(
        By(cast.actor("wang"), NOW),
        reservation_id=made.pk,
        period=Period(at("2026-03-06 12:00"), at("2026-03-06 15:00")),
    )
    assert lines(longer) == [("kept", 120), ("standard", 60)]


def test_what_is_booked_since_takes_no_price_from_a_hold(cast):
    grant(cast, minutes=120, price=Decimal(30))
    period = Period(at("2026-03-06 12:00"), at("2026-03-06 15:00"))
    booking = Booking(cast.microscope.pk, period, None, "self")
    wang = By(cast.actor("wang"), NOW)
    hold = hold_take(wang, booking=booking)
    other = reserve(cast, "2026-03-06 15:00", "2026-03-06 16:00")
    made = reservation_request(wang, booking=replace(booking, hold=hold.pk))
    assert lines(other) == [("standard", 60)]
    assert lines(made) == [("kept", 120), ("standard", 60)]


def test_changed_rules_name_what_would_not_fit(cast):
    row = grant(cast, minutes=600)
    assert load_misfits(cast.microscope, NOW, hours=parse_hours(WEEKDAYS)) == []
    fewer = {"weekly": [{"weekday": 5, "opens": "08:00", "closes": "17:00"}]}
    instrument = Instrument.objects.get(pk=cast.microscope.pk)
    [misfit] = load_misfits(instrument, NOW, hours=parse_hours(fewer))
    assert (misfit.reservation, misfit.state, misfit.organisation) == (row.pk, "kept", "fudan")
    assert misfit.codes == ("kept-for-holder",)
    fewer["weekly"][0]["closes"] = "18:00"
    assert load_misfits(instrument, NOW, hours=parse_hours(fewer)) == []
