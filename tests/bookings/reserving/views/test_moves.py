"""Moving a booking on the calendar of its instrument."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from bookings.charging.services.charges import charge_make
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel, reservation_decide
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories import api as programs
from tests.factories.cast import NOW, at, reserve

clock = programs.clock  # a fixture


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")


@pytest.fixture
def wang(client, cast, clock):
    client.force_login(cast.people["wang"])
    return client


def address(booked):
    return reverse("bookings:move", args=[booked.pk])


def starts(shown, day):
    return [s for each in shown["days"] if str(each["date"]) == day for s in each["starts"]]


def test_its_own_time_is_free_and_that_of_others_is_not(cast, wang, booked):
    reserve(cast, "2026-03-06 13:00", "2026-03-06 15:00", who="sun")
    page = wang.get(address(booked))
    free = starts(page.context, "2026-03-06")
    assert at("2026-03-06 10:00") in free and at("2026-03-06 11:00") in free
    assert at("2026-03-06 12:00") not in free  # two hours from there meet Sun's
    assert page.context["minutes"] == 120
    # Each start leads back to this page, for who has no script.
    assert f'href="{address(booked)}?start=2026-03-06T' in page_of(page)


def test_another_week_is_a_part_of_the_page(wang, booked):
    part = wang.get(
        address(booked),
        {"week": "2026-03-09", "minutes": "60"},
        headers={"HX-Request": "true", "HX-Target": "week"},
    ).content.decode()
    assert "<html" not in part and 'value="2026-03-09"' in part and "week-setup" in part


def test_of_an_instrument_that_is_shown_no_more_the_form_is_left(cast, wang, booked):
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="retired")
    html = page_of(wang.get(address(booked)))
    assert "week-setup" not in html and 'name="start"' in html


def test_nobody_else_sees_the_week_of_it(client, cast, clock, booked):
    client.force_login(cast.people["sun"])
    assert client.get(address(booked)).status_code == 404
    part = client.get(address(booked), headers={"HX-Request": "true", "HX-Target": "week"})
    assert part.status_code == 404


def test_what_a_late_move_costs_is_said_before_and_after(cast, wang):
    """On the move page, on the booking, where it is cancelled and on the charge; without zeros."""
    earlier = NOW - timedelta(minutes=11)
    booked = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", now=earlier)
    new = {"start": "2026-04-03T10:00", "end": "2026-04-03T12:00"}
    page = page_of(wang.get(address(booked), new))
    assert "Cancelling will then cost 50 %" in page
    assert "because the booking is moved less than 3 days before its current start" in page
    by = By(cast.actor("wang"), NOW)
    period = Period(at("2026-04-03 10:00"), at("2026-04-03 12:00"))
    reservation_move(by, reservation_id=booked.pk, period=period)
    page = page_of(wang.get(reverse("bookings:reservation", args=[booked.pk])))
    assert "Cancelling costs at least 50 %, because the booking was moved at short notice." in page
    assert "Cancelling now costs 50 %, because the booking was moved at short notice: CNY 310.00" in page
    assert "50.000" not in page
    api = wang.get(f"/api/v1/reservations/{booked.pk}/").json()
    assert api["cancelling_costs_at_least"] == "50"
    cost = wang.get(f"/api/v1/reservations/{booked.pk}/cancellation/").json()
    assert (cost["percent"], cost["reason"]) == ("50", "moved")
    reservation_cancel(by, reservation_id=booked.pk, reason="")
    charge = charge_make(reservation_id=booked.pk, now=NOW)
    page = page_of(wang.get(reverse("bookings:money-charges-one", args=[charge.pk])))
    assert "Fee, 50 % of CNY 620.00" in page and "Because the booking was moved at short notice." in page


def test_a_move_onto_ones_own_other_booking_is_warned_of(cast, wang, booked):
    other = cast.instrument(name="Second microscope")
    there = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=other)
    onto = {"start": "2026-03-10T11:00", "end": "2026-03-10T13:00"}
    html = wang.get(address(booked), onto).content.decode()
    assert "You have another booking at this time:" in html and str(there.pk) in html
    beside = wang.get(address(booked), {"start": "2026-03-10T12:00", "end": "2026-03-10T14:00"})
    assert "another booking at this time" not in beside.content.decode()
    # The host does not learn of it.
    wang.force_login(cast.zhao)
    assert str(there.pk) not in wang.get(address(booked), onto).content.decode()


def test_a_preview_says_what_is_wrong_with_the_end(cast, wang, booked):
    asked = {"start": "2026-03-06T15:00", "end": "2026-03-06T12:00"}
    part = wang.get(address(booked), asked, headers={"HX-Request": "true", "HX-Target": "preview"})
    assert "This must be after the start." in part.content.decode()


def test_the_present_time_is_not_named_as_the_nearest_free(cast, wang, booked):
    reserve(cast, "2026-03-06 12:00", "2026-03-06 14:00", who="sun")
    for hours in ("10:00", "13:00"), ("10:30", "12:30"):
        page = wang.get(
            address(booked), {n: f"2026-03-06T{h}" for n, h in zip(("start", "end"), hours, strict=True)}
        )
        near = page.context["refusals"][0].nearest
        is_named = "Nearest time that can be booked:" in page_of(page)
        assert is_named is (near is not None and near != page.context["present"])
    assert near == page.context["present"]


def test_the_story_says_that_a_move_waits(cast, wang):
    asks = cast.instrument(name="Asks", policy={"approval": "manual"})
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    reservation_decide(By(cast.actor("zhao"), NOW), reservation_id=made.pk, approve=True, reason="")
    period = Period(at("2026-03-11 10:00"), at("2026-03-11 12:00"))
    reservation_move(By(cast.actor("wang"), NOW), reservation_id=made.pk, period=period)
    page = page_of(wang.get(reverse("bookings:reservation", args=[made.pk])))
    assert page.count("Moved; the owner has to agree again") == 1
