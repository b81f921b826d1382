"""The first page of an installation that has nothing yet."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import PLATFORM, By
from accounts.models import Installation, User
from accounts.selectors.installation import KEPT
from accounts.services.memberships import role_grant
from tests.accounts.pages import page_of
from tests.factories.api import clock  # noqa: F401
from tests.factories.moments import NOW

pytestmark = pytest.mark.django_db


def test_before_setup_the_first_page_names_the_command(client: Client, settings: Any) -> None:
    path = reverse("bookings:catalogue")  # read before: addresses depend on it once
    settings.LOCAL_MODE = False
    html = page_of(client.get(path))
    assert "This installation is new" in html and "python manage.py setup" in html
    assert 'role="search"' not in html


def test_after_setup_the_first_page_says_what_will_be_here(client: Client) -> None:
    Installation.objects.create(name="Anhui", languages=["en"], created_at=NOW)
    cache.delete(KEPT)
    html = page_of(client.get("/"))
    assert "Anhui has just begun." in html and "manage.py" not in html


def test_people_lead_to_the_first_organisation(client: Client) -> None:
    admin = User.objects.create_user("admin@example.org")
    role_grant(By(PLATFORM, NOW), user=admin, role="administrator")
    client.force_login(admin)
    html = page_of(client.get(reverse("accounts:people")))
    assert "No organisation yet" in html and reverse("bookings:organisation-new") in html
