"""Bookings that new hours or a new policy would no longer allow are listed before the change."""

import pytest

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_cancel, reservation_request
from instruments.managing.selectors.misfits import load_misfits, mark_of
from instruments.opening.domain.opening import parse_hours
from instruments.policy.domain.policies import parse_policy
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH
from tests.factories.cast import NOW, WEEKDAYS, at, reserve
from tests.factories.qualifications import certify

MORNINGS = {
    "weekly": [{"weekday": day, "opens": "08:00", "closes": "12:00"} for day in range(1, 6)],
    "overrides": [],
    "observes_holidays": True,
}
USUAL = {"slot_minutes": 30, "max_minutes": 480}


@pytest.fixture
def booked(cast):
    """Friday: a morning of two hours, an afternoon of one with an operator."""
    return [
        reserve(cast, "2026-03-06 09:00", "2026-03-06 11:00"),
        reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", who="sun", service_mode="assisted"),
    ]


def misfits(cast, now=NOW, hours=None, policy=None):
    instrument = Instrument.objects.select_related(*WITH).get(pk=cast.microscope.pk)
    found = load_misfits(
        instrument,
        now,
        hours=parse_hours(hours) if hours else None,
        policy=parse_policy(USUAL | policy) if policy else None,
    )
    return [(misfit.reservation, misfit.codes) for misfit in found]


def test_hours_that_end_earlier(cast, booked):
    assert misfits(cast, hours=MORNINGS) == [(booked[1].pk, ("outside-opening-hours",))]
    assert misfits(cast, hours=WEEKDAYS) == []
    holiday = WEEKDAYS | {"overrides": [{"date": "2026-03-06", "windows": []}]}
    assert [pk for pk, _ in misfits(cast, hours=holiday)] == [row.pk for row in booked]


def test_lengths_and_grid(cast, booked):
    assert misfits(cast, policy={"max_minutes": 60}) == [(booked[0].pk, ("too-long",))]
    assert misfits(cast, policy={"min_minutes": 90}) == [(booked[1].pk, ("too-short",))]
    assert misfits(cast, policy={"slot_minutes": 45, "min_minutes": 45, "max_minutes": 450}) == [
        (booked[0].pk, ("off-grid",)),
        (booked[1].pk, ("off-grid",)),
    ]


def test_hours_and_policy_together(cast, booked):
    assert misfits(cast, hours=MORNINGS, policy={"max_minutes": 60}) == [
        (booked[0].pk, ("too-long",)),
        (booked[1].pk, ("outside-opening-hours",)),
    ]


def test_what_is_asked_only_when_booking_is_not_asked_again(cast, booked):
    policy = {
        "notice_minutes": 14400,
        "horizon_days": {"external": 0, "internal": 0},
        "quotas": [{"scope": "user", "unit": "bookings", "per": "upcoming", "limit": 0}],
        "cross_region_share": {"percent": 100},
        "setup_minutes": 240,
    }
    assert misfits(cast, policy=policy) == []


def test_a_certificate_for_those_who_work_alone(cast, booked):
    alone = [(booked[0].pk, ("qualification-missing",))]
    assert misfits(cast, policy={"qualification": "instrument"}) == alone
    certify(cast, cast.microscope)
    assert misfits(cast, policy={"qualification": "instrument"}) == []


def test_what_is_over_given_up_or_set_aside_already_is_none(cast, booked):
    assert misfits(cast, now=at("2026-03-06 13:59"), hours=MORNINGS) != []
    assert misfits(cast, now=at("2026-03-06 14:00"), hours=MORNINGS) == []
    reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=booked[1].pk, reason="")
    assert misfits(cast, hours=MORNINGS) == []
    late = Booking(
        instrument_id=cast.microscope.pk,
        period=Period(at("2026-03-09 20:00"), at("2026-03-09 22:00")),
        organisation="ustc",
        service_mode="self",
        on_behalf_of="sun@ustc.example",
        override=("outside-opening-hours",),
        reason="asked by phone",
    )
    reservation_request(By(cast.actor("zhao"), NOW), booking=late)
    assert misfits(cast, hours=MORNINGS) == []


def test_statements_do_not_grow(cast, booked, django_assert_num_queries):
    instrument = Instrument.objects.select_related(*WITH).get(pk=cast.microscope.pk)
    hours = parse_hours(MORNINGS)
    with django_assert_num_queries(1):
        load_misfits(instrument, NOW, hours=hours)
    for day in range(9, 14):
        reserve(cast, f"2026-03-{day:02d} 14:00", f"2026-03-{day:02d} 15:00", who="sun")
    with django_assert_num_queries(1):
        assert len(load_misfits(instrument, NOW, hours=hours)) == 6


def test_another_list_has_another_mark(cast, booked):
    instrument = Instrument.objects.select_related(*WITH).get(pk=cast.microscope.pk)
    found = load_misfits(instrument, NOW, policy=parse_policy(USUAL | {"slot_minutes": 480}))
    assert len(found) == 2
    assert len({mark_of(found), mark_of(found[:1]), mark_of(found[1:]), mark_of([])}) == 4
    assert mark_of([]) == ""
