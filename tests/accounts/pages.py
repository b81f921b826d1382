"""Signing in through the page, the people who can, and what every page must keep to."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.overview.services.effects import effects_carry_out
from tests.factories.cast import PASSWORD, Cast


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


@pytest.fixture(autouse=True)
def no_attempts_before() -> None:
    """What one test has tried counts towards no limit of the next."""
    cache.clear()


@pytest.fixture
def wang(cast: Cast) -> User:
    """Wang Li with a confirmed address."""
    user = cast.people["wang"]
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def signed_in(client: Client, wang: User) -> Client:
    """Wang Li, signed in through the page a moment ago."""
    sign_in(client, wang.email)
    return client
