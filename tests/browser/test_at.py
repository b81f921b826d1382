"""From the label on an instrument to checked in, on a telephone, by two touches."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.models import UsageSession
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from tests.browser.conftest import ALWAYS

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]

SMALL = """() => [...document.querySelectorAll('.at :is(button, .btn, input, select)')]
    .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 44
        && !['radio', 'hidden'].includes(each.type))
    .map((each) => each.outerHTML)"""


@pytest.mark.parametrize(
    ("locale", "js", "check_in", "check_out", "checked_in"),
    [
        ("en-GB", True, "Check in", "Check out", "You are checked in."),
        ("zh-CN", False, "签到", "签退", "已签到"),
    ],
)
def test_two_touches(visit, real_cast, locale, js, check_in, check_out, checked_in):
    now = timezone.now()
    instrument = real_cast.instrument(
        name="At hand", name_zh="手边的仪器", hours=ALWAYS, policy={"slot_minutes": 5}
    )
    start = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    start += timedelta(minutes=5)
    row = reservation_request(
        By(real_cast.actor("wang"), now),
        booking=Booking(instrument.pk, Period(start, start + timedelta(hours=1)), None, "self"),
    )
    page = visit("wang", width=360, locale=locale, js=js)
    page.goto(f"/at/{instrument.short_code}/")  # the first touch: the label is scanned and opens
    assert page.evaluate("document.documentElement.scrollWidth <= 360")
    assert page.evaluate(SMALL) == []
    page.get_by_role("button", name=check_in, exact=True).click()  # the second
    expect(page.get_by_text(checked_in).first).to_be_visible()
    assert UsageSession.objects.get(reservation=row).checked_out_at is None
    page.get_by_role("button", name=check_out, exact=True).click()
    expect(page.get_by_role("button", name=check_out, exact=True)).to_have_count(0)
    assert UsageSession.objects.get(reservation=row).checked_out_at is not None
