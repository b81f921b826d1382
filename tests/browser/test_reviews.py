"""A purchase case in a real Chromium, from its draft to its follow-up: the applicant, a host, an
expert and the coordinator each do their part, in both languages."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bookings.hours.models import InstrumentDayUse
from bookings.models import Reservation
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.services.follow_ups import cases_follow_up
from tests.browser.conftest import HOUR
from tests.factories import reviews as make
from tests.factories.agreements import agree
from tests.factories.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORDS = {
    "en-GB": {
        "keep": "Keep as draft",
        "ask": "Ask for an opinion",
        "declare": "Declare",
        "give": "Submit the opinion",
        "answer": "Answer",
        "decide": "Decide",
        "promise": "promised",
        "share": "share instead",
        "ground": "At least one suitable instrument can be shared",
        "kept": "promised 400 hours a year",
        "draft": "draft",
        "reserve": "Reserve",
        "left": "of 400.0 guaranteed hours left",
        "used": "398.0 of 400.0 hours left",
        "avoided": "yes",
    },
    "zh-CN": {
        "keep": "保存草稿",
        "ask": "邀请评议",
        "declare": "申报",
        "give": "提交意见",
        "answer": "答复",
        "decide": "作出结论",
        "promise": "已承诺",
        "share": "以共享代替",
        "ground": "至少有一台满足要求的仪器可以共享使用",
        "kept": "每年 400 小时",
        "draft": "草稿",
        "reserve": "提交预约",
        "left": "共 400.0 小时",
        "used": "剩余 398.0 小时（共 400.0 小时）",
        "avoided": "是",
    },
}


def fits(page) -> None:
    page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")


def press(page, act: str) -> None:
    """A button of the case's page; the page that follows has it no more."""
    button = page.locator(f"form[action$='/{act}/'] button")
    button.click()
    expect(button).to_have_count(0)


@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1440), ("zh-CN", 360)])
def test_from_a_draft_to_its_follow_up(
    visit, real_cast: Cast, instrument, midnight, locale: str, width: int
) -> None:
    words, now = WORDS[locale], timezone.now()
    make.schemes()
    agree(real_cast)
    applicant = visit("wang", locale=locale, width=width)
    applicant.goto("/reviews/new/")
    applicant.fill("#id_name", "Scanning electron microscope")
    applicant.locator("input[name=techniques]").first.fill("PaNET01198")
    for name, value in {
        "hours": "400",
        "reason": "Our students wait.",
        "place": "Jiangwan",
        "price": "200000",
        "years": "5",
    }.items():
        applicant.fill(f"#id_{name}", value)
    applicant.select_option("#id_scheme", "cn-shanghai")
    applicant.select_option("#id_money", "regional")
    applicant.get_by_role("button", name=words["keep"]).click()
    # Too cheap for the scheme: said at the price, and nothing is lost.
    expect(applicant.locator("#id_price_error")).to_be_visible()
    expect(applicant.locator("#id_reason")).to_have_value("Our students wait.")
    applicant.fill("#id_price", "2000000")
    applicant.get_by_role("button", name=words["keep"]).click()
    expect(applicant.locator(".page-under")).to_contain_text(words["draft"])
    case = PurchaseCase.objects.get()
    here = f"/reviews/{case.pk}/"
    fits(applicant)

    # Another manager of the applicant checks it and submits it: the comparison is frozen.
    manager = visit("chen", locale=locale, width=width)
    manager.goto(here)
    press(manager, "check")
    press(manager, "submit")
    digest = PurchaseCase.objects.get().comparison.digest
    expect(manager.locator("#compared-title")).to_be_visible()
    expect(manager.locator("main")).to_contain_text(digest)
    fits(manager)

    region = visit("xu", locale=locale, width=width)
    region.goto(here)
    press(region, "hosts")

    # The host comes from the list to the question and to the case, and promises two years.
    pledge = HostPledge.objects.get(instrument=instrument)
    host = visit("zhao", locale=locale, width=width)
    host.goto("/reviews/")
    host.locator(f"a[href='/reviews/pledges/{pledge.pk}/']").click()
    host.locator(f"a[href='{here}']").click()
    expect(host.locator("#pledges-title")).to_be_visible()
    assert digest not in host.content() and "2,000,000" not in host.content()
    fits(host)
    host.go_back()
    host.get_by_label(words["promise"], exact=True).check()
    host.fill("#id_hours", "400")
    host.fill("#id_years", "2")
    host.get_by_role("button", name=words["answer"], exact=True).click()
    expect(host.locator("#id_from_date_error")).to_be_visible()
    expect(host.locator("#id_hours")).to_have_value("400")
    host.fill("#id_from_date", str((midnight + 8 * HOUR).date()))
    host.get_by_role("button", name=words["answer"], exact=True).click()
    expect(host.locator("#id_from_date_error")).to_have_count(0)
    expect(host.locator("#id_hours")).to_have_value("400")
    fits(host)

    # An expert is asked, declares that there is no interest, and advises.
    region.goto(here)
    press(region, "review")
    expect(region.locator("main")).to_contain_text(words["kept"])
    region.fill("#id_person", "alice@nowhere.example")
    region.get_by_role("button", name=words["ask"], exact=True).click()
    expect(region.locator("main")).to_contain_text("Alice")
    expert = visit("alice", locale=locale, width=width)
    expert.goto("/reviews/")
    expert.locator("a[href^='/reviews/opinions/']").click()
    expert.get_by_role("button", name=words["declare"], exact=True).click()
    expert.get_by_label(words["share"], exact=True).check()
    expert.get_by_label(words["ground"], exact=True).check()
    expert.fill("#id_text", "It does it.")
    expert.get_by_role("button", name=words["give"], exact=True).click()
    expect(expert.locator("#id_text")).to_have_value("It does it.")
    fits(expert)

    region.reload()
    region.get_by_label(words["share"], exact=True).check()
    region.get_by_label(words["ground"], exact=True).check()
    region.fill("#id_reason", "The hours are there.")
    region.get_by_role("button", name=words["decide"], exact=True).click()
    expect(region.locator(".page-under")).to_contain_text(words["share"])
    assert PurchaseCase.objects.get().comparison.digest == digest
    fits(region)

    # The promise is kept hours of the applicant, and a booking uses them.
    start = (midnight + 10 * HOUR).isoformat().replace("+00:00", "Z")
    applicant.goto(f"/instruments/{instrument.pk}/book/?start={start}&minutes=120")
    expect(applicant.locator("[data-kept-left]").first).to_contain_text(words["left"])
    fits(applicant)
    applicant.get_by_role("button", name=words["reserve"], exact=True).click()
    applicant.wait_for_url("**/bookings/*/")
    assert Reservation.objects.get().state == "confirmed"
    applicant.goto("/kept-hours/")
    kept = applicant.locator("[data-kept]")
    expect(kept).to_have_count(2)  # one for each year
    expect(kept.first).to_contain_text(words["used"])
    fits(applicant)

    # A year later half of it was used.
    InstrumentDayUse.objects.create(
        instrument=instrument,
        date=(now + timedelta(days=90)).date(),
        organisation=real_cast.fudan,
        payer_region=real_cast.shanghai,
        price_group="partner",
        minutes=200 * 60,
        sessions=60,
    )
    assert cases_follow_up(now + timedelta(days=372)) == 1
    region.reload()
    expect(region.locator("section:has(#follow-title) dd").last).to_have_text(words["avoided"])
    visit.expected[:] = [c for c in visit.expected if "400" not in c]
