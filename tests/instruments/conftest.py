"""A manager at the browser, at noon of the cast's Thursday."""

from typing import Any

import pytest
from django.test import Client

from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import NOW, Cast


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def zhao(cast: Cast, noon: None) -> Client:
    """The manager of USTC, signed in."""
    return signed_in(cast.zhao)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def typed(form: Any, **changes: Any) -> dict[str, Any]:
    """What the browser would send of a form as it is shown, with some changes."""
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is None or value is False:
            continue
        sent[bound.html_name] = "on" if value is True else value
    return sent | changes
