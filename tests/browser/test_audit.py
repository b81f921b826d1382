"""The auditor's main task: from a region's number down to the story of one booking; an exception
becomes a finding that is answered and closed; the trail is sealed and proved."""

import io
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.domain.roles import PLATFORM, By
from bookings.audit.services.audit import exceptions_find
from bookings.hours.services.hours import hours_roll_up
from bookings.models import AuditFinding, Reservation
from tests.browser.test_money import LANGUAGES, fits
from tests.concurrency.races import ALWAYS
from tests.factories.charges import BY_USE, use

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


@pytest.fixture
def booking(real_cast):
    """Used on the day before yesterday, against the rules."""
    now = timezone.now()
    day = f"{now + timedelta(hours=8) - timedelta(days=2):%Y-%m-%d}"
    instrument = real_cast.instrument(
        name="Microscope", name_zh="显微镜", hours=ALWAYS, card=BY_USE,
        policy={"check_in_minutes": None},
    )  # fmt: skip
    made = use(real_cast, f"{day} 00:00", f"{day} 02:00", instrument=instrument).reservation
    Reservation.objects.filter(pk=made.pk).update(overrides=["too-soon"])
    hours_roll_up(since=None, until=None, now=now)
    exceptions_find(By(PLATFORM, now))
    return made


@LANGUAGES
def test_from_a_number_to_its_story_and_from_an_exception_to_a_closed_finding(
    visit, real_cast, booking, locale
):
    is_english = locale == "en-GB"
    page = visit("auditor", locale=locale)
    page.goto("/audit/")
    # Down from the region to the booking, and to what the trail tells of it.
    for name in (
        ("Anhui", "安徽"), ("USTC", "中国科学技术大学"), ("Instruments Centre", "理化中心"),
        ("Microscope", "显微镜"),
    ):  # fmt: skip
        page.locator("tbody").get_by_role("link", name=name[not is_english], exact=True).click()
    day = f"{booking.start_at + timedelta(hours=8):%Y-%m-%d}"
    page.locator(f"tbody th a[href*='={day}']").click()
    page.locator(f"a[href='/bookings/{booking.pk}/']").click()
    page.locator(f"a[href='/trail/{booking.pk}/']").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Microscope" if is_english else "显微镜")
    expect(page.locator(".story li").first).to_contain_text("Confirmed" if is_english else "确认")

    # An exception, on a telephone, becomes a finding.
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/audit/")
    fits(page)
    page.locator("[data-figure=open]").click()
    fits(page)
    page.get_by_role(
        "link", name="Rules overridden" if is_english else "已豁免的规则", exact=True
    ).first.click()
    form = page.locator("form[action$='/confirm/']")
    form.locator("[name=title]").fill("Rules set aside without a reason")
    form.locator("[name=text]").fill("The booking says nothing of why.")
    form.get_by_role("button").click()
    finding = AuditFinding.objects.get()
    expect(page).to_have_url(re.compile(f"/audit/findings/{finding.pk}/"))
    fits(page)

    manager = visit("zhao", locale=locale)
    manager.goto("/money/")
    manager.locator("[data-waits=findings]").click()
    manager.locator("tbody a").first.click()
    form = manager.locator("form[action$='/reply/']")
    form.locator("[name=reply]").fill("From now on it is written down.")
    form.get_by_role("button").click()
    expect(manager.get_by_text("From now on it is written down.")).to_be_visible()

    page.reload()
    expect(page.get_by_text("From now on it is written down.")).to_be_visible()
    form = page.locator("form[action$='/close/']")
    form.locator("[name=evidence]").fill("Seen in three bookings.")
    form.get_by_role("button").click()
    expect(page.get_by_text("Seen in three bookings.")).to_be_visible()
    finding.refresh_from_db()
    assert finding.state == "closed"

    # What was done is sealed and proved.
    page.goto("/trail/seals/")
    page.locator("form[action$='/now/'] button").click()
    page.goto("/trail/")
    fits(page)
    expect(page.locator("tbody tr").first).to_contain_text(
        "Finding closed" if is_english else "审计发现已关闭"
    )
    page.locator("tbody tr").first.locator("a[href*='/proofs/']").click()
    expect(page.locator("#proof")).to_have_text("In seal 1" if is_english else "在第 1 次封存中")


def test_hours_are_printed_from_the_first_sheet_on(visit, booking):
    page = visit("auditor")
    for address in ("/hours/", "/hours/flows/"):
        page.goto(address)
        first = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages[0].extract_text()
        assert "Anhui" in first, address
