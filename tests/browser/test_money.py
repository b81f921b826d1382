"""The main task of finance and of coordinators, from what waits for them to its end, in both
languages; one side of each on a telephone."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bookings.models import Agreement, Charge, Statement, VoucherGrant
from bookings.settlement.services.statements import statements_draw_due
from tests.concurrency.races import ALWAYS
from tests.factories.charges import BY_USE, use

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
LANGUAGES = pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])


def waits(page, what, number):
    """What waits is on the first page of money, and its list has as many rows."""
    page.goto("/money/")
    line = page.locator(f"[data-waits={what}]")
    expect(line).to_have_attribute("data-number", str(number))
    line.click()


def fits(page):
    # A form may just be leaving: between two pages there is nothing to measure.
    page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")


def press(page, button):
    """A button that asks first."""
    button.click()
    page.locator("[data-confirm-go]").click()


@LANGUAGES
def test_finance_disputes_answers_bills_and_marks_the_payment(visit, real_cast, locale):
    is_english = locale == "en-GB"
    day = f"{timezone.now() + timedelta(hours=8) - timedelta(days=1):%Y-%m-%d}"
    instrument = real_cast.instrument(
        name="Microscope", name_zh="显微镜", hours=ALWAYS, card=BY_USE,
        policy={"check_in_minutes": None},
    )  # fmt: skip
    charge = use(real_cast, f"{day} 00:00", f"{day} 02:00", instrument=instrument)

    payer = visit("lin", locale=locale, width=360)
    waits(payer, "check", 1)
    expect(payer.locator("tbody tr")).to_have_count(1)
    fits(payer)
    payer.get_by_role("link", name="Microscope" if is_english else "显微镜").click()
    form = payer.locator("form[action$='/dispute/']")
    form.locator("[name=reason]").fill("It was vented by mistake.")
    form.get_by_role("button").click()
    expect(payer.locator(".badge.state-disputed").first).to_be_visible()
    fits(payer)
    payer.goto("/money/")
    expect(payer.locator("[data-waits=check]")).to_have_count(0)

    host = visit("gao", locale=locale)
    waits(host, "answer", 1)
    host.locator("tbody a").first.click()
    form = host.locator("form[action$='/reject/']")
    form.locator("[name=reason]").fill("The log says otherwise.")
    press(host, form.get_by_role("button"))
    expect(host.locator(".badge.state-final").first).to_be_visible()

    assert statements_draw_due(now=timezone.now() + timedelta(days=40)).statements == 1
    made = Statement.objects.get()
    waits(payer, "pay", 1)
    expect(payer.locator("tfoot")).to_contain_text("1 statement" if is_english else "1 张")
    payer.locator("tbody a").first.click()
    expect(payer.get_by_role("heading", level=1)).to_contain_text("USTC-")
    fits(payer)
    waits(host, "owed", 1)
    host.locator("tbody a").first.click()
    host.locator("form[action$='/pay/'] button").click()
    expect(host.locator(".badge.state-paid").first).to_be_visible()
    assert Charge.objects.get(pk=charge.pk).state == "final"
    made.refresh_from_db()
    assert (made.state, made.paid) == ("paid", made.payable)


@LANGUAGES
def test_coordinators_agree_begin_a_programme_and_grant(visit, real_cast, locale):
    is_english = locale == "en-GB"
    first = visit("xu", locale=locale)
    first.goto("/money/")
    first.get_by_role("link", name="Propose an agreement" if is_english else "提议协议").click()
    first.fill("[name=name]", "Shanghai and Anhui")
    first.fill("[name=name_zh]", "沪皖协议")
    first.fill("[name=code]", "sh-ah")
    for region in (real_cast.anhui, real_cast.shanghai):
        first.locator(f"[name=regions][value='{region.pk}']").check()
    first.fill("[name=discount_percent]", "10")
    first.locator("[name=honours_vouchers]").check()
    first.locator("main form .btn-primary").click()
    sign = first.locator("form[action$='/sign/'] button")
    if sign.count():
        press(first, sign)

    second = visit("coordinator", locale=locale, width=360)
    waits(second, "sign", 1)
    fits(second)
    second.get_by_role("link", name="Shanghai and Anhui" if is_english else "沪皖协议").click()
    press(second, second.locator("form[action$='/sign/'] button"))
    expect(second.locator(".badge").filter(has_text="in force" if is_english else "生效")).to_be_visible()
    fits(second)
    assert Agreement.objects.get().signed_at is not None

    first.goto("/money/vouchers/")
    first.locator(".page-actions .btn-primary").click()
    first.fill("[name=name]", "Shanghai vouchers")
    first.fill("[name=name_zh]", "上海创新券")
    first.fill("[name=code]", "sh-vouchers")
    first.fill("[name=percent]", "50")
    first.select_option("[name=currency]", "CNY")
    first.fill("[name=budget]", "5000")
    first.locator("[name=cap_per_booking_none]").check()
    first.locator("main form .btn-primary").click()
    expect(first.get_by_role("heading", level=1)).to_have_text(
        "Shanghai vouchers" if is_english else "上海创新券"
    )
    first.select_option("[name=organisation]", index=1)
    first.fill("form [name=amount]", "1000")
    first.locator("section:has(#grant-title) .btn-primary").click()
    expect(first.locator("tbody")).to_contain_text("Fudan University" if is_english else "复旦大学")
    grant = VoucherGrant.objects.get()
    assert (grant.organisation, grant.amount) == (real_cast.fudan, 1000)
