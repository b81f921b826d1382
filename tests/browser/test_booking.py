"""The researcher's part in a real browser."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bookings.models import Reservation
from bookings.services.effects import effects_carry_out
from tests.factories.cast import CARD

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}


@pytest.fixture
def instrument(real_cast):
    """Open around the clock, priced, from now on (the browser's clock cannot be turned)."""
    now = timezone.now()
    return real_cast.instrument(
        name="Scanning electron microscope",
        name_zh="扫描电子显微镜",
        hours=ALWAYS,
        card={**CARD, "valid_from": (now - timedelta(days=400)).date().isoformat()},
        now=now - timedelta(days=40),
    )


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
    expect(first.locator("[data-left]")).to_contain_text(re.compile(r"^(9:\d\d|10:00)$"))
    second.goto(address)
    expect(second.locator('[data-code="slot-taken"]')).to_be_visible()
    second.locator("[data-nearest]").click()
    expect(second.locator("[data-left]")).to_be_visible()
    for page in (first, second):
        page.get_by_role("button", name="Reserve", exact=True).click()
        page.wait_for_url("**/bookings/*/")
    assert sorted(Reservation.objects.values_list("state", flat=True)) == ["confirmed"] * 2


def test_without_javascript(visit, instrument):
    page = visit("wang", js=False)
    page.goto(f"/instruments/{instrument.pk}/")
    page.select_option("#minutes", "60")
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator("#week a.slot").first.click()
    page.get_by_role("button", name="Reserve", exact=True).click()
    page.wait_for_url("**/bookings/*/")
    assert Reservation.objects.count() == 1


PAGES = [
    ("wang", "/"),
    ("wang", "/instruments/{id}/"),
    ("wang", "/instruments/{id}/book/?start={start}&minutes=60"),
    ("wang", "/bookings/"),
    ("wang", "/bookings/calendar/"),
    ("wang", "/bookings/calendar/?view=month"),
    ("wang", "/bookings/{reservation}/"),
    ("wang", "/bookings/{reservation}/move/"),
    ("zhao", "/board/"),
    ("zhao", "/board/?view=day"),
    ("zhao", "/board/{id}/close/?start={start}&minutes=60"),
    ("wang", "/profile/"),
    ("zhao", "/manage/"),
    ("zhao", "/manage/instruments/new/"),
    ("zhao", "/manage/instruments/{id}/"),
    ("zhao", "/manage/instruments/{id}/hours/"),
    ("zhao", "/manage/instruments/{id}/policy/"),
    ("zhao", "/manage/instruments/{id}/rates/"),
    ("zhao", "/manage/instruments/{id}/closures/"),
    ("zhao", "/requests/"),
    ("auditor", "/hours/"),
    ("auditor", "/trail/"),
    ("auditor", "/trail/{reservation}/"),
    (None, "/accounts/login/"),
    (None, "/accounts/signup/"),
    (None, "/api/v1/docs/"),
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_accessible_and_fits_a_telephone(visit, real_cast, instrument, dark):
    """axe-core finds nothing serious at 1440 px, and nothing scrolls sideways at 360 px."""
    start = (timezone.now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    browsers = {name: visit(name, dark=dark) for name in ("wang", "zhao", "auditor", None)}
    wang = browsers["wang"]
    address = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    wang.goto(f"/instruments/{instrument.pk}/book/?start={address}&minutes=60")
    wang.get_by_role("button", name="Reserve", exact=True).click()
    wang.wait_for_url("**/bookings/*/")
    names = {"id": instrument.pk, "reservation": Reservation.objects.get().pk, "start": address}
    found = []
    for who, path in PAGES:
        page = browsers[who]
        page.set_viewport_size({"width": 1440, "height": 900})
        answer = page.goto(path.format(**names))
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")  # calendars draw themselves
        page.evaluate(AXE.read_text("utf-8"))  # not as a script tag: the policy refuses it
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{path}: {v['id']} ({v['impact']}): {v['nodes'][0]['html'][:160]}"
            for v in result["violations"]
        ]
        page.set_viewport_size({"width": 360, "height": 800})
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            found.append(f"{path}: {width} px wide at 360")
    assert found == []
