"""Booking pages: prices by the sample, and forms with something wrong in them."""

import csv
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.utils.timezone import localtime

from accounts.domain.roles import PLATFORM, By
from accounts.services.memberships import role_grant
from bookings.catalogue.selectors.calendars import load_board
from bookings.catalogue.views.events import purpose_of
from bookings.charging.services.charges import charge_make
from bookings.models import Reservation, SampleReceiving
from bookings.overview.services.effects import effects_carry_out
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.usage import reservation_check_in
from instruments.policy.domain.policies import parse_policy
from instruments.policy.services.policies import policy_set
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.agreements import agree, grant, programme
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.cast import NOW, Cast, at, reserve
from tests.flows.reader import Page

WHEN = {"start": "2026-03-06T10:00:00+08:00", "minutes": "60"}
HINT = "Enter the number of samples to see the price."


@pytest.fixture
def wang(client: Client, cast: Cast) -> Client:
    client.force_login(cast.people["wang"])
    return client


def by_sample(cast: Cast, *modes: str) -> Instrument:
    card = {"rate_unit": "sample", "minimum_minutes": 0}
    return cast.instrument(service_modes=list(modes), card=card)


@pytest.mark.parametrize("page", ["book", "quote"])
def test_priced_by_the_sample_the_form_begins_without_a_price(cast: Cast, wang: Client, page: str) -> None:
    address = f"/instruments/{by_sample(cast, 'self', 'entrusted').pk}/{page}/"
    html = wang.get(address, WHEN).content.decode()
    assert HINT in html
    answer = wang.get(address, WHEN | {"quantity": "3"})
    assert answer.status_code == 200
    # Three at 260, the setup, and 6 % tax.
    html = answer.content.decode()
    assert HINT not in html and "932.80" in html


def test_who_sends_samples_reads_where_to(cast: Cast, wang: Client) -> None:
    for mode, label in (("entrusted", "Send the samples to"), ("self", "Where")):
        hours = ("2026-03-10 10:00", "2026-03-10 11:00")
        instrument = cast.instrument(service_modes=[mode])
        booked = reserve(cast, *hours, instrument=instrument, service_mode=mode)
        shown = [label in page_of(wang.get(f"/bookings/{booked.pk}/"))]
        # Without the facility's word nobody reads that samples go to its room.
        SampleReceiving.objects.create(facility=instrument.facility, recipient="Zhao Min", address="Lab 1")
        shown.append(f"<dt>{label}</dt>" in page_of(wang.get(f"/bookings/{booked.pk}/")))
        assert shown == [mode == "self", True]
        SampleReceiving.objects.all().delete()


def test_the_form_begins_with_the_service_that_is_priced(cast: Cast, wang: Client) -> None:
    instrument = by_sample(cast, "self", "entrusted")
    html = page_of(wang.get(f"/instruments/{instrument.pk}/book/", WHEN))
    assert '<option value="entrusted" selected>' in html
    asked = WHEN | {"service_mode": "self", "purpose": "research"}
    answer = wang.get(f"/instruments/{instrument.pk}/quote/", asked)
    assert "choose “samples sent in”" in answer.content.decode()


def test_a_number_of_samples_left_out_is_asked_for_in_its_field(cast: Cast, wang: Client) -> None:
    address = f"/instruments/{by_sample(cast, 'entrusted').pk}/book/"
    asked = WHEN | {"service_mode": "entrusted", "purpose": "research"}
    html = page_of(wang.post(address, asked), 400)
    assert 'id="id_quantity_error"' in html and HINT in html
    assert wang.post(address, asked | {"quantity": "3"}).status_code == 302
    assert Reservation.objects.get().state == "confirmed"


