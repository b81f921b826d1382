"""The waiting list on pages, without a script."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain.roles import By
from accounts.models import User
from bookings.models import Reservation, WaitingWish
from bookings.overview.services.effects import effects_carry_out
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.closures import Outage, closure_create
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.waiting import narrow, wait

SLOT = ("2026-03-06 10:00", "2026-03-06 12:00")
FORM = {
    "earliest": "2026-03-06T08:00",
    "latest": "2026-03-06T20:00",
    "minutes": "120",
    "service_mode": "self",
    "organisation": "fudan",
    "max_price": "",
}


@pytest.fixture
def wang(client: Client, cast: Cast) -> Client:
    client.force_login(cast.people["wang"])
    return client


@pytest.fixture
def instrument(cast: Cast) -> Instrument:
    return narrow(cast)


@pytest.fixture
def booked(cast: Cast, instrument: Instrument) -> Reservation:
    return reserve(cast, *SLOT, who="sun", instrument=instrument)


def free(cast: Cast, booked: Reservation) -> None:
    reservation_cancel(By(cast.actor("sun"), NOW), reservation_id=booked.pk, reason="")
    effects_carry_out(now=NOW)


def test_from_a_taken_slot_to_the_list_and_to_a_booking(
    cast: Cast, wang: Client, instrument: Instrument, booked: Reservation
) -> None:
    asked = {"start": "2026-03-06T10:00:00+08:00", "minutes": "120"}
    html = page_of(wang.get(f"/instruments/{instrument.pk}/book/", asked))
    link = f"/instruments/{instrument.pk}/wait/?from=2026-03-06T02%3A00%3A00Z&amp;minutes=120"
    assert html.count(link) == 1
    html = page_of(wang.get(link.replace("&amp;", "&")))
    assert 'value="2026-03-06T00:00"' in html and 'value="2026-03-13T00:00"' in html
    assert '<option value="120" selected>2 h</option>' in html

    answer = wang.post(f"/instruments/{instrument.pk}/wait/", FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/waiting/")
    html = page_of(wang.get("/waiting/"))
    assert "number 1 in line" in html and "You are on the waiting list." in html
    assert "Take it" not in html
    assert "Take it" not in page_of(wang.get("/bookings/"))

    free(cast, booked)
    assert "The waiting list has a slot for you." in page_of(wang.get("/bookings/"))
    html = page_of(wang.get("/waiting/"))
    assert "It is held for you until Thu 5 Mar 2026, 14:00 (Beijing time)" in html
    held = Reservation.objects.get(state="held")
    form = (
        f"/instruments/{instrument.pk}/book/?start=2026-03-06T02%3A00%3A00Z"
        "&amp;minutes=120&amp;organisation=fudan"
    )
    assert form in html
    html = page_of(wang.get(form.replace("&amp;", "&")))
    assert f'<input type="hidden" name="hold" value="{held.pk}">' in html
    assert "This time is taken" not in html and 'hx-trigger="load"' not in html
    answer = wang.post(
        f"/instruments/{instrument.pk}/book/",
        {
            "start": "2026-03-06T02:00:00Z",
            "minutes": "120",
            "organisation": "fudan",
            "service_mode": "self",
            "purpose": "research",
            "hold": str(held.pk),
        },
    )
    assert answer["Location"] == f"/bookings/{held.pk}/"
    held.refresh_from_db()
    assert held.state == "confirmed"
    html = page_of(wang.get("/waiting/"))
    assert "No longer waiting" in html and "fulfilled" in html and f"/bookings/{held.pk}/" in html


def test_declined_and_withdrawn(
    cast: Cast, wang: Client, instrument: Instrument, booked: Reservation
) -> None:
    wish = wait(cast, instrument)
    free(cast, booked)
    held = Reservation.objects.get(state="held")
    address = f"/waiting/{held.pk}/decline/"
    assert address in page_of(wang.get("/waiting/"))
    html = page_of(wang.post(address, follow=True))
    assert "the slot goes to the next in line" in html and "number 1 in line" in html
    html = page_of(wang.post(f"/waiting/{wish.pk}/withdraw/", follow=True))
    assert "You have left the waiting list." in html and "withdrawn" in html
    wish.refresh_from_db()
    assert wish.state == "withdrawn"
    assert "no longer possible" in page_of(wang.post(f"/waiting/{wish.pk}/withdraw/"), 409)


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latest": "2026-03-06T07:00"}, "This must be after the start."),
        ({"latest": ""}, "This field is required."),
        ({"regions": ["CN-AH"]}, "Regions apply only if you accept equivalent instruments."),
        ({"minutes": "45"}, "Select a valid choice"),
        ({"max_price": "-1"}, "greater than or equal to 0"),
        ({"earliest": "soon"}, "This is not a time."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    wang: Client, instrument: Instrument, changes: dict[str, Any], said: str
) -> None:
    html = page_of(wang.post(f"/instruments/{instrument.pk}/wait/", FORM | changes), 400)
    assert said in html
    for name in ("earliest", "latest"):
        assert f'value="{(FORM | changes)[name]}"' in html or not (FORM | changes)[name]
    assert not WaitingWish.objects.exists()


@pytest.mark.usefixtures("booked")
def test_twice_the_same_is_said(cast: Cast, wang: Client, instrument: Instrument) -> None:
    assert wang.post(f"/instruments/{instrument.pk}/wait/", FORM).status_code == 302
    html = page_of(wang.post(f"/instruments/{instrument.pk}/wait/", FORM), 409)
    assert "You are already on the waiting list for this." in html


def test_what_is_free_is_offered_at_once(wang: Client, instrument: Instrument) -> None:
    html = page_of(wang.post(f"/instruments/{instrument.pk}/wait/", FORM, follow=True))
    assert "A slot is free already" in html and "Take it" in html


def test_equivalents_regions_and_price(wang: Client, cast: Cast, instrument: Instrument) -> None:
    asked = FORM | {"any_equivalent": "on", "regions": ["CN-AH", "CN-SH"], "max_price": "100"}
    html = page_of(wang.post(f"/instruments/{instrument.pk}/wait/", asked, follow=True))
    assert "or an equivalent instrument: Anhui, Shanghai" in html
    assert "at most CNY 100.00" in html


def test_it_says_what_stands_in_the_way(cast: Cast, wang: Client) -> None:
    wait(cast, narrow(cast, policy={"qualification": "instrument"}))
    html = page_of(wang.get("/waiting/"))
    assert "No slot can be offered to you at present:" in html
    assert "requires a certificate, which the person does not have" in html


def test_an_instruments_page_leads_there(wang: Client, instrument: Instrument) -> None:
    html = page_of(wang.get(f"/instruments/{instrument.pk}/"))
    assert f"/instruments/{instrument.pk}/wait/?from=2026-03-05&amp;minutes=60" in html


def test_nothing_yet(wang: Client) -> None:
    assert "You are not on any waiting list" in page_of(wang.get("/waiting/"))


@pytest.mark.parametrize("given", ["", "x", "9999-12-31", "0001-01-01", "2026-03-06T99", "٣"])
def test_a_day_that_cannot_be_read(wang: Client, instrument: Instrument, given: str) -> None:
    page_of(wang.get(f"/instruments/{instrument.pk}/wait/", {"from": given, "minutes": given}))


def test_in_chinese_and_in_both_zones(
    cast: Cast,
    wang: Client,
    instrument: Instrument,
    clock: Clock,  # noqa: F811
) -> None:
    User.objects.filter(pk=cast.wang.pk).update(language="zh-hans", time_zone="Europe/London")
    wait(cast, instrument)
    wang.cookies["django_language"] = "zh-hans"
    html = page_of(wang.get("/waiting/", headers={"Accept-Language": "zh-hans"}))
    assert "已候补到" in html and "伦敦时间" in html
    clock += timedelta(hours=2)
    html = page_of(wang.get("/waiting/", headers={"Accept-Language": "zh-hans"}))
    assert "已候补到" not in html and "排在第 1 位" in html


def test_who_is_displaced_sees_where_else(cast: Cast, wang: Client) -> None:
    made = reserve(cast, *SLOT)
    other = narrow(cast, name="Other")
    closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        outage=Outage("breakdown", at(SLOT[0]), at("2026-03-06 13:00")),
        displace=True,
    )
    html = page_of(wang.get(f"/bookings/{made.pk}/"))
    assert "The nearest times that are free" in html
    assert f"/instruments/{other.pk}/book/?start=2026-03-06T02%3A00%3A00Z&amp;minutes=120" in html
    # Eight to ten, before what is closed.
    assert f"/instruments/{cast.microscope.pk}/book/?start=2026-03-06T00%3A00%3A00Z&amp;minutes=120" in html
    assert html.index(str(other.pk)) < html.index("T00%3A00%3A00Z")
