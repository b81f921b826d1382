"""Choosing a time beside the calendar, what one's bookings cost, and first steps."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import JoinRequest
from bookings.models import Reservation
from tests.factories.cast import NOW, reserve

START = "2026-03-06T02:00:00Z"  # 10:00 in Hefei


@pytest.fixture
def browser(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    def of(name=None):
        client = Client()
        if name:
            client.force_login(cast.people[name])
        return client

    return of


def asked(client, cast, page="choose", **query):
    address = reverse(f"bookings:{page}", kwargs={"instrument_id": cast.microscope.pk})
    return client.get(address, query).content.decode()


def test_the_choice_says_what_it_costs_and_what_passes_instead(cast, browser):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", who="sun")
    html = asked(browser("wang"), cast, start=START, minutes="60")
    assert 'data-code="slot-taken"' in html
    nearest = re.search(r'data-nearest[^>]*hx-get="([^"]+)"', html)[1].replace("&amp;", "&")
    better = browser("wang").get(nearest).content.decode()
    assert "data-code" not in better
    assert "data-payable" in better
    assert f'action="{reverse("bookings:book", args=[cast.microscope.pk])}"' in better
    # Without a time it begins: the price, and when it is free next.
    begins = asked(browser("wang"), cast)
    assert 'class="price' in begins
    assert 'class="slot"' in begins


def test_a_time_is_typed_by_the_clock_of_the_instrument(cast, browser):
    html = asked(browser("wang"), cast, at="2026-03-06T10:00", minutes="60")
    assert f'data-start="{START}"' in html
    # The start that the form carries counts while it says the same minute.
    kept = asked(browser("wang"), cast, start=START, at="2026-03-06T10:00", minutes="60")
    moved = asked(browser("wang"), cast, start=START, at="2026-03-06T11:00", minutes="60")
    assert f'data-start="{START}"' in kept
    assert 'data-start="2026-03-06T03:00:00Z"' in moved
    assert "data-choice" not in asked(browser("wang"), cast, at="soon", minutes="60")


def test_whoever_cannot_book_is_told_what_to_do_first(cast, browser):
    """The signed out see what it costs others, and nothing about certificates they may hold."""
    out = asked(browser(), cast, start=START, minutes="60")
    assert "data-payable" in out
    assert "data-code" not in out
    assert f"{reverse('account_login')}?next=" in out
    alone = asked(browser("alice"), cast, start=START, minutes="60")
    assert reverse("accounts:organisations") in alone
    assert reverse("bookings:book", args=[cast.microscope.pk]) + "?" not in alone


def test_an_alternative_taken_in_the_form_keeps_what_was_typed_and_books_nothing(cast, browser):
    address = reverse("bookings:book", kwargs={"instrument_id": cast.microscope.pk})
    sent = {"start": START, "minutes": "60", "purpose_text": "断口", "service_mode": "self"}
    answer = browser("wang").post(address, sent | {"take": "2026-03-06T05:00:00Z 120"})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="start" value="2026-03-06T05:00:00Z"' in html
    assert "断口" in html
    assert not Reservation.objects.filter(state="confirmed").exists()


def test_first_steps(cast, browser):
    alice = browser("alice")
    for page in ("bookings:catalogue", "bookings:mine", "bookings:waiting", "bookings:spending"):
        assert "First, join your organisation" in alice.get(reverse(page)).content.decode()
        assert "first-step" not in browser("wang").get(reverse(page)).content.decode()
    JoinRequest.objects.create(user=cast.people["alice"], organisation=cast.ustc, created_at=NOW)
    waits = alice.get(reverse("bookings:mine")).content.decode()
    assert "has not answered your request yet" in waits
    book = reverse("bookings:book", args=[cast.microscope.pk]) + f"?start={START}&minutes=60"
    for path in (reverse("accounts:organisations"), reverse("accounts:profile"), book):
        page = alice.get(path).content.decode()
        assert "has not answered your request yet" in page, path
        assert "You belong to no organisation" not in page, path
    chosen = asked(alice, cast, start=START, minutes="60")
    assert "has not answered your request yet" in chosen


def test_what_the_bookings_of_a_year_cost(cast, browser):
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", who="sun")
    answer = browser("wang").get(reverse("bookings:spending"))
    (spent,) = answer.context["page"]
    assert (spent.instrument, spent.has_cost) == (cast.microscope.pk, Decimal(0))
    assert spent.will_cost == Reservation.objects.get(user=cast.people["wang"]).quotes.get().payable
    before = browser("wang").get(reverse("bookings:spending"), {"year": "2025"})
    assert list(before.context["page"]) == [] and before.context["sums"] == []


def test_what_bookings_of_many_instruments_cost_comes_in_pages(cast, browser, monkeypatch):
    """The dearest first; the sums are those of all."""
    monkeypatch.setattr("bookings.funding.views.spending.INSTRUMENTS", 1)
    other = cast.instrument(name="Other")
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00", instrument=other)
    pages = [browser("wang").get(reverse("bookings:spending"), {"page": n, "year": 2026}) for n in (1, 2)]
    rows = [row for page in pages for row in page.context["page"]]
    assert [row.instrument for row in rows] == [cast.microscope.pk, other.pk]
    total = sum(row.will_cost for row in rows)
    assert [page.context["sums"][0]["will_cost"] for page in pages] == [total, total]
    assert "page=2" in pages[0].content.decode() and "year=2026" in pages[0].content.decode()
