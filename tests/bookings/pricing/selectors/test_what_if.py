"""The last year of an instrument by another rate card."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.charging.domain.corrections import Amendment
from bookings.charging.services.charges import charge_make
from bookings.charging.services.corrections import correction_agree, correction_propose
from bookings.models import Charge, Reservation
from bookings.pricing.selectors import what_if as module
from bookings.pricing.selectors.what_if import what_if
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.rates.domain.ratecards import parse_rate_card
from instruments.rates.services.ratecards import rate_card_create
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import CARD, at, reserve

D = Decimal
LATER = at("2026-03-20 12:00")
# By CARD: two hours at 260 and 100 set-up, with 6 % tax; the same at 480.
WANG, HU = D("657.20"), D("1123.60")


def card(**changes):
    return parse_rate_card(CARD | {"valid_from": "2027-01-01"} | changes)


def used(cast, who, start, end, out=None, **values):
    row = reserve(cast, start, end, who=who, **values)
    actor = cast.actor(who)
    reservation_check_in(By(actor, at(start)), reservation_id=row.pk)
    reservation_check_out(By(actor, at(out or end)), reservation_id=row.pk)
    charge_make(reservation_id=row.pk, now=at(out or end))
    return row


def cancelled(cast, who, start, end, when):
    row = reserve(cast, start, end, who=who)
    reservation_cancel(By(cast.actor(who), at(when)), reservation_id=row.pk, reason="")
    charge_make(reservation_id=row.pk, now=at(when))
    return row


@pytest.fixture
def past(cast):
    """Used by another region and by an enterprise; one of each cancelled, late and free."""
    used(cast, "wang", "2026-03-06 10:00", "2026-03-06 12:00")
    used(cast, "hu", "2026-03-06 14:00", "2026-03-06 16:00", out="2026-03-06 17:00")
    cancelled(cast, "wang", "2026-03-09 10:00", "2026-03-09 12:00", "2026-03-08 18:00")
    cancelled(cast, "wang", "2026-03-16 10:00", "2026-03-16 12:00", "2026-03-06 10:00")
    assert [c.total for c in Charge.objects.order_by("pk")] == [WANG, HU, WANG]
    return cast


def ask(cast, new, who="zhao", now=LATER):
    return what_if(cast.actor(who), cast.microscope.pk, new, now)


def groups(found):
    return {
        group: (sums.bookings, sums.old, sums.new, sums.more, sums.less)
        for group, sums in found.comparison.by_group()
    }


def test_the_same_prices_change_nothing(past):
    found = ask(past, card())
    whole = found.comparison.whole
    assert (whole.bookings, whole.old, whole.new) == (3, 2 * WANG + HU, 2 * WANG + HU)
    assert (whole.more, whole.less, whole.same, whole.difference) == (0, 0, 3, 0)
    assert found.comparison.left_out == {}
    assert found.is_whole


def test_by_group_and_by_who_pays_most_more(past):
    found = ask(past, card(rates=CARD["rates"] | {"external": "130.00", "industry": "500.00"}))
    # (260 + 100) and (1000 + 100), with tax
    assert groups(found) == {
        "external": (2, 2 * WANG, 2 * D("381.60"), 0, 2),
        "industry": (1, HU, D("1166.00"), 1, 0),
    }
    assert [(o.code, s.difference) for o, s in found.organisations] == [
        ("optics", D("42.40")),
        ("fudan", D("-551.20")),
    ]


def test_another_basis_charges_what_was_used(past):
    found = ask(past, card(charge_basis="greater"))
    # an hour beyond the end: 3 × 480 + 100, with tax
    assert groups(found)["industry"] == (1, HU, D("1632.40"), 1, 0)
    assert groups(found)["external"] == (2, 2 * WANG, 2 * WANG, 0, 0)


def test_terms_of_cancelling_are_part_of_it(past):
    """The one that was free counts where the card would have charged it."""
    found = ask(past, card(cancellation=[{"notice_minutes": 0, "percent": "50"}]))
    assert groups(found)["external"] == (3, 2 * WANG, WANG + WANG / 2 + WANG / 2, 1, 1)


def test_what_cannot_be_compared_is_counted_and_said(past):
    assert ask(past, card(currency="JPY", setup_fee="100")).comparison.left_out == {"another-currency": 4}
    rates = {group: rate for group, rate in CARD["rates"].items() if group != "industry"}
    found = ask(past, card(rates=rates))
    assert found.comparison.left_out == {"audience-not-served": 1}
    assert list(groups(found)) == ["external"]
    assert ask(past, card(rate_unit="sample")).comparison.left_out == {"priced-per-sample": 4}


def test_options_the_card_does_not_have(cast):
    used(cast, "wang", "2026-03-06 10:00", "2026-03-06 12:00", options={"operator": D(1)})
    assert ask(cast, card(options=[])).comparison.left_out == {"unknown-option": 1}


def test_only_the_last_year_and_only_this_instrument(past):
    assert ask(past, card(), now=LATER + timedelta(days=365)).comparison.seen == 0
    other = past.instrument(name="Other")
    assert what_if(past.actor("zhao"), other.pk, card(), LATER).comparison.seen == 0


def test_a_corrected_charge_counts_once(past):
    """What was taken back does not."""
    charge = Charge.objects.filter(kind="use").first()
    Charge.objects.filter(pk=charge.pk).update(
        state="reversed", final_at=LATER, month=LATER.date().replace(day=1)
    )
    charge.pk, charge.total, charge.payable = None, D(100), D(100)
    charge.id = None
    charge.id = Charge._meta.pk.get_default()
    charge.save(force_insert=True)
    assert ask(past, card()).comparison.whole.old == D(100) + HU + WANG


def test_what_was_waived_would_be_waived_too(past):
    charge = Charge.objects.get(kind="use", organisation=past.fudan)
    correction = correction_propose(
        By(past.actor("zhao"), at("2026-03-07 12:00")),
        charge_id=charge.pk,
        amendment=Amendment(waive_percent=D(50)),
        reason="The laser was weak.",
    )
    correction_agree(By(past.actor("gao"), at("2026-03-07 13:00")), correction_id=correction.pk)
    found = ask(past, card())
    assert groups(found)["external"] == (2, WANG / 2 + WANG, WANG / 2 + WANG, 0, 0)


def test_inputs_that_cannot_be_read_are_left_out(past):
    Charge.objects.filter(kind="use", organisation=past.fudan).update(inputs={})
    assert ask(past, card()).comparison.left_out == {"inputs-unreadable": 1}


def test_long_histories_are_cut_and_it_is_said(past, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    found = ask(past, card())
    assert (found.comparison.seen, found.total, found.is_whole) == (2, 4, False)


def test_statements_do_not_grow(past, django_assert_num_queries):
    actor = past.actor("zhao")
    with django_assert_num_queries(4):
        what_if(actor, past.microscope.pk, card(), LATER)
    for day in ("10", "11", "12"):
        used(past, "wang", f"2026-03-{day} 10:00", f"2026-03-{day} 12:00")
    with django_assert_num_queries(4):
        assert what_if(actor, past.microscope.pk, card(), LATER).comparison.seen == 7


def test_nothing_is_written(past):
    before = list(Charge.objects.values().order_by("pk")), Reservation.objects.count()
    ask(past, card(setup_fee="1.00"))
    assert (list(Charge.objects.values().order_by("pk")), Reservation.objects.count()) == before


def test_page_by_the_newest_draft(past, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    rate_card_create(
        By(past.actor("zhao"), LATER),
        instrument_id=past.microscope.pk,
        card=card(rates=CARD["rates"] | {"external": "130.00"}),
        publish=False,
    )
    client = Client()
    client.force_login(past.zhao)
    address = reverse("bookings:what-if", args=[past.microscope.pk])
    html = client.get(address).content.decode()
    assert '<option value="2" selected>' in html
    assert "−CNY 551.20" in html
    assert "▼ less" in html
    assert "Fudan University" in html
    same = client.get(address, {"version": "1"}).content.decode()
    assert "▼ less" not in same
    assert client.get(address, {"version": "x"}).status_code == 200
    client.force_login(past.gao)
    assert "?draft=" not in client.get(address).content.decode()


def test_through_the_api(past, program, clock):  # noqa: F811
    clock.now = LATER
    path = f"instruments/{past.microscope.pk}/rate-cards/"
    body = CARD | {"valid_from": "2027-01-01", "rates": {"external": "130.00"}}
    answer = program("auditor").post(f"{path}what-if/", body)
    assert answer.status == 200
    assert answer.body["groups"] == [
        {
            "price_group": "external",
            "bookings": 2,
            "old": {"amount": "1314.40", "currency": "CNY"},
            "new": {"amount": "763.20", "currency": "CNY"},
            "difference": {"amount": "-551.20", "currency": "CNY"},
            "more": 0,
            "less": 2,
            "same": 0,
        }
    ]
    assert answer.body["left_out"] == [
        {
            "code": "audience-not-served",
            "message": "of a price group that this version has no rate for.",
            "bookings": 1,
        }
    ]
    assert program("zhao").post(f"{path}what-if/", body | {"currency": "?"}).problems == [
        ("currency", "unknown-currency")
    ]
    assert program("wang").post(f"{path}what-if/", body).code == "not-permitted"
    draft = program("zhao").post(path, body)
    stored = program("gao").get(f"{path}{draft.body['version']}/what-if/")
    assert stored.body["groups"] == answer.body["groups"]
    assert program("gao").get(f"{path}9/what-if/").code == "not-found"
