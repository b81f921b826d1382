"""Choosing a time beside the calendar, and taking it: by mouse, by keyboard, on a telephone,
against somebody faster, and from a letter."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from bookings.models import Reservation
from bookings.overview.services.effects import effects_carry_out
from tests.browser.conftest import HOUR
from tests.browser.test_board import column, drag
from tests.factories.cast import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


def tab_to(page, wanted):
    """The parts of a date are stops of their own."""
    for _ in range(25):
        page.keyboard.press("Tab")
        if page.evaluate(wanted):
            return
    raise AssertionError(wanted)


def address(instrument, start, page=""):
    return f"/instruments/{instrument.pk}/{page}?start={start:%Y-%m-%dT%H:%M:%SZ}&minutes=60"


@pytest.mark.parametrize(
    ("locale", "taken", "go_on", "reserve"),
    [
        ("en-GB", "This time is taken.", "Continue", "Reserve"),
        ("zh-CN", "该时段已被占用。", "继续", "提交预约"),
    ],
)
def test_dragging_asks_what_it_costs_and_a_click_takes_the_nearest_time(
    visit, instrument, booked, midnight, locale, taken, go_on, reserve
):
    """Wang Li has 10 to 12; Sun drags 11 to 13."""
    page = visit("sun", locale=locale)
    page.goto(f"/instruments/{instrument.pk}/")
    expect(page.locator(".ec-bg-event.is-free").first).to_be_visible()
    page.locator(".ec-body .ec-slot").nth(11).scroll_into_view_if_needed()
    x, y = column(page, 2)
    drag(page, (x, y(11) + 2), (x, y(13) - 4))
    choice = page.locator("#choice")
    expect(choice.locator("[data-code=slot-taken]")).to_have_text(taken)
    expect(choice.locator("[data-payable]")).to_be_visible()
    expect(page.locator(".ec-event.is-chosen.is-refused")).to_be_visible()
    choice.locator("[data-nearest]").click()
    expect(choice.locator("[data-code]")).to_have_count(0)
    expect(page.locator(".ec-event.is-chosen:not(.is-refused)")).to_contain_text("12:00–14:00")
    # Another length is priced on the spot.
    choice.locator("select[name=minutes]").select_option("60")
    expect(page.locator(".ec-event.is-chosen")).to_contain_text("12:00–13:00")
    choice.get_by_role("button", name=go_on).click()
    page.wait_for_url("**/book/**")
    page.locator("textarea[name=purpose_text]").press_sequentially("A")
    expect(page.locator("[data-left]")).to_contain_text(re.compile(r"^(9:\d\d|10:00)$"))
    page.get_by_role("button", name=reserve, exact=True).click()
    page.wait_for_url("**/bookings/*/")
    made = Reservation.objects.exclude(pk=booked.pk).get()
    assert (made.start_at, made.end_at) == (midnight + 12 * HOUR, midnight + 13 * HOUR)


def test_the_whole_booking_by_keyboard(visit, instrument, midnight):
    page = visit("wang")
    page.goto(f"/instruments/{instrument.pk}/?start={midnight + 13 * HOUR:%Y-%m-%dT%H:%M:%SZ}&minutes=60")
    said = page.locator("#calendar-said")
    main = page.locator(".ec-main")
    expect(main).to_have_attribute("role", "application")
    page.locator("#week-from").focus()
    tab_to(page, "document.activeElement.classList.contains('ec-main')")
    expect(main).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("13:00–14:00, free")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(said).to_contain_text("13:30–15:00, free")
    page.keyboard.press("Enter")
    expect(page.locator("#choice-title")).to_be_focused()
    expect(page.locator("#choice-title")).to_contain_text("13:30 – 15:00")
    tab_to(page, "document.activeElement.textContent.trim() === 'Continue'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/**")
    page.locator("textarea[name=purpose_text]").focus()
    page.keyboard.type("Fracture surfaces")
    expect(page.locator("[data-left]")).to_be_visible()
    tab_to(page, "document.activeElement.textContent.trim() === 'Reserve'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bookings/*/")
    made = Reservation.objects.get()
    assert made.start_at == midnight + timedelta(days=1, hours=13, minutes=30)
    assert (made.end_at - made.start_at, made.purpose_text) == (1.5 * HOUR, "Fracture surfaces")


def test_two_race_for_a_slot_and_the_loser_takes_another_by_one_click(visit, instrument, midnight):
    """Both stand before the form without a hold; the second reserves a moment later."""
    first, second = visit("wang", js=False), visit("sun", js=False)
    for page in (first, second):
        page.goto(address(instrument, midnight + 9 * HOUR, "book/"))
        page.fill("textarea[name=purpose_text]", "Alloys")
    first.get_by_role("button", name="Reserve", exact=True).click()
    first.wait_for_url("**/bookings/*/")
    second.get_by_role("button", name="Reserve", exact=True).click()
    expect(second.locator('[data-code="slot-taken"]')).to_be_visible()
    second.locator("button[data-nearest]").click()
    expect(second.locator("[data-code]")).to_have_count(0)
    expect(second.locator("textarea[name=purpose_text]")).to_have_value("Alloys")
    second.get_by_role("button", name="Reserve", exact=True).click()
    second.wait_for_url("**/bookings/*/")
    starts = sorted(Reservation.objects.values_list("start_at", flat=True))
    assert len(starts) == 2
    assert starts[1] - starts[0] == HOUR


def test_a_booking_at_360_pixels_and_its_letter_opened_signed_out(visit, instrument):
    page = visit("wang", width=360)
    page.goto(f"/instruments/{instrument.pk}/")
    page.locator("#choice a.slot").nth(1).click()
    expect(page.locator("#choice [data-payable]")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#choice").get_by_role("button", name="Continue").click()
    page.wait_for_url("**/book/**")
    # The time is changed in place: quote, and what is kept, follow.
    page.select_option("#id_minutes", "120")
    expect(page.locator("[data-payable]")).to_contain_text("657.20")
    page.wait_for_load_state("networkidle")
    kept = Reservation.objects.get(state="held")
    assert kept.end_at - kept.start_at == 2 * HOUR
    page.get_by_role("button", name="Reserve", exact=True).click()
    page.wait_for_url("**/bookings/*/")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    mail.outbox.clear()
    effects_carry_out(now=timezone.now())
    letter = next(m for m in mail.outbox if instrument.name in m.body)
    path = re.search(r"https?://[^/\s]+(/bookings/[0-9a-f-]{36}/)", letter.body)[1]
    elsewhere = visit()
    elsewhere.goto(path)
    elsewhere.fill("#id_login", letter.to[0])
    elsewhere.fill("#id_password", PASSWORD)
    elsewhere.press("#id_password", "Enter")
    elsewhere.wait_for_url(f"**{path}")
    expect(elsewhere.locator("h1")).to_have_text(instrument.name)


def test_a_booking_is_moved_on_the_calendar_of_its_page(visit, booked, midnight):
    """Its own bar is dragged, then the mark of the new time; the form says what that comes to."""
    page = visit("wang")
    page.goto(f"/bookings/{booked.pk}/move/")
    own = page.locator(".ec-event.is-own:not(.is-chosen)")
    expect(own).to_be_visible()
    _, y = column(page, 2)
    box = own.bounding_box()
    middle = box["x"] + box["width"] / 2
    drag(page, (middle, box["y"] + 8), (middle, box["y"] + 8 + y(3) - y(0)))
    form = page.locator("#choice")
    expect(form).to_contain_text("The time is free and the rules allow it.")
    expect(page.locator(".ec-event.is-chosen")).to_contain_text("13:00–15:00")
    assert form.locator("[name=end]").input_value().endswith("T15:00")
    # Typed, the mark follows.
    form.locator("[name=end]").fill(f"{(midnight + 8 * HOUR):%Y-%m-%d}T16:00")
    form.locator("[name=end]").dispatch_event("change")
    expect(page.locator(".ec-event.is-chosen")).to_contain_text("13:00–16:00")
    form.get_by_role("button", name="Move the booking").click()
    page.wait_for_url(f"**/bookings/{booked.pk}/")
    booked.refresh_from_db()
    assert (booked.start_at, booked.end_at) == (midnight + 13 * HOUR, midnight + 16 * HOUR)


def test_the_dates_of_a_series_follow_what_is_dragged(visit, instrument, midnight):
    page = visit("wang")
    start = midnight + 10 * HOUR
    page.goto(address(instrument, start, "series/"))
    chosen = page.locator(".ec-event.is-chosen")
    expect(chosen).to_contain_text("10:00–11:00")
    _, y = column(page, 2)
    x, _ = column(page, 3)
    box = chosen.bounding_box()
    middle = box["x"] + box["width"] / 2
    drag(page, (middle, box["y"] + 4), (x, box["y"] + 4 + y(4) - y(0)))
    rows = page.locator("#preview [data-choice]")
    day = start + 28 * HOUR
    expect(rows.first).to_have_attribute("data-start", f"{day:%Y-%m-%dT%H:%M:%SZ}")
    expect(rows).to_have_count(8)
    expect(chosen).to_contain_text("14:00–15:00")
