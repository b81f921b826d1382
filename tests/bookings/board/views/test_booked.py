"""What the pages of a bid and its enquiry say once it is a booking, and the way there and back."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from bookings.board.services.enquiries import enquiry_accept
from bookings.models import Quote
from bookings.record.domain.periods import Period
from bookings.reserving.services.moves import reservation_move
from bookings.reserving.services.reservations import reservation_cancel
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import FIRST, bid_of, enquiry_of
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def bid(cast, clock):  # noqa: F811
    bid = bid_of(cast, enquiry_of(cast), starts=[FIRST])
    slot = bid.slots.get()
    enquiry_accept(By(cast.actor("hu"), NOW), enquiry_id=bid.enquiry_id, slot_id=slot.pk)
    bid.refresh_from_db()
    return bid


def pages(bid):
    """The pages with the bid, and who reads each."""
    one, enquiry = reverse("bookings:bid", args=[bid.pk]), reverse("bookings:enquiry", args=[bid.enquiry_id])
    return [("zhao", one), ("zhao", reverse("bookings:bids")), ("hu", one), ("hu", enquiry)]


def read(cast, client, bid):
    for who, address in pages(bid):
        client.force_login(cast.people[who])
        yield page_of(client.get(address))


def test_pages_say_what_the_booking_says_and_what_was_agreed(cast, client, bid):
    for html in read(cast, client, bid):
        assert "Mon 9 Mar 2026, 09:00 – 11:00" in html and "data-agreed" not in html
    slot = bid.slots.get()
    moved = Period(FIRST + DAY, FIRST + DAY + HOUR)
    reservation_move(By(cast.actor("hu"), NOW), reservation_id=slot.reservation_id, period=moved)
    quote = Quote.objects.get(reservation=slot.reservation_id, is_current=True)
    assert quote.total != slot.total
    for html in read(cast, client, bid):
        now, agreed = html.split("data-agreed")
        assert "Tue 10 Mar 2026, 09:00 – 10:00" in now and f"{quote.total:,.2f}" in now
        assert f"{slot.total:,.2f}" not in now
        assert "Mon 9 Mar 2026, 09:00 – 11:00" in agreed and f"{slot.total:,.2f}" in agreed


def test_a_booking_that_was_cancelled_is_not_shown_as_if_it_stood(cast, client, bid):
    slot = bid.slots.get()
    reservation_cancel(By(cast.actor("hu"), NOW), reservation_id=slot.reservation_id, reason="")
    for html in read(cast, client, bid):
        assert "cancelled" in html


def test_the_booking_leads_to_the_bid_and_its_conversation(cast, client, bid):
    booking = reverse("bookings:reservation", args=[bid.slots.get().reservation_id])
    one, enquiry = reverse("bookings:bid", args=[bid.pk]), reverse("bookings:enquiry", args=[bid.enquiry_id])
    for who, reads in (("zhao", [one]), ("hu", [one, enquiry])):
        client.force_login(cast.people[who])
        html = page_of(client.get(booking))
        assert f"{one}#conversation" in html
        assert [address for address in (one, enquiry) if f'href="{address}"' in html] == reads
        assert all(client.get(address).status_code == 200 for address in reads)


def test_the_booking_says_what_cancelling_costs_until_when(cast, client, bid):
    booking = reverse("bookings:reservation", args=[bid.slots.get().reservation_id])
    for who in ("hu", "zhao"):
        client.force_login(cast.people[who])
        html = page_of(client.get(booking))
        assert "until Sun 8 Mar 2026, 09:00:" in html.split("data-tiers")[1].split("</dd>")[0]
    reservation_cancel(By(cast.actor("hu"), NOW), reservation_id=bid.slots.get().reservation_id, reason="")
    assert "data-tiers" not in page_of(client.get(booking))
