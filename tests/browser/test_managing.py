"""A manager's main task from start to end, in both languages, and the same by keyboard."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.catalogue.selectors.parties import Booking
from bookings.models import Closure, Reservation
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from instruments.register.models import Instrument
from tests.factories.cast import CARD

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
ALWAYS = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
HOUR = timedelta(hours=1)
SAID = {
    "en-GB": {"draft": "draft", "shown": "published", "way": "1 booking during this time"},
    "zh-CN": {"draft": "草稿", "shown": "已发布", "way": "1 个预约"},
}


def monday():
    """Midnight of the next Monday that is two days away at least, in China."""
    now = timezone.now() + timedelta(hours=8)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=(5 - day.weekday()) % 7 + 2, hours=-8)


def ask(real_cast, instrument, start, hours=2, who="wang"):
    return reservation_request(
        By(actor_of(real_cast.people[who]), timezone.now()),
        booking=Booking(
            instrument_id=instrument.pk,
            period=Period(start, start + hours * HOUR),
            organisation=None,
            service_mode="self",
        ),
    )


def drag(page, box, day, first, last):
    """Over the picture of the week, from one hour to another."""
    x = box["x"] + box["width"] * (day + 0.5) / 7
    y = [box["y"] + box["height"] * hour / 24 for hour in (first, last)]
    page.mouse.move(x, y[0])
    page.mouse.down()
    page.mouse.move(x, sum(y) / 2, steps=3)
    page.mouse.move(x, y[1], steps=3)
    page.mouse.up()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_from_a_new_instrument_to_an_afternoon_that_is_closed(visit, real_cast, locale):
    said = SAID[locale]
    page = visit("zhao", locale=locale)
    page.goto("/manage/instruments/new/")
    page.fill("#id_name", "Raman microscope")
    page.fill("#id_name_zh", "拉曼显微镜")
    page.fill("#id_makers", "Renishaw")
    page.fill("#id_description", "Maps of stress in silicon, to a micrometre.")
    page.check("input[name=service_modes][value=self]")
    page.click(".form-bar .btn-primary")

    # The week as a picture: Saturday is dragged open, Monday is made longer.
    page.wait_for_url("**/hours/")
    expect(page.locator(".guide-steps .is-done")).to_have_count(1)
    picture = page.locator("[data-week-hours] svg")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    drag(page, box, 5, 10.05, 14)
    drag(page, box, 0, 16.95, 20)
    expect(page.locator("[name=day_6_0_opens]")).to_have_value("10:00")
    expect(page.locator("[name=day_6_0_closes]")).to_have_value("14:00")
    expect(page.locator("[name=day_1_0_closes]")).to_have_value("20:00")
    expect(page.locator("#affected")).to_contain_text("✓")  # nobody is left outside
    page.uncheck("[name=observes_holidays]")
    page.click(".form-bar .btn-primary")

    page.wait_for_url("**/policy/")
    page.check("[name=approval][value=manual]")
    page.fill("[name=notice_minutes]", "2")
    page.select_option("[name=notice_minutes_unit]", "60")
    page.click(".form-bar .btn-primary")

    page.wait_for_url("**/rates/")
    for group in ("internal", "external"):
        page.fill(f"[name=rate_{group}]", "200")
    page.click(".form-bar [name=publish]")

    made = Instrument.objects.select_related("policy").get(name="Raman microscope")
    page.wait_for_url(f"**/manage/instruments/{made.pk}/")
    assert (made.policy.notice_minutes, made.policy.approval) == (120, "manual")
    expect(page.locator(".page-header")).to_contain_text(said["draft"])
    expect(page.locator(".guide-steps .is-done")).to_have_count(4)
    page.click("button[value=publish]")
    expect(page.locator(".page-header")).to_contain_text(said["shown"])

    # Two ask: after the answer to one the other is open.
    start = monday() + 14 * HOUR
    first = ask(real_cast, made, start)
    second = ask(real_cast, made, start + 2 * HOUR)
    page.goto(f"/requests/?of={first.pk}")
    one = page.locator(".inbox-one")
    expect(one).to_contain_text("Wang Li")
    one.locator("button[name=approve][value='1']").click()
    page.wait_for_url(f"**/requests/?of={second.pk}")
    first.refresh_from_db()
    assert first.state == "confirmed"
    page.fill(".inbox-one input[name=reason]", "No gas until Tuesday")
    page.locator(".inbox-one .btn[value='0']").click()
    expect(page.locator(".empty")).to_be_visible()
    assert Reservation.objects.get(pk=second.pk).reason == "No gas until Tuesday"

    # The afternoon is closed: who gives way is named before, and only then it is done.
    page.goto(f"/board/{made.pk}/close/?start={start - HOUR:%Y-%m-%dT%H:%M:%SZ}&minutes=300")
    way = page.locator("#way")
    expect(way).to_contain_text(said["way"])
    expect(way).to_contain_text("Wang Li")
    page.check("[name=displace]")
    page.click(".card-footer .btn-primary")
    page.wait_for_url("**/closures/")
    first.refresh_from_db()
    assert first.state == "displaced"


def test_time_is_closed_and_a_booking_moved_with_the_keyboard_on_a_telephone(visit, real_cast):
    real_cast.instrument(name="Older microscope", hours=ALWAYS)
    instrument = real_cast.instrument(
        name="Scanning electron microscope",
        hours=ALWAYS,
        card={**CARD, "valid_from": (timezone.now() - timedelta(days=400)).date().isoformat()},
        now=timezone.now() - timedelta(days=40),
    )
    start = monday() + 10 * HOUR
    booked = ask(real_cast, instrument, start)
    page = visit("zhao", width=360)
    page.goto(f"/board/?date={(start + 8 * HOUR).date()}&q=scanning")
    # On a telephone it is a list, and of what was looked for only.
    row = page.locator(".board-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Wang Li")
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    def press_on(link):
        """Go on with the tabulator until the link has the focus, and follow it."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if link.evaluate("link => link === document.activeElement"):
                break
        page.keyboard.press("Enter")

    press_on(row.get_by_role("link", name="Move"))
    page.wait_for_url("**/move/**")
    page.go_back()
    press_on(row.get_by_role("link", name="Close"))
    page.wait_for_url("**/close/**")
    local = start + 8 * HOUR
    page.locator("[name=start]").focus()
    page.fill("[name=start]", f"{local - HOUR:%Y-%m-%dT%H:%M}")
    page.fill("[name=end]", f"{local:%Y-%m-%dT%H:%M}")
    page.keyboard.press("Tab")
    expect(page.locator("#way .fits")).to_be_visible()
    page.locator("[name=reason]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/closures/")
    closure = Closure.objects.get()
    assert (closure.start_at, closure.end_at) == (start - HOUR, start)
    booked.refresh_from_db()
    assert booked.state == "confirmed"


