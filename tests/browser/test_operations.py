"""A bad night of an administrator: a mail bounces, stands on the home, is retried once the mailbox is there
again, and all is well."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import OutboxMessage
from accounts.services.jobs import run_begin, run_end
from accounts.work import timetable
from bookings.overview.services.effects import effects_carry_out
from tests.browser.test_money import fits

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


def test_a_mail_that_bounces_is_found_and_sent_again(visit, real_cast, booked, monkeypatch):
    now, wang = timezone.now(), real_cast.people["wang"]
    # Those of the cast were due long before today.
    OutboxMessage.objects.filter(created_at__lt=booked.requested_at - timedelta(hours=1)).delete()
    for entry in timetable():
        run_end(run_begin(entry, now), outcome="done", now=now)

    def bounces(self, messages):
        raise SMTPRecipientsRefused({messages[0].to[0]: (550, b"5.1.1 No such user")})

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", bounces)
        effects_carry_out(now=now)

    page = visit("admin")
    page.goto("/home/")
    wrong = page.get_by_role("region", name="What needs attention")
    expect(wrong).to_contain_text("Mails: no such mailbox")
    expect(page.get_by_text("Nothing is waiting for you.")).to_have_count(0)
    wrong.get_by_role("link", name="Failures").click()
    page.get_by_role("link", name="Mails: no such mailbox").click()
    expect(page.locator("tbody")).to_contain_text(wang.email)
    page.set_viewport_size({"width": 360, "height": 800})
    fits(page)
    # The mailbox is there again.
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Retrying")).to_be_visible()
    effects_carry_out(now=timezone.now())
    assert [wang.email] in [one.to for one in mail.outbox]
    page.goto("/home/")
    expect(page.get_by_text("Everything runs as it should.")).to_be_visible()
    expect(page.get_by_role("region", name="What needs attention")).to_have_count(0)
