"""A purchase case in a real Chromium: described, answered by a host, decided, followed up."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.domain.roles import By
from bookings.reviews.models import HostPledge, PurchaseCase
from bookings.reviews.services.cases import case_check, case_submit, hosts_ask
from bookings.reviews.services.follow_ups import cases_follow_up
from bookings.reviews.services.opinions import (
    Opinion,
    expert_ask,
    interest_declare,
    opinion_give,
)
from tests.factories import reviews as make
from tests.factories.agreements import agree
from tests.factories.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORDS = {
    "en-GB": {
        "keep": "Keep as draft",
        "answer": "Answer",
        "decide": "Decide",
        "promise": "promised",
        "share": "share instead",
        "ground": "At least one instrument that fits can be used by sharing",
        "kept": "promised 400 h a year",
        "draft": "draft",
    },
    "zh-CN": {
        "keep": "保存草稿",
        "answer": "答复",
        "decide": "作出结论",
        "promise": "已承诺",
        "share": "以共享代替",
        "ground": "至少有一台满足要求的仪器可以共享使用",
        "kept": "每年 400 小时",
        "draft": "草稿",
    },
}


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_from_a_draft_to_its_follow_up(visit, real_cast: Cast, locale: str) -> None:
    words, now = WORDS[locale], timezone.now()
    make.schemes()
    agree(real_cast)
    page = visit("wang", locale=locale)
    page.goto("/reviews/new/")
    page.fill("#id_name", "Transmission electron microscope")
    page.locator("input[name=techniques]").first.fill("PaNET01198")
    for name, value in {
        "hours": "400",
        "reason": "Our students wait.",
        "place": "Jiangwan",
        "price": "2000000",
        "years": "5",
    }.items():
        page.fill(f"#id_{name}", value)
    page.select_option("#id_scheme", "cn-shanghai")
    page.select_option("#id_money", "regional")
    page.get_by_role("button", name=words["keep"]).click()
    expect(page.locator(".page-under")).to_contain_text(words["draft"])
    case = PurchaseCase.objects.get()
    chen, xu = (By(real_cast.actor(name), now) for name in ("chen", "xu"))
    case_check(chen, case_id=case.pk)
    case_submit(chen, case_id=case.pk)
    hosts_ask(xu, case_id=case.pk)
    pledge = HostPledge.objects.get(instrument=real_cast.microscope)

    page = visit("zhao", locale=locale)
    page.goto(f"/reviews/pledges/{pledge.pk}/")
    page.get_by_label(words["promise"], exact=True).check()
    page.fill("#id_hours", "400")
    page.fill("#id_from_date", str(now.date() + timedelta(days=2)))
    page.get_by_role("button", name=words["answer"], exact=True).click()
    expect(page.locator("#id_hours")).to_have_value("400")

    page = visit("xu", locale=locale)
    page.goto(f"/reviews/{case.pk}/")
    page.locator("button[value=review]").click()
    expect(page.locator("#decide-title")).to_be_visible()
    expect(page.locator("body")).to_contain_text(words["kept"])
    expert = expert_ask(xu, case_id=case.pk, person="alice@nowhere.example")
    alice = By(real_cast.actor("alice"), now)
    interest_declare(alice, expert_id=expert.pk, interest="")
    opinion_give(alice, expert_id=expert.pk, opinion=Opinion("share", [], "It does it."))
    page.reload()
    page.get_by_label(words["share"], exact=True).check()
    page.get_by_label(words["ground"], exact=True).check()
    page.fill("#id_reason", "The hours are there.")
    page.get_by_role("button", name=words["decide"], exact=True).click()
    expect(page.locator(".page-under")).to_contain_text(words["share"])
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    assert cases_follow_up(now + timedelta(days=372)) == 1
    page.reload()
    expect(page.locator("#follow-title")).to_be_visible()
