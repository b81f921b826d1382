"""The pages of funding, and paying from sources in the booking form."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import By
from bookings.funding.services.funding import source_suspend
from bookings.models import Earmark, FundingSource, Reservation
from tests.factories.cast import NOW, reserve
from tests.factories.funding import paid_by, set_aside, source, sums

START = "2026-03-06T02:00:00Z"  # 10:00 in Hefei


@pytest.fixture
def browser(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    def of(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return of


def sent(**changes):
    return {"start": START, "minutes": "120", "service_mode": "self", "purpose": "research"} | changes


def address(cast, name="book"):
    return reverse(f"bookings:{name}", kwargs={"instrument_id": cast.microscope.pk})


def page(name, row=None):
    return reverse(f"bookings:money-funding{name}", kwargs={"source_id": row.pk} if row else {})


def form_of(client, cast, **changes):
    answer = client.get(address(cast), {"start": START, "minutes": "120"} | changes)
    return answer.content.decode()


# The booking form


def test_the_form_offers_what_the_person_may_charge_that_day(cast, browser):
    source(cast, "MINE")
    source(cast, "CHEN", owner="chen")
    source(cast, "ENDED", valid_until=NOW.date().replace(day=6))
    stopped = source(cast, "STOPPED")
    source_suspend(By(cast.actor("lin"), NOW), source_id=stopped.pk, reason="Review")
    html = form_of(browser("wang"), cast)
    assert '<option value="MINE" selected>' in html  # the only one
    assert "CNY 10,000.00 left" in html
    for other in ("CHEN", "ENDED", "STOPPED"):
        assert other not in html
    assert "CNY 9,342.80 left afterwards" in html  # beside the quote, before anything is chosen
    assert "Split over several" not in html
    assert 'name="funding"' not in form_of(browser("sun"), cast)


def test_with_several_nothing_is_taken_for_granted(cast, browser):
    source(cast, "A")
    source(cast, "B")
    html = form_of(browser("wang"), cast)
    assert '<option value="" selected>' in html
    assert "Split over several" in html


def test_one_source_pays(cast, browser):
    row = source(cast)
    done = browser("wang").post(address(cast), sent(funding="NSFC-17"))
    assert done.status_code == 302
    assert sums(row)[0] == Decimal("657.20")


def test_without_a_source_it_can_still_be_booked(cast, browser):
    source(cast)
    assert browser("wang").post(address(cast), sent(funding="")).status_code == 302
    assert not Earmark.objects.exists()


def test_percents_count_instead_of_the_choice(cast, browser):
    a, b = source(cast, "A"), source(cast, "B")
    split = {f"percent_{a.pk}": "60", f"percent_{b.pk}": "40"}
    done = browser("wang").post(address(cast), sent(funding="A", **split))
    assert done.status_code == 302
    made = Reservation.objects.get()
    assert set_aside(made) == [("A", Decimal("394.32")), ("B", Decimal("262.88"))]
    shown = browser("wang").get(done["Location"]).content.decode()
    assert "Paid from" in shown
    assert "CNY 394.32" in shown


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("60", "30", "The percentages must add up to 100."),
        ("101", "", "Ensure this value is less than or equal to 100."),
        ("x", "", "Enter a number."),
    ],
)
def test_percents_that_do_not_add_up(cast, browser, first, second, said):
    a, b = source(cast, "A"), source(cast, "B")
    split = {f"percent_{a.pk}": first, f"percent_{b.pk}": second}
    answer = browser("wang").post(address(cast), sent(**split))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert said in html
    assert f'value="{first}"' in html  # what was typed is still there
    assert "data-payable" in html  # and so is the price
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("NONE", 400, "There is no such funding source"),
        ("CHEN", 400, "There is no such funding source"),
        ("SHORT", 422, "The funding source SHORT has 1.00 CNY left"),
        ("STOPPED", 422, "The funding source STOPPED is suspended."),
    ],
)
def test_a_source_that_does_not_pay(cast, browser, code, status, said):
    source(cast, "MINE")
    source(cast, "CHEN", owner="chen")
    source(cast, "SHORT", budget="1")
    stopped = source(cast, "STOPPED")
    source_suspend(By(cast.actor("lin"), NOW), source_id=stopped.pk, reason="Review")
    answer = browser("wang").post(address(cast), sent(funding=code))
    assert answer.status_code == status
    assert said in answer.content.decode()
    assert not Reservation.objects.exists()


def test_the_quote_follows_the_choice(cast, browser):
    source(cast, "A")
    source(cast, "B", budget="1")
    wang = browser("wang")
    html = wang.get(address(cast, "quote"), sent(funding="A")).content.decode()
    assert "data-funding" in html
    assert "CNY 9,342.80 left afterwards" in html
    assert "data-funding" not in wang.get(address(cast, "quote"), sent()).content.decode()


def test_a_manager_books_for_a_member_from_the_members_source(cast, browser):
    row = source(cast)
    chen = browser("chen")
    assert "NSFC-17" in form_of(chen, cast, organisation="fudan")
    body = sent(funding="NSFC-17", on_behalf_of="wang@fudan.example", organisation="fudan")
    assert chen.post(address(cast), body).status_code == 302
    assert sums(row)[0] == Decimal("657.20")


def test_the_quote_knows_a_member_by_name_as_the_form_does(cast, browser):
    source(cast)
    chen = browser("chen")
    body = sent(funding="NSFC-17", organisation="fudan")
    by_address, by_name = (
        chen.get(address(cast, "quote"), body | {"on_behalf_of": text}).content.decode()
        for text in (cast.wang.email, cast.wang.name)
    )
    assert by_name == by_address and "There is no such funding source" not in by_name


def test_a_series_and_a_chain_offer_them_as_well(cast, browser):
    row = source(cast)
    wang = browser("wang")
    first = {"start": START, "minutes": "120"}
    series = wang.get(address(cast, "series-new"), first).content.decode()
    assert '<option value="NSFC-17" selected>' in series
    repeated = sent(funding="NSFC-17", frequency="DAILY", every="3", ends="times", times="2", act="refuse")
    assert wang.post(address(cast, "series-new"), repeated).status_code == 302
    assert sums(row)[0] == 2 * Decimal("657.20")
    other = cast.instrument(name="Other")
    steps = {
        "instrument": [str(cast.microscope.pk), str(other.pk)],
        "earliest": "2026-03-12T00:00",
        "latest": "2026-03-13T00:00",
        "funding": "NSFC-17",
    }
    html = wang.get(reverse("bookings:chain-new"), steps | {"find": "1"}).content.decode()
    assert '<option value="NSFC-17" selected>' in html
    assert wang.post(reverse("bookings:chain-new"), steps).status_code == 302
    assert Earmark.objects.filter(reservation__chain__isnull=False).count() == 2


# What one sees


def test_the_host_does_not_see_the_payers_sources(cast, browser):
    source(cast)
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    path = reverse("bookings:reservation", kwargs={"reservation_id": made.pk})
    for who, sees in (("wang", True), ("chen", True), ("lin", True), ("zhao", False)):
        assert ("NSFC-17" in browser(who).get(path).content.decode()) is sees


def test_a_blocked_request_stays_in_the_inbox(cast, browser):
    row = source(cast)
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=asks, funding=paid_by("NSFC-17"))
    source_suspend(By(cast.actor("lin"), NOW), source_id=row.pk, reason="Review")
    path = reverse("bookings:decide", kwargs={"reservation_id": made.pk})
    answer = browser("zhao").post(path, {"approve": "1", "reason": "", "version": "1"})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "funding source does not allow it" in html
    assert "NSFC-17" not in html
    made.refresh_from_db()
    assert made.state == "requested"


# Finance


def test_finance_makes_changes_suspends_and_resumes(cast, browser):
    lin = browser("lin")
    assert "New source" in lin.get(page("")).content.decode()
    body = {
        "organisation": "fudan",
        "code": "NSFC-17",
        "name": "Cathodes",
        "owner": "wang@fudan.example",
        "users": "chen@fudan.example\n",
        "currency": "CNY",
        "budget": "1000",
        "valid_from": "2026-01-01",
        "valid_until": "",
    }
    for amount, none, status in (("", "", 400), ("1000", "on", 400)):
        refused = lin.post(page("-new"), body | {"budget": amount, "budget_none": none})
        assert refused.status_code == status and "No limit" in refused.content.decode()
    assert not FundingSource.objects.exists(), "an empty field is no source without a limit"
    done = lin.post(page("-new"), body)
    row = FundingSource.objects.get()
    assert done["Location"] == page("-source", row)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    html = lin.get(page("-source", row)).content.decode()
    assert "CNY 342.80" in html
    assert "Transmission electron microscope" in html
    form = lin.get(page("-change", row)).content.decode()
    assert 'name="currency"' not in form  # it is in use
    change = body | {"budget": "600", "version": "1"}
    refused = lin.post(page("-change", row), change)
    assert refused.status_code == 400
    assert "657.20 CNY are already reserved or spent" in refused.content.decode()
    assert lin.post(page("-change", row), change | {"budget": "700"}).status_code == 302
    stale = lin.post(page("-change", row), change | {"budget": "800"})
    assert stale.status_code == 412
    assert lin.post(page("-suspend", row), {"reason": ""}).status_code == 400
    assert lin.post(page("-suspend", row), {"reason": "Review"}).status_code == 302
    assert "Resume" in lin.get(page("-source", row)).content.decode()
    assert lin.post(page("-suspend", row), {"reason": "Again"}).status_code == 409
    assert lin.post(page("-resume", row), {}).status_code == 302
    row.refresh_from_db()
    assert (row.budget, row.version, row.suspended_at) == (Decimal(700), 4, None)
    without = body | {"budget": "", "budget_none": "on", "version": "4"}
    assert lin.post(page("-change", row), without).status_code == 302
    row.refresh_from_db()
    assert row.budget is None
    page_of_change = lin.get(page("-change", row)).content.decode()
    assert re.search(r'<input[^>]*name="budget_none"[^>]* checked', page_of_change)


def test_a_wrong_form_keeps_what_was_typed(cast, browser):
    source(cast)
    answer = browser("lin").post(
        page("-new"),
        {
            "organisation": "fudan",
            "code": "NSFC-17",
            "name": "Typed",
            "owner": "wang@fudan.example",
            "currency": "CNY",
            "budget_none": "on",
            "valid_from": "2026-01-01",
        },
    )
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "This code is already taken" in html
    assert 'value="Typed"' in html


def test_a_researcher_sees_what_their_bookings_cost(cast, browser):
    source(cast)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    html = browser("wang").get(page("")).content.decode()
    assert "What my bookings cost" in html
    assert "March 2026" in html
    assert "New source" not in html
    assert "You have no funding source" in browser("hu").get(page("")).content.decode()


def test_the_lists_ask_as_much_for_many_as_for_one(cast, browser):
    lin = browser("lin")

    def statements(path):
        with CaptureQueriesContext(connection) as captured:
            assert lin.get(path).status_code == 200
        return len(captured)

    row = source(cast, users=("chen",))
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", funding=paid_by("NSFC-17"))
    paths = page(""), page("-source", row)
    assert lin.get(paths[0]).status_code == 200  # what waits is counted once a minute
    before = [statements(path) for path in paths]
    for code in ("B", "C", "D"):
        source(cast, code, users=("wang", "lin"))
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", funding=paid_by("NSFC-17"))
    reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", funding=paid_by("NSFC-17"))
    assert [statements(path) for path in paths] == before
