"""One price everywhere: what a card says, the form, the program and the booking itself say too."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import membership_start, role_grant
from accounts.services.organisations import organisation_create
from accounts.services.tokens import SCOPES, token_issue
from bookings.models import Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.selectors.moves import load_move
from tests.factories.agreements import agree, grant, programme
from tests.factories.api import Program, clock  # noqa: F401
from tests.factories.cast import NOW, at, reserve

pytestmark = pytest.mark.django_db
CARD = {
    "rates": {
        "internal": "120.00",
        "regional": "200.00",
        "partner": "210.00",
        "external": "260.00",
        "industry": "480.00",
    },
    "setup_fee": "100.00",
    "tax_percent": "6",
    "bands": [
        {
            "code": "morning",
            "weekdays": [1, 2, 3, 4, 5],
            "opens": "08:00",
            "closes": "14:00",
            "multiplier": "0.9",
        }
    ],
}
# Two hours: rate x 0.9 x 2 h + set-up, less 10 % of use for partners, with 6 % tax; a voucher
# pays half of what it may before tax. One's own organisation charges no tax.
EXPECTED = {
    "internal": "316.00",
    "regional": "487.60",
    "external": "602.08",
    "industry": "1021.84",
    "partner": "246.51",
    "nobody": "602.08",
}


@pytest.fixture
def instrument(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    return cast.instrument(name="Priced", card=CARD)


def payer_as(cast, kind):
    """Somebody whose organisation is of a price group at the instrument."""
    if kind == "nobody":
        return None
    if kind == "partner":
        agree(cast)
        grant(cast, programme(cast))
    if kind == "regional":
        place = organisation_create(
            By(PLATFORM, NOW),
            code="ahu",
            region=cast.anhui,
            name="Anhui University",
            name_zh="安徽大学",
            kind="university",
        )
        alice = cast.people["alice"]
        membership_start(By(PLATFORM, NOW), user=alice, organisation=place)
        role_grant(By(PLATFORM, NOW), user=alice, role="researcher", organisation=place)
        return alice
    names = {"internal": "sun", "industry": "hu", "external": "wang", "partner": "wang"}
    return cast.people[names[kind]]


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_card_says_what_the_form_and_the_booking_say(cast, instrument, kind):
    person, browser = payer_as(cast, kind), Client()
    token = None
    if person:
        browser.force_login(person)
        _, token = token_issue(user=person, label="test", lifetime=timedelta(days=9), now=NOW, scopes=SCOPES)
    sums = {}
    html = browser.get("/?q=priced&minutes=120").content.decode()
    (said,) = re.findall(r'data-price>([^<]+)<span class="price" data-payable>CNY ([\d,.]+)<', html)
    assert said[0].strip() == "2 h: you pay"
    sums["card"] = said[1].replace(",", "")
    slot = re.search(r'class="slot"[^>]*href="([^"]+)"', html)[1].replace("&amp;", "&")
    start = re.search(r"start=([^&]+)", slot)[1].replace("%3A", ":")
    page = reverse("bookings:instrument", args=[instrument.pk])
    sums["page"] = str(browser.get(page, {"minutes": "120"}).context["next_quote"].payable)
    panel = reverse("bookings:choose", args=[instrument.pk])
    asked = {"start": start, "minutes": "120"}
    sums["panel"] = browser.get(panel, asked).context["quote"]["payable"]
    program = Program(token)
    (row,) = program.get("instruments/?q=priced&minutes=120").body["results"]
    assert row["next_starts"][0] == start
    sums["program"] = row["price_for_me"]["amount"]
    if person:
        sums["form"] = browser.get(slot).context["quote"]["payable"]
        end = f"{datetime.fromisoformat(start) + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        quoted = {"instrument": str(instrument.pk), "start": start, "end": end}
        answer = program.post("quotes/", quoted | {"service_mode": "self"})
        sums["quote"] = answer.body["payable"]
        series = browser.get(reverse("bookings:series-new", args=[instrument.pk]), asked).context["preview"]
        sums["series"] = str(series.occurrences[0].quote.payable)
        browser.post(slot.split("?")[0], asked | {"service_mode": "self", "purpose": "research"})
        made = Reservation.objects.get(user=person, instrument=instrument)
        sums["booked"] = str(made.quotes.get().payable)
    assert {Decimal(value) for value in sums.values()} == {Decimal(EXPECTED[kind])}, sums


def test_a_move_counts_the_voucher(cast, instrument):
    wang = payer_as(cast, "partner")
    period = Period(at("2026-03-06 08:00"), at("2026-03-06 10:00"))
    browser = Client()
    browser.force_login(wang)
    made = reserve(cast, "2026-03-09 08:00", "2026-03-09 10:00", instrument=instrument)
    move = load_move(cast.actor("wang"), made, period, NOW)
    assert (move.old.payable, move.new.payable) == (Decimal("246.51"), Decimal("246.51"))
    page = reverse("bookings:move", args=[made.pk])
    html = browser.get(page, {"start": "2026-03-06T00:00:00Z", "minutes": "240"}).content.decode()
    assert "CNY 246.51" in html
    assert "Voucher" in html
    assert "CNY 466.61" not in html  # before it
    _, token = token_issue(user=wang, label="test", lifetime=timedelta(days=9), now=NOW)
    here = f"reservations/{made.pk}/move/?start=2026-03-06T00:00:00Z&end=2026-03-06T02:00:00Z"
    assert Program(token).get(here).body["new_payable"]["amount"] == "246.51"
