"""The researcher's part in a real browser."""

import re
import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bookings.models import Reservation
from bookings.overview.services.effects import effects_carry_out
from tests.browser.conftest import ALWAYS, HOUR
from tests.browser.test_choosing import address
from tests.factories.cast import CARD

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


@pytest.mark.parametrize(
    ("locale", "search", "go_on", "reserve", "check_in", "check_out", "done"),
    [
        ("en-GB", "scanning", "Continue", "Reserve", "Check in", "Check out", "completed"),
        ("zh-CN", "扫描", "继续", "提交预约", "签到", "签退", "已完成"),
    ],
)
def test_find_quote_reserve_check_in_and_out(
    visit, instrument, locale, search, go_on, reserve, check_in, check_out, done
):
    page = visit("wang", locale=locale)
    page.fill("input[name=q]", search)
    page.press("input[name=q]", "Enter")
    expect(page.locator("article.result")).to_have_count(1)
    page.locator("article.result h2 a").click()
    page.wait_for_url("**/instruments/*/**")  # the catalogue has such a choice, too
    # The week changes in place when another length is chosen.
    page.select_option("#minutes", "120")
    expect(page.locator("#week a.slot").first).to_have_attribute("href", re.compile("minutes=120"))
    page.locator("[data-tab=list]").click()
    page.locator("#week a.slot").first.click()
    # Beside the calendar stands what it costs; then comes the form.
    payable = page.locator("[data-payable]")
    expect(payable).to_contain_text("657.20")
    page.get_by_role("button", name=go_on, exact=True).click()
    page.wait_for_url("**/book/**")
    expect(payable).to_contain_text("657.20")
    # The quote follows the form without loading the page.
    page.fill("input[name=option_operator]", "2")
    page.locator("input[name=option_operator]").blur()
    expect(payable).to_contain_text("975.20")
    page.fill("textarea[name=purpose_text]", "断口形貌")
    page.get_by_role("button", name=reserve, exact=True).click()
    page.wait_for_url("**/bookings/*/")
    made = Reservation.objects.get()
    assert made.state == "confirmed"
    # Within a quarter of an hour of the start one may check in; else time is moved for the test.
    now = timezone.now()
    Reservation.objects.filter(pk=made.pk).update(
        start_at=now - timedelta(minutes=1), end_at=now + timedelta(hours=2)
    )
    page.reload()
    page.get_by_role("button", name=check_in, exact=True).click()
    page.get_by_role("button", name=check_out, exact=True).click()
    expect(page.locator(".page-header .badge")).to_have_text(done)
    effects_carry_out(now=timezone.now())
    page.reload()
    expect(page.locator("[data-payable]")).to_have_count(2)


def test_the_slot_is_kept_and_the_second_person_sees_another_time(visit, instrument):
    first, second = visit("wang"), visit("sun")
    first.goto(f"/instruments/{instrument.pk}/")
    address = first.locator("#week a.slot").nth(3).get_attribute("href")
    first.goto(address)
    first.wait_for_load_state("networkidle")
    assert not Reservation.objects.exists()  # to look is not to want
    first.locator("textarea[name=purpose_text]").press_sequentially("Alloys")
    expect(first.locator("[data-left]")).to_contain_text(re.compile(r"^(9:\d\d|10:00)$"))
    second.goto(address)
    expect(second.locator('[data-code="slot-taken"]')).to_be_visible()
    second.locator("[data-nearest]").click()
    second.locator("textarea[name=purpose_text]").press_sequentially("Steel")
    expect(second.locator("[data-left]")).to_be_visible()
    for page in (first, second):
        page.get_by_role("button", name="Reserve", exact=True).click()
        page.wait_for_url("**/bookings/*/")
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["confirmed"] * 2


def test_what_was_kept_is_given_back_by_the_button_by_going_and_by_leaving(visit, instrument):
    page = visit("wang")

    def states():
        return list(Reservation.objects.order_by("id").values_list("state", flat=True))

    page.goto(f"/instruments/{instrument.pk}/")
    address = page.locator("#week a.slot").nth(3).get_attribute("href")

    def begin():
        page.goto(address)
        page.locator("textarea[name=purpose_text]").press_sequentially("A")
        expect(page.locator("[data-left]")).to_be_visible()
        assert states()[-1] == "held"

    begin()
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.locator("#hold")).to_contain_text("Released")
    assert states() == ["cancelled"]
    begin()
    page.get_by_role("link", name="Back to the calendar").click()
    page.wait_for_url(re.compile(r"/instruments/[0-9a-f-]+/\?"))
    expect(page.locator("[data-held]")).to_have_count(0)
    assert states() == ["cancelled"] * 2
    begin()
    page.close()
    for _ in range(50):
        if states() == ["cancelled"] * 3:
            break
        time.sleep(0.1)
    assert states() == ["cancelled"] * 3


