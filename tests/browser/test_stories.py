"""An instrument that lies idle and a session that is rated, each told from both sides in a real
Chromium, in both languages."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.domain.roles import By
from bookings.board.services.alarms import alarms_review
from bookings.catalogue.selectors.parties import Booking
from bookings.models import IdleAlarm, UsageSession
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.register.models import Instrument
from tests.browser.conftest import HOUR
from tests.factories.cast import Cast
from tests.factories.on_offer import on_offer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = timedelta(days=1)


def fits(page) -> None:
    page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("locale", "width", "send", "repaired", "needs_reason", "answered", "risen"),
    [
        ("en-GB", 1440, "Send the answer", "being repaired", "Please choose", "answered",
         "with the region"),
        ("zh-CN", 360, "提交答复", "维修中", "请选择", "已答复", "已转交区域"),
    ],
)  # fmt: skip
def test_an_idle_alarm_is_answered_and_one_that_is_not_rises(
    visit, real_cast: Cast, instrument, locale, width, send, repaired, needs_reason, answered, risen
) -> None:
    now = timezone.now()
    Instrument.objects.filter(pk=instrument.pk).update(
        published_at=now - 500 * DAY, acquisition_date=date(2024, 1, 1)
    )
    on_offer(instrument, now.date())
    alarms_review(now=now)
    rows = {row.kind: row for row in IdleAlarm.objects.filter(instrument=instrument)}
    assert set(rows) == {"idle", "not_in_service"}

    host = visit("zhao", locale=locale, width=width)
    host.goto("/alarms/")
    fits(host)
    host.locator(f"a[href='/alarms/{rows['idle'].pk}/']").click()
    host.wait_for_url("**/alarms/*/")
    fits(host)
    form = host.locator("form[novalidate]")
    assert form.locator("#id_reason option").first.inner_text() == needs_reason
    host.fill("#id_note", "The column leaks.")
    form.get_by_role("button", name=send, exact=True).click()
    # No reason and no day: it comes back, with what was typed.
    expect(host.locator("#id_reason_error")).to_be_visible()
    expect(host.locator("#id_due_date_error")).to_be_visible()
    expect(host.locator("#id_note")).to_have_value("The column leaks.")
    host.select_option("#id_reason", "repair")
    host.fill("#id_due_date", str((now + 20 * DAY).date()))
    host.get_by_role("button", name=send, exact=True).click()
    expect(host.locator(".page-under")).to_contain_text(answered)
    expect(host.locator("main")).to_contain_text(repaired, ignore_case=True)
    expect(host.locator("#id_due_date")).to_have_value(str((now + 20 * DAY).date()))

    IdleAlarm.objects.filter(kind="not_in_service").update(asked_at=now - 70 * DAY)
    alarms_review(now=now + timedelta(minutes=1))
    region = visit("coordinator", locale=locale, width=width)
    region.goto("/alarms/?waits=alarms")
    waiting = region.locator("main tbody tr")
    expect(waiting).to_have_count(1)  # what is answered in time is the owner's affair
    expect(waiting).to_contain_text(risen)
    waiting.get_by_role("link").first.click()
    region.wait_for_url(f"**/alarms/{rows['not_in_service'].pk}/")
    expect(region.locator("#answer-title")).to_be_visible()
    assert region.get_by_role("button", name=send, exact=True).count() == 0
    fits(region)
    visit.expected[:] = [c for c in visit.expected if "400" not in c]


@pytest.mark.parametrize(
    ("locale", "width", "rate", "answer", "usable"),
    [("en-GB", 1440, "Send the rating", "Answer", "usable"), ("zh-CN", 360, "提交评价", "答复", "可用")],
)
def test_a_session_is_rated_and_the_host_answers(
    visit, real_cast: Cast, instrument, locale, width, rate, answer, usable
) -> None:
    begins = timezone.now().replace(minute=0, second=0, microsecond=0) - 2 * DAY
    made = reservation_request(
        By(real_cast.actor("wang"), begins - 5 * DAY),
        booking=Booking(instrument.pk, Period(begins, begins + HOUR), organisation=None, service_mode="self"),
    )
    wang = real_cast.actor("wang")
    reservation_check_in(By(wang, begins), reservation_id=made.pk)
    reservation_check_out(By(wang, begins + HOUR), reservation_id=made.pk)

    person = visit("wang", locale=locale, width=width)
    person.goto(f"/bookings/{made.pk}/")
    fits(person)
    person.locator("#rate").get_by_role("button", name=rate, exact=True).click()
    expect(person.locator("#id_rating_error")).to_be_visible()
    person.select_option("#id_rating", "2")
    person.select_option("#id_usable", "1")
    person.fill("#rate #id_remarks", "The image drifts. 图像漂移。")
    person.locator("#rate").get_by_role("button", name=rate, exact=True).click()
    expect(person.locator("#rate dl")).to_contain_text("The image drifts.")
    assert UsageSession.objects.get().rating == 2

    host = visit("zhao", locale=locale, width=width)
    host.goto(f"/manage/instruments/{instrument.pk}/ratings/")
    fits(host)
    expect(host.locator("main")).to_contain_text("图像漂移。")
    expect(host.locator("main")).to_contain_text(usable)
    host.locator("main table").get_by_role("link", name=answer, exact=True).click()
    host.wait_for_url("**/bookings/*/#rate")
    host.fill("#id_answer", "The stage is mended. 样品台已修好。")
    host.locator("#rate").get_by_role("button", name=answer, exact=True).click()
    expect(host.locator("#id_answer")).to_have_value("The stage is mended. 样品台已修好。")

    person.reload()
    expect(person.locator("[data-answer]")).to_contain_text("样品台已修好。")
    # Rated once: there is no second form.
    assert person.locator("#rate form").count() == 0
    visit.expected[:] = [c for c in visit.expected if "400" not in c]
