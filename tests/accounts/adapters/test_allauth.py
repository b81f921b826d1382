"""allauth's hooks that no page shows."""

from typing import Any

import pytest
from django.test import RequestFactory

from accounts.adapters.allauth import Backend, may_sign_in
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
