"""The page of a person as their hosts see them."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings.models import Reservation
from instruments.register.models import HostBlock
from tests.accounts.pages import page_of
from tests.factories.blocks import block
from tests.factories.cast import NOW, reserve
from tests.factories.charges import BY_USE, use
from tests.factories.qualifications import certify
from tests.factories.training import course, enrol, session


@pytest.fixture
def browser(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    cache.clear()

    def of(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return of


@pytest.fixture
def address(cast):
    return reverse("bookings:person", args=[cast.wang.pk])


def test_a_host_sees_bookings_certificates_sessions_no_shows_and_debts(cast, browser, address):
    other = cast.instrument(name="By use", card=BY_USE)
    charge = use(cast, "2026-03-03 10:00", "2026-03-03 12:00", instrument=other)
    missed = reserve(cast, "2026-03-09 14:00", "2026-03-09 15:00")
    Reservation.objects.filter(pk=missed.pk).update(state="no_show")
    coming = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    certify(cast, cast.microscope)
    enrol(cast, session(cast, course(cast)))
    answer = browser("zhao").get(address)
    html, known = page_of(answer), answer.context["known"]
    assert (known.ahead, known.used, known.missed, known.minutes) == (1, 1, 1, 120)
    assert known.debts == {charge.currency: charge.payable} and charge.payable
    assert known.coming == [coming] and missed in known.past
    assert len(known.certificates) == len(known.enrolments) == 1
    assert "wang@fudan.example" in html and "Blocked from booking at present" not in html


def test_only_hosts_that_know_the_person_see_them(cast, browser, address):
    assert browser("zhao").get(address).status_code == 404  # who never came
    assert browser("chen").get(address).status_code == 200  # of the own organisation
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    known = browser("chen").get(address).context["known"]
    assert (known.ahead, known.coming) == (0, [])  # what they do elsewhere is not the host's
    assert browser("zhao").get(address).status_code == 200
    for who in ("wang", "sun", "gao", "coordinator", "admin"):
        assert browser(who).get(address).status_code == 403, who


def test_lists_of_the_host_lead_there(cast, browser, address):
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    made = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asks)
    certify(cast, cast.microscope)
    zhao = browser("zhao")
    for page in (
        "/home/",
        reverse("bookings:hosted"),
        reverse("bookings:requests"),
        reverse("bookings:reservation", args=[made.pk]),
        reverse("instruments:people", args=[cast.microscope.pk]),
    ):
        assert f'href="{address}"' in page_of(zhao.get(page)), page
    # The payer's manager hosts nothing of it.
    page = browser("chen").get(reverse("bookings:reservation", args=[made.pk]))
    assert f'href="{address}"' not in page_of(page)


def test_a_person_is_blocked_and_the_block_is_lifted_there(cast, browser, address):
    coming = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    zhao, to = browser("zhao"), reverse("bookings:block", args=[cast.wang.pk])
    form = {"whom": "person", "where": cast.ustc.pk, "last_day": "2026-04-01", "contact": "zhao@ustc.example"}
    assert "This field is required" in page_of(zhao.post(to, form), 400)
    assert zhao.post(to, form | {"reason": "Broke it"})["Location"] == address
    html = page_of(zhao.get(address))
    assert "Blocked from booking at present" in html
    assert reverse("bookings:reservation", args=[coming.pk]) in html  # for the host to decide
    again = page_of(zhao.post(to, form | {"reason": "Broke it"}), 409)
    assert 'data-code="already-blocked"' in again
    row = HostBlock.objects.get()
    lift = reverse("instruments:block-lift", args=[row.pk])
    listed = page_of(zhao.get(reverse("bookings:blocks")))
    assert lift in listed and f'href="{address}"' in listed
    assert zhao.post(lift, {"reason": "", "version": 1}).status_code == 400
    assert zhao.post(lift, {"reason": "Settled", "version": 1})["Location"] == reverse("bookings:blocks")
    assert re.search(r"Lifted by Zhao Min", page_of(zhao.get(address)))


def test_a_payer_is_blocked_from_the_page_of_its_person(cast, browser, address):
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    form = {
        "where": cast.facility.pk,
        "last_day": "2026-04-01",
        "contact": "zhao@ustc.example",
        "reason": "Debts",
    }
    to = reverse("bookings:block", args=[cast.wang.pk])
    assert browser("zhao").post(to, form | {"whom": cast.fudan.pk}).status_code == 302
    row = HostBlock.objects.get()
    assert (row.user, row.organisation, row.facility) == (None, cast.fudan, cast.facility)
    assert browser("zhao").post(to, form | {"whom": cast.optics.pk}).status_code == 400


def test_a_block_by_another_host_is_not_shown(cast, browser, address):
    block(cast, "wang")
    assert browser("chen").get(address).context["blocks"] == []


def test_who_is_only_blocked_or_certified_keeps_their_mail_address(cast, browser, address):
    row = block(cast, "wang")
    certify(cast, cast.microscope)
    zhao = browser("zhao")
    assert "wang@fudan.example" not in page_of(zhao.get(address))
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="zhao", on_behalf_of="wang@fudan.example",
            organisation="ustc")  # fmt: skip
    assert "wang@fudan.example" in page_of(zhao.get(address)) and row.lifted_at is None


def test_upcoming_bookings_are_cancelled_together_with_a_reason(cast, browser, address):
    ones = [reserve(cast, f"2026-03-09 {h}:00", f"2026-03-09 {h + 1}:00") for h in (10, 12, 14)]
    zhao, to = browser("zhao"), reverse("bookings:person-cancel", args=[cast.wang.pk])
    chosen = [f"{one.pk}:{one.version}" for one in ones]
    for sent, said in (
        ({"chosen": chosen[:2]}, "Give a reason: those who booked read it."),
        ({"reason": "Blocked"}, "Choose at least one booking."),
        ({"reason": "Blocked", "chosen": [f"{ones[0].pk}:9"]}, "has changed in the meantime"),
    ):
        html = page_of(zhao.post(to, sent), 400)
        assert said in html and "This field is required" not in html
    # What was ticked stays ticked.
    html = page_of(zhao.post(to, {"chosen": chosen[:2]}), 400)
    assert [f'value="{one}"' in html.replace("\n", " ") for one in chosen] == [True] * 3
    assert html.count("checked") == 2
    assert set(Reservation.objects.values_list("state", flat=True)) == {"confirmed"}
    answer = zhao.post(to, {"chosen": chosen[:2], "reason": "Blocked for a month"}, follow=True)
    html, known = page_of(answer), answer.context["known"]
    assert "2 bookings cancelled." in html
    assert known.coming == [ones[2]] and known.dropped == ones[:2]
    cancelled = Reservation.objects.get(pk=ones[0].pk)
    assert (cancelled.state, cancelled.reason) == ("cancelled", "Blocked for a month")
    assert cancelled.is_ended_by_host
    # Only bookings of one's own instruments can be named.
    assert browser("chen").post(to, {"chosen": chosen[2:], "reason": "x"}).status_code == 400


def test_bookings_that_the_reader_made_are_not_cancelled_in_the_hosts_name(cast, browser, address):
    """They cost what cancelling costs, so they are cancelled one by one, where the page says how much."""
    made = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="zhao",
                   on_behalf_of="wang@fudan.example", organisation="ustc")  # fmt: skip
    zhao, to = browser("zhao"), reverse("bookings:person-cancel", args=[cast.wang.pk])
    assert "They cost nothing then" not in page_of(zhao.get(address))
    sent = {"chosen": [f"{made.pk}:{made.version}"], "reason": "x"}
    page_of(zhao.post(to, sent), 400)
    assert Reservation.objects.get(pk=made.pk).state == "confirmed"
    other = reserve(cast, "2026-03-09 14:00", "2026-03-09 15:00")
    answer = zhao.get(address)
    assert answer.context["cancellable"] == [other.pk] and "They cost nothing then" in page_of(answer)


def test_the_form_to_block_is_folded_while_a_block_holds(cast, browser, address):
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    assert "Block somebody or somewhere else too" not in page_of(browser("zhao").get(address))
    block(cast, "wang")
    assert "Block somebody or somewhere else too" in page_of(browser("zhao").get(address))


def test_a_declined_booking_of_a_time_to_come_is_not_past(cast, browser, address):
    declined = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    Reservation.objects.filter(pk=declined.pk).update(state="rejected")
    known = browser("zhao").get(address).context["known"]
    assert (known.past, known.dropped, known.coming) == ([], [declined], [])


def test_the_list_of_blocks_leads_to_the_bookings_ahead(cast, browser, address):
    block(cast, "wang")
    block(cast, organisation=cast.optics)
    page = page_of(browser("zhao").get(reverse("bookings:blocks")))
    assert f'href="{address}#coming"' in page
    assert f'href="{reverse("bookings:hosted")}?organisation={cast.optics.code}&amp;since=' in page
