"""Calendar and board with the mouse: what is dragged ends in a form that says what will happen.

The fixture `visit` holds that no page said anything on its console: a style or script that the
Content-Security-Policy refuses would.
"""

import pytest
from playwright.sync_api import expect

from accounts.domain.roles import By
from bookings.models import Closure
from instruments.managing.services.registry import facility_create
from instruments.register.models import Instrument
from tests.browser.conftest import ALWAYS, HOUR

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def column(page, number):
    """The x of the middle of a day of the week, and the y of an hour of it."""
    day = page.locator(".ec-body .ec-day").nth(number)
    day.scroll_into_view_if_needed()
    box = day.bounding_box()
    return box["x"] + box["width"] / 2, lambda hour: box["y"] + box["height"] * hour / 24


def test_ones_own_booking_is_dragged_and_the_dialog_moves_it(visit, instrument, booked, midnight):
    page = visit("wang")
    page.goto(f"/instruments/{instrument.pk}/")
    own = page.locator(".ec-event.is-own")
    expect(own).to_be_visible()
    _, y = column(page, 2)
    own.scroll_into_view_if_needed()
    box = own.bounding_box()
    middle = box["x"] + box["width"] / 2
    drag(page, (middle, box["y"] + 8), (middle, box["y"] + 8 + y(3) - y(0)))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The time is free and the rules allow it.")
    dialog.get_by_role("button", name="Move the booking").click()
    expect(page.locator(".alert-success")).to_contain_text("Moved.")
    booked.refresh_from_db()
    assert (booked.start_at, booked.end_at) == (midnight + 13 * HOUR, midnight + 15 * HOUR)


def test_a_manager_stretches_a_booking_on_the_board(visit, instrument, booked, midnight):
    page = visit("zhao")
    day = (midnight + 8 * HOUR).date()
    page.goto(f"/board/?view=day&date={day}")
    event = page.locator(".ec-event.is-confirmed")
    expect(event).to_contain_text("Wang Li")
    event.scroll_into_view_if_needed()
    box = event.bounding_box()
    edge, y = box["x"] + box["width"] - 3, box["y"] + box["height"] / 2
    drag(page, (edge, y), (edge + box["width"] / 2, y))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("10:00 – 13:00")
    expect(dialog).to_contain_text("Wang Li will be notified by mail.")
    # Without a reason nothing happens, and what was asked for is still there.
    dialog.get_by_role("button", name="Move the booking").click()
    expect(dialog.locator(".invalid-feedback")).to_be_visible()
    visit.expected[:] = [c for c in visit.expected if "400" not in c]
    dialog.get_by_label("Reason").fill("The run takes longer")
    dialog.get_by_role("button", name="Move the booking").click()
    expect(page.locator(".alert-success")).to_contain_text("Moved.")
    booked.refresh_from_db()
    assert (booked.start_at, booked.end_at) == (midnight + 10 * HOUR, midnight + 13 * HOUR)


def test_left_where_it_is_it_goes_back(visit, instrument, booked, midnight):
    page = visit("zhao")
    page.goto(f"/board/?view=day&date={(midnight + 8 * HOUR).date()}")
    event = page.locator(".ec-event.is-confirmed")
    event.scroll_into_view_if_needed()
    box = event.bounding_box()
    y = box["y"] + box["height"] / 2
    drag(page, (box["x"] + 20, y), (box["x"] + 20 + box["width"], y))
    page.get_by_role("button", name="Keep the current time").click()
    page.wait_for_timeout(200)
    assert abs(event.bounding_box()["x"] - box["x"]) < 2
    booked.refresh_from_db()
    assert booked.start_at == midnight + 10 * HOUR


def test_escape_gives_a_drag_up_and_a_click_opens_the_booking(visit, instrument, booked, midnight):
    page = visit("zhao")
    page.goto(f"/board/?view=day&date={(midnight + 8 * HOUR).date()}")
    event = page.locator(".ec-event.is-confirmed")
    event.scroll_into_view_if_needed()
    box = event.bounding_box()
    event.hover()
    assert "10:00–12:00" in event.get_attribute("title")
    page.mouse.down()
    page.mouse.move(box["x"] + 3 * box["width"], box["y"] + 20, steps=4)
    expect(page.locator(".ec-preview")).to_contain_text("–")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".ec-preview, .ec-ghost")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert event.bounding_box() == box
    # A click says more, without leaving the board; from there one goes on.
    event.click()
    details = page.locator("#board-details")
    expect(details).to_contain_text("10:00–12:00")
    expect(details.get_by_role("link", name="Wang Li")).to_be_focused()
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    event.click()
    details.get_by_role("button", name="Move").click()
    expect(page.get_by_role("dialog")).to_contain_text("Move or change length")
    page.get_by_role("button", name="Keep the current time").click()
    event.click()
    details.get_by_role("link", name="Open").click()
    page.wait_for_url(f"**/bookings/{booked.pk}/")


