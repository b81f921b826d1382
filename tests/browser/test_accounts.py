"""A manager left with the second factor: two administrators reset it, and the manager signs in again."""

import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP

from accounts.models import RoleGrant, TrailEntry, User
from tests.browser.test_sign_in import by_password, code_of
from tests.factories.cast import NOW, PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Lost the telephone; called back at the institute."


def confirmed(page):
    """The administrator proves again who they are, where the page asks."""
    if "/reauthenticate/" in page.url:
        page.fill("#id_password", PASSWORD)
        page.press("#id_password", "Enter")


def test_two_administrators_reset_the_second_factor_of_a_manager(visit, real_cast, settings):
    zhao, first = real_cast.people["zhao"], real_cast.people["admin"]
    second = User.objects.create_user("second@example.org", PASSWORD, name="Second Administrator")
    RoleGrant.objects.create(user=second, role="administrator", granted_at=NOW, granted_by=first)
    TOTP.activate(zhao, "A" * 32)
    for person in (zhao, first, second):
        person.emailaddress_set.create(email=person.email, verified=True, primary=True)

    locked = visit()
    by_password(locked, zhao)
    locked.wait_for_url("**/accounts/2fa/authenticate/**")  # without the telephone it ends here

    page = visit()
    by_password(page, first)
    page.wait_for_url("**/home/")
    page.goto(f"/operations/people/?q={zhao.email}")
    page.click(f"main a:has-text('{zhao.email}')")
    page.click("summary:has-text('Ask to reset the second factor')")
    form = page.locator("form[action$='/reset-factor/']")
    form.locator("[name=reason]").fill(WHY)
    form.locator("button").click()
    confirmed(page)
    page.wait_for_selector("text=Another administrator has to confirm a reset")
    assert page.locator("form[action$='/confirm-reset/']").count() == 0, "not the one who asks"

    other = visit()
    by_password(other, second)
    other.wait_for_url("**/home/")
    other.goto(f"/operations/people/{zhao.pk}/")
    assert WHY in other.inner_text("main")
    other.click("form[action$='/confirm-reset/'] button")
    confirmed(other)
    other.wait_for_selector("text=The second factor is reset.")

    again = visit()
    settings.SECOND_FACTOR_REQUIRED = True
    by_password(again, zhao)
    again.wait_for_url("**/accounts/2fa/")
    again.click("text=Turn on")
    again.wait_for_url("**/accounts/2fa/totp/activate/")
    secret = re.findall(r"[A-Z2-7]{32}", again.inner_text("main"))[0]
    again.fill("#id_code", code_of(secret))
    again.press("#id_code", "Enter")
    again.wait_for_url("**/recovery-codes/")
    again.goto("/home/")
    assert again.url.endswith("/home/")

    told = TrailEntry.objects.filter(object_id=zhao.pk, action__startswith="user.factor").order_by("at", "pk")
    assert [(entry.action, entry.actor_id) for entry in told][:2] == [
        ("user.factor-reset-ask", first.pk),
        ("user.factor-reset", second.pk),
    ]
    assert told[0].text.content == {"reason": WHY}
