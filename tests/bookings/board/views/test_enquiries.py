"""The pages of who enquires: hosts are ticked by name, and everything is read before a bid is accepted."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from bookings.board.models import Bid, Enquiry
from bookings.models import Earmark, FundingSource, Reservation
from bookings.samples.services.receiving import receiving_set
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.register.models import Instrument
from instruments.search.models import SearchEntry
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import FIRST, bid_of, enquiry_of
from tests.factories.cast import NOW
from tests.factories.needs import need_of
from tests.factories.samples import refuse

pytestmark = pytest.mark.django_db


@pytest.fixture
def form(cast, client, clock):  # noqa: F811
    """The address of the form for a need of Hu Bo, who is signed in."""
    client.force_login(cast.hu)
    return reverse("bookings:enquiry-new", args=[need_of(cast, "hu").pk])


def furnace_of_fudan(cast):
    """An instrument of Fudan, published, which has none of the techniques."""
    furnace = cast.instrument(name="Furnace")
    Instrument.objects.filter(pk=furnace.pk).update(organisation=cast.fudan)
    SearchEntry.objects.filter(pk=furnace.pk).update(organisation=cast.fudan, keys=[])
    return furnace


def choices(html):
    """The codes of hosts on the page, and those that are ticked."""
    boxes = re.findall(r'name="hosts"\s+value="([^"]+)"\s*(checked)?', html)
    return [code for code, _ in boxes], [code for code, is_ticked in boxes if is_ticked]


def test_hosts_that_match_are_ticked_by_name_and_shown_afterwards(cast, client, form):
    html = page_of(client.get(form))
    assert choices(html) == (["ustc"], []) and "1 instrument matches" in html
    answer = client.post(form, {"closes_at": "2026-03-12T08:00", "hosts": ["ustc"]})
    enquiry = Enquiry.objects.get()
    assert [host.code for host in enquiry.hosts.all()] == ["ustc"]
    html = page_of(client.get(answer.headers["Location"]))
    assert cast.ustc.name in html and "all hosts whose instruments match" not in html


def test_another_host_is_found_by_its_name_and_stays_ticked(cast, client, form):
    furnace_of_fudan(cast)
    found = page_of(client.get(form, {"host": "FUDAN"}))
    assert choices(found) == (["ustc", "fudan"], [])
    # A search for something else carries nothing out and keeps what is ticked, and what was typed.
    sent = {"closes_at": "2026-03-12T08:00", "hosts": ["fudan"], "host": "nobody", "show": "hosts"}
    html = page_of(client.post(form, sent | {"sample": "powder of Hu"}))
    assert choices(html) == (["ustc", "fudan"], ["fudan"]) and "powder of Hu" in html
    assert not Enquiry.objects.exists()
    part = client.get(
        form, {"host": "nobody", "hosts": "fudan"}, headers={"HX-Request": "true", "HX-Target": "other-hosts"}
    ).content.decode()
    assert choices(part) == (["fudan"], ["fudan"]) and "<form" not in part
    client.post(form, {"closes_at": "2026-03-12T08:00", "hosts": ["ustc", "fudan"]})
    assert {host.code for host in Enquiry.objects.get().hosts.all()} == {"ustc", "fudan"}


@pytest.mark.parametrize("code", ["nobody-here", "x" * 300])
def test_a_host_that_there_is_not_makes_no_enquiry(client, form, code):
    answer = client.post(form, {"closes_at": "2026-03-12T08:00", "hosts": [code]})
    assert answer.status_code == 400 and "id_hosts_error" in answer.content.decode()
    assert not Enquiry.objects.exists()


def test_a_host_that_is_named_reads_it_whatever_its_instruments_do(cast, client, form):
    furnace = furnace_of_fudan(cast)
    client.post(form, {"closes_at": "2026-03-12T08:00", "hosts": ["fudan"]})
    address = reverse("bookings:enquiry-answer", args=[Enquiry.objects.get().pk])
    client.force_login(cast.people["chen"])
    assert str(furnace.pk) in page_of(client.get(address))
    client.force_login(cast.zhao)
    assert client.get(address).status_code == 404  # only the named host


@pytest.fixture
def bid(cast, client, clock):  # noqa: F811
    """A bid for an enquiry of Hu Bo, who is signed in."""
    client.force_login(cast.hu)
    return bid_of(cast, enquiry_of(cast), starts=[FIRST])


def accepting(bid):
    slot = bid.slots.get()
    return reverse("bookings:enquiry-accept", args=[bid.enquiry_id]), {"slot": str(slot.pk)}


def test_everything_is_read_before_a_bid_is_accepted(cast, client, bid):
    by = By(cast.actor("zhao"), NOW)
    rules = house_rules_set(by, text="Wear gloves.", text_zh="", instrument_id=cast.microscope.pk)
    address, sent = accepting(bid)
    html = page_of(client.get(address, sent))
    for said in ("We gladly measure it.", "after a test measurement", "Hefei Optics", "Wear gloves."):
        assert said in html, said
    assert re.search(r"Mon,? 9 Mar.*09:00", html) and "data-payable" in html
    assert "data-minimum" not in html and "data-on-use" not in html
    assert not Reservation.objects.filter(state="confirmed").exists()
    # The house rules must be accepted first: nothing is booked, and the page says why.
    assert client.post(address, sent).status_code == 422
    assert Bid.objects.get().state == "made"
    read = re.search(r'name="read" value="([^"]+)"', html)[1]
    answer = client.post(
        address, sent | {"house_rules": str(rules.version), "read": read, "purpose": "development"}
    )
    made = Reservation.objects.get(state="confirmed")
    assert answer.headers["Location"] == reverse("bookings:reservation", args=[made.pk])
    assert made.purpose == "development"
    for who in ("hu", "zhao"):  # the bid's message and conditions stand on the booking
        client.force_login(cast.people[who])
        html = page_of(client.get(answer.headers["Location"]))
        assert "We gladly measure it." in html and "after a test measurement" in html


def test_who_accepts_reads_where_samples_go_and_chooses_what_pays(cast, client, bid):
    by = By(cast.actor("zhao"), NOW, 0)
    receiving_set(
        by,
        facility_id=cast.facility.pk,
        recipient="Sample office",
        address="Room 1",
        phone="104",
        lead_days=3,
    )
    refuse(cast, cast.microscope, "toxic")
    Enquiry.objects.update(quantity=7)
    payer = bid.enquiry.organisation
    source = FundingSource.objects.create(
        organisation=payer, code="S-1", name="Grant", currency="CNY", budget=10000,
        valid_from=NOW.date(), owner=cast.hu, created_by=cast.hu, created_at=NOW,
    )  # fmt: skip
    address, sent = accepting(bid)
    html = page_of(client.get(address, sent))
    for said in ("Sample office", "Room 1", "acutely toxic", "<dd>7</dd>", "S-1"):
        assert said in html, said
    read = re.search(r'name="read" value="([^"]+)"', html)[1]
    wrong = client.post(address, sent | {"read": read, "funding": "S-2"})
    assert wrong.status_code == 400 and not Earmark.objects.exists()
    assert client.post(address, sent | {"read": read, "funding": "S-1"}).status_code == 302
    assert Earmark.objects.get().source == source


def test_a_time_before_posted_samples_can_arrive_is_warned_of_and_refused_to_nobody(cast, client, clock):  # noqa: F811
    later = FIRST + timedelta(days=1)
    row = cast.instrument(service_modes=["entrusted"])
    receiving_set(
        By(cast.actor("zhao"), NOW, 0),
        facility_id=cast.facility.pk, recipient="Office", address="Room 1", phone="104", lead_days=5,
    )  # fmt: skip
    client.force_login(cast.hu)
    bid = bid_of(cast, enquiry_of(cast), instrument=row, starts=[FIRST, later], service_mode="entrusted")
    early, works = bid.slots.order_by("reservation__start_at")
    page = reverse("bookings:enquiry-accept", args=[bid.enquiry_id])
    html = page_of(client.get(reverse("bookings:enquiry", args=[bid.enquiry_id])))
    assert html.count("data-early") == 1
    buttons = re.findall(r'class="btn( btn-primary)?"\s+href="[^"]*slot=([-0-9a-f]+)"', html)
    assert buttons == [("", str(early.pk)), (" btn-primary", str(works.pk))]
    html = page_of(client.get(page, {"slot": early.pk}))
    assert "too early for samples that you post today" in html and f"slot={works.pk}" in html
    assert "data-early" not in page_of(client.get(page, {"slot": works.pk}))
    read = re.search(r'name="read" value="([^"]+)"', html)[1]
    assert client.post(page, {"slot": early.pk, "read": read}).status_code == 302


def test_the_minimum_and_what_may_be_added_are_read_before_accepting(cast, client, clock):  # noqa: F811
    column = {"code": "column", "name": "Column", "unit": "each", "price": "80", "when": "on_use"}
    card = {"minimum_minutes": 600, "options": [column]}
    row = cast.instrument(card=card, service_modes=["assisted"])
    client.force_login(cast.hu)
    address, sent = accepting(bid_of(cast, enquiry_of(cast), instrument=row, starts=[FIRST]))
    html = page_of(client.get(address, sent))
    assert "At least 10 h is charged." in html
    assert "May be added at check-out: Column, CNY 80.00 each" in html


def test_a_price_that_has_risen_since_it_was_read_is_not_booked(client, bid):
    address, sent = accepting(bid)
    answer = client.post(address, sent | {"read": "CNY 0.01"})
    assert answer.status_code == 409 and "alert-danger" in answer.content.decode()
    assert client.post(address, sent | {"read": "anything"}).status_code == 400
    assert not Reservation.objects.filter(state="confirmed").exists()


def test_a_time_that_is_gone_is_said_on_the_enquiry(client, bid):
    address, sent = accepting(bid)
    Bid.objects.update(valid_until=NOW)
    for answer in (client.get(address, sent), client.post(address, sent), client.get(address, {"slot": "x"})):
        assert answer.status_code == 409 and "no longer available" in answer.content.decode()


@pytest.mark.parametrize("who", ["wang", "zhao", "gao"])
def test_nobody_else_reads_what_would_be_booked(cast, client, bid, who):
    address, sent = accepting(bid)
    client.force_login(cast.people[who])
    assert client.get(address, sent).status_code == 404
    assert client.post(address, sent).status_code == 404
    assert Bid.objects.get().state == "made"


def test_instruments_are_compared_where_they_are_bid_for_alike(cast, client, clock):  # noqa: F811
    """The comparison prices all by one way of working, and must not contradict the bids."""
    client.force_login(cast.hu)
    enquiry = enquiry_of(cast)
    first = bid_of(cast, enquiry, starts=[FIRST])
    second = bid_of(cast, enquiry, starts=[FIRST], instrument=cast.instrument(name="Second"))
    page = reverse("bookings:enquiry", args=[enquiry.pk])
    assert "service_mode=assisted" in page_of(client.get(page))
    Bid.objects.filter(pk=second.pk).update(service_mode="self")
    assert first.service_mode == "assisted" and "service_mode=" not in page_of(client.get(page))