def test_the_number_of_samples_is_read_by_both_sides_wherever_the_booking_is(
    cast: Cast, wang: Client
) -> None:
    """Of a booking by the hour, too: it is how many the host has to expect."""
    instrument = cast.instrument(name="Asks", service_modes=["entrusted"], policy={"approval": "manual"})
    form = WHEN | {"service_mode": "entrusted", "purpose": "research", "quantity": "37"}
    assert wang.post(f"/instruments/{instrument.pk}/book/", form).status_code == 302
    booked = Reservation.objects.get()
    zhao = Client()
    zhao.force_login(cast.people["zhao"])
    said = "<dt>Number of samples</dt>"
    for browser, page in (
        (wang, f"/bookings/{booked.pk}/"), (zhao, f"/bookings/{booked.pk}/"), (zhao, "/requests/")
    ):  # fmt: skip
        html = page_of(browser.get(page))
        assert said in html and "<dd>37</dd>" in html, page
    for browser, page in ((wang, "/bookings/"), (zhao, "/hosted/"), (zhao, "/requests/")):
        sheet = b"".join(browser.get(page, {"format": "csv"}).streaming_content)
        row = next(csv.DictReader(sheet.decode("utf-8-sig").splitlines()))
        assert row["samples"] == "37", page
    board = page_of(zhao.get("/board/", {"date": "2026-03-06", "q": "Asks"}))
    assert "· 37 samples" in board[board.index("board-entries") :]
    mine = page_of(wang.get("/bookings/"))
    assert "37 samples" in mine[mine.index("agenda-row") :]
    effects_carry_out(now=NOW)
    assert any(", 37 samples" in letter.body for letter in mail.outbox)
    day = Period(at("2026-03-06 00:00"), at("2026-03-07 00:00"))
    for who, told in (("zhao", "research · 37 samples"), ("wang", "research · 37 samples")):
        (shown,) = load_board(cast.actor(who), [instrument], day, NOW)
        assert [purpose_of(entry) for entry in shown.entries] == [told]
    (busy,) = load_board(cast.actor("hu"), [instrument], day, NOW)[0].entries
    assert (busy.samples, purpose_of(busy)) == (0, "")


def test_a_check_out_with_a_bad_field_does_nothing_and_keeps_the_input(
    cast: Cast,
    wang: Client,
    clock: Clock,  # noqa: F811
) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00")
    clock.now = at("2026-03-06 10:00")
    reservation_check_in(By(cast.actor("wang"), clock.now), reservation_id=made.pk)
    data: dict[str, Any] = {"samples": "-1", "rating": "4", "remarks": "the pump is loud"}
    html = page_of(wang.post(f"/bookings/{made.pk}/check-out/", data), 400)
    assert 'id="id_samples_error"' in html and "the pump is loud" in html
    made.refresh_from_db()
    assert made.state == "in_use"


def test_a_cancellation_with_a_bad_field_does_nothing_and_keeps_the_input(cast: Cast, wang: Client) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00")
    html = page_of(wang.post(f"/bookings/{made.pk}/cancel/", {"reason": "x" * 501}), 400)
    assert 'id="id_reason_error"' in html and "x" * 501 in html
    made.refresh_from_db()
    assert made.state == "confirmed"


def test_the_quoted_price_of_a_cancelled_booking_is_struck_through(cast: Cast, wang: Client) -> None:
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    assert "is-struck" not in wang.get(f"/bookings/{made.pk}/").content.decode()
    wang.post(f"/bookings/{made.pk}/cancel/", {"reason": "Ill"})
    html = wang.get(f"/bookings/{made.pk}/").content.decode()
    assert html.count("is-struck") == 1 and "What it would have cost, line by line" in html


def test_what_cancelling_costs_is_said_on_the_form_and_in_the_dialog(
    cast: Cast,
    wang: Client,
    clock: Clock,  # noqa: F811
) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 14:00")
    html = page_of(wang.get(f"/bookings/{made.pk}/"))
    assert "cancelling is free until 12:10, once a day for this instrument" in html
    clock.now += timedelta(minutes=11)
    html = page_of(wang.get(f"/bookings/{made.pk}/"))
    assert "Cancelling now costs 100 %: CNY 1,140.00 and CNY 68.40 tax." in html
    # The dialog says what the part of the page says that the button names.
    assert 'id="cancel-cost"' in html and 'data-confirm-cost="cancel-cost"' in html
    assert html.count("data-confirm-cost=") == 1


