"""allauth's hooks that no page shows."""

from typing import Any

import pytest
from allauth.core.context import request_context
from django.core import mail
from django.test import RequestFactory

from accounts.adapters.allauth import AccountAdapter, Backend, may_sign_in
from accounts.models import User


@pytest.mark.parametrize(
    ("is_active", "is_demo", "local", "may"),
    [
        (True, False, False, True),
        (True, False, True, True),
        (True, True, True, True),
        (True, True, False, False),
        (False, False, True, False),
        (False, True, True, False),
    ],
)
def test_who_may_sign_in(
    settings: Any, is_active: bool, is_demo: bool, local: bool, may: bool
) -> None:
    settings.LOCAL_MODE = local
    assert may_sign_in(User(is_active=is_active, is_demo=is_demo)) is may


def test_the_backend_knows_no_demonstration_account_elsewhere(db: None, settings: Any) -> None:
    user = User.objects.create_user("demo@demo.example", "demo", is_demo=True)
    request = RequestFactory().post("/")
    assert Backend().authenticate(request, email=user.email, password="demo") == user
    assert Backend().get_user(user.pk) == user
    settings.LOCAL_MODE = False
    assert Backend().authenticate(request, email=user.email, password="demo") is None
    assert Backend().get_user(user.pk) is None


@pytest.mark.parametrize(
    ("language", "subject"), [("en", "Your password was set"), ("zh-hans", "密码")]
)
def test_mail_is_in_the_language_of_the_person(
    db: None, rf: RequestFactory, language: str, subject: str
) -> None:
    request = rf.get("/", headers={"user-agent": "Firefox"})
    user = User(email="a@b.example", name="<Ann & Bob>", language=language)
    request.user = user
    with request_context(request):
        context = {
            "user": user,
            "activate_url": "http://testserver/x",
            "ip": "127.0.0.1",
            "user_agent": "Firefox <3",
            "timestamp": None,
        }
        AccountAdapter(request).send_mail("account/email/password_set", user.email, context)
        AccountAdapter(request).send_mail("account/email/email_confirmation", user.email, context)
    assert subject in mail.outbox[0].subject
    assert "Firefox <3" in mail.outbox[0].body
    assert "<Ann & Bob>" in mail.outbox[1].body
