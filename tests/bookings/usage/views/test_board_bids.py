"""Times held for a bid stand on the board of the host that made it, without the name of who asked."""

from django.test import Client
from django.urls import reverse

from tests.accounts.pages import page_of
from tests.factories.board import bid_of, enquiry_of
from tests.factories.cast import NOW, at


def test_a_bids_times_stand_on_the_board(cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    bid_of(cast, enquiry_of(cast), starts=[at("2026-03-24 14:00")])
    client = Client()
    client.force_login(cast.zhao)
    days = {"start": "2026-03-23", "end": "2026-03-30"}
    (event,) = client.get(reverse("bookings:board-events"), days).json()["events"]
    assert (event["title"], event["classNames"], event["editable"]) == (
        "Held for your bid",
        ["is-held"],
        False,
    )
    assert event["extendedProps"]["url"] == reverse("bookings:bids")
    page = page_of(client.get(reverse("bookings:board"), {"date": "2026-03-23"}))
    assert "Held for your bid" in page and "Wang Li" not in page
    # Nobody else reads what it is for.
    other = Client()
    other.force_login(cast.people["sun"])
    shown = other.get(reverse("bookings:instrument", args=[cast.microscope.pk])).content.decode()
    assert "Held for your bid" not in shown
