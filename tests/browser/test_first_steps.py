"""From nobody to the first booking: signed up, confirmed, asked, accepted by somebody at another
desk."""

import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership, User
from bookings.overview.services.effects import effects_carry_out

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
LINK = re.compile(r"/accounts/confirm-email/[^\s/]+/")


@pytest.mark.parametrize(
    ("locale", "confirm", "ask", "pending", "accept", "role", "send", "next_up"),
    [
        (
            *("en-GB", "Yes, confirm", "Ask to join", "not answered yet", "Accept", "researcher"),
            *("Reserve", "Your next bookings"),
        ),
        (*("zh-CN", "是，确认", "申请加入", "尚未答复", "批准", "科研人员"), *("提交预约", "近期预约")),
    ],
)
def test_a_new_person_joins_and_books(
    visit, real_cast, instrument, locale, confirm, ask, pending, accept, role, send, next_up
):
    address = f"li.{locale.lower()}@fudan.example"  # one mail a person every three minutes
    page = visit(width=360, locale=locale)
    page.goto("/accounts/signup/")
    page.fill("#id_name", "李娜 Li Na")
    page.fill("#id_email", address)
    for field in ("#id_password1", "#id_password2"):
        page.fill(field, "a long way to go")
    own = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert page.evaluate("document.cookie.match(/time_zone=([^;]*)/)[1]") == own
    page.evaluate("document.cookie = 'time_zone=Asia/Urumqi; path=/'")
    page.press("#id_password2", "Enter")
    page.wait_for_url("**/confirm-email/")
    effects_carry_out(now=timezone.now())
    page.goto(LINK.search(mail.outbox[-1].body).group())
    page.get_by_role("button", name=confirm).click()
    page.wait_for_url(re.compile(r"//[^/]+/(home/|accounts/login/)$"))
    if "login" in page.url:
        page.fill("#id_login", address)
        page.fill("#id_password", "a long way to go")
        page.press("#id_password", "Enter")
        page.wait_for_url("**/home/")

    # Home says what comes first, and leads there.
    expect(page.locator(".first-step li.is-now")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.fill("#home-q", "fudan")
    page.press("#home-q", "Enter")
    page.wait_for_url("**/organisations/?q=fudan#find")
    page.get_by_role("link", name=ask).click()
    page.fill("textarea[name=text]", "Group of Professor Chen")
    page.get_by_role("button", name=ask).click()
    page.wait_for_url("**/organisations/")
    expect(page.locator("main")).to_contain_text(pending)
    page.goto("/")
    expect(page.locator(".first-step")).to_be_visible()
    page.goto("/home/")
    expect(page.locator(".first-step li.is-now")).to_contain_text(re.compile("has not answered|尚未答复"))

    # At another desk.
    effects_carry_out(now=timezone.now())
    assert real_cast.chen.email in {to for letter in mail.outbox for to in letter.to}
    chen = visit("chen", width=360, locale=locale)
    chen.goto(f"/organisations/{real_cast.fudan.pk}/members/")
    expect(chen.locator("main")).to_contain_text("Group of Professor Chen")
    chen.get_by_role("button", name=re.compile(rf"^{accept}.*Li Na")).click()
    expect(chen.locator("main")).to_contain_text("李娜 Li Na")

    # From the next step to the first booking, after which nobody is led any more.
    page.reload()
    expect(page.locator(".first-step li.is-done")).to_have_count(3)
    page.locator(".first-step li.is-now a.btn").click()
    page.wait_for_url(re.compile(r"//[^/]+/$"))
    expect(page.locator(".first-step")).to_have_count(0)
    page.goto(f"/instruments/{instrument.pk}/")
    page.goto(page.locator("#week a.slot").first.get_attribute("href"))
    page.fill("textarea[name=purpose_text]", "断口形貌")
    page.get_by_role("button", name=send, exact=True).click()
    page.wait_for_url("**/bookings/*/")
    page.goto("/home/")
    expect(page.locator(".first-step")).to_have_count(0)
    expect(page.locator("main")).to_contain_text(next_up)
    page.goto("/organisations/")
    expect(page.locator("main")).to_contain_text(role)
    person = User.objects.get(email=address)
    assert person.time_zone == "Asia/Urumqi"
    assert Membership.objects.get(user=person).organisation == real_cast.fudan
    mail.outbox.clear()
    effects_carry_out(now=timezone.now())
    letters = [letter for letter in mail.outbox if letter.to == [person.email]]
    assert re.search("Fudan|复旦", letters[0].subject + letters[0].body)
