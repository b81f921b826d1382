"""The catalogue in the order of what each payer would pay, and page by page."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.domain.roles import By
from accounts.models import Organisation, Region
from accounts.services.tokens import token_issue
from bookings.catalogue.selectors import catalogue, catalogue_by_price
from bookings.catalogue.selectors.catalogue_candidates import candidates
from bookings.catalogue.selectors.catalogue_sieve import NO_PRICE, OTHER_CURRENCY, of_today
from bookings.pricing.selectors.fees import load_backing
from bookings.settlement.services.exchange_rates import RateTerms, rate_enter
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.models import RateCard
from instruments.rates.services.ratecards import rate_card_create
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria
from tests.accounts.pages import page_of
from tests.conftest import DEEP
from tests.factories.agreements import agree, grant, programme
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
    offers = catalogue.load_offers(rows, payer, now, minutes=60)

    def place(row):
        quote = offers[row.pk].quote
        kind = 2 if quote is None else int(quote.currency != currency)
        return kind, quote.payable if quote else Decimal(0), row.name, row.pk

    return [(row.name, row.pk) for row in sorted(rows, key=place)]


def walked(cast, payer, size, now=NOW):
    """Page by page, each from the place where the one before ended."""
    found, after = [], None
    while rows := catalogue.free_between(cast.actor("wang"), BY_PRICE, payer, now, after=after, size=size):
        found += [(row.name, row.pk) for row, _offer in rows]
        after = catalogue.place_of(rows[-1][0])
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
        worths = {"CNY": Decimal(1)} if payer else {}
        sieve = of_today(load_backing(payer, grants=False), None, worths, NOW)
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


def generated(draw, *, plain):
    """A card with any digits that a card may have; unless `plain` with bands, tiers and a cap."""
    currency = draw.choice(["CNY", "CNY", "EUR", "JPY", "KWD"])
    digits = {"JPY": 0, "KWD": 3}.get(currency, 2)
    rates = {
        group: f"{draw.choice([0, 1, 7, 133, 2500]) + draw.randrange(10_000) / 10_000:.4f}"
        for group in ("internal", "regional", "partner", "external", "industry")
    }
    values = {
        "currency": currency,
        "valid_from": "2026-01-01",
        "rates": rates,
        "rate_unit": draw.choice(["hour"] * 4 + ["sample"]),
        "billing_increment_minutes": draw.choice([1, 7, 15, 60]),
        "minimum_minutes": draw.choice([0, 0, 50, 120]),
        "setup_fee": f"{draw.randrange(100_000) / 10**digits:.{digits}f}",
        "tax_percent": draw.choice(["0", "6", "13", "8.875"]),
    }
    if not plain:
        night = {"code": "night", "weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00"}
        multiplier = draw.choice(["0.25", "0", "1.5"])
        values |= {
            "bands": draw.choice([[], [night | {"closes": "24:00", "multiplier": multiplier}]]),
            "tiers": draw.choice(
                [[], [{"after_minutes": n, "multiplier": m} for n, m in ((0, "1"), (45, "0.5"))]]
            ),
            "daily_cap_minutes": draw.choice([None, None, 30]),
        }
    return values


@pytest.fixture
def priced(shared_cast):
    """Makes instruments with generated cards and lengths, and Fudan's rates and agreement."""

    def make(seed, number, *, plain):
        draw = random.Random(seed)
        for n in range(number):
            shared_cast.instrument(
                name=f"Generated {n}",
                card=generated(draw, plain=plain),
                policy=draw.choice([{}, {"min_minutes": 120, "slot_minutes": 60}]),
                service_modes=draw.choice([["self"], ["entrusted", "self"]]),
            )
        agree(shared_cast, discount_percent=Decimal("7.5"))
        for base, worth in (("EUR", "7.8123"), ("JPY", "0.0473")):
            terms = RateTerms(base, "CNY", Decimal(worth), NOW.date(), "A bank")
            by = By(shared_cast.actor("lin"), NOW)
            rate_enter(by, organisation=shared_cast.fudan, terms=terms)
        return shared_cast

    return make


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_is_by_the_exact_price_where_nothing_but_the_rules_of_a_card_counts(priced, seed):
    """What is ordered by in SQL is what the quote says: rate and length, increment and minimum,
    set-up, agreement, tax and the best voucher, each rounded, at the exchange rate."""
    cast = priced(seed, 25, plain=True)
    cast_grant(cast)
    grant(cast, programme(cast, code="sh-small", percent=Decimal("33.3"), cap_per_booking=Decimal("7.5")))
    paid_by_voucher = 0
    compared = 0
    for code in ("fudan", "ustc", "optics"):
        payer = payer_named(code)
        for minutes in (30, 60, 90, 240):
            for mode in ("", "self", "entrusted"):
                criteria = Criteria(sort="price", minutes=minutes, service_mode=mode)
                worths = catalogue.load_limit(criteria, payer, NOW)
                rows = catalogue.free_between(
                    cast.actor("wang"), criteria, payer, NOW, after=None, size=50, worths=worths
                )
                for row, offer in rows:
                    if offer.quote is None:
                        assert row.place == NO_PRICE
                        continue
                    place = offer.quote.payable * worths.get(offer.currency, 1)
                    place += 0 if offer.currency in worths else OTHER_CURRENCY
                    assert row.place == round(place, 6), (code, minutes, mode, offer)
                    compared += 1
                    paid_by_voucher += offer.quote.covered > 0
                assert not catalogue.is_reordered((offer for _, offer in rows), worths)
    assert compared > 300 and paid_by_voucher > 50


