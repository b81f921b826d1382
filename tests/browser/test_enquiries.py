"""The demand board in a real Chromium: a firm asks on the page of its need, a host bids, the bid is
accepted; in both languages, narrow and wide."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.roles import By
from bookings.models import Enquiry, Reservation
from bookings.needs.services.needs import NeedValues, need_make
from instruments.selectors.needs import vocabulary_changed
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("locale", "width", "ask", "show", "bid", "accept", "secret"),
    [
        ("en-GB", 1440, "Make an enquiry", "Show it to hosts", "Make the bid", "Accept",
         "Confidential"),
        ("zh-CN", 360, "发布需求公告", "展示给仪器单位", "提交报价", "接受", "保密"),
    ],
)  # fmt: skip
def test_a_firm_asks_and_accepts(
    visit, real_cast: Cast, instrument, locale, width, ask, show, bid, accept, secret
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
    page.get_by_role("button", name=show, exact=True).click()
    page.wait_for_url("**/enquiries/**")
    enquiry = Enquiry.objects.get()

    host = visit("zhao", locale=locale, width=width)
    host.goto("/bids/")
    assert secret in host.locator("main").inner_text()
    host.goto(f"/bids/{enquiry.pk}/new/?instrument={instrument.pk}")
    assert "secret alloy" not in host.content() and "Hefei Optics" not in host.content()
    host.get_by_role("button", name=bid, exact=True).click()
    host.wait_for_url("**/bids/")
    assert "Hu Bo" not in host.content()

    page.reload()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("button", name=accept, exact=True).first.click()
    page.wait_for_url("**/bookings/**")
    assert Reservation.objects.get(state="confirmed").user == real_cast.hu
    host.reload()
    assert "Hu Bo" in host.content()