def test_a_finger_that_rests_marks_time_and_one_that_moves_scrolls(visit, instrument, midnight):
    page = visit("zhao", width=360)
    page.evaluate("localStorage.setItem('calendar-tab', 'calendar')")
    page.goto(f"/board/?view=day&date={(midnight + 8 * HOUR).date()}")
    row = page.locator(".board-time").first
    row.scroll_into_view_if_needed()
    y = row.bounding_box()["y"] + 30
    fingers = page.context.new_cdp_session(page)
    fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(kind, *points):
        at = [{"x": x, "y": y} for x in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", 300)
    for x in range(290, 180, -10):
        touch("touchMove", x)
    touch("touchEnd")
    expect(page.locator(".ec-preview")).to_have_count(0)
    touch("touchStart", 200)
    page.locator(".ec-preview").wait_for()
    for x in range(210, 270, 10):
        touch("touchMove", x)
    touch("touchEnd")
    expect(page.get_by_role("dialog")).to_contain_text("Close this time")


def test_facilities_are_groups_that_stay_folded(visit, real_cast, booked, midnight):
    now = midnight - 72 * HOUR
    other = facility_create(
        By(real_cast.actor("zhao"), now),
        organisation=real_cast.ustc,
        name="Zhongguan campus",
        time_zone="Asia/Shanghai",
    )
    furnace = real_cast.instrument(name="Furnace", hours=ALWAYS, now=now)
    Instrument.objects.filter(pk=furnace.pk).update(facility=other)
    page = visit("zhao")
    page.goto("/board/")
    group = page.locator(".board-group").get_by_role("button", name="Zhongguan campus")
    expect(page.locator(".board-group")).to_have_count(2)
    group.click()
    expect(page.locator(".row-name", has_text="Furnace")).to_be_hidden()
    page.reload()
    expect(page.locator(".row-name", has_text="Furnace")).to_be_hidden()
    expect(group).to_have_attribute("aria-expanded", "false")
    group.click()
    expect(page.locator(".row-name", has_text="Furnace")).to_be_visible()


def test_units_are_folded_away_and_shown_again(visit, real_cast, midnight):
    now = midnight - 72 * HOUR
    real_cast.instrument(name="Furnace", hours=ALWAYS, now=now, policy={"units": 2})
    page = visit("zhao")
    page.goto("/board/?q=Furnace")
    lines = page.locator(".board-line")
    expect(lines).to_have_count(3)
    page.get_by_role("button", name="Hide the units").click()
    expect(lines.locator("visible=true")).to_have_count(1)
    page.get_by_role("button", name="Show the units").click()
    expect(lines.locator("visible=true")).to_have_count(3)


def test_a_manager_closes_time_on_the_board_and_says_that_bookings_give_way(
    visit, instrument, booked, midnight
):
    page = visit("zhao")
    page.goto(f"/board/?view=day&date={(midnight + 8 * HOUR).date()}")
    event = page.locator(".ec-event.is-confirmed")
    event.scroll_into_view_if_needed()
    box = event.bounding_box()
    hour, y = box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, (box["x"] - 1.9 * hour, y), (box["x"] + 3.5 * hour, y))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 booking during this time")
    dialog.get_by_role("button", name="Close for this time").click()
    expect(dialog.locator(".alert-danger")).to_be_visible()  # the answer is there
    assert not Closure.objects.exists()
    dialog.get_by_label("Displace them").check()
    dialog.get_by_role("button", name="Close for this time").click()
    expect(page.locator(".alert-success")).to_contain_text("Closed for this time.")
    closure = Closure.objects.get()
    assert (closure.start_at, closure.end_at) == (midnight + 8 * HOUR, midnight + 14 * HOUR)
    booked.refresh_from_db()
    assert booked.state == "displaced"
