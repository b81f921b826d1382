"""Signing in through the page, and what every page must keep to."""

import re
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import PASSWORD


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    data = {"login": email, "password": password, **more}
    return client.post("/accounts/login/", data)


def mails() -> list[EmailMessage]:
    """All mails so far, after a worker has sent what waits."""
    effects_carry_out(now=timezone.now())
    return mail.outbox


def page_of(response: HttpResponse | Any, status: int = 200) -> str:
    """The page, after checking that it keeps to the content security policy."""
    assert response.status_code == status, response.content.decode()[:2000]
    assert "script-src 'self'" in response["Content-Security-Policy"]
    html: str = response.content.decode()
    for tag in re.findall(r"<script\b[^>]*>", html):
        is_data = re.search(r'type="application/(ld\+)?json"', tag)
        assert "src=" in tag or is_data, tag
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", html)
    return html
