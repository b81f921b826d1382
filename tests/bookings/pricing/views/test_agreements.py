"""Pages of agreements, voucher programmes and grants, and what the booking form says of them."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings.models import Agreement, VoucherGrant, VoucherProgramme
from tests.factories.agreements import agree, grant, programme, propose
from tests.factories.cast import NOW, reserve

D = Decimal


@pytest.fixture
def browser(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    def of(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return of


def at_page(name, *args):
    return reverse(f"bookings:money-{name}", args=args)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def proposal(cast, **changes):
    return {
        "name": "Anhui and Shanghai",
        "name_zh": "",
        "code": "ah-sh",
        "regions": [str(cast.anhui.pk), str(cast.shanghai.pk)],
        "valid_from": "2026-01-01",
        "valid_until": "",
        "discount_percent": "12.5",
        "honours_vouchers": "on",
    } | changes


def test_proposed_and_signed_by_both(cast, browser):
    anhui, shanghai = browser("coordinator"), browser("xu")
    assert "Propose an agreement" in text_of(anhui.get(at_page("agreements")))
    form = text_of(anhui.get(at_page("agreements-new")))
    assert f'value="{cast.anhui.pk}" ' in form and "checked" in form
    made = anhui.post(at_page("agreements-new"), proposal(cast))
    row = Agreement.objects.get()
    here = at_page("agreements-one", row.pk)
    assert (made.status_code, made["Location"]) == (302, here)
    page = text_of(shanghai.get(here))
    assert "Sign for Shanghai" in page and "Sign for Anhui" not in page
    assert "Partner price, and 12.5 % off the time used" in page
    for who, region in ((anhui, cast.anhui), (shanghai, cast.shanghai)):
        row.refresh_from_db()
        sent = {"region": str(region.pk), "version": row.version}
        assert who.post(at_page("agreements-sign", row.pk), sent).status_code == 302
    row.refresh_from_db()
    assert row.signed_at == NOW
    page = text_of(browser("wang").get(here))
    assert "in force" in page and "Signed by Xu Fang" in page
    assert "Sign for" not in page and "End the agreement" not in page


def test_what_was_typed_stays_and_each_problem_is_at_its_field(cast, browser):
    wrong = proposal(cast, regions=[str(cast.anhui.pk)], discount_percent="120", code="a b")
    answer = browser("coordinator").post(at_page("agreements-new"), wrong)
    page = text_of(answer)
    assert answer.status_code == 400
    for said in (
        "There are too few: at least 2.",
        "This must be between 0 and 100.",
        'value="120"',
        'value="a b"',
    ):
        assert said in page
    assert not Agreement.objects.exists()


def test_a_signature_is_for_what_was_read(cast, browser):
    row = propose(cast)
    shanghai = browser("xu")
    changed = browser("coordinator").post(
        at_page("agreements-change", row.pk), proposal(cast, discount_percent="90", version=row.version)
    )
    assert changed.status_code == 302
    sent = {"region": str(cast.shanghai.pk), "version": row.version}
    answer = shanghai.post(at_page("agreements-sign", row.pk), sent)
    assert answer.status_code == 412
    assert "Somebody has changed this since you opened it" in text_of(answer)
    assert not row.members.exclude(signed_at=None).exists()


def test_ended_early_from_its_page(cast, browser):
    row = agree(cast)
    xu = browser("xu")
    late = xu.post(at_page("agreements-end", row.pk), {"valid_until": "2026-03-01"})
    assert late.status_code == 400
    assert "This is in the past." in text_of(late)
    sent = {"valid_until": "2026-04-01", "reason": "a wider one", "version": row.version}
    assert xu.post(at_page("agreements-end", row.pk), sent).status_code == 302
    row.refresh_from_db()
    assert (row.valid_until, row.ended_by) == (date(2026, 4, 1), cast.xu)


def test_who_has_no_agreement_is_told_what_that_means(cast, browser):
    assert "Your region has no agreements" in text_of(browser("wang").get(at_page("agreements")))


def test_a_programme_begins_and_grants(cast, browser):
    agree(cast)
    xu = browser("xu")
    sent = {
        "region": str(cast.shanghai.pk),
        "name": "Shanghai vouchers",
        "code": "sh",
        "percent": "50",
        "currency": "CNY",
        "budget": "2000",
        "cap_per_booking_none": "on",
        "payer_kinds": ["university"],
        "host_regions": [str(cast.anhui.pk)],
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    }
    assert xu.post(at_page("vouchers-programme-new"), sent).status_code == 302
    row = VoucherProgramme.objects.get()
    here = at_page("vouchers-programme", row.pk)
    page = text_of(xu.get(here))
    assert "Fudan University (fudan)" in page and "USTC" not in page
    asked = {
        "organisation": str(cast.fudan.pk),
        "amount": "2000.01",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01",
    }
    short = xu.post(here, asked)
    assert short.status_code == 400
    assert "The programme has only 2000.00 CNY left to grant." in text_of(short)
    assert xu.post(here, asked | {"amount": "1500"}).status_code == 302
    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    page = text_of(xu.get(here))
    for figure in ("CNY 2,000.00", "CNY 1,500.00", "CNY 140.00", "CNY 1,360.00", "CNY 500.00"):
        assert figure in page
    assert "Shanghai vouchers" in text_of(xu.get(at_page("vouchers")))


def test_the_payer_sees_what_is_left_till_when_and_where(cast, browser):
    agree(cast)
    given = grant(cast, programme(cast, host_regions=(cast.anhui.pk,), cap_per_booking=D(300)))
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    for who in ("wang", "lin", "chen"):
        page = text_of(browser(who).get(at_page("vouchers")))
        assert "CNY 860.00" in page and "CNY 140.00 reserved for bookings" in page
        assert "Pays 50 %, at most CNY 300.00 per booking" in page
        assert "until Fri 1 Jan 2027 (exclusive)" in page and "For instruments in Anhui" in page
        page = text_of(browser(who).get(at_page("vouchers-grant", given.pk)))
        assert reverse("bookings:reservation", args=[booked.pk]) in page
        assert "Raise or lower it" not in page
    assert "Your organisation has been granted none" in text_of(browser("sun").get(at_page("vouchers")))


def test_lowered_suspended_and_resumed(cast, browser):
    agree(cast)
    given = grant(cast, programme(cast))
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    xu, here = browser("xu"), at_page("vouchers-grant", given.pk)
    page = text_of(xu.get(here))
    assert "Not below 140.00 CNY" in page
    assert reverse("bookings:reservation", args=[booked.pk]) not in page  # not hers to open
    sent = {"amount": "100", "valid_from": "2026-01-01", "valid_until": "2027-01-01"}
    low = xu.post(at_page("vouchers-grant-change", given.pk), sent | {"version": 1})
    assert low.status_code == 400
    assert "140.00 CNY of it are already reserved or spent." in text_of(low)
    sent = sent | {"amount": "200", "version": 1, "reason": "less this year"}
    assert xu.post(at_page("vouchers-grant-change", given.pk), sent).status_code == 302
    assert xu.post(at_page("vouchers-grant-change", given.pk), sent).status_code == 412
    act = at_page("vouchers-grant-suspend", given.pk)
    assert xu.post(act).status_code == 302
    assert xu.post(act).status_code == 409
    assert "it covers no booking" in text_of(xu.get(here))
    assert xu.post(at_page("vouchers-grant-resume", given.pk)).status_code == 302
    assert VoucherGrant.objects.get().suspended_at is None


def test_before_booking_the_form_says_what_each_voucher_pays(cast, browser):
    agree(cast)
    grant(cast, programme(cast, name="Best"), code="g-1")
    grant(cast, programme(cast, name="Less", code="p2", percent=D(20)), code="g-2")
    grant(cast, programme(cast, name="Home", code="p3", host_regions=(cast.shanghai.pk,)), code="g-3")
    asked = {"start": "2026-03-06T02:00:00Z", "minutes": "60", "service_mode": "self"}
    for name in ("book", "quote"):
        address = reverse(f"bookings:{name}", args=[cast.microscope.pk])
        page = text_of(browser("wang").get(address, asked))
        assert "Voucher: Best" in page and "−CNY 140.00" in page
        assert "g-1" not in page
        assert "pays CNY 140.00 (50 % of CNY 280.00 that vouchers may pay)." in page
        assert "CNY 860.00 left afterwards." in page
        assert "Less: would pay CNY 56.00" in page
        assert "Home: not for instruments of this region" in page


@pytest.mark.parametrize("page", ["agreements", "vouchers"])
def test_a_list_costs_the_same_whatever_its_length(
    cast, browser, page, django_assert_max_num_queries, django_assert_num_queries
):
    agree(cast)
    grant(cast, programme(cast, host_regions=(cast.anhui.pk,)))
    xu = browser("xu")
    xu.get(at_page(page))
    with django_assert_max_num_queries(20) as first:
        xu.get(at_page(page))
    for n in range(2):
        agree(cast, code=f"a{n}", valid_from=date(2027 + n, 1, 1), valid_until=date(2028 + n, 1, 1))
        grant(cast, programme(cast, code=f"p{n}", host_regions=(cast.anhui.pk,)))
    with django_assert_num_queries(len(first)):
        xu.get(at_page(page))