@pytest.mark.parametrize("width", [360, 1440])
def test_requests_are_answered_one_after_the_other_as_fast_as_one_clicks(visit, real_cast, width):
    """What the last answer says lies on no button, so that the next click is not lost; and on a
    telephone a request opens without the filter over it."""
    asks = real_cast.instrument(
        name="Asks first", hours=ALWAYS, policy={"approval": "manual"},
        card={**CARD, "valid_from": "2020-01-01"}, now=timezone.now() - timedelta(days=40),
    )  # fmt: skip
    rows = [ask(real_cast, asks, monday() + n * 24 * HOUR) for n in range(3)]
    page = visit("zhao", width=width)
    page.goto("/requests/")
    page.locator(".inbox-row a").first.click()
    page.wait_for_url("**of=*")
    if width == 360:
        assert page.locator("details.wide-open").first.get_attribute("open") is None
    for left in (2, 1, 0):
        button = page.locator(".inbox-answer button[value='1']")
        expect(button).to_be_in_viewport()
        box = button.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".toast-notice")).to_be_visible()
        expect(page.locator(".inbox-row")).to_have_count(left)
        lies_on = """() => [...document.querySelectorAll("button, a.btn")].filter((e) => {
          const box = e.getBoundingClientRect();
          const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          return at && at.closest(".toasts") && !e.closest(".toasts");
        }).length"""
        assert page.evaluate(lies_on) == 0
    assert {row.state for row in Reservation.objects.filter(pk__in=[r.pk for r in rows])} == {"confirmed"}


@pytest.mark.parametrize(("width", "height"), [(360, 740), (900, 600), (900, 400)])
def test_the_bar_that_answers_a_request_hides_nothing_that_has_the_focus(visit, real_cast, width, height):
    asks = real_cast.instrument(
        name="Asks first", hours=ALWAYS, policy={"approval": "manual"},
        card={**CARD, "valid_from": "2020-01-01"}, now=timezone.now() - timedelta(days=40),
    )  # fmt: skip
    row = ask(real_cast, asks, monday())
    page = visit("zhao", width=width)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"/requests/?of={row.pk}")
    hidden = """() => {
      const bar = document.querySelector(".inbox-answer").getBoundingClientRect();
      const box = document.activeElement.getBoundingClientRect();
      return !document.activeElement.closest(".inbox-answer") && box.bottom > bar.top && box.top < bar.bottom;
    }"""
    places = page.locator(".inbox-one :is(a, summary)")
    assert places.count() > 3
    for n in range(places.count()):
        page.evaluate("scrollTo(0, 0)")
        places.nth(n).focus()
        assert not page.evaluate(hidden)
    bar = page.locator(".inbox-answer").bounding_box()
    assert bar["height"] < height / 4 or bar["y"] > height / 4


def test_requests_are_answered_by_the_keyboard(visit, real_cast):
    asks = real_cast.instrument(
        name="Asks first", hours=ALWAYS, policy={"approval": "manual"},
        card={**CARD, "valid_from": "2020-01-01"}, now=timezone.now() - timedelta(days=40),
    )  # fmt: skip
    rows = [ask(real_cast, asks, monday() + n * 24 * HOUR) for n in range(3)]
    page = visit("zhao")

    def states():
        return [Reservation.objects.get(pk=row.pk).state for row in rows]

    page.goto("/requests/")
    for key, n in (("j", 1), ("ArrowDown", 2), ("k", 1)):
        page.keyboard.press(key)
        page.wait_for_url(f"**of={rows[n].pk}")
        expect(page.locator(f'.inbox-row [href$="{rows[n].pk}"]')).to_be_focused()
    # While one types, and in a dialog, letters are letters.
    page.wait_for_timeout(700)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("a")
    page.locator("#keys-count").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    assert page.url.endswith(str(rows[1].pk)) and states() == ["requested"] * 3
    page.keyboard.press("?")
    page.locator("#keys-count").check()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    reason = page.locator(".inbox-answer [name=reason]")
    expect(reason).to_be_focused()
    reason.blur()
    reason.click()  # Enter declines, however the reason was come to
    page.keyboard.type("jak")
    expect(reason).to_have_value("jak")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**of={rows[2].pk}")
    assert states() == ["requested", "rejected", "requested"]
    page.wait_for_timeout(700)  # a key that was meant for the request before decides nothing
    page.keyboard.press("a")
    page.wait_for_url(f"**of={rows[0].pk}")
    assert states() == ["requested", "rejected", "confirmed"]
