"""From nobody to a member: signed up, confirmed, asked, accepted by somebody at another desk."""

import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership, User
from bookings.services.effects import effects_carry_out

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
LINK = re.compile(r"/accounts/confirm-email/[^\s/]+/")


@pytest.mark.parametrize(
    ("locale", "confirm", "ask", "pending", "accept", "role"),
    [
        ("en-GB", "Yes, confirm", "Ask to join", "not answered yet", "Accept", "researcher"),
        ("zh-CN", "是，确认", "申请加入", "尚未答复", "批准", "科研人员"),
    ],
)
def test_a_new_person_joins(visit, real_cast, locale, confirm, ask, pending, accept, role):
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

    # The first page says what comes first, and leads there.
    page.locator(".first-step a.btn").click()
    page.wait_for_url("**/organisations/")
    page.fill("main input[name=q]", "fudan")
    page.press("main input[name=q]", "Enter")
    page.get_by_role("link", name=ask).click()
    page.fill("textarea[name=text]", "Group of Professor Chen")
    page.get_by_role("button", name=ask).click()
    page.wait_for_url("**/organisations/")
    expect(page.locator("main")).to_contain_text(pending)
    page.goto("/")
    expect(page.locator(".first-step")).to_be_visible()

    # At another desk.
    effects_carry_out(now=timezone.now())
    assert real_cast.chen.email in {to for letter in mail.outbox for to in letter.to}
    chen = visit("chen", width=360, locale=locale)
    chen.goto(f"/organisations/{real_cast.fudan.pk}/members/")
    expect(chen.locator("main")).to_contain_text("Group of Professor Chen")
    chen.get_by_role("button", name=re.compile(rf"^{accept}.*Li Na")).click()
    expect(chen.locator("main")).to_contain_text("李娜 Li Na")

    page.reload()
    expect(page.locator(".first-step")).to_have_count(0)
    page.goto("/organisations/")
    expect(page.locator("main")).to_contain_text(role)
    person = User.objects.get(email=address)
    assert person.time_zone == "Asia/Urumqi"
    assert Membership.objects.get(user=person).organisation == real_cast.fudan
    mail.outbox.clear()
    effects_carry_out(now=timezone.now())
    (letter,) = (letter for letter in mail.outbox if letter.to == [person.email])
    assert "Fudan" in letter.subject + letter.body or "复旦" in letter.subject + letter.body
