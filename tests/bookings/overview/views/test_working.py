"""Lists that are narrowed by words and days, sorted, and given as a file."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.board.services.enquiries import EnquiryValues, enquiry_make
from bookings.models import Reservation
from bookings.usage.services.faults import fault_report
from tests.accounts.pages import page_of
from tests.factories.batches import batch_of
from tests.factories.board import bid_of
from tests.factories.cast import NOW, at, reserve
from tests.factories.needs import need_of
from tests.factories.samples import announce, join

# The page, who reads it, a word that finds its row, and by what it is sorted.
PAGES = [
    ("mine", "wang", "microscope", ["start_at", "instrument__name", "host__name", "state"]),
    ("hosted", "zhao", "microscope", ["start_at", "instrument__name", "user__name", "state"]),
    ("requests", "zhao", "approval", ["start_at", "requested_at", "user__name"]),
    ("faults", "zhao", "microscope", ["instrument__name", "created_at", "state"]),
    ("needs", "wang", "steel", ["earliest", "user__name"]),
    ("enquiries", "wang", "steel", ["earliest", "closes_at", "state"]),
    ("open-enquiries", "zhao", "foil", ["earliest", "closes_at"]),
    ("bids", "zhao", "microscope", ["instrument__name", "state", "created_at"]),
    ("batches", "coordinator", "anhui", ["created_at", "starts_at", "state"]),
    ("alarms", "zhao", "", ["instrument__name", "kind", "state", "asked_at"]),
    ("plans", "zhao", "", ["name", "year", "hours"]),
    ("reviews", "zhao", "", ["name", "organisation__name", "due_on", "state"]),
    ("sample-items", "wang", "perovskite", ["name", "state"]),
    ("sample-queue", "zhao", "perovskite", ["name", "state"]),
    ("results", "zhao", "", ["reservation__start_at", "reservation__user__name", "due_at"]),
    ("money-funding", "lin", "", ["code", "owner__name", "budget", "held", "spent"]),
    ("money-agreements", "coordinator", "", ["name", "valid_from", "valid_until"]),
]


@pytest.fixture(scope="module")
def filled(shared_cast, django_db_blocker):
    """A row for most pages, once for all tests here, which only read."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr("django.utils.timezone.now", lambda: NOW)
        fill(shared_cast)


def fill(cast):
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    asks = cast.instrument(name="With approval", policy={"approval": "manual"})
    asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asks)
    assert asked.state == Reservation.State.REQUESTED
    by = By(cast.actor("wang"), NOW)
    fault_report(by, instrument_id=cast.microscope.pk, severity="usable", text="It drifts.")
    need = need_of(cast)
    values = EnquiryValues(sample="foil")
    bid_of(cast, enquiry_make(by, need_id=need.pk, values=values), starts=[at("2026-03-24 14:00")])
    batch_of(cast, place=False)
    join(cast, booked, announce(cast))


@pytest.fixture
def client_of(filled, cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)

    def of(who):
        client = Client()
        client.force_login(cast.people[who])
        return client

    return of


@pytest.mark.parametrize(("page", "who", "word", "sorts"), PAGES)
def test_each_is_narrowed_sorted_and_given_as_a_file(client_of, page, who, word, sorts):
    client, address = client_of(who), reverse(f"bookings:{page}")
    page_of(client.get(address))
    nothing = page_of(client.get(address, {"q": "nowhere at all"}))
    assert "Nothing matches these conditions." in nothing
    for sort in sorts:
        page_of(client.get(address, {"sort": sort}))
        page_of(client.get(address, {"sort": f"-{sort}", "since": "2026-01-01"}))

    def lines(**query):
        answer = client.get(address, {"format": "csv"} | query)
        assert answer["Content-Type"].startswith("text/csv")
        return b"".join(answer.streaming_content).decode().split("\r\n\r\n")[0].splitlines()[1:]

    if word:
        assert 'name="q"' in page_of(client.get(address))
        assert lines(q=word)
        assert lines(q=word, since="2026-01-01", until="2026-12-31") == lines(q=word)
    else:
        lines()
    assert not [line for line in lines(q="nowhere at all") if line and "nowhere" not in line]


def test_requests_stay_narrowed_from_one_to_the_next(cast, client_of):
    client = client_of("zhao")
    (asked,) = Reservation.objects.filter(state="requested")
    address = reverse("bookings:requests")
    assert f"?q=approval&amp;of={asked.pk}" in page_of(client.get(address, {"q": "approval"}))
    decide = reverse("bookings:decide", args=[asked.pk])
    assert client.post(f"{decide}?q=approval", {"approve": "1"}).url == f"{address}?q=approval"


def test_bookings_of_ones_instruments_are_added_up(cast, client_of):
    page = page_of(client_of("zhao").get(reverse("bookings:hosted"), {"q": "microscope"}))
    assert "1 booking, 2 h" in page
    assert client_of("wang").get(reverse("bookings:hosted")).status_code == 403


def test_a_list_that_is_no_table_is_sorted_and_summed(cast, client_of, monkeypatch):
    asks = Reservation.objects.get(state="requested").instrument
    reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00", who="sun", instrument=asks)
    client, address = client_of("zhao"), reverse("bookings:requests")
    for sort, days in (("start", ["Mon 9 Mar", "Tue 10 Mar"]), ("-start", ["Tue", "Mon"])):
        page = page_of(client.get(address, {"sort": sort, "q": "approval"}))
        begins = re.findall(r'inbox-when">([^–]*)', page)
        assert [b.startswith(day) for b, day in zip(begins, days, strict=True)] == [True, True]
        assert f'value="{sort}" selected' in page
    assert "3 h of instrument time ·" in page  # two hours and one, and what they cost
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(days=30))
    assert "2 bookings, 4 h" in page_of(client_of("wang").get(reverse("bookings:mine")))
