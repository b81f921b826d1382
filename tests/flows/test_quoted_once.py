"""How often the fee rule is asked on the way of one booking, through each door.

Refused, a page shows the price of its form again: that is another page, and not counted here."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.catalogue.selectors import quotes
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Reservation
from bookings.plans.selectors.chains import StepWish
from bookings.plans.services.chains import chain_book
from bookings.plans.services.imports import bookings_import
from bookings.pricing.domain import fees
from bookings.record.domain.periods import Period
from bookings.reserving.services.holds import hold_take
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_decide, reservation_request
from bookings.series.services.series import series_book
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import NOW, at

FRIDAY = Period(at("2026-03-06 10:00"), at("2026-03-06 12:00"))
WEEK = Period(at("2026-03-09 00:00"), at("2026-03-14 00:00"))
TEM = "Transmission electron microscope"


@pytest.fixture
def quoted(monkeypatch):
    """The calls of the fee rule so far."""
    calls, rule = [], fees.quote

    def quote(given):
        calls.append(given)
        return rule(given)

    monkeypatch.setattr(fees, "quote", quote)
    monkeypatch.setattr(quotes, "quote", quote)
    return calls


def booking(instrument, period=FRIDAY, **values):
    return Booking(instrument.pk, period, None, "self", **values)


def test_on_the_page(cast, clock, quoted):  # noqa: F811
    browser = Client()
    browser.force_login(cast.people["wang"])
    form = {"start": FRIDAY.start.isoformat(), "minutes": "120", "service_mode": "self"}
    address = reverse("bookings:book", args=[cast.microscope.pk])
    answer = browser.post(address, form | {"purpose": "research"})
    assert (answer.status_code, len(quoted)) == (302, 1)
    made = Reservation.objects.get()
    move = {"start": "2026-03-06T13:00", "end": "2026-03-06T15:00", "version": made.version}
    answer = browser.post(reverse("bookings:move", args=[made.pk]), move)
    assert (answer.status_code, len(quoted)) == (302, 3)  # what it was, and what it is now


def test_by_the_api(cast, program, quoted):  # noqa: F811
    wang = program("wang")
    answer = wang.post(
        "reservations/",
        {
            "instrument": str(cast.microscope.pk),
            "start": FRIDAY.start.isoformat(),
            "end": FRIDAY.end.isoformat(),
            "service_mode": "self",
            "purpose": {"code": "research", "text": ""},
        },
    )
    assert (answer.status, len(quoted)) == (201, 1)


def test_of_a_hold_a_request_and_a_move(cast, quoted):
    wang, asks = cast.actor("wang"), cast.instrument(name="Asks", policy={"approval": "manual"})
    hold = hold_take(By(wang, NOW), booking=booking(cast.microscope))
    assert len(quoted) == 0
    made = reservation_request(By(wang, NOW), booking=booking(cast.microscope, hold=hold.pk))
    assert len(quoted) == 1
    reservation_move(By(wang, NOW), reservation_id=made.pk, period=Period(FRIDAY.end, at("2026-03-06 14:00")))
    assert len(quoted) == 3  # what it was, and what it is now
    request = reservation_request(By(wang, NOW), booking=booking(asks))
    assert len(quoted) == 4
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=request.pk, approve=True, reason="")
    assert len(quoted) == 4


def test_of_each_date_of_a_series(cast, quoted):
    first = Period(at("2026-03-09 10:00"), at("2026-03-09 12:00"))
    series = series_book(
        By(cast.actor("wang"), NOW),
        booking=booking(cast.microscope, first),
        rule="FREQ=WEEKLY;COUNT=4",
        on_conflict="refuse",
    )
    assert (len(series.reservations), len(quoted)) == (4, 4)


def test_of_each_step_of_a_chain(cast, quoted):
    steps = [
        StepWish(cast.microscope.pk, 120, "self"),
        StepWish(cast.instrument(name="Wafer saw").pk, 60, "self"),
    ]
    values = {"steps": steps, "organisation": None, "purpose": "research", "purpose_text": ""}
    starts = [at("2026-03-09 10:00"), at("2026-03-09 14:00")]
    wang = cast.actor("wang")
    chain_book(By(wang, NOW), within=WEEK, starts=starts, **values)
    assert len(quoted) == 2
    chain_book(By(wang, NOW), within=WEEK, **values)
    assert (Reservation.objects.count(), len(quoted)) == (4, 4)


def test_of_each_row_of_a_file(cast, quoted):
    rows = [f"{TEM},2026-03-06 {hour}:00,2026-03-06 {hour + 1}:00\n" for hour in (9, 10, 11)]
    bookings_import(
        By(cast.actor("wang"), NOW),
        content=("instrument,starts,ends\n" + "".join(rows)).encode(),
        file_name="old.csv",
        organisation=None,
    )
    assert (Reservation.objects.count(), len(quoted)) == (3, 3)
