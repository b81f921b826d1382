"""The booking form: the slot it keeps, for whom it books, what is set aside."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings.models import Reservation
from tests.factories.cast import NOW, at, reserve


@pytest.fixture
def clock(monkeypatch):
    """What time it is; set `clock.now`."""

    class Clock:
        now = NOW

    monkeypatch.setattr(timezone, "now", lambda: Clock.now)
    return Clock


@pytest.fixture
def browser(cast, clock):
    def of(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return of


START = "2026-03-06T02:00:00Z"  # 10:00 in Hefei


def sent(**changes):
    return {
        "start": START,
        "minutes": "120",
        "service_mode": "self",
        "purpose": "research",
    } | changes


def address(cast, name="book"):
    return reverse(f"bookings:{name}", kwargs={"instrument_id": cast.microscope.pk})


def test_the_form_keeps_its_slot_and_reserves_it(cast, browser):
    wang = browser("wang")
    form = wang.get(address(cast), {"start": START, "minutes": "120"})
    assert 'hx-trigger="input from:closest form once, ' in form.content.decode()
    kept = wang.post(address(cast, "hold"), sent())
    held = Reservation.objects.get()
    assert (kept.status_code, held.state) == (200, "held")
    assert f'name="hold" value="{held.pk}"' in kept.content.decode()
    assert 'data-countdown="600"' in kept.content.decode()
    done = wang.post(address(cast), sent(hold=str(held.pk)))
    assert done["Location"] == reverse("bookings:reservation", kwargs={"reservation_id": held.pk})
    assert Reservation.objects.get().state == "confirmed"


def test_reloading_shows_no_refusal_for_ones_own_hold(cast, browser):
    wang = browser("wang")
    wang.post(address(cast, "hold"), sent())
    again = wang.get(address(cast), {"start": START, "minutes": "120"})
    assert "data-code" not in again.content.decode()
    # Another time on the same instrument gives the first back.
    other = wang.post(address(cast, "hold"), sent(start="2026-03-06T03:00:00Z"))
    assert other.status_code == 200
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["cancelled", "held"]


def test_after_ten_minutes_what_is_still_free_can_be_reserved(cast, browser, clock):
    wang = browser("wang")
    wang.post(address(cast, "hold"), sent())
    hold = Reservation.objects.get()
    clock.now = NOW + timedelta(minutes=11)
    assert wang.post(address(cast), sent(hold=str(hold.pk))).status_code == 302
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["confirmed", "expired"]


def test_a_slot_somebody_else_took_says_so(cast, browser):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    answer = browser("wang").post(address(cast, "hold"), sent())
    assert answer.status_code == 422
    assert 'data-code="slot-taken"' in answer.content.decode()


def test_the_reservation_page_of_a_hold_leads_back_to_the_form(cast, browser):
    wang = browser("wang")
    wang.post(address(cast, "hold"), sent())
    hold = Reservation.objects.get()
    page = wang.get(reverse("bookings:reservation", kwargs={"reservation_id": hold.pk}))
    assert address(cast) in page.content.decode()
    back = wang.post(reverse("bookings:cancel", kwargs={"reservation_id": hold.pk}), {})
    assert back.status_code == 302
    mine = wang.get(reverse("bookings:mine")).content.decode()
    assert str(hold.pk) not in mine  # it never was a booking


def test_two_bookings_at_once_are_pointed_out(cast, browser):
    other = cast.instrument(name="Second microscope")
    booked = reserve(cast, "2026-03-06 11:00", "2026-03-06 13:00", instrument=other)
    page = browser("wang").get(address(cast), {"start": START, "minutes": "120"})
    assert str(booked.pk) in page.content.decode()


def test_a_manager_books_for_a_member(cast, browser):
    chen = browser("chen")
    missing = chen.post(address(cast), sent())
    assert missing.status_code == 400
    done = chen.post(address(cast), sent(on_behalf_of="WANG@fudan.example"))
    assert done.status_code == 302
    row = Reservation.objects.get()
    assert (row.user_id, row.made_by_id) == (cast.wang.pk, cast.chen.pk)


def test_a_manager_sets_rules_aside_and_says_why(cast, browser):
    zhao = browser("zhao")
    sunday = sent(start="2026-03-08T02:00:00Z", on_behalf_of="sun@ustc.example")
    page = zhao.post(address(cast), sunday)
    assert 'name="override" value="outside-opening-hours"' in page.content.decode()
    no_reason = zhao.post(address(cast), sunday | {"override": ["outside-opening-hours"]})
    assert no_reason.status_code == 400
    done = zhao.post(
        address(cast), sunday | {"override": ["outside-opening-hours"], "reason": "Open day."}
    )
    assert done.status_code == 302
    row = Reservation.objects.get()
    assert (row.overrides, row.start_at) == (["outside-opening-hours"], at("2026-03-08 10:00"))
    page = browser("sun").get(reverse("bookings:reservation", args=[row.pk]))
    assert "data-overrides>opening hours</dd>" in page.content.decode()
    # A researcher who sends it is not heard.
    refused = browser("wang").post(
        address(cast),
        sent(start="2026-03-08T04:00:00Z", override=["outside-opening-hours"], reason="x"),
    )
    assert refused.status_code == 422


def test_opening_the_form_holds_nothing(cast, browser):
    browser("wang").get(address(cast, "book"), {"start": START, "minutes": "60"})
    assert not Reservation.objects.exists()


def test_a_hold_is_released_by_its_holder_alone_and_what_became_a_booking_stays(cast, browser):
    wang, release = browser("wang"), address(cast, "release")
    wang.post(address(cast, "hold"), {"start": START, "minutes": "60"})
    hold = Reservation.objects.get()
    browser("sun").post(release, {"hold": str(hold.pk)})
    assert wang.post(release, {"hold": "none"}).status_code == 400
    hold.refresh_from_db()
    assert hold.state == "held"
    assert wang.post(release, {"hold": str(hold.pk), "leaving": "yes"}).status_code == 204
    hold.refresh_from_db()
    assert hold.state == "cancelled"
    wang.post(address(cast, "hold"), {"start": START, "minutes": "60"})
    again = Reservation.objects.get(state="held")
    wang.post(address(cast, "book"), sent(minutes="60", hold=str(again.pk)))
    assert wang.post(release, {"hold": str(again.pk)}).status_code == 302
    again.refresh_from_db()
    assert again.state == "confirmed"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.people["wang"])
    assert strict.post(release, {"hold": str(again.pk)}).status_code == 403


def test_one_s_own_hold_is_free_for_its_holder_and_taken_for_others(cast, browser):
    wang = browser("wang")
    wang.post(address(cast, "hold"), {"start": START, "minutes": "60"})
    free = {"free_from": "2026-03-06T10:00", "free_until": "2026-03-06T11:00", "minutes": "60"}
    ((_, offer),) = wang.get("/", free).context["results"]
    assert offer.starts == (at("2026-03-06 10:00"),)
    assert "is held for you until 12:10" in wang.get("/", free).content.decode()
    assert browser("sun").get("/", free).context["results"] == []
    day = {"week": "2026-03-06", "minutes": "60"}
    mine = wang.get(address(cast, "instrument"), day)
    assert at("2026-03-06 10:00") in mine.context["days"][0]["starts"]
    assert "is held for you until 12:10" in mine.content.decode()
    theirs = browser("sun").get(address(cast, "instrument"), day)
    assert at("2026-03-06 10:00") not in theirs.context["days"][0]["starts"]
    assert "data-held" not in theirs.content.decode()
