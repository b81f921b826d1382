"""From a sentence to an instrument, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from bookings.models import Enquiry, Need, Reservation
from instruments.vocabulary.selectors.needs import vocabulary_changed
from tests.browser.conftest import HOUR
from tests.concurrency.races import ALWAYS
from tests.factories.cast import Cast
from tests.factories.needs import measurand_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    ("locale", "sentence", "chip", "remove", "exact", "nothing"),
    [
        ("en-GB", "how large are the grains", "Grain size", "Not Grain size",
         "Instruments for Grain size", "We do not know what measures this"),
        ("zh-CN", "请问晶粒有多大", "晶粒尺寸", "不是晶粒尺寸",
         "可测晶粒尺寸的仪器", "平台无法判断用什么方法测量"),
    ],
)  # fmt: skip
def test_a_sentence_chips_corrected_results(
    visit, real_cast: Cast, instrument, width, locale, sentence, chip, remove, exact, nothing
) -> None:
    """What is typed shows chips at once; one chosen makes the search exact; the way back goes
    through both; removed, it counts no more."""
    measurand_of(real_cast)
    page = visit("wang", locale=locale, width=width)
    page.fill("#q", sentence)
    page.wait_for_selector(".meanings")
    assert "q=" in page.url
    expect(page.locator("article.result")).to_have_count(2)
    page.get_by_role("link", name=chip, exact=True).click()
    page.wait_for_url("**term=grain-size**")
    assert exact in page.locator("#results").inner_text()
    assert page.input_value("#q") == sentence
    expect(page.locator("article.result")).to_have_count(2)
    # Another order keeps what was chosen, other words do not.
    page.select_option("#sort", "name")
    page.wait_for_url("**sort=name**")
    expect(page.locator(".meanings .chosen")).to_have_count(1)
    page.go_back()
    page.get_by_role("link", name=remove, exact=True).click()
    page.wait_for_url("**without=grain-size**")
    expect(page.locator("article.result")).to_have_count(0)
    assert nothing in page.locator("#results").inner_text()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_without_scripts_it_is_the_same(visit, real_cast: Cast, instrument) -> None:
    measurand_of(real_cast)
    page = visit("wang", js=False)
    page.fill("#q", "how large are the grains")
    page.press("#q", "Enter")
    page.get_by_role("link", name="Grain size", exact=True).click()
    expect(page.locator("article.result")).to_have_count(2)
    assert "term=grain-size" in page.url
    page.fill("#q", "scanning")
    page.press("#q", "Enter")
    expect(page.locator("article.result")).to_have_count(1)
    expect(page.locator(".meanings")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "sentence", "compare", "show", "reserve"),
    [
        ("en-GB", "how large are the grains", "Say when and for how much, and compare",
         "Show instruments", "Reserve"),
        ("zh-CN", "请问晶粒有多大", "说明时间和预算，逐台比较", "查看仪器", "提交预约"),
    ],
)  # fmt: skip
def test_from_a_sentence_to_a_booked_instrument_in_another_region(
    visit, real_cast: Cast, instrument, locale, sentence, compare, show, reserve
) -> None:
    measurand_of(real_cast)
    vocabulary_changed()
    page = visit("wang", locale=locale)  # of Shanghai; the instrument is in Anhui
    page.fill("#q", sentence)
    page.get_by_role("link", name=compare).click()
    page.get_by_role("button", name=show).click()
    page.locator(".match-offer a.btn-primary").first.click()
    page.get_by_role("button", name=reserve, exact=True).click()
    page.wait_for_url("**/bookings/*/")
    booked = Reservation.objects.get()
    assert (booked.state, booked.payer_region.code) == ("confirmed", "CN-SH")
    assert booked.host_region.code == "CN-AH"
    # The need is booked: it leads to its booking and no longer looks for instruments.
    page.goto("/needs/")
    page.locator("main tbody a").click()
    expect(page.locator(f"main a[href='/bookings/{booked.pk}/']")).to_be_visible()
    expect(page.locator(".match-offer")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_refusal_leads_to_a_booking_elsewhere_by_one_click(
    visit, real_cast: Cast, instrument, booked, midnight, locale
) -> None:
    other = real_cast.instrument(
        name="Second microscope", name_zh="第二台显微镜", hours=ALWAYS, now=booked.requested_at
    )
    page = visit("sun", locale=locale)
    start = f"{midnight + 10 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    page.goto(f"/instruments/{instrument.pk}/book/?start={start}&minutes=60")
    name = "Second microscope" if locale == "en-GB" else "第二台显微镜"
    page.get_by_role("link", name=name).click()
    page.get_by_role("button", name="Reserve" if locale == "en-GB" else "提交预约", exact=True).click()
    page.wait_for_url("**/bookings/*/")
    assert Reservation.objects.filter(instrument=other, user=real_cast.sun).count() == 1


@pytest.mark.parametrize(
    ("locale", "width", "text", "show", "nothing", "ask", "send", "bid", "bid_of", "accept", "booking_of"),
    [
        ("en-GB", 1440, "how large are the grains of our alloy", "Show instruments",
         "No instrument meets all your conditions", "Make an enquiry", "Show it to hosts", "Send the bid",
         "Bid from", "Accept the bid and book", "Booking of"),
        ("zh-CN", 360, "合金的晶粒有多大", "查看仪器", "没有仪器满足全部条件", "发布需求公告",
         "展示给仪器所有单位", "提交报价", "应答报价", "接受报价并预约", "预约："),
    ],
)  # fmt: skip
def test_a_need_is_told_from_its_text_to_a_booking_through_an_enquiry(
    visit, real_cast: Cast, instrument, locale, width, text, show, nothing, ask, send, bid, bid_of, accept,
    booking_of,
) -> None:  # fmt: skip
    measurand_of(real_cast)
    vocabulary_changed()
    page = visit("hu", locale=locale, width=width)
    main = page.locator("main")
    # Nothing meets the budget: the page says so, and offers the enquiry where instruments would be.
    page.goto("/needs/new/")
    page.fill("#id_text", text)
    page.fill("#id_budget", "1")
    page.get_by_role("button", name=show).click()
    expect(main).to_contain_text(nothing)
    need = Need.objects.get()
    page.locator(".empty").get_by_role("link", name=ask, exact=True).click()
    page.get_by_role("button", name=send, exact=True).click()
    page.wait_for_url("**/enquiries/**")
    # The list has its state; its page leads to the enquiry, and no longer offers another one.
    page.goto("/needs/?state=asked")
    page.locator("main tbody a").click()
    expect(main.locator(".badge.state-asked")).to_be_visible()
    expect(main.locator(f"a[href='/enquiries/{Enquiry.objects.get().pk}/']")).to_be_visible()
    expect(page.get_by_role("link", name=ask, exact=True)).to_have_count(0)

    host = visit("zhao", locale=locale, width=width)
    host.goto(f"/bids/{Enquiry.objects.get().pk}/new/?instrument={instrument.pk}")
    host.locator("input[name=starts]").first.check()
    host.get_by_role("button", name=bid, exact=True).click()
    host.wait_for_url("**/bids/")

    page.reload()
    expect(main.locator(".badge.state-offered")).to_be_visible()
    page.get_by_role("link", name=bid_of).click()
    page.wait_for_url("**/enquiries/**#bid-*")
    page.locator("main a[href*='/accept/']").first.click()
    page.get_by_role("button", name=accept, exact=True).click()
    page.wait_for_url("**/bookings/**")
    # The booking leads back to the need, and that to the booking; nothing more can be asked or changed.
    page.locator(f"main a[href='/needs/{need.pk}/']").click()
    expect(main.locator("h1 ~ * .badge.state-booked, .badge.state-booked").first).to_be_visible()
    expect(page.get_by_role("link", name=booking_of)).to_be_visible()
    expect(page.get_by_role("link", name=ask, exact=True)).to_have_count(0)
    expect(page.locator(f"a[href='/needs/{need.pk}/change/']")).to_have_count(0)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.goto("/needs/?state=booked")
    expect(page.locator("main tbody tr")).to_have_count(1)
