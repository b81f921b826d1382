"""Two hosts bid for one enquiry: neither reads the other's bid, the loser reads why, and requests that come
too late or ask for too much change nothing."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.board.selectors.enquiries import enquiries_to
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import enquiry_close
from bookings.models import Reservation
from instruments.register.models import Instrument
from instruments.search.models import SearchEntry
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import FIRST, bid_of, enquiry_of, unchanged
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
ALL = (Enquiry, Bid, BidSlot, Reservation)


@pytest.fixture
def enquiry(cast, clock):  # noqa: F811
    return enquiry_of(cast)


@pytest.fixture
def bid(cast, enquiry):
    return bid_of(
        cast, enquiry, starts=[FIRST], discount_percent=Decimal(10), discount_reason="A quiet week."
    )


@pytest.fixture
def rival(cast, enquiry):
    """A bid of Fudan, whose manager is Chen Jing."""
    other = cast.instrument(name="Rival of Fudan")
    Instrument.objects.filter(pk=other.pk).update(organisation=cast.fudan)
    SearchEntry.objects.filter(pk=other.pk).update(organisation=cast.fudan)
    values = BidValues([FIRST], "assisted", text="Fudan does it better.")
    by = By(cast.actor("chen"), NOW)
    return bid_make(by, enquiry_id=enquiry.pk, instrument_id=other.pk, values=values)


def signed_in(cast, who):
    client = Client()
    client.force_login(cast.people[who])
    return client


def slot_of(bid):
    return str(bid.slots.get().pk)


@pytest.mark.parametrize("is_awarded", [False, True])
def test_a_host_reads_nothing_of_its_rival(cast, bid, rival, is_awarded):
    if is_awarded:
        accept = reverse("bookings:enquiry-accept", args=[bid.enquiry_id])
        assert signed_in(cast, "hu").post(accept, {"slot": slot_of(bid)}).status_code == 302
    chen = signed_in(cast, "chen")
    for address in (
        reverse("bookings:bid", args=[bid.pk]),
        reverse("bookings:bid-amend", args=[bid.pk]),
        reverse("bookings:enquiry", args=[bid.enquiry_id]),
        reverse("bookings:conversation", args=["bid", bid.pk]),
        reverse("bookings:reservation", args=[bid.slots.get().reservation_id]),
        f"/api/v1/bids/{bid.pk}/",
        f"/api/v1/enquiries/{bid.enquiry_id}/",
    ):
        assert chen.get(address).status_code == 404, address
    for name in ("bid-withdraw", "bid-decline", "bid-amend"):
        assert chen.post(reverse(f"bookings:{name}", args=[bid.pk]), {}).status_code == 404
    for address in ("/home/", reverse("bookings:open-enquiries"), reverse("bookings:bids"), "/api/v1/bids/"):
        html = chen.get(address).content.decode()
        assert "We gladly measure it." not in html and str(bid.pk) not in html


def test_the_loser_reads_the_reason_that_was_chosen_and_no_more(cast, bid, rival):
    hu, chen = signed_in(cast, "hu"), signed_in(cast, "chen")
    accept = reverse("bookings:enquiry-accept", args=[bid.enquiry_id])
    form = {"slot": slot_of(bid), "reason": "time"}
    assert 'name="reason"' in page_of(hu.get(accept, {"slot": slot_of(bid)}))
    with unchanged(*ALL):
        assert hu.post(accept, form | {"reason": "whim"}).status_code == 400
    assert hu.post(accept, form).status_code == 302
    html = page_of(chen.get(reverse("bookings:bid", args=[rival.pk])))
    assert "no suitable time" in html and "Another bid was chosen." in html
    assert "USTC" not in html and "Hu Bo" not in html
    assert "Another bid was chosen." not in page_of(
        signed_in(cast, "zhao").get(reverse("bookings:bid", args=[bid.pk]))
    )


def test_without_a_reason_the_loser_reads_that_another_was_chosen(cast, bid, rival):
    accept = reverse("bookings:enquiry-accept", args=[bid.enquiry_id])
    assert signed_in(cast, "hu").post(accept, {"slot": slot_of(bid)}).status_code == 302
    rival.refresh_from_db()
    assert (rival.state, rival.reason) == ("declined", "other-chosen")


def test_a_bid_is_accepted_once(cast, bid, rival):
    hu = signed_in(cast, "hu")
    accept = reverse("bookings:enquiry-accept", args=[bid.enquiry_id])
    assert hu.post(accept, {"slot": slot_of(bid)}).status_code == 302
    with unchanged(*ALL):
        for slot in (slot_of(bid), slot_of(rival)):
            assert hu.post(accept, {"slot": slot}).status_code == 409


@pytest.mark.parametrize("percent", ["100.01", "-1", "NaN", "1e3", "12.345", "x"])
def test_no_discount_is_beyond_the_price(cast, enquiry, bid, percent):
    zhao = signed_in(cast, "zhao")
    form = {
        "instrument": str(cast.microscope.pk),
        "service_mode": "assisted",
        "starts": [FIRST.isoformat()],
        "discount_percent": percent,
        "discount_reason": "A quiet week.",
    }
    with unchanged(*ALL):
        answer = zhao.post(reverse("bookings:bid-amend", args=[bid.pk]), form)
        assert answer.status_code == 400 and "id_discount_percent_error" in answer.content.decode()


def test_a_discount_is_not_changed_after_the_bid_was_accepted(cast, bid):
    accept = reverse("bookings:enquiry-accept", args=[bid.enquiry_id])
    assert signed_in(cast, "hu").post(accept, {"slot": slot_of(bid)}).status_code == 302
    form = {
        "service_mode": "assisted",
        "starts": [FIRST.isoformat()],
        "discount_percent": "0",
        "discount_reason": "",
    }
    zhao = signed_in(cast, "zhao")
    with unchanged(*ALL):
        assert zhao.post(reverse("bookings:bid-amend", args=[bid.pk]), form).status_code in (404, 409)
        assert zhao.post(reverse("bookings:bid-withdraw", args=[bid.pk])).status_code == 409


def test_a_bid_sent_to_an_enquiry_that_closes_meanwhile_is_refused(cast, enquiry):
    zhao = signed_in(cast, "zhao")
    answer = reverse("bookings:enquiry-answer", args=[enquiry.pk])
    assert zhao.get(answer).status_code == 200
    enquiry_close(By(cast.actor("hu"), NOW), enquiry_id=enquiry.pk, reason="no-bid")
    form = {"instrument": str(cast.microscope.pk), "service_mode": "assisted", "starts": [FIRST.isoformat()]}
    with unchanged(*ALL):
        assert zhao.post(answer, form).status_code == 404


def test_a_host_puts_an_enquiry_aside_for_itself_alone_and_takes_it_back(cast, client, enquiry, bid, rival):
    client.force_login(cast.people["zhao"])
    address = reverse("bookings:enquiry-answer", args=[enquiry.pk])

    def listed(query=""):
        return address in page_of(client.get(reverse("bookings:open-enquiries") + query))

    aside = reverse("bookings:open-enquiry-put-aside", args=[enquiry.pk])
    assert aside in page_of(client.get(address)) and listed() and not listed("?waits=aside")
    for _ in range(2):  # the second time changes nothing
        assert client.post(aside).url == reverse("bookings:open-enquiries")
    assert not listed() and not listed("?waits=enquiries") and listed("?waits=aside")
    assert TrailEntry.objects.filter(action="enquiry.put-aside").count() == 1
    assert list(enquiries_to(cast.actor("chen"), NOW)) == [enquiry]
    back = reverse("bookings:open-enquiry-take-back", args=[enquiry.pk])
    assert back in page_of(client.get(address))
    client.post(back)
    assert listed() and not listed("?waits=aside")
    client.force_login(cast.people["hu"])
    with unchanged(Enquiry):
        assert client.post(aside).status_code == 404