def test_a_voucher_that_makes_a_dear_instrument_cheap_comes_first(shared_cast, monkeypatch):
    """On the page and in the API, in the order of what is paid."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    cast = shared_cast
    plain = {"setup_fee": "0", "tax_percent": "0", "minimum_minutes": 0}
    for name, rate, currency in (("Priced in yuan", "100", "CNY"), ("Priced in euros", "11", "EUR")):
        asked = plain | {"rates": {"partner": rate}, "currency": currency}
        cast.instrument(name=name, card=asked)
    agree(cast, discount_percent=Decimal(0))
    terms = RateTerms("EUR", "CNY", Decimal(8), NOW.date(), "A bank")
    rate_enter(By(cast.actor("lin"), NOW), organisation=cast.fudan, terms=terms)
    _, token = token_issue(user=cast.wang, label="t", lifetime=timedelta(days=9), now=NOW)
    browser = Client()
    browser.force_login(cast.wang)

    def order():
        shown = [i.name for i, _ in browser.get("/?sort=price&q=priced").context["results"]]
        told = [row["name"] for row in Program(token).get("instruments/?sort=price&q=priced").body["results"]]
        assert shown == told
        return shown

    assert order() == ["Priced in euros", "Priced in yuan"]  # 88 and 100 yuan
    cast_grant(cast)  # in yuan
    assert order() == ["Priced in yuan", "Priced in euros"]  # 80 and 88
    page = browser.get("/?max_payable=85&q=priced")
    assert [i.name for i, _ in page.context["results"]] == ["Priced in yuan"]
    assert 'name="max_price"' not in page_of(page)
    kept = page_of(browser.get("/?max_price=99&currency=CNY&q=priced"))
    assert 'type="hidden" name="max_price" value="99"' in kept


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pages_by_price_that_price_only_the_cheapest_are_those_of_the_whole_order(priced, seed, monkeypatch):
    """From any place and any number on: other currencies, groups that are not served, lengths that
    some do not allow, an agreement, and an own instrument included. The seeds share the lengths,
    unless tests run deep."""
    cast_grant(priced(seed, 25, plain=False))
    lengths = (None, 30, 60, 90, 240)
    for code in ("fudan", "ustc", "optics", None):
        payer = code and payer_named(code)
        for minutes in lengths if DEEP else lengths[seed - 1 :: 3]:
            criteria = Criteria(sort="price", minutes=minutes)
            worths = catalogue.load_limit(criteria, payer, NOW)
            sieve = of_today(load_backing(payer), None, worths, NOW, wished=minutes or 60)
            monkeypatch.setattr(catalogue_by_price, "PRICED", 1_000)
            every = candidates(criteria, sieve, after=None, most=100)
            monkeypatch.setattr(catalogue_by_price, "PRICED", 0)
            whole = [(row.place, row.pk) for row in every]
            assert len(whole) > 25
            assert [place for place, _ in whole] == sorted(place for place, _ in whole)
            for turn, first in enumerate(range(0, len(whole), 2 if DEEP else 5)):
                # In turn by the cards of what matches, and by those of all.
                monkeypatch.setattr(catalogue_by_price, "HELD", 1_000 if turn % 2 else 0)
                page = candidates(criteria, sieve, after=None, most=2, skip=first)
                assert [(row.place, row.pk) for row in page] == whole[first : first + 2]
                after = catalogue.place_of(every[first])
                page = candidates(criteria, sieve, after=after, most=2)
                assert [(row.place, row.pk) for row in page] == whole[first + 1 : first + 3]


def test_the_first_page_by_price_prices_the_cheapest_alone(shared_cast, monkeypatch):
    """One statement tells many from few, the plan of the other looks at the cards by an index."""
    monkeypatch.setattr(catalogue_by_price, "PRICED", 10)
    for n in range(40):
        dear = card(industry=str(100 + n))
        shared_cast.instrument(name=f"Priced {n}", card=dear)
    payer = payer_named("optics")
    criteria = Criteria(sort="price")
    worths = catalogue.load_limit(criteria, payer, NOW)
    sieve = of_today(load_backing(payer), None, worths, NOW)
    with CaptureQueriesContext(connection) as queries:
        assert len(candidates(criteria, sieve, after=None, most=3)) == 3
    assert len(queries) == 2
    assert "cap AS MATERIALIZED" in queries[1]["sql"]


def in_the_union(cast):
    """Move the hosts to Germany and the payer to France, each with a number for value added tax."""
    for region, code in ((cast.anhui, "DE-BY"), (cast.shanghai, "FR-IDF")):
        Region.objects.filter(pk=region.pk).update(code=code, scheme="ISO 3166-2")
    for organisation, number in ((cast.ustc, "DE123456789"), (cast.fudan, "FR12345678901")):
        Organisation.objects.filter(pk=organisation.pk).update(tax_number=number)


def test_where_the_payer_owes_the_tax_the_order_is_without_it(cast, monkeypatch):
    in_the_union(cast)
    payer = payer_named("fudan")
    order = expected(payer)
    for few in (catalogue_by_price.PRICED, 2):  # as if there were many
        monkeypatch.setattr(catalogue_by_price, "PRICED", few)
        for size in (3, 40):
            assert walked(cast, payer, size) == order


@pytest.mark.parametrize(("seed", "moved"), [(4, False), (5, False), (5, True)])
def test_at_most_to_pay_is_what_the_quotes_say(priced, seed, moved):
    """The sieve passes all that bands, tiers, caps and vouchers can make so cheap."""
    cast = priced(seed, 25, plain=False)
    cast_grant(cast)
    if moved:
        in_the_union(cast)
    payer = payer_named("fudan")
    actor = cast.actor("wang")
    for minutes in (60, 240):
        every = Criteria(minutes=minutes, sort="price")
        worths = catalogue.load_limit(every, payer, NOW)
        rows = catalogue.free_between(actor, every, payer, NOW, after=None, size=50, worths=worths)
        paid = {
            row.pk: offer.quote.payable * worths[offer.currency]
            for row, offer in rows
            if offer.quote and offer.currency in worths
        }
        shown = [paid[row.pk] for row, _ in rows if row.pk in paid]
        assert catalogue.is_reordered((offer for _, offer in rows), worths) == (shown != sorted(shown))
        for limit in (*sorted(paid.values())[::5], Decimal(0)):
            criteria = Criteria(minutes=minutes, max_payable=limit, currency="CNY")
            walk, after = set(), None
            while part := catalogue.free_between(actor, criteria, payer, NOW, after=after, size=4):
                walk |= {row.pk for row, _ in part}
                after = catalogue.place_of(part[-1][0])
            assert walk == {pk for pk, amount in paid.items() if amount <= limit}


def cast_grant(cast):
    """A voucher of Fudan that covers a fifth, of at most 100 yuan."""
    terms = {"code": "sh-2026", "percent": Decimal(20), "cap_per_booking": Decimal(100)}
    return grant(cast, programme(cast, **terms))


def test_the_order_by_price_is_that_of_the_cards_where_a_band_changes_it(shared_cast, monkeypatch):
    """What is sorted at once is in the exact order; the page says where more follows."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    always = {"code": "all", "weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "24:00"}
    shared_cast.instrument(name="Dear by day", card={"rates": {"external": "900"}})
    shared_cast.instrument(
        name="Always cheap", card={"rates": {"external": "1000"}, "bands": [always | {"multiplier": "0.1"}]}
    )
    browser = Client()
    browser.force_login(shared_cast.wang)
    page = browser.get("/?sort=price")
    names = [i.name for i, _ in page.context["results"]]
    assert names[:1] + names[-1:] == ["Always cheap", "Dear by day"]
    assert "data-reordered" not in page_of(page)
    _, token = token_issue(user=shared_cast.wang, label="t", lifetime=timedelta(days=9), now=NOW)
    told = Program(token).get("instruments/?sort=price").body
    assert ([row["name"] for row in told["results"]], told["is_reordered"]) == (names, False)
    # By the card alone, "Always cheap" comes last of three.
    monkeypatch.setattr("bookings.browsing.views.catalogue.PAGE", 1)
    monkeypatch.setattr("bookings.browsing.views.catalogue.SORTED", 2)
    walk = [browser.get(f"/?sort=price&page={n}") for n in (1, 2, 3)]
    assert [[i.name for i, _ in page.context["results"]] for page in walk] == [
        [names[1]], ["Dear by day"], ["Always cheap"]
    ]  # fmt: skip
    monkeypatch.setattr("bookings.browsing.views.catalogue.SORTED", 3)
    walk = [browser.get(f"/?sort=price&page={n}") for n in (1, 2, 3)]
    assert [page.context["results"][0][0].name for page in walk] == names
    shared_cast.instrument(name="Even dearer", card={"rates": {"external": "2000"}})
    page = browser.get("/?sort=price")
    assert page.context["results"][0][0].name == "Always cheap"
    assert "Sorted by what you pay, 3 at a time" in page_of(page)
    names = [i.name for i, _ in browser.get("/?max_payable=300").context["results"]]
    assert names == ["Always cheap"]
    answer = Program(token).get("instruments/?max_payable=300").body
    assert [row["name"] for row in answer["results"]] == names


