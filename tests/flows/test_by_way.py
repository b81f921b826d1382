"""Prices by way of working, from the form of the card to the charge."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import By
from bookings.catalogue.selectors import catalogue
from bookings.charging.services.charges import charge_make
from bookings.models import Quote
from bookings.record.domain.refusals import RulesRefuse
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.models import RateCard
from instruments.rates.services.ratecards import rate_card_create
from instruments.search.domain.search import Criteria
from tests.factories.cards import CARD
from tests.factories.cast import NOW, at, reserve
from tests.instruments.conftest import typed

RATES = {"internal": "100", "regional": "150", "partner": "200", "external": "300", "industry": "400"}
SHARED = {"currency", "valid_from", "tax_percent", "charge_basis", "cancellation"}
BY_WAY = {name: value for name, value in CARD.items() if name in SHARED} | {
    "billing_increment_minutes": 15,
    "usage": [
        {"modes": ["self"], "rates": RATES},
        {"modes": ["assisted"], "rates": RATES, "minimum_minutes": 120},
    ],
    "options": [
        {
            "code": "operator", "name": "Operator", "name_zh": "操作员", "unit": "hour", "price": "150",
            "modes": ["assisted"], "when": "required", "subsidised": True,
        },
        {"code": "film", "name": "Film", "unit": "each", "price": "10", "modes": ["self"]},
        {"code": "grid", "name": "Grid", "unit": "each", "price": "35", "when": "on_use"},
    ],
}  # fmt: skip


@pytest.fixture
def by_way(cast):
    zhao = By(cast.actor("zhao"), NOW)
    rate_card_create(zhao, instrument_id=cast.microscope.pk, card=parse_rate_card(BY_WAY), publish=True)
    cast.microscope.service_modes = ["self", "assisted", "entrusted"]
    cast.microscope.save()
    return cast


def test_with_an_operator_is_never_booked_without_the_operator(by_way) -> None:
    made = reserve(by_way, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", service_mode="assisted")
    lines = Quote.objects.get(reservation=made).result["lines"]
    assert [(line["kind"], line.get("quantity"), line["amount"]) for line in lines] == [
        ("usage", None, "200.00"),
        ("option", "2", "300.00"),
    ]
    with pytest.raises(Invalid) as refused:
        reserve(
            by_way, "2026-03-09 10:00", "2026-03-09 12:00", who="sun", service_mode="assisted",
            options={"operator": Decimal(1)},
        )  # fmt: skip
    assert refused.value.problems[0].code == "option-required"


def test_a_way_without_a_price_is_refused(by_way) -> None:
    with pytest.raises(RulesRefuse) as refused:
        reserve(by_way, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", service_mode="entrusted")
    assert [refusal.code for refusal in refused.value.refusals] == ["mode-not-priced"]


def test_what_the_host_adds_at_check_out_is_charged(by_way) -> None:
    made = reserve(by_way, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", service_mode="assisted")
    now = at("2026-03-06 10:05")
    sun, zhao = (By(by_way.actor(name), now) for name in ("sun", "zhao"))
    reservation_check_in(sun, reservation_id=made.pk)
    with pytest.raises(NotPermitted):
        reservation_check_out(sun, reservation_id=made.pk, options={"grid": Decimal(2)})
    with pytest.raises(Invalid):
        reservation_check_out(zhao, reservation_id=made.pk, options={"film": Decimal(2)})
    with pytest.raises(Invalid):
        reservation_check_out(zhao, reservation_id=made.pk, options={"grid": Decimal(10_001)})
    reservation_check_out(zhao, reservation_id=made.pk, options={"grid": Decimal(2)})
    charge = charge_make(reservation_id=made.pk, now=now)
    assert charge is not None
    assert charge.result["lines"][-1] | {"price": "35"} == {
        "kind": "option", "code": "grid", "name": "Grid", "quantity": "2", "price": "35", "amount": "70.00",
    }  # fmt: skip
    assert charge.result["subtotal"] == "570.00"


def client_of(cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.people[name])
    return client


def test_the_host_adds_options_on_the_page_of_the_booking(by_way, monkeypatch) -> None:
    made = reserve(by_way, "2026-03-06 10:00", "2026-03-06 12:00", who="sun", service_mode="assisted")
    now = at("2026-03-06 10:05")
    reservation_check_in(By(by_way.actor("sun"), now), reservation_id=made.pk)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    page = reverse("bookings:reservation", args=[made.pk])
    assert "added_grid" not in client_of(by_way, "sun").get(page).content.decode()
    zhao = client_of(by_way, "zhao")
    assert "added_grid" in zhao.get(page).content.decode()
    zhao.post(reverse("bookings:check-out", args=[made.pk]), {"added_grid": "3"})
    made.session.refresh_from_db()
    assert made.session.added == {"grid": "3"}


def test_the_booking_form_offers_the_options_of_the_way(by_way, monkeypatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    wang = client_of(by_way, "wang")
    asked = {"start": "2026-03-06T02:00:00Z", "minutes": "120", "service_mode": "self", "purpose": "research"}
    form = wang.get(reverse("bookings:book", args=[by_way.microscope.pk]), asked).content.decode()
    assert set(re.findall(r'name="option_(\w+)"', form)) == {"film"}
    quote = reverse("bookings:quote", args=[by_way.microscope.pk])
    fragment = wang.get(quote, asked | {"service_mode": "assisted", "option_film": "3"}).content.decode()
    assert 'id="options"' in fragment and "option_film" not in fragment
    assert "Operator" in fragment and "2 h × 150" in " ".join(fragment.split())
    assert 'id="options"' not in wang.get(quote, asked | {"option_film": "3"}).content.decode()


def test_the_search_shows_orders_and_filters_by_the_way_that_is_chosen(by_way) -> None:
    payer = by_way.ustc
    for mode in ("", "self", "assisted"):
        criteria = Criteria(sort="price", minutes=60, service_mode=mode)
        worths = catalogue.load_limit(criteria, payer, NOW)
        ((row, offer),) = catalogue.free_between(
            by_way.actor("sun"), criteria, payer, NOW, after=None, size=5, worths=worths
        )
        assert offer.rate == 100
        assert offer.quote is not None and row.place == offer.quote.payable, mode
        assert offer.quote.payable == (500 if mode == "assisted" else 100)
        assert offer.minimum_minutes == (120 if mode == "assisted" else 0)
        assert offer.on_top == ()


def test_the_page_of_an_instrument_shows_the_whole_card(by_way) -> None:
    text = Client().get(reverse("bookings:instrument", args=[by_way.microscope.pk])).content.decode()
    for words in (
        "Operator",
        "part of every price",
        "added at check-out",
        "At least 2 h is charged",
        "Cancelling:",
    ):
        assert words in text, words


def test_a_host_writes_prices_by_way_of_working(cast) -> None:
    zhao = client_of(cast, "zhao")
    address = reverse("instruments:rate-cards", args=[cast.microscope.pk])
    form = zhao.get(address).context["form"]
    emptied = {f"rate_{group}": "" for group in RATES}
    ways = {
        "way_0_modes": ["self"], "way_0_rate_internal": "100",
        "way_1_modes": ["assisted"], "way_1_rate_internal": "120", "way_1_minimum_minutes": "120",
        "option_0_code": "operator", "option_0_name": "Operator", "option_0_name_zh": "操作员",
        "option_0_price": "150", "option_0_modes": ["assisted"], "option_0_when": "required",
    }  # fmt: skip
    assert zhao.post(address, typed(form, draft="1", **emptied, **ways)).status_code == 302
    draft = RateCard.objects.latest("version")
    assert draft.card["usage"][1] == {
        "modes": ["assisted"], "unit": "hour", "rates": {"internal": "120"}, "minimum_minutes": 120,
    }  # fmt: skip
    assert draft.card["options"][0]["when"] == "required" and "rates" not in draft.card
    # A draft that states more than the form shows keeps it.
    draft.card["usage"][0]["tiers"] = [{"after_minutes": 0, "multiplier": "0.9"}]
    draft.save()
    form = zhao.get(address, {"draft": draft.version}).context["form"]
    again = zhao.post(f"{address}?draft={draft.version}", typed(form, draft="1", revision=draft.revision))
    assert again.status_code == 302
    assert RateCard.objects.latest("version").card == draft.card
    assert zhao.get(address).status_code == 200
    gone = zhao.post(reverse("instruments:rate-card-delete", args=[cast.microscope.pk, draft.version]))
    assert gone.status_code == 302 and not RateCard.objects.filter(pk=draft.pk).exists()


def test_all_errors_of_a_card_are_said_at_once_each_with_its_place(cast) -> None:
    zhao = client_of(cast, "zhao")
    address = reverse("instruments:rate-cards", args=[cast.microscope.pk])
    form = zhao.get(address).context["form"]
    wrong = {
        "setup_fee": "-1", "tax_percent": "101", "valid_until": "2020-01-01",
        "way_0_modes": ["self"], "way_0_rate_internal": "1", "way_1_modes": ["self"], "option_0_price": "x",
    }  # fmt: skip
    page = zhao.post(address, typed(form, draft="1", **wrong))
    text = page.content.decode()
    named = [field.name for field, _ in page.context["form"].faults]
    assert {"valid_until", "setup_fee", "tax_percent", "way_0_modes", "way_1_modes", "option_0_price"} <= set(
        named
    )
    for name in named:
        assert f'href="#id_{name}"' in text and f'id="id_{name}"' in text, name
    (focused,) = re.findall(r"<input[^>]* autofocus[^>]*>", text)
    assert 'name="valid_until"' in focused


def test_an_instrument_whose_priced_ways_are_not_offered_has_a_page(by_way) -> None:
    by_way.microscope.service_modes = ["entrusted"]
    by_way.microscope.save()
    answer = Client().get(reverse("bookings:instrument", args=[by_way.microscope.pk]))
    assert answer.status_code == 200


def test_a_series_asks_for_the_options_of_its_way(by_way) -> None:
    client = Client()
    client.force_login(by_way.sun)
    address = reverse("bookings:series-new", args=[by_way.microscope.pk])
    when = {"start": "2026-03-06T10:00:00+08:00", "minutes": "60", "service_mode": "self"}
    html = client.get(address, when)
    assert 'name="option_film"' in html.content.decode()
