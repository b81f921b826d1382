"""The demand board in a real Chromium: a firm asks on the page of its need, a host bids with times
it ticks, changes the bid, and it is accepted; in both languages, narrow and wide."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.domain.roles import By
from bookings.models import Enquiry, Reservation
from bookings.needs.services.needs import NeedValues, need_make
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page) -> None:
    page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("locale", "width", "ask", "show", "bid", "change", "later", "accept", "book", "secret"),
    [
        ("en-GB", 1440, "Make an enquiry", "Show it to hosts", "Send the bid", "Change the bid",
         "Later days", "Accept …", "Accept the bid and book", "Confidential"),
        ("zh-CN", 360, "发布需求公告", "展示给仪器所有单位", "提交报价", "修改报价", "更多日期",
         "接受…", "接受报价并预约", "保密"),
    ],
)  # fmt: skip
def test_a_firm_asks_and_accepts(
    visit, real_cast: Cast, instrument, locale, width, ask, show, bid, change, later, accept, book, secret
) -> None:
    now = timezone.now()
    measurand_of(real_cast)
    vocabulary_changed()
    need = need_make(
        By(real_cast.actor("hu"), now),
        values=NeedValues("grain size of the secret alloy", now, now + timedelta(days=20), 60),
    )
    page = visit("hu", locale=locale, width=width)
    page.goto(f"/needs/{need.pk}/")
    page.get_by_role("link", name=ask, exact=True).click()
    page.get_by_label("USTC" if locale == "en-GB" else "中国科学技术大学").check()
    page.get_by_role("button", name=show, exact=True).click()
    page.wait_for_url("**/enquiries/**")
    enquiry = Enquiry.objects.get()

    host = visit("zhao", locale=locale, width=width)
    host.goto("/open-enquiries/")
    assert secret in host.locator("main").inner_text()
    host.goto(f"/bids/{enquiry.pk}/new/?instrument={instrument.pk}")
    assert "secret alloy" not in host.content() and "Hefei Optics" not in host.content()
    # Two times on different days are ticked; later days come, and what was typed stays.
    fits(host)
    ticked = host.locator("input[name=starts]:checked")
    expect(ticked).to_have_count(0)
    for day in range(2):
        host.locator(".bid-day").nth(day).locator("input[name=starts]").first.check()
    expect(ticked).to_have_count(2)
    host.fill("#id_text", "We know this alloy. 我们熟悉这种材料。")
    days = host.locator(".bid-day").count()
    host.get_by_role("button", name=later, exact=True).click()
    expect(host.locator(".bid-day")).to_have_count(days + 5)
    expect(host.locator("#id_text")).to_have_value("We know this alloy. 我们熟悉这种材料。")
    expect(ticked).to_have_count(2)
    host.get_by_role("button", name=bid, exact=True).click()
    host.wait_for_url("**/bids/")
    fits(host)
    assert "Hu Bo" not in host.content()
    assert Reservation.objects.filter(state="held", held_for="bid").count() == 2

    # One of them is given up again.
    host.locator("a[href$='/amend/']").click()
    host.wait_for_url("**/amend/")
    expect(ticked).to_have_count(2)
    kept = ticked.first.get_attribute("value")
    ticked.nth(1).uncheck()
    host.get_by_role("button", name=change, exact=True).click()
    host.wait_for_url("**/bids/")
    assert Reservation.objects.get(state="held", held_for="bid").start_at.isoformat() == kept

    page.reload()
    fits(page)
    expect(page.locator("main")).to_contain_text("我们熟悉这种材料。")
    page.get_by_role("link", name=accept, exact=True).click()
    page.wait_for_url("**/accept/?slot=*")
    fits(page)
    # Everything stands there before anything is booked.
    expect(page.locator("main")).to_contain_text("我们熟悉这种材料。")
    expect(page.locator("[data-payable]")).to_contain_text("CNY")
    assert not Reservation.objects.filter(state="confirmed").exists()
    page.get_by_role("button", name=book, exact=True).click()
    page.wait_for_url("**/bookings/**")
    booked = Reservation.objects.get(state="confirmed")
    assert booked.user == real_cast.hu and booked.start_at.isoformat() == kept
    # What was said with the bid stands on the booking.
    expect(page.locator("main")).to_contain_text("我们熟悉这种材料。")
    host.reload()
    assert "Hu Bo" in host.content()