def test_a_manager_reads_what_cancelling_their_own_costs(
    cast: Cast,
    client: Client,
    clock: Clock,  # noqa: F811
) -> None:
    role_grant(By(PLATFORM, clock.now), user=cast.zhao, role="researcher", organisation=cast.ustc)
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", who="zhao")
    clock.now += timedelta(minutes=11)
    client.force_login(cast.zhao)
    html = page_of(client.get(f"/bookings/{made.pk}/"))
    assert "Cancelling now costs 100 %: CNY 220.00" in html


def test_a_use_cut_short_says_why_what_it_costs_and_where_to_go(
    cast: Cast,
    wang: Client,
    clock: Clock,  # noqa: F811
) -> None:
    other = cast.instrument(name="Other")
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_check_in(By(cast.actor("wang"), made.start_at), reservation_id=made.pk)
    clock.now = at("2026-03-06 10:40")
    zhao = Client()
    zhao.force_login(cast.zhao)
    closures = f"/manage/instruments/{cast.microscope.pk}/closures/"
    data = {"kind": "breakdown", "start": "2026-03-06T10:40", "reason": "Vacuum leak"}
    before = page_of(zhao.post(closures, data), 409)
    assert "In use: cut short, charged CNY 183.73 at most" in before
    assert zhao.post(closures, data | {"displace": "1"}).status_code == 302
    charge_make(reservation_id=made.pk, now=clock.now)
    after = page_of(zhao.get(closures))
    assert "Cut short" in after and "CNY 183.73" in after
    html = page_of(wang.get(f"/bookings/{made.pk}/"))
    for text in ("Cut short by the owner", "Breakdown: Vacuum leak.", "It comes to CNY 183.73."):
        assert text in html
    assert f"/instruments/{other.pk}/book/" in html


def test_the_page_says_by_which_rules_it_was_judged(cast: Cast, wang: Client) -> None:
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    policy_set(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        policy=parse_policy({"slot_minutes": 30, "max_minutes": 60}),
    )
    auditor = Client()
    auditor.force_login(cast.people["auditor"])
    for reader in (wang, auditor):
        page = Page(reader.get(f"/bookings/{made.pk}/"))
        assert "Version 1, in force from Tue 3 Feb 2026, 12:00" in page.text
        assert "A booking lasts from 30 min to 8 h, in steps of 30 min." in page.text
    story = Page(auditor.get(f"/trail/{made.pk}/"))
    assert "policy_version" in story.text


def test_a_reader_elsewhere_reads_deadlines_in_their_own_time(cast: Cast, wang: Client, clock: Clock) -> None:  # noqa: F811
    """Times at the instrument are followed by their zone; all others are the reader's, as the foot says."""
    cast.wang.time_zone = "Europe/London"
    cast.wang.save()
    booked = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    html = page_of(wang.get(f"/bookings/{booked.pk}/"))
    assert "Checking in opens on Tue 10 Mar 2026, 01:45." in html
    assert "Tue 10 Mar 2026, 02:00 – 03:00" in html
    story = html[html.index('id="story-title"') :]
    assert f"{localtime(NOW, ZoneInfo('Europe/London')):%H:%M}" in story


def test_what_the_host_may_add_is_on_the_form_and_the_booking(cast: Cast, wang: Client) -> None:
    """An option added at check-out is in no price, so it is named before booking, and until the end."""
    column = {"code": "column", "name": "Column", "unit": "each", "price": "80", "when": "on_use"}
    row = cast.instrument(card={"options": [column]})
    said = "May be added at check-out: Column, CNY 80.00 each"
    assert said in wang.get(f"/instruments/{row.pk}/book/", WHEN).content.decode()
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=row)
    assert said in page_of(wang.get(f"/bookings/{booked.pk}/"))
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=booked.pk, reason="")
    assert said not in page_of(wang.get(f"/bookings/{booked.pk}/"))


