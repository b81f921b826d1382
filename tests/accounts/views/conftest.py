"""People who can sign in on pages."""

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.accounts.pages import sign_in
from tests.factories.cast import Cast


@pytest.fixture(autouse=True)
def _no_attempts_before() -> None:
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
