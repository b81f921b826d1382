"""The language switch."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import TrailEntry, User
from tests.accounts.pages import page_of


def switch(client: Client, language: str, back: str = "/") -> Any:
    return client.post("/language/", {"language": language, "next": back})


def test_it_stays_on_the_page_and_remembers(client: Client, db: None) -> None:
    response = switch(client, "zh-hans", "/accounts/login/?next=/bookings/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fbookings%2F"
    cookie = response.cookies["django_language"]
    assert (cookie.value, cookie["max-age"], cookie["samesite"]) == ("zh-hans", 31536000, "Lax")
    html = page_of(client.get(response["Location"]))
    assert '<html lang="zh-hans"' in html and "登录" in html


def test_an_address_with_its_own_language_loses_it(client: Client, db: None) -> None:
    response = switch(client, "en", "/accounts/login/?lang=zh&next=/&lang=zh-hans")
    assert response["Location"] == "/accounts/login/?next=%2F"


@pytest.mark.parametrize(
    "back",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""),
        *("2026-11-30", "?page=2", "home"),  # no address
    ],
)
def test_it_leads_to_no_other_site_and_to_addresses_alone(client: Client, db: None, back: str) -> None:
    assert switch(client, "en", back)["Location"] == "/"


@pytest.mark.parametrize("language", ["", "fr", "zh", "../en"])
def test_a_language_nobody_offers_is_refused(client: Client, db: None, language: str) -> None:
    response = switch(client, language)
    assert response.status_code == 400
    assert "django_language" not in response.cookies


def test_it_is_a_post(client: Client, db: None) -> None:
    assert client.get("/language/")["Location"] == "/"


def test_the_cookie_is_secure_where_pages_are(client: Client, db: None, settings: Any) -> None:
    settings.LANGUAGE_COOKIE_SECURE = True
    assert switch(client, "en").cookies["django_language"]["secure"]


def test_a_person_takes_it_along(signed_in: Client, wang: User) -> None:
    before = TrailEntry.objects.count()
    switch(signed_in, "zh-hans")
    wang.refresh_from_db()
    assert wang.language == "zh-hans"
    entry = TrailEntry.objects.filter(object_id=wang.pk).latest("at")
    assert (entry.action, entry.before, entry.after) == (
        "user.update",
        {"language": "en"},
        {"language": "zh-hans"},
    )
    switch(signed_in, "zh-hans")
    assert TrailEntry.objects.count() == before + 1, "the same again is no change"