def test_a_late_fee_is_not_paid_by_a_voucher_and_pages_say_so(cast: Cast, wang: Client) -> None:
    said = "A late fee is not paid by vouchers."
    address = f"/instruments/{cast.microscope.pk}/book/"
    assert said not in wang.get(address, WHEN).content.decode()
    agree(cast, discount_percent=Decimal(0))
    grant(cast, programme(cast, code="sh-2026", percent=Decimal(20), cap_per_booking=Decimal(100)))
    assert said in wang.get(address, WHEN).content.decode()
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    assert said in page_of(wang.get(f"/bookings/{booked.pk}/"))


@pytest.mark.usefixtures("clock")
def test_cancelling_lists_only_what_is_to_come_and_says_when_the_free_one_is_used(
    cast: Cast, wang: Client
) -> None:
    """Three days' notice has passed; of two bookings made just now only one is cancelled free of charge."""
    first = reserve(cast, "2026-03-06 14:00", "2026-03-06 15:00")
    second = reserve(cast, "2026-03-06 16:00", "2026-03-06 17:00")
    used = "Today&#x27;s free cancellation of this instrument is used."
    address = f"/bookings/{second.pk}/"
    before = page_of(wang.get(address))
    assert used not in before
    assert "from now on" not in before
    assert ": 0 %" not in before.split("data-tiers")[1].split("</dd>")[0]
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=first.pk, reason="")
    assert used in page_of(wang.get(address)).replace("Today's", "Today&#x27;s")


@pytest.mark.usefixtures("clock")
def test_cancelling_at_the_last_price_costs_it_from_now_on(cast: Cast, wang: Client) -> None:
    soon = reserve(cast, "2026-03-06 09:00", "2026-03-06 10:00")
    tiers = page_of(wang.get(f"/bookings/{soon.pk}/")).split("data-tiers")[1].split("</dd>")[0]
    assert "from now on: 100 %" in tiers and "later" not in tiers


@pytest.mark.parametrize(("who", "label"), [("sun", "Recharged internally"), ("wang", "To pay")])
def test_the_form_names_the_price_as_the_booking_does(
    cast: Cast,
    client: Client,
    clock: Clock,  # noqa: F811
    who: str,
    label: str,
) -> None:
    client.force_login(cast.people[who])
    for page in ("book/", ""):
        html = page_of(client.get(f"/instruments/{cast.microscope.pk}/{page}", WHEN))
        assert [word for word in ("Recharged internally", "To pay") if word in html] == [label], page


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("state", "is_offered"), [("rejected", True), ("displaced", True), ("cancelled", False)]
)
def test_a_booking_that_does_not_take_place_says_what_can_be_done(
    cast: Cast, wang: Client, state: str, is_offered: bool
) -> None:
    made = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00")
    assert "What you can do now" not in page_of(wang.get(f"/bookings/{made.pk}/"))
    made.occupancy.delete()
    Reservation.objects.filter(pk=made.pk).update(state=state, ended_at=NOW)
    html = page_of(wang.get(f"/bookings/{made.pk}/"))
    assert "What you can do now" in html and f'href="/instruments/{cast.microscope.pk}/"' in html
    technique = cast.microscope.techniques.get()
    assert f"?technique={technique.code}" in html and f"Other instruments with {technique.name}" in html
    assert ("The nearest times that are free" in html) is is_offered
    # Nobody but the person books again.
    host = Client()
    host.force_login(cast.people["zhao"])
    assert "What you can do now" not in page_of(host.get(f"/bookings/{made.pk}/"))