def test_one_s_own_hold_is_shown_as_such_and_is_gone_on_with(visit, instrument):
    page = visit("wang")
    page.goto(f"/instruments/{instrument.pk}/")
    address = page.locator("#week a.slot").nth(3).get_attribute("href")
    page.goto(address)
    page.locator("textarea[name=purpose_text]").press_sequentially("A")
    expect(page.locator("[data-left]")).to_be_visible()
    other = page.context.new_page()
    for there in ("/", f"/instruments/{instrument.pk}/"):
        other.goto(there)
        if other.locator("[data-tab=list]").count():
            other.locator("[data-tab=list]").click()
        held = other.locator("[data-held]").first  # on each day it touches
        expect(held).to_contain_text("is held for you until")
    held.get_by_role("link", name="Continue").click()
    expect(other.locator("[data-left]")).to_be_visible()
    other.close()
    assert Reservation.objects.get().state == "held"  # the first form still keeps it
    page.get_by_role("button", name="Reserve", exact=True).click()
    page.wait_for_url("**/bookings/*/")
    assert Reservation.objects.get().state == "confirmed"


def test_a_refusal_of_an_earlier_time_does_not_come_back(visit, instrument, booked, midnight):
    """The time is changed to a taken one and back, and what was asked for the taken one answers last."""
    page = visit("sun")
    zone = ZoneInfo("Asia/Shanghai")
    taken, free = ((midnight + hours * HOUR).astimezone(zone) for hours in (10, 13))
    page.goto(
        f"/instruments/{instrument.pk}/book/?start={midnight + 13 * HOUR:%Y-%m-%dT%H:%M:%SZ}&minutes=60"
    )
    late = {"hold": [], "quote": []}
    for name, kept in late.items():
        page.route(
            f"**/{name}/**", lambda route, _, kept=kept: route.continue_() if kept else kept.append(route)
        )
    page.fill("#id_at", f"{taken:%Y-%m-%dT%H:%M}")
    page.locator("#id_at").blur()
    for _ in range(100):
        if all(late.values()):
            break
        page.wait_for_timeout(50)
    page.fill("#id_at", f"{free:%Y-%m-%dT%H:%M}")
    page.locator("#id_at").blur()
    for (first,) in late.values():
        first.continue_()
    expect(page.locator("[data-left]")).to_be_visible()
    expect(page.locator("#when-said")).to_contain_text("13:00")
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-code]")).to_have_count(0)
    # What is wrong with a field goes when it is changed.
    page.evaluate("document.getElementById('booking-form').noValidate = true")
    page.fill("input[name=option_operator]", "-1")
    page.get_by_role("button", name="Reserve", exact=True).click()
    wrong = page.locator("#id_option_operator_error")
    expect(wrong).to_be_visible()
    page.wait_for_load_state()  # of the answer: its scripts listen
    page.fill("input[name=option_operator]", "1")
    expect(wrong).to_have_count(0)
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    # Enter sends the form; it does not release what is held.
    page.fill("input[name=samples]", "Alloys")
    expect(page.locator("[data-left]")).to_be_visible()
    page.press("input[name=samples]", "Enter")
    page.wait_for_url("**/bookings/*/")
    assert Reservation.objects.get(samples="Alloys").state == "confirmed"
    visit.expected[:] = [said for said in visit.expected if "400" not in said]  # the option of -1


def test_warnings_go_with_the_time_they_are_about(visit, real_cast, instrument, booked, midnight):
    other = real_cast.instrument(name="Elsewhere", hours=ALWAYS, card={**CARD, "valid_from": "2020-01-01"})
    page = visit("wang")
    page.goto(address(other, midnight + 10 * HOUR, "book/"))
    expect(page.locator("[data-clashes]")).to_be_visible()
    later = (midnight + 13 * HOUR).astimezone(ZoneInfo("Asia/Shanghai"))
    page.fill("#id_at", f"{later:%Y-%m-%dT%H:%M}")
    page.locator("#id_at").blur()
    expect(page.locator("[data-clashes]")).to_have_count(0)


def test_without_javascript(visit, instrument):
    page = visit("wang", js=False)
    page.goto(f"/instruments/{instrument.pk}/")
    page.select_option("#minutes", "60")
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator("#week a.slot").first.click()
    page.get_by_role("button", name="Reserve", exact=True).click()
    page.wait_for_url("**/bookings/*/")
    assert Reservation.objects.count() == 1


def test_the_end_of_a_move_follows_its_start(visit, booked):
    page = visit("wang")
    page.goto(f"/bookings/{booked.pk}/move/")
    start, end = page.locator("#id_start"), page.locator("#id_end")
    day = start.input_value()[:10]
    start.fill(f"{day}T13:30")
    start.dispatch_event("change")
    expect(end).to_have_value(f"{day}T15:30")
    # Another end is another length, which the next start keeps.
    end.fill(f"{day}T16:30")
    end.dispatch_event("change")
    start.fill(f"{day}T14:00")
    start.dispatch_event("change")
    expect(end).to_have_value(f"{day}T17:00")
    expect(page.locator("#preview [data-choice]")).to_have_attribute("data-end", re.compile(".*Z"))


@pytest.mark.parametrize("where", ["/hours/", "/board/"])
def test_filters_are_folded_on_a_telephone(visit, booked, where):
    for width in (360, 1440):
        page = visit("zhao", width=width)
        page.goto(where)
        fields = page.locator("main form[method=get] .wide-open :is(input, select):visible")
        assert (fields.count() > 0) is (width == 1440)
        page.close()
