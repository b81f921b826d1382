"""The catalogue in the order of price: what each payer would pay, and page by page."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.services.tokens import token_issue
from bookings.catalogue.selectors.catalogue import free_between, load_offers, place_of
from bookings.catalogue.selectors.catalogue_candidates import candidates, of_today
from bookings.pricing.selectors.fees import load_backing
from bookings.settlement.services.exchange_rates import RateTerms, rate_enter
from instruments.domain.ratecards import parse_rate_card
from instruments.domain.search import Criteria
from instruments.models import Instrument, RateCard
from instruments.services.ratecards import rate_card_create
from tests.accounts.pages import page_of
from tests.factories.agreements import agree
from tests.factories.api import Program
from tests.factories.cards import CARD
from tests.factories.cast import NOW, at

pytestmark = pytest.mark.django_db
BY_PRICE = Criteria(sort="price")


def card(currency="CNY", **rates):
    """A card with some of the groups' rates."""
    return CARD | {"currency": currency, "rates": rates}


@pytest.fixture
def cast(shared_cast):
    """Ties by price and by name, groups that are not served, other currencies, a card to come."""
    every = {"internal": "50.00", "regional": "80.00", "external": "90.00", "industry": "95.00"}
    for name, values in (
        ("Cheap for partners", card(**every, partner="60.00")),
        ("Cheap for its own", card(**every | {"internal": "0.00", "external": "400.00"})),
        ("Tie B", card(**every | {"external": "100.00"}, partner="100.00")),
        ("Tie A", card(**every | {"external": "100.00"}, partner="100.00")),
        ("Tie A", card(**every | {"external": "100"}, partner="100.0")),
        ("Only its own", card(internal="10.00")),
        ("Not for industry", card(**{k: v for k, v in every.items() if k != "industry"})),
        ("In euros", card("EUR", **every | {"external": "1.00"}, partner="1.00")),
        ("In pounds", card("GBP", **every | {"external": "0.50"}, partner="0.50")),
        ("Dear", card(**dict.fromkeys((*every, "partner"), "9999999.99"))),
    ):
        shared_cast.instrument(name=name, card=values)
    # Dear today, cheap from tomorrow on.
    turns = shared_cast.instrument(name="Cheap tomorrow", card=card(**every, partner="70.00"))
    RateCard.objects.filter(instrument=turns).update(valid_until="2026-03-06")
    rate_card_create(
        By(shared_cast.actor("zhao"), NOW),
        instrument_id=turns.pk,
        card=parse_rate_card(
            card(**dict.fromkeys((*every, "partner"), "5.00")) | {"valid_from": "2026-03-06"}
        ),
        publish=True,
    )
    return shared_cast


def expected(payer, now=NOW, currency="CNY"):
    """Every published instrument as the rules price it."""
    rows = list(
        Instrument.objects.filter(publication="published").select_related(
            "facility", "organisation__region", "region", "schedule", "policy"
        )
    )
    offers = load_offers(rows, payer, now)

    def place(row):
        offer = offers[row.pk]
        kind = 2 if offer.rate is None else int(offer.currency != currency)
        return kind, offer.rate or Decimal(0), row.name, row.pk

    return [(row.name, row.pk) for row in sorted(rows, key=place)]


def walked(cast, payer, size, now=NOW):
    """Page by page, each from the place where the one before ended."""
    found, after = [], None
    while rows := free_between(cast.actor("wang"), BY_PRICE, payer, now, after=after, size=size):
        found += [(row.name, row.pk) for row, _offer in rows]
        after = place_of(rows[-1][0])
        assert len(found) < 50
    return found


def payer_named(code):
    return Organisation.objects.select_related("region").get(code=code) if code else None


def test_each_payer_in_their_own_order_whatever_the_pages_size(cast):
    agree(cast)
    orders = {}
    for code in ("fudan", "ustc", "optics", ""):
        payer = payer_named(code)
        orders[code] = expected(payer, currency="CNY" if payer else "")
        for size in (1, 3, 40):
            assert walked(cast, payer, size) == orders[code], (code, size)
        # As the page of the catalogue asks: so many, past so many.
        sieve = of_today(load_backing(payer, grants=False), None, {}, NOW)
        skipped = [
            (row.name, row.pk)
            for skip in range(0, 16, 4)
            for row in candidates(BY_PRICE, sieve, after=None, most=4, skip=skip)
        ]
        assert skipped == orders[code]
    names = {code: [name for name, _pk in order] for code, order in orders.items()}
    assert names["fudan"][:4] == ["Cheap for partners", "Cheap tomorrow", "Tie A", "Tie A"]
    # In yuan first, then in other currencies, last what is not for them.
    assert names["fudan"][-6:-3] == ["Dear", "In pounds", "In euros"]
    assert names["ustc"][:2] == ["Cheap for its own", "Only its own"]
    assert names["optics"][-2:] == ["Not for industry", "Only its own"]


