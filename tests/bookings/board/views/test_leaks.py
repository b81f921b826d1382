"""What hosts may not learn of a confidential enquiry is nowhere they can look, before the award."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.domain.roles import By
from accounts.letters.kinds import letters_of
from accounts.models import OutboxMessage
from bookings.board.notifications.enquiries import KINDS
from bookings.board.services.enquiries import enquiry_accept, enquiry_withdraw
from bookings.catalogue.selectors.calendars import load_board
from bookings.messaging.selectors.feeds import load_instrument_events
from bookings.record.domain.periods import Period
from bookings.usage.selectors.at import load_kiosk
from instruments.register.selectors.registry import instruments_in_order
from tests.factories.api import clock  # noqa: F401
from tests.factories.board import FIRST, TEXT, bid_of, enquiry_of
from tests.factories.cast import NOW
from tests.factories.needs import need_of

pytestmark = pytest.mark.django_db
NEW_EACH_TIME = re.compile('((csrfmiddlewaretoken|refusal)" value="|X-CSRFToken": "|nonce=")[^"]+')
SECRET = ("Hu Bo", "hu@optics", "Hefei Optics", "合肥光学", TEXT, "secret alloy", "4321")


def secrets_in(content: str, *more: str) -> list[str]:
    return [word for word in (*SECRET, *more) if word in content]


@pytest.fixture
def enquiry(cast, clock):  # noqa: F811
    return enquiry_of(cast)


@pytest.mark.parametrize("who", ["zhao", "gao", "auditor"])
def test_no_page_of_the_host_says_who_asks(cast, client, enquiry, who):
    bid = bid_of(cast, enquiry)
    client.force_login(cast.people[who])
    slot = bid.slots.first().reservation
    pages = [
        reverse("bookings:open-enquiries"),
        reverse("bookings:open-enquiries") + "?format=csv",
        reverse("bookings:bids"),
        reverse("bookings:bids") + "?format=csv",
        reverse("bookings:enquiry-answer", args=[enquiry.pk]),
        reverse("bookings:bid", args=[bid.pk]),
        reverse("bookings:enquiry", args=[enquiry.pk]),
        f"{reverse('bookings:board')}?date={FIRST:%Y-%m-%d}",
        reverse("bookings:board-events") + "?start=2026-03-09&end=2026-03-16&zone=Asia/Shanghai",
        reverse("bookings:instrument", args=[cast.microscope.pk]),
        reverse("bookings:reservation", args=[slot.pk]),
        reverse("bookings:requests"),
        reverse("bookings:palette") + "?q=Hu",
        reverse("bookings:palette") + "?q=Hefei",
        "/api/v1/reservations/",
        f"/api/v1/reservations/{slot.pk}/",
        "/api/v1/board/",
        f"/api/v1/board/{enquiry.pk}/",
        "/api/v1/bids/",
        f"/api/v1/bids/{bid.pk}/",
    ]
    for page in pages:
        answer = client.get(page)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        said = content.decode() if answer.status_code == 200 else ""
        if page.startswith("/board/?") and who == "zhao":
            assert "Held for your bid" in said
        own = [] if "palette" not in page else ["Hefei Optics", "合肥光学", "Hu Bo"]  # a register
        assert not [w for w in secrets_in(said, str(slot.pk)) if w not in own], page


def seen_by(person, addresses):
    """What each address answers: its status, how many statements it takes, and every byte but the
    secrets that are new each time."""
    browser, seen = Client(), {}
    if person is not None:
        browser.force_login(person)
    for address in addresses:
        with CaptureQueriesContext(connection) as statements:
            answer = browser.get(address)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        plain = NEW_EACH_TIME.sub("", content.decode())
        seen[address] = (answer.status_code, len(statements), plain)
    return seen


@pytest.mark.parametrize("who", [None, "chen", "sun", "xu", "coordinator"])
def test_nobody_else_can_tell_that_there_is_one(cast, clock, who):  # noqa: F811
    """A stranger, a rival's manager, a researcher of the host and coordinators: no answer is
    another, or asks more of the database, for a confidential enquiry that is not theirs."""
    person = cast.people[who] if who else None
    addresses = [
        *("/", "/needs/", "/enquiries/", "/open-enquiries/", "/bids/", "/clusters/", "/planning/"),
        *("/alarms/", "/?q=grain", f"/instruments/{cast.microscope.pk}/"),
        *(f"/api/v1/{name}/" for name in ("enquiries", "board", "bids", "needs", "messages")),
        "/api/v1/instruments/?q=grain+size",
    ]
    need_of(cast, "hu")  # which makes what can be measured, and whose it is
    seen_by(person, addresses)  # fills what is kept in memory
    before = seen_by(person, addresses)
    enquiry_of(cast)
    assert seen_by(person, addresses) == before


def test_calendars_boards_feeds_and_kiosks_show_it_as_taken(cast, enquiry):
    bid_of(cast, enquiry)
    zhao = cast.actor("zhao")
    rows = instruments_in_order([cast.microscope.pk])
    span = Period(FIRST - timedelta(hours=1), FIRST + timedelta(days=2))
    (row,) = load_board(zhao, rows, span, NOW)
    assert [entry.is_busy for entry in row.entries] == [True, True]
    assert not secrets_in(str(load_instrument_events(zhao, rows[0], NOW)))
    assert not secrets_in(str(load_kiosk(rows, FIRST)), "HB")


def test_mails_name_who_asks_with_the_award_and_to_the_host_alone(cast, enquiry):
    other = cast.instrument(name="Another microscope")
    bid, rival = bid_of(cast, enquiry), bid_of(cast, enquiry, instrument=other)
    table = {name: [kind] for name, kind in KINDS.items()}

    def mails() -> dict[str, list[str]]:
        rows = OutboxMessage.objects.filter(kind__in=table).order_by("pk")
        return {row.kind: [f"{m.subject}\n{m.text}" for m in letters_of(row, NOW, table)] for row in rows}

    assert not [text for text in mails()["enquiry.made"] if secrets_in(text)]
    slot = bid.slots.order_by("pk").first()
    enquiry_accept(By(cast.actor("hu"), NOW), enquiry_id=enquiry.pk, slot_id=slot.pk)
    said = mails()
    assert "Hu Bo" in said["bid.accepted"][0]
    assert not secrets_in(said["bid.declined"][0])
    assert rival.pk


def test_a_withdrawn_enquiry_is_never_told_of(cast, client, enquiry):
    bid = bid_of(cast, enquiry)
    enquiry_withdraw(By(cast.actor("hu"), NOW), enquiry_id=enquiry.pk)
    client.force_login(cast.zhao)
    said = client.get(reverse("bookings:bids")).content.decode()
    said += client.get(f"/api/v1/bids/{bid.pk}/").content.decode()
    said += client.get("/api/v1/reservations/").content.decode()
    assert not secrets_in(said)


def test_the_host_reads_the_price_but_not_what_a_voucher_leaves_of_it(cast, client, enquiry):
    bid = bid_of(cast, enquiry)
    client.force_login(cast.zhao)
    (slot, _) = client.get(f"/api/v1/bids/{bid.pk}/").json()["slots"]
    assert "payable" not in slot
    assert slot["total"]["currency"] == "CNY"
    client.force_login(cast.hu)
    (seen,) = client.get(f"/api/v1/enquiries/{enquiry.pk}/").json()["bids"]
    assert "payable" in seen["slots"][0]


def test_a_firm_makes_an_enquiry_and_accepts_on_the_pages(cast, client, enquiry):
    bid = bid_of(cast, enquiry)
    client.force_login(cast.hu)
    page = client.get(reverse("bookings:enquiry", args=[enquiry.pk])).content.decode()
    assert "USTC" in page
    slot = bid.slots.order_by("pk").first()
    where = reverse("bookings:enquiry-accept", args=[enquiry.pk])
    answer = client.post(where, {"slot": str(slot.pk)})
    assert answer.status_code == 302
    assert str(slot.reservation_id) in answer["Location"]
    again = client.post(where, {"slot": str(slot.pk)})
    assert again.status_code == 409
    client.force_login(cast.zhao)
    assert "Hu Bo" in client.get(reverse("bookings:bids")).content.decode()
