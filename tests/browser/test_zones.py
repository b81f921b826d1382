"""Instruments read from another zone: where now stands, and what each time is called."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import ALWAYS
from tests.factories.cast import CARD

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
HOUR_PIXELS = 28  # of a week whose instrument is open around the clock


def instrument_in(cast, zone):
    """An instrument of a facility in that zone, open around the clock."""
    cast.facility.time_zone = zone
    cast.facility.save(update_fields=["time_zone"])
    now = timezone.now()
    return cast.instrument(
        name="Mass spectrometer",
        hours=ALWAYS,
        card={**CARD, "valid_from": (now - timedelta(days=400)).date().isoformat()},
        now=now - timedelta(days=40),
    )


@pytest.mark.parametrize("zone", ["Africa/Abidjan", "America/Phoenix", "Asia/Kolkata"])
def test_the_line_of_now_stands_at_the_hour_of_the_instrument(visit, real_cast, zone):
    """The first of these zones is level with UTC, which the calendar library takes for none."""
    made = instrument_in(real_cast, zone)
    page = visit(zone="Asia/Shanghai")
    page.goto(f"/instruments/{made.pk}/")
    line = page.locator("[data-calendar=week] .ec-now-indicator")
    line.scroll_into_view_if_needed()
    hours = line.evaluate("line => parseFloat(line.style.insetBlockStart)") / HOUR_PIXELS
    there = timezone.now().astimezone(ZoneInfo(zone))
    assert hours == pytest.approx(there.hour + there.minute / 60, abs=0.1)


@pytest.mark.parametrize(
    ("locale", "here", "there"), [("en-GB", "Beijing time", "London time"), ("zh-CN", "北京时间", "伦敦时间")]
)
def test_the_first_page_of_a_visit_is_in_the_zone_of_the_browser(visit, real_cast, locale, here, there):
    """And whatever is at the instrument says its zone: opening hours, free times, the axis."""
    made = instrument_in(real_cast, "Europe/London")
    page = visit(zone="Asia/Shanghai", locale=locale)
    page.goto("/", wait_until="commit")
    expect(page.locator("#reader-zone")).to_contain_text(here)
    page.goto(f"/instruments/{made.pk}/")
    expect(page.locator("#choice .fw-medium")).to_contain_text(there)
    expect(page.locator("#choice-zone")).to_contain_text(there)
    expect(page.locator("#calendar-help")).to_contain_text(here)
    expect(page.locator("dd", has_text="24:00")).to_contain_text(there)
    assert "Asia/Shanghai" not in page.locator("body").inner_text()
    assert "Europe/London" not in page.locator("body").inner_text()


def test_a_browser_that_keeps_no_cookies_reads_the_zone_by_name(visit, real_cast):
    """It is asked for once, not for ever."""
    page = visit(zone="Asia/Shanghai")
    page.add_init_script(
        "Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set: () => {} })"
    )
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.is_navigation_request() else None)
    page.goto("/")
    expect(page.locator("#reader-zone")).to_contain_text("Times are in UTC")
    assert len(asked) == 1