def test_an_agreement_counts_from_its_local_day_on(cast):
    """At 20:00 in UTC it is the next day in Anhui already."""
    agree(cast, valid_from=date(2026, 3, 10))
    payer = payer_named("fudan")
    for now in (at("2026-03-10 04:00"), at("2026-03-09 20:00")):
        assert walked(cast, payer, 5, now) == expected(payer, now)
    assert walked(cast, payer, 5, at("2026-03-10 04:00"))[0][0] == "Cheap tomorrow"


def test_pages_and_programs_walk_it_without_doubles_or_gaps(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    agree(cast)
    order = [str(pk) for _name, pk in expected(payer_named("fudan"))]
    here, found = "instruments/?sort=price&limit=4", []
    _, token = token_issue(user=cast.wang, label="test", lifetime=timedelta(days=9), now=NOW)
    program = Program(token)
    while here:
        answer = program.get(here)
        assert answer.status == 200
        found += [row["id"] for row in answer.body["results"]]
        here = answer.body["next"]
    assert found == order
    browser = Client()
    browser.force_login(cast.wang)
    page = browser.get("/?sort=price")
    page_of(page)
    assert [str(i.pk) for i, _offer in page.context["results"]] == order
    # Only today's price is held against the most somebody would pay.
    page = browser.get("/?sort=price&max_price=60")
    assert [i.name for i, _offer in page.context["results"]] == ["Cheap for partners"]
    assert page.context["total"] == 1


def test_a_price_is_compared_across_currencies_at_the_payers_rates_or_not_at_all(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    agree(cast)
    finance = cast.actor("lin")

    def rate(base, quote, value, age=0):
        day = NOW.date() - timedelta(days=age)
        terms = RateTerms(base, quote, Decimal(value), day, "A bank")
        rate_enter(By(finance, NOW), organisation=cast.fudan, terms=terms)

    _, token = token_issue(user=cast.wang, label="test", lifetime=timedelta(days=9), now=NOW)
    program, browser = Program(token), Client()
    browser.force_login(cast.wang)

    def cheap(query):
        """The same of the page, of the page by price, of the API, and of what is free."""
        pages = [browser.get(f"/?{query}"), browser.get(f"/?sort=price&{query}")]
        free = browser.get(f"/?{query}&free_from=2026-03-05T12:00&free_until=2026-03-12T12:00")
        answer = program.get(f"instruments/?{query}").body
        named = {row["name"] for row in answer["results"]}
        for page in (*pages, free):
            assert {i.name for i, _offer in page.context["results"]} == named
            assert page.context["uncompared"] == answer["not_compared"]
        return named - {"Transmission electron microscope"}, answer["not_compared"]

    assert cheap("max_price=60") == ({"Cheap for partners"}, {"EUR": 1, "GBP": 1})
    rate("EUR", "CNY", "59.99", age=3)
    assert cheap("max_price=60") == ({"Cheap for partners", "In euros"}, {"GBP": 1})
    rate("EUR", "CNY", "60.01")  # a newer word
    rate("CNY", "GBP", "0.01")  # the other direction: 0.50 is 50
    assert cheap("max_price=60") == ({"Cheap for partners", "In pounds"}, {})
    # 60.00 is 0.9998 euros, 0.50 pounds cannot be said in euros.
    assert cheap("max_price=1&currency=EUR") == ({"Cheap for partners", "In euros"}, {"GBP": 1})
    html = browser.get("/?max_price=1&currency=USD").content.decode()
    assert "1 instrument in GBP not compared: no exchange rate" in html

    # Whoever pays for nobody has no rates, and must say the currency.
    assert Program(None).get("instruments/?max_price=1").problems == [("currency", "required")]
    answer = Program(None).get("instruments/?max_price=1&currency=EUR").body
    assert [row["name"] for row in answer["results"]] == ["In euros"]
    assert list(answer["not_compared"]) == ["CNY", "GBP"]
    page = Client().get("/?max_price=1")
    assert page.context["form"].errors["max_price"] == ["Choose the currency."]
    assert page.context["total"] == 0
    names = [i.name for i, _ in Client().get("/?max_price=1&currency=GBP").context["results"]]
    assert names == ["In pounds"]
