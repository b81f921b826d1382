"""Pages of batches, and the offer on the page of a need and under one's bookings."""

import pytest
from django.test import Client
from django.urls import reverse

from bookings.models import Reservation
from bookings.needs.models import Batch, Need
from bookings.needs.services.batches import batches_place
from bookings.overview.services.effects import effects_carry_out
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.batches import batch_of, flexible, place_of
from tests.factories.cast import NOW, Cast
from tests.factories.moments import at

pytestmark = pytest.mark.usefixtures("clock")
WINDOW = {"region": "CN-AH", "starts_at": "2026-03-06T08:00", "ends_at": "2026-03-20T20:00"}


def test_a_coordinator_starts_one_and_reads_what_became_of_it(cast: Cast, client: Client) -> None:
    need, dear = flexible(cast), flexible(cast, "hu", budget=0)
    client.force_login(cast.coordinator)
    form = page_of(client.get("/batches/new/"))
    assert "Anhui" in form and "Shanghai</option>" not in form
    page_of(client.post("/batches/new/", WINDOW | {"region": "CN-SH"}), 400)
    sent = client.post("/batches/new/", WINDOW)
    batch = Batch.objects.get()
    assert (sent.url, batch.ends_at) == (f"/batches/{batch.pk}/", at("2026-03-20 20:00"))
    assert "It is being placed" in page_of(client.get(sent.url))
    page_of(client.post("/batches/new/", WINDOW), 409)
    batches_place(now=NOW)
    html = page_of(client.get(sent.url))
    assert "2 needs, 1 offered a time, 0 accepted." in html
    assert "at least 100 % of the best plan is reached" in html
    assert "No instrument fits it in this window." in html
    assert cast.microscope.name in html and "Grain size" in html
    for private in (need.text, dear.text, "Sun Tao", "USTC"):
        assert private not in html
    assert "Anhui" in page_of(client.get("/batches/"))


def test_who_is_offered_a_time_accepts_it_on_the_page_of_the_need(cast: Cast, client: Client) -> None:
    need = flexible(cast)
    batch_of(cast)
    place = place_of(need)
    client.force_login(cast.sun)
    for page in (f"/needs/{need.pk}/", reverse("bookings:mine")):
        html = page_of(client.get(page))
        assert "A time is held for your need" in html
        assert f"/batch-places/{place.pk}/accept/" in html
        assert "No other need wants this day." in html
    sent = client.post(f"/batch-places/{place.pk}/accept/")
    assert sent.url == f"/bookings/{place.reservation_id}/"
    assert Reservation.objects.get().state == "confirmed"
    assert "A time is held" not in page_of(client.get(reverse("bookings:mine")))
    html = page_of(client.post(f"/batch-places/{place.pk}/give-back/"), 409)
    assert "This time is no longer held for you." in html


def test_what_is_given_back_is_gone(cast: Cast, client: Client) -> None:
    need = flexible(cast)
    batch_of(cast)
    client.force_login(cast.sun)
    client.post(f"/batch-places/{place_of(need).pk}/give-back/")
    assert place_of(need).state == "given_back"
    assert "A time is held" not in page_of(client.get(f"/needs/{need.pk}/"))


def test_managers_of_the_payer_read_the_need_without_its_offer(cast: Cast, client: Client) -> None:
    need = flexible(cast)
    batch_of(cast)
    client.force_login(cast.zhao)
    assert "A time is held" not in page_of(client.get(f"/needs/{need.pk}/"))


def test_each_is_told_in_their_language(
    cast: Cast,
    mailoutbox: list,  # type: ignore[type-arg]
) -> None:
    cast.sun.language = "zh-hans"
    cast.sun.save()
    flexible(cast)
    batch_of(cast)
    effects_carry_out(now=NOW)
    effects_carry_out(now=NOW)
    told = {mail.to[0]: mail for mail in mailoutbox}
    assert "已为您的需求保留时段" in told[cast.sun.email].subject
    assert "当天没有其他需求。" in told[cast.sun.email].body
    assert "Of 1 flexible needs, 1 were offered a time." in told[cast.coordinator.email].body


def test_a_need_is_said_to_be_flexible(cast: Cast, client: Client) -> None:
    flexible(cast, "wang").delete()
    client.force_login(cast.wang)
    form = {
        "text": "grain size",
        "earliest": "2026-03-06T08:00",
        "latest": "2026-03-20T08:00",
        "minutes": "120",
        "organisation": "fudan",
        "is_flexible": "on",
    }
    sent = client.post("/needs/new/", form)
    need = Need.objects.get()
    assert need.is_flexible
    assert "any time in between" in page_of(client.get(sent.url))
    client.post(f"/needs/{need.pk}/correct/", {"act": "add", "code": cast.technique.code})
    need.refresh_from_db()
    assert need.is_flexible