def test_a_price_in_another_currency_is_also_said_in_the_readers(shared_cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    shared_cast.instrument(name="In euros", card={"currency": "EUR", "rates": {"external": "10"}})
    browser = Client()
    browser.force_login(shared_cast.wang)
    assert "about" not in page_of(browser.get("/?q=euros")).split("data-price")[1].split("slots")[0]
    terms = RateTerms("EUR", "CNY", Decimal("7.5"), NOW.date(), "A bank")
    rate_enter(By(shared_cast.actor("lin"), NOW), organisation=shared_cast.fudan, terms=terms)
    html = page_of(browser.get("/?q=euros"))
    (own,) = browser.get("/?q=euros").context["own_amounts"].values()
    assert own == Decimal("874.50")  # 10 and set-up of 100, tax of 6 %
    assert "about CNY 874.50" in html.replace("\xa0", " ")


def test_a_card_says_what_its_price_leaves_out_and_who_pays_a_part(shared_cast, monkeypatch):
    """The minimum and the voucher's name stand on every page with the price, an operator's hours where
    somebody else operates."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    operator = {"code": "operator", "unit": "hour", "price": "150.00"}
    terms = {
        "rates": {"external": "100.00", "partner": "100.00"},
        "minimum_minutes": 120,
        "options": [operator],
    }
    row = shared_cast.instrument(name="Microscope with help", card=terms, service_modes=["self", "assisted"])
    agree(shared_cast, discount_percent=Decimal(0))
    given = cast_grant(shared_cast)
    browser = Client()
    browser.force_login(shared_cast.wang)
    _, token = token_issue(user=shared_cast.wang, label="t", lifetime=timedelta(days=9), now=NOW)
    detail = f"/instruments/{row.pk}/"
    for address in (f"/?q=help{AND_MODE}", f"{detail}?{AND_MODE}", f"/compare/?id={row.pk}{AND_MODE}"):
        page = page_of(browser.get(address))
        assert "At least 2 h is charged." in page, address
        assert f"paid by {given.programme.name}" in page and given.code not in page, address
        assert "Not included: operator, CNY 150.00 an hour" in page, address
    assert "Not included" not in page_of(browser.get("/?q=help&service_mode=self"))
    answer = Program(token).get(f"instruments/?q=help{AND_MODE}").body["results"][0]["price_for_me"]
    assert answer["minimum_minutes"] == 120
    assert answer["voucher"]["name"] == given.programme.name
    assert answer["on_top"] == [{"code": "operator", "unit": "hour", "price": "150.00"}]
    chosen = page_of(browser.get(f"{detail}?start=2026-03-06T02:00:00Z&minutes=60{AND_MODE}"))
    assert "At least 2 h is charged." in chosen and "Not included: operator" in chosen
    longer = page_of(browser.get(f"{detail}?start=2026-03-06T02:00:00Z&minutes=120{AND_MODE}"))
    assert longer.count("At least 2 h is charged.") == 1  # beside the rates alone


def test_a_price_names_its_way_of_working_where_others_have_their_own(shared_cast, monkeypatch):
    """The card in the list, the comparison and the page name the way; the last two choose it."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    usage = [
        {"modes": ["self"], "rates": {"external": "100.00"}},
        {"modes": ["assisted"], "rates": {"external": "300.00"}},
    ]
    both = ["self", "assisted"]
    row = shared_cast.instrument(
        name="Twofold probe", card={"rates": None, "usage": usage}, service_modes=both
    )
    detail, compared = f"/instruments/{row.pk}/", f"/compare/?id={row.pk}"
    for address in ("/?q=twofold", detail, compared):
        assert "on your own" in page_of(Client().get(address)).split("data-way>")[1][:20], address
    for address in ("/?q=twofold&service_mode=assisted", f"{compared}{AND_MODE}"):
        assert "with an operator" in page_of(Client().get(address)).split("data-way>")[1][:20], address
    for address in (detail, f"{detail}choose/", compared):
        html = Client().get(address).content.decode()
        assert 'name="service_mode"' in html and 'value="assisted"' in html, address
    same = shared_cast.instrument(name="Onefold probe", service_modes=both)
    assert "data-way" not in page_of(Client().get(f"/instruments/{same.pk}/"))


AND_MODE = "&service_mode=assisted"
